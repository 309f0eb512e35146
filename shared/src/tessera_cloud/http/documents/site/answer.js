/** Sends a request of the form, and shows what comes back. Nothing is taken from another address. */

import { element } from "./dom.js";
import { addressOf, indented } from "./code.js";

const MAX_TEXT = 100_000;

function sizeOf(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function readable(text, type) {
  if (!type.includes("json")) return text;
  try {
    return indented(JSON.parse(text));
  } catch {
    return text;
  }
}

function words(text) {
  const cut = text.length > MAX_TEXT;
  return [element("pre", { tabindex: 0, role: "region", "aria-label": "Body of the answer", text: cut ? text.slice(0, MAX_TEXT) : text }),
    cut ? element("p", { class: "quiet", text: `The first ${MAX_TEXT.toLocaleString("en")} of ${text.length.toLocaleString("en")} characters.` }) : null];
}

function nameOf(answer) {
  return /filename="?([^";]+)/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "answer";
}

async function bodyOf(answer) {
  const type = answer.headers.get("Content-Type") ?? "";
  const data = await answer.blob();
  if (/json|^text\/|xml/.test(type)) return { data, nodes: words(readable(await data.text(), type)) };
  if (!data.size) return { data, nodes: [] };
  const href = URL.createObjectURL(data);
  const link = element("p", {}, element("a", { href, download: nameOf(answer), text: `Save ${nameOf(answer)}` }));
  return { data, nodes: type.startsWith("image/") ? [element("img", { src: href, alt: "The picture that the service answered" }), link] : [link] };
}

function line(text, kind) {
  return element("p", { class: `message ${kind}`, role: "status", text });
}

/** Where the answer is elsewhere, the browser may open it, but a page may not read it. */
function elsewhere(request) {
  const said = line("The answer is a redirect to a file at another address (303).", "good");
  if (request.method === "GET") said.append(" ", element("a", { href: addressOf(request), target: "_blank", rel: "noopener", text: "Open it" }));
  else said.append(" The code above follows it.");
  return [said];
}

/** Send a request; elements that show the answer. */
export async function send(request) {
  const began = performance.now();
  const { method, type, body } = request;
  let answer;
  try {
    answer = await fetch(addressOf(request), { method, redirect: "manual", cache: "no-store", ...(body ? { body, headers: { "Content-Type": type } } : {}) });
  } catch {
    return [line("The service cannot be reached.", "error")];
  }
  if (answer.type === "opaqueredirect") return elsewhere(request);
  const { data, nodes } = await bodyOf(answer);
  const took = `${Math.round(performance.now() - began)} ms`;
  const facts = [`${answer.status} ${answer.statusText}`.trim(), answer.headers.get("Content-Type"), sizeOf(data.size), took].filter(Boolean).join(" · ");
  return [line(facts, answer.ok ? "good" : "error"), ...nodes];
}
