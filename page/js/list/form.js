/** The form for a list of targets: the list itself, and what to make of it. */

import { byId, report } from "../base/dom.js";
import { formatBytes } from "../files/snippets.js";
import { withRows } from "./add.js";
import { optionsOf, problemsOf } from "./options.js";
import { FORMS, Source } from "./source.js";

/** Elements of fields that can be wrong. */
const FIELDS = { rows: "list-rows", columns: "list-size-columns", sectors: "list-sectors", epoch: "list-epoch", digits: "list-digits" };

function outputs() {
  return [...document.querySelectorAll('[name="list-outputs"]')];
}

export class ListForm {
  /** Parameters: `onChange()`, called when what is asked for is another; `onFile()`, called when a file was given; `onUpload()`. */
  constructor({ onChange, onFile, onUpload }) {
    Object.assign(this, { onChange, onFile, onUpload, file: null, source: null, told: {} });
    this.text = byId("list-text");
    this.#listenToList();
    this.#listenToOptions();
    this.#showFields();
  }

  #listenToList() {
    const drop = byId("list-drop");
    byId("list-file").addEventListener("change", (event) => this.#take(event.target.files[0] ?? null));
    byId("list-remove").addEventListener("click", () => {
      this.#take(null);
      byId("list-file").focus();
    });
    this.text.addEventListener("input", () => this.#changed());
    byId("open-list").addEventListener("click", () => setTimeout(() => this.text.focus())); // after the view is shown
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      const { files } = event.dataTransfer;
      if (files.length) this.give(files);
      else this.#paste(event.dataTransfer.getData("text/plain"));
    });
  }

  /** Take a file that was dropped. */
  give(files) {
    if (files.length > 1) report(byId("list-source-error"), `One file at a time, please; these are ${files.length}.`);
    else if (files.length) this.#take(files[0]);
  }

  #paste(text) {
    this.text.value = text;
    this.#changed();
  }

  #listenToOptions() {
    const ids = ["list-product", "list-aperture", "list-background", "list-layout", "list-packing", "list-best", ...Object.values(FIELDS)];
    for (const input of [...outputs(), ...ids.map(byId)]) {
      input.addEventListener("change", () => {
        this.#showFields();
        this.#tell(problemsOf(this.fields()));
        this.onChange();
      });
    }
    for (const [name, id] of Object.entries(FIELDS)) {
      byId(id).setAttribute("aria-describedby", `list-${name}-error`);
      byId(id).addEventListener("input", () => this.#forgive());
    }
  }

  #take(file) {
    this.file = file;
    if (!file) byId("list-file").value = "";
    this.#changed();
    byId("list-chosen").hidden = !file;
    this.text.disabled = Boolean(file);
    if (file) this.#describe();
  }

  async #describe() {
    const { file } = this;
    byId("list-chosen-name").textContent = `${file.name}, ${formatBytes(file.size)}`;
    const form = await this.list()?.form().catch(() => null);
    if (this.file !== file) return;
    if (!form) return void report(byId("list-source-error"), `The file ${file.name} cannot be read.`);
    byId("list-chosen-name").textContent = `${file.name}, ${FORMS[form].name}, ${formatBytes(file.size)}`;
    this.onFile();
  }

  /** Add rows to the pasted table; words about what became of it. */
  add(rows, product) {
    if (this.file) return `The list is the file ${this.file.name}. Remove it in Lists, then add targets here.`;
    const isNew = !this.text.value.trim();
    const chosen = byId("list-product");
    if (isNew) chosen.value = product;
    if (chosen.value !== product) return `The list is for ${chosen.value} frames, and these are ${product} frames.`;
    const made = withRows(this.text.value, rows);
    if (!made) return "The pasted table in Lists has no headings ra and dec, so nothing can be added to it.";
    this.#paste(made.text);
    return `${made.added ? "Added" : "Already there"}: the list has ${made.rows} row${made.rows === 1 ? "" : "s"}.`;
  }

  #changed() {
    this.source = null;
    report(byId("list-source-error"), "");
    this.onChange();
  }

  fields() {
    const value = (id) => byId(id).value;
    return {
      outputs: outputs().filter((input) => input.checked).map((input) => input.value), product: value("list-product"),
      rows: value("list-rows"), columns: value("list-size-columns"), sectors: value("list-sectors"), epoch: value("list-epoch"), aperture: value("list-aperture"), digits: value("list-digits"),
      background: byId("list-background").checked, layout: value("list-layout"), packing: value("list-packing"), best: byId("list-best").checked,
    };
  }

  /** Show the fields that matter for what is ticked. */
  #showFields() {
    const { outputs: made, aperture } = this.fields();
    byId("list-digits").hidden = aperture !== "own";
    byId("list-layout").disabled = !made.includes("tpf");
    byId("list-packing").disabled = !made.some((each) => each !== "parquet");
  }

  #tell(problems) {
    this.told = problems;
    for (const name of ["outputs", ...Object.keys(FIELDS)]) report(byId(`list-${name}-error`), problems[name] ?? "");
    for (const [name, id] of Object.entries(FIELDS)) byId(id).setAttribute("aria-invalid", String(name in problems));
  }

  /** Take away messages about what is right now. New ones wait until the field is left. */
  #forgive() {
    const told = Object.entries(problemsOf(this.fields())).filter(([name]) => name in this.told);
    this.#tell(Object.fromEntries(told));
  }

  /** The list; null if there is none. */
  list() {
    const { file, text } = this;
    if (!file && !text.value.trim()) return null;
    this.source ??= new Source(file ?? new Blob([text.value]), file?.name ?? "pasted table", this.onUpload);
    return this.source;
  }

  /** The options, or null after a field that is wrong has got the focus. */
  options() {
    const fields = this.fields();
    const problems = problemsOf(fields);
    this.#tell(problems);
    const [first] = Object.keys(problems);
    if (!first) return optionsOf(fields);
    (first === "outputs" ? outputs()[0] : byId(FIELDS[first])).focus();
    return null;
  }

  /** Say beside the field what the service says about it; false if it is about none. */
  blame({ parameter, message }) {
    const name = { size: "rows", sectors: "sectors", aperture: "digits", outputs: "outputs", targets: "source", list: "source", body: "source" }[parameter];
    if (!name || (name === "digits" && byId("list-digits").hidden)) return false;
    report(byId(`list-${name}-error`), message);
    if (FIELDS[name]) byId(FIELDS[name]).setAttribute("aria-invalid", "true");
    return true;
  }
}
