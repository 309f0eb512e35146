/** The page of the API: requests to try, their code in three languages, and a filter. The text is there without it. */

import { byId, element } from "./dom.js";
import { LANGUAGES } from "./code.js";
import { RequestForm } from "./form.js";
import { send } from "./answer.js";
import { startTheme } from "./theme.js";

const { base } = document.documentElement.dataset;
const KEY = "tessera-language";
let known = null;

/** The document, asked for when somebody first wants to try something. */
function openDocument() {
  known ??= fetch(`${base}/openapi.json`).then((answer) => {
    if (!answer.ok) throw new Error(`the service answered ${answer.status}`);
    return answer.json();
  }).catch((error) => {
    known = null;
    throw error;
  });
  return known;
}

function findOperation({ paths }, id) {
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) if (operation.operationId === id) return { path, method, operation };
  }
  throw new Error(`the document has no operation ${id}`);
}

// -- code ------------------------------------------------------------------------------------------------------------

function chosenLanguage() {
  try {
    return localStorage.getItem(KEY) ?? "curl";
  } catch {
    return "curl";
  }
}

function chooseLanguage(name) {
  try {
    localStorage.setItem(KEY, name);
  } catch { /* a browser that keeps nothing */ }
  for (const radio of document.querySelectorAll('.code input[type="radio"]')) radio.checked = radio.value === name;
  document.dispatchEvent(new Event("language"));
}

/** Code of a request in the chosen language; `write()` brings it up to date. */
function codePart(id, requestNow) {
  const text = element("code");
  const radio = (name) => element("label", {}, element("input", { type: "radio", name: `language-${id}`, value: name, checked: name === chosenLanguage(), on: { change: () => chooseLanguage(name) } }), element("span", { text: name }));
  const copied = element("span", { class: "quiet", role: "status" });
  const copy = element("button", { type: "button", class: "small", text: "Copy", on: { click: async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      copied.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(text);
      copied.textContent = "Selected: copy it with the keyboard.";
    }
  } } });
  const write = () => {
    const name = chosenLanguage();
    text.textContent = (LANGUAGES[name] ?? LANGUAGES.curl)(requestNow());
    copied.textContent = "";
  };
  document.addEventListener("language", write);
  const node = element("div", { class: "code" }, element("div", { class: "code-head" },
    element("fieldset", { class: "group segments" }, element("legend", { class: "hidden", text: "Language" }), Object.keys(LANGUAGES).map(radio)), copy, copied),
  element("pre", { tabindex: 0, role: "region", "aria-label": "Code of the request" }, text));
  return { node, write };
}

// -- try -------------------------------------------------------------------------------------------------------------

class Trial {
  constructor(place, found, document) {
    const { operationId: id } = found.operation;
    this.form = new RequestForm(document, found, () => this.code?.write());
    this.code = codePart(id, () => this.form.request(base));
    this.button = element("button", { type: "submit", class: "primary", text: "Send" });
    this.answer = element("div", { class: "answer", "aria-live": "polite" });
    const node = element("form", { novalidate: true, on: { submit: (event) => this.#send(event) } }, this.form.node, this.code.node,
      element("p", { class: "actions" }, this.button), this.answer);
    this.code.write();
    place.replaceChildren(node);
  }

  async #send(event) {
    event.preventDefault();
    const missing = this.form.missing();
    if (missing.length) return void this.answer.replaceChildren(element("p", { class: "message error", role: "alert", text: `Give ${missing.join(" and ")} first.` }));
    this.button.disabled = true;
    this.answer.setAttribute("aria-busy", "true");
    try {
      this.answer.replaceChildren(...(await send(this.form.request(base))).filter(Boolean));
    } finally {
      this.button.disabled = false;
      this.answer.removeAttribute("aria-busy");
    }
    return undefined;
  }
}

async function openTrial(details) {
  if (!details.open || details.dataset.made) return;
  details.dataset.made = "yes";
  const place = details.querySelector(".trial");
  try {
    const document = await openDocument();
    new Trial(place, findOperation(document, details.dataset.operation), document);
  } catch (error) {
    delete details.dataset.made;
    place.replaceChildren(element("p", { class: "message error", role: "alert", text: `The form cannot be shown: ${error.message}.` }));
  }
}

// -- filter ----------------------------------------------------------------------------------------------------------

/** What an operation is called, and what it does. */
function wordsOf(part) {
  return `${part.id} ${[...part.querySelectorAll("h3, h3 + p")].map((each) => each.textContent).join(" ")}`.toLowerCase();
}

function filter(typed) {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const part of document.querySelectorAll(".operation")) {
    const text = wordsOf(part);
    part.hidden = !wanted.every((word) => text.includes(word));
    byId(`to-${part.id}`).hidden = part.hidden;
    count += !part.hidden;
  }
  for (const chapter of document.querySelectorAll(".chapter, .contents .part")) chapter.hidden = ![...chapter.querySelectorAll(".operation, li")].some((part) => !part.hidden);
  byId("count").textContent = wanted.length ? `${count} operation${count === 1 ? "" : "s"}` : "";
}

/** Open what the address names. */
function openNamed() {
  const id = location.hash.slice(1);
  const details = id && document.getElementById(id)?.querySelector(".try");
  if (details) details.open = true;
}

startTheme(() => {});
for (const details of document.querySelectorAll(".try")) details.addEventListener("toggle", () => openTrial(details));
const field = byId("filter");
field.addEventListener("input", () => filter(field.value));
field.form.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  event.preventDefault();
  field.focus();
});
window.addEventListener("hashchange", openNamed);
openNamed();
filter(field.value);
document.documentElement.dataset.ready = "yes";
