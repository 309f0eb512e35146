/** The form of an operation: its parameters and its body, filled with the examples of the document. */

import { element } from "./dom.js";
import { indented } from "./code.js";

/** Types of bodies that people can write. */
const WRITTEN = ["application/json", "application/x-www-form-urlencoded", "text/csv", "text/plain"];
/** Beside the parameters that are required: few operations do anything without a position. */
const FILLED = ["ra", "dec"];
const CSV = "name,ra,dec\npi Men,84.291198,-80.469077\n";

function kindOf(schema) {
  return schema.anyOf?.find((each) => each.type !== "null") ?? schema;
}

function textOf(value) {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join(",") : String(value);
}

function choicesOf(schema) {
  const kind = kindOf(schema);
  if (kind.enum) return kind.enum.map(String);
  return kind.type === "boolean" ? ["true", "false"] : null;
}

/** Fields of a form, as a body of `application/x-www-form-urlencoded`. */
function formOf(example) {
  return new URLSearchParams(Object.entries(example).filter(([, value]) => value !== null).map(([name, value]) => [name, textOf(value)])).toString();
}

/** An operation of the document, ready to be filled in. */
export class RequestForm {
  /** Parameters: the document, the operation's `method`, `path` and description, and `onChange()`. */
  constructor(document, { method, path, operation }, onChange) {
    Object.assign(this, { document, method: method.toUpperCase(), path, operation, onChange, inputs: new Map() });
    this.node = element("div", { class: "fields" }, (operation.parameters ?? []).map((each) => this.#field(each)), this.#body());
    this.node.addEventListener("input", onChange);
  }

  #id(name) {
    return `${this.operation.operationId}-${name}`;
  }

  #field({ name, in: place, required, schema }) {
    const id = this.#id(name);
    const example = textOf(schema.examples?.[0]);
    const value = required || FILLED.includes(name) ? example : "";
    const choices = choicesOf(schema);
    const control = choices
      ? element("select", { id }, [...(required ? [] : [""]), ...choices].map((choice) => element("option", { value: choice, text: choice || `${textOf(schema.default) || "not given"} (default)`, selected: choice === value })))
      : element("input", { id, type: "text", value, placeholder: textOf(schema.default) || example, spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
    this.inputs.set(name, { control, place, required });
    return element("div", { class: "field" }, element("label", { for: id }, element("code", { text: name }), required ? element("span", { class: "quiet", text: " required" }) : null), control);
  }

  #example(content) {
    const name = content.schema.$ref?.split("/").at(-1);
    return this.document.components.schemas[name]?.examples?.[0] ?? {};
  }

  #body() {
    const contents = this.operation.requestBody?.content ?? {};
    const types = WRITTEN.filter((type) => type in contents);
    if (!types.length) return null;
    const [typeId, bodyId] = [this.#id("type"), this.#id("body")];
    this.type = element("select", { id: typeId, on: { change: () => this.#fill(contents) } }, types.map((type) => element("option", { text: type })));
    this.text = element("textarea", { id: bodyId, rows: 8, spellcheck: "false", autocapitalize: "off" });
    this.#fill(contents);
    return [element("div", { class: "field" }, element("label", { for: typeId, text: "Type of the body" }), this.type),
      element("div", { class: "field wide" }, element("label", { for: bodyId, text: "Body" }), this.text)];
  }

  #fill(contents) {
    const example = this.#example(contents[this.type.value]);
    if (this.type.value === "application/json") this.text.value = indented(example);
    else this.text.value = this.type.value.startsWith("text/") ? CSV : formOf(example);
    this.onChange();
  }

  /** Names of the parameters that are required and empty. */
  missing() {
    return [...this.inputs].filter(([, { control, required }]) => required && control.value.trim() === "").map(([name]) => name);
  }

  /** The request as `code.js` has it. */
  request(base) {
    const given = [...this.inputs].map(([name, { control, place }]) => [name, control.value.trim(), place]).filter(([, value]) => value !== "");
    const path = given.filter(([, , place]) => place === "path").reduce((text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(value)), this.path);
    const query = Object.fromEntries(given.filter(([, , place]) => place === "query").map(([name, value]) => [name, value]));
    const types = Object.entries(this.operation.responses).filter(([status]) => status === "200").flatMap(([, { content = {} }]) => Object.keys(content));
    const isFile = types.some((type) => !/json|text|xml/.test(type));
    const body = this.text ? { type: this.type.value, body: this.text.value } : {};
    return { method: this.method, url: base + path, query, isFile, ...body };
  }
}
