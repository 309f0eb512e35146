/** Files that are handed to the browser to keep. */

import { element } from "./dom.js";

const KEPT_MILLISECONDS = 60_000;

/** Let the browser fetch an address as a file. */
export function fetchFile(url, name = "") {
  const link = element("a", { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
}

/** Save what the page has made. */
export function saveBlob(blob, name) {
  const local = URL.createObjectURL(blob);
  fetchFile(local, name);
  setTimeout(() => URL.revokeObjectURL(local), KEPT_MILLISECONDS);
}
