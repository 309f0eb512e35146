/** The code of a request in three languages. Pure: a request is {method, url, query, type, body, isFile}. */

const RAW = /^[\w@%+=:,./-]+$/;
/** A list of numbers over several lines; texts in JSON have no line breaks. */
const NUMBERS = /\[\n([-+\d.eE,\snultrfas]*?)\n\s*\]/g;

/** JSON for people: indented, with a list of numbers on one line. */
export function indented(value) {
  return JSON.stringify(value, null, 2).replace(NUMBERS, (_, inside) => `[${inside.replace(/\s+/g, " ").trim()}]`);
}

/** Address with its query; commas and colons stay readable. */
export function addressOf({ url, query = {} }) {
  const encode = (value) => encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%3A", ":");
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.length ? `${url}?${pairs.join("&")}` : url;
}

function shell(text) {
  return RAW.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A value of JSON as Python writes it. Texts are the same in both. */
function python(value, indent = "") {
  const inner = `${indent}    `;
  const several = (open, items, close) => (items.length ? `${open}\n${items.map((item) => `${inner}${item},\n`).join("")}${indent}${close}` : open + close);
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return value.some((each) => each instanceof Object) ? several("[", value.map((each) => python(each, inner)), "]") : `[${value.map((each) => python(each)).join(", ")}]`;
  if (value instanceof Object) return several("{", Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${python(each, inner)}`), "}");
  return JSON.stringify(value);
}

function parsed({ type, body }) {
  if (!body || type !== "application/json") return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function curlCode(request) {
  const words = ["curl"];
  if (request.isFile) words.push("--location --remote-name --remote-header-name");
  if (request.method === "DELETE" || (request.method === "POST" && !request.body)) words.push(`--request ${request.method}`);
  if (request.body) words.push(`--header ${shell(`Content-Type: ${request.type}`)}`, `--data-raw ${shell(request.body)}`);
  return [...words, shell(addressOf(request))].join(request.body ? " \\\n  " : " ");
}

function pythonCode(request) {
  const { method, url, query = {}, type, body, isFile } = request;
  const given = [JSON.stringify(url)];
  if (Object.keys(query).length) given.push(`params=${python(query, "    ")}`);
  const document = parsed(request);
  if (document !== undefined) given.push(`json=${python(document, "    ")}`);
  else if (body) given.push(`data=${JSON.stringify(body)}.encode()`, `headers={"Content-Type": ${JSON.stringify(type)}}`);
  given.push("timeout=60");
  const call = `answer = requests.${method.toLowerCase()}(\n${given.map((each) => `    ${each},\n`).join("")})`;
  const use = isFile ? 'with open("answer", "wb") as file:\n    file.write(answer.content)' : "print(answer.text)";
  return `import requests\n\n${call}\nanswer.raise_for_status()\n${use}`;
}

function javascriptCode(request) {
  const { method, type, body, isFile } = request;
  const options = [];
  if (method !== "GET") options.push(`  method: ${JSON.stringify(method)},\n`);
  if (body) options.push(`  headers: { "Content-Type": ${JSON.stringify(type)} },\n`, `  body: ${JSON.stringify(body)},\n`);
  const call = `fetch(${JSON.stringify(addressOf(request))}${options.length ? `, {\n${options.join("")}}` : ""})`;
  return `const answer = await ${call};\nif (!answer.ok) throw new Error(\`\${answer.status} \${await answer.text()}\`);\nconsole.log(await answer.${isFile ? "blob" : "text"}());`;
}

/** Name of each language, and what writes a request in it. */
export const LANGUAGES = { curl: curlCode, Python: pythonCode, JavaScript: javascriptCode };
