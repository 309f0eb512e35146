/** The tools under the pictures: how pixels are chosen, what is undone, how large pictures are. */

import { element, report } from "../base/dom.js";

/** Tools: what they are called, how to use them, and the number that they need. */
const TOOLS = {
  paint: { text: "Paint", hint: "Click or drag over pixels to add them to the aperture or remove them." },
  circle: { text: "Circle", hint: "Drag a circle from its centre, or click where its centre is.", label: "Radius", unit: "px", words: "radius in pixels", low: 0.5, high: 70, step: 0.5, value: 2.5 },
  threshold: { text: "Threshold", hint: "Click a star in either picture: its pixels above the limit become the aperture.", label: "Above", unit: "σ", words: "number of sigma", low: 0, high: 1000, step: 0.5, value: 3 },
};

export class Tools {
  /**
   * Parameters: `name`, which no other tools of the page have; `on`, what to call: `tool()`, `number()`, `around()`, `undo()`, `redo()`, `clear()`, `reset()`, and
   * `zoom(by)`, null for all.
   */
  constructor(name, on) {
    Object.assign(this, { on, tool: "paint", message: element("div", { class: "wrong" }) });
    const button = (text, run, title) => element("button", { type: "button", class: "small", text, title, on: { click: run } });
    this.undo = button("Undo", on.undo, "Ctrl+Z");
    this.redo = button("Redo", on.redo, "Ctrl+Shift+Z");
    this.clear = button("Clear", on.clear, "Only the pixel of the target stays");
    this.reset = button("Default aperture", on.reset);
    this.around = button("At the target", on.around);
    this.count = element("span", { class: "count" });
    this.fields = Object.fromEntries(Object.keys(TOOLS).filter((tool) => TOOLS[tool].label).map((tool) => [tool, this.#field(tool)]));
    this.numbers = element("span", { class: "tool-number buttons" }, ...Object.values(this.fields).map((field) => field.node), this.around);
    this.node = element("div", { class: "pixel-tools" },
      element("fieldset", { class: "group segments" }, element("legend", { class: "hidden", text: "Aperture" }), ...Object.keys(TOOLS).map((tool) => this.#choice(name, tool))), this.numbers, this.#zoom(),
      element("span", { class: "buttons" }, this.undo, this.redo, this.clear, this.reset), this.count);
    this.#choose("paint");
  }

  get hint() {
    return TOOLS[this.tool].hint;
  }

  /** The number of the tool; null where the field has none that is allowed. */
  get number() {
    const { input } = this.fields[this.tool] ?? {};
    const { low, high } = TOOLS[this.tool];
    const value = input && input.value.trim() !== "" ? Number(input.value) : NaN;
    return value >= low && value <= high ? value : null;
  }

  set number(value) {
    this.fields[this.tool].input.value = value;
    this.#check();
  }

  /** Say how many pixels are in the aperture, and which buttons do something. */
  say({ inside, isDefault, canUndo, canRedo }) {
    this.count.textContent = `${inside} pixel${inside === 1 ? "" : "s"} in the aperture`;
    [this.undo.disabled, this.redo.disabled, this.reset.disabled] = [!canUndo, !canRedo, isDefault];
  }

  #choice(name, tool) {
    const input = element("input", { type: "radio", name: `tool-${name}`, value: tool, checked: tool === "paint", on: { change: () => this.#choose(tool) } });
    return element("label", { title: TOOLS[tool].hint }, input, element("span", { text: TOOLS[tool].text }));
  }

  #zoom() {
    const button = (text, label, by) => element("button", { type: "button", class: "small", text, "aria-label": label, title: label, on: { click: () => this.on.zoom(by) } });
    return element("span", { class: "zoom" }, button("−", "Zoom out of the pixels", 1 / 1.5), button("+", "Zoom into the pixels", 1.5), button("All", "All pixels", null));
  }

  #field(tool) {
    const { label, unit, low, high, step, value } = TOOLS[tool];
    const input = element("input", { type: "number", min: low, max: high, step, value, inputmode: "decimal", on: { input: () => this.#check() && this.on.number() } });
    return { input, node: element("label", { class: "inline" }, label, input, unit) };
  }

  #choose(tool) {
    this.tool = tool;
    for (const [each, { node }] of Object.entries(this.fields)) node.hidden = each !== tool;
    this.numbers.hidden = !this.fields[tool];
    this.#check();
    this.on.tool();
  }

  /** Say beside the field what is wrong with it. */
  #check() {
    const { input } = this.fields[this.tool] ?? {};
    const { words, low, high } = TOOLS[this.tool];
    const isWrong = Boolean(input) && this.number === null;
    input?.setAttribute("aria-invalid", String(isWrong));
    this.around.disabled = isWrong;
    report(this.message, isWrong ? `The ${words} is from ${low} to ${high}; "${input.value}" is not.` : "");
    return !isWrong;
  }
}
