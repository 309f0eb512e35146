/** The service's own endpoints; errors have its words. */

/** What the service answered instead of what was asked for. */
export class ApiError extends Error {
  constructor(status, { code = "", message = "", parameter = null, allowed = null } = {}) {
    super(message || `the service answered ${status}`);
    this.status = status;
    this.code = code;
    this.parameter = parameter;
    this.allowed = allowed;
  }
}

/** Address of a path with a query; parameters that are empty are left out. */
export function address(path, query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeValue(value)}`).join("&");
  return text ? `${path}?${text}` : path;
}

/** Commas and colons stay readable in addresses that people copy. */
function encodeValue(value) {
  return encodeURIComponent(String(value)).replaceAll("%2C", ",").replaceAll("%3A", ":");
}

const BUSY = "The service is busy. Wait a moment, then try again.";
/** What is said where a gateway answers in place of the service; its own words are one or two. */
const OF_GATEWAYS = { 429: BUSY, 502: BUSY, 503: BUSY, 504: "The service took too long to answer. Ask for less, or try again." };

async function failure(response) {
  const { status, statusText } = response;
  let details = {};
  try {
    const document = await response.json();
    details = document.error ?? { message: document.msg ?? OF_GATEWAYS[status] ?? document.message };
  } catch {
    details = { message: OF_GATEWAYS[status] ?? `the service answered ${status} ${statusText}` };
  }
  return new ApiError(status, details);
}

/** Ask; the response, or an ApiError. */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "unreachable", message: "the service cannot be reached" });
  }
  if (!response.ok && response.type !== "opaqueredirect") throw await failure(response);
  return response;
}

/** Ask for JSON. */
export async function getJson(path, query, signal) {
  return (await ask(address(path, query), { signal })).json();
}

/** Send JSON. */
export async function send(method, path, body) {
  const options = { method };
  if (body !== undefined) Object.assign(options, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  return (await ask(path, options)).json();
}

/** A queue that lets so many through at a time: a star in eighty sectors is not eighty requests at once. */
export class Gate {
  constructor(width) {
    Object.assign(this, { free: width, waiting: [] });
  }

  async run(task) {
    if (this.free > 0) this.free -= 1;
    else await new Promise((resolve) => { this.waiting.push(resolve); });
    try {
      return await task();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}
