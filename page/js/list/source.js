/** The list of targets that somebody gives: its format, and the way to the service. */

import { address, ApiError, ask, send } from "../base/api.js";

/** Formats of a list: what people call it, and its media type. Text may have any separator, or a target in each line. */
export const FORMS = {
  text: { name: "text", type: "text/plain" },
  ecsv: { name: "ECSV", type: "text/x-ecsv" },
  votable: { name: "VOTable", type: "application/x-votable+xml" },
  parquet: { name: "Parquet", type: "application/vnd.apache.parquet" },
  fits: { name: "FITS", type: "application/fits" },
  json: { name: "JSON", type: "application/json" },
  packed: { name: "compressed", type: "application/octet-stream" },
};
/** Rows and bytes of a list that is sent in the body of a request; longer lists are uploaded. */
export const BODY_ROWS = 10_000;
export const BODY_BYTES = 4_000_000;
const HEAD_BYTES = 4096;

/** Format of a list by its first characters. Names of files are not looked at: they may say anything. */
export function formOf(head) {
  const text = head.replace(/^\uFEFF/, "").trimStart();
  if (text.startsWith("PAR1")) return "parquet";
  if (text.startsWith("SIMPLE  =")) return "fits";
  if (/^(\u001F|BZh|.7zXZ)/u.test(text)) return "packed";
  if (text.startsWith("# %ECSV")) return "ecsv";
  if (/^<\?xml|^<VOTABLE/i.test(text)) return "votable";
  return /^[[{]/.test(text) ? "json" : "text";
}

/** Whether a list is too long for the body of a request, as far as its text tells. */
export function isLong(size, text, form) {
  if (size > BODY_BYTES) return true;
  if (form === "text" || form === "ecsv") return text.split("\n").filter((line) => line.trim() && !line.startsWith("#")).length > BODY_ROWS + 1;
  return false;
}

/** A request for the service that is given as a list, with targets and perhaps options; null if it is no request. */
function asRequest(text) {
  try {
    const found = JSON.parse(text);
    return found && Object.hasOwn(found, "targets") ? found : null;
  } catch {
    return null; // the service says what is wrong with it
  }
}

/** A list, which is sent with each request, or uploaded once if it is long. */
export class Source {
  /** Parameters: `blob` with the list; `name` for people; `onUpload()`, called before the list is uploaded. */
  constructor(blob, name, onUpload = () => {}) {
    Object.assign(this, { blob, name, onUpload, upload: null });
  }

  async form() {
    return formOf(await this.#read(this.blob.slice(0, HEAD_BYTES)));
  }

  /** Text of a part. A file that has changed since it was chosen cannot be read. */
  async #read(part) {
    try {
      return await part.text();
    } catch {
      throw new ApiError(0, { message: `${this.name} cannot be read; choose it again` });
    }
  }

  /** Send the list with options to a path; the answer as an object, or an ApiError. */
  async post(path, options) {
    const form = await this.form();
    const text = ["text", "ecsv"].includes(form) && this.blob.size <= BODY_BYTES ? await this.#read(this.blob) : "";
    if (!this.upload && !isLong(this.blob.size, text, form)) {
      try {
        return await this.#body(path, options, FORMS[form].type);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 413) throw error;
      }
    }
    this.upload ??= await this.#send();
    return this.#uploaded(path, { upload: this.upload, ...options });
  }

  async #body(path, options, type) {
    if (type === FORMS.json.type) {
      const request = asRequest(await this.#read(this.blob));
      if (request) return send("POST", path, { ...options, ...request });
    }
    return (await ask(address(path, options), { method: "POST", headers: { "Content-Type": type }, body: this.blob })).json();
  }

  async #uploaded(path, body) {
    try {
      return await send("POST", path, body);
    } catch (error) {
      if (error.status === 404) this.upload = null; // it was deleted meanwhile: the next try uploads the list again
      throw error;
    }
  }

  async #send() {
    this.onUpload();
    const { upload, url } = await send("POST", "/v1/bulk/uploads", { bytes: this.blob.size });
    const answer = await fetch(url, { method: "PUT", body: this.blob.slice() }).catch(() => null);
    if (!answer?.ok) throw new ApiError(answer?.status ?? 0, { message: `the list was not uploaded${answer ? ` (the store answered ${answer.status})` : ""}; try again` });
    return upload;
  }
}
