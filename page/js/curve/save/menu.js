/** The menu that saves a light curve as it is shown. What makes the files is loaded when it is first needed. */

import { announce, closeByEscape, element } from "../../base/dom.js";

const KINDS = { PNG: "picture", SVG: "picture that can be enlarged", CSV: "table", ECSV: "table with units, for astropy" };

export class SaveMenu {
  /** Parameters: the light curve. */
  constructor(curve) {
    this.curve = curve;
    const buttons = Object.entries(KINDS).map(([kind, words]) => element("button", { type: "button", class: "small", text: kind, title: `${kind}, a ${words}`, on: { click: () => this.#save(kind) } }));
    this.said = element("output", { class: "quiet" });
    this.node = element("details", { class: "save" }, element("summary", { class: "button small", text: "Save" }),
      element("div", { class: "menu" }, element("span", { class: "quiet", text: "What is shown, as" }), buttons, this.said));
    closeByEscape(this.node);
  }

  async #save(kind) {
    if (!this.curve.plot) return;
    try {
      const { save } = await import("./save.js");
      const name = await save(this.curve, kind);
      this.said.textContent = `Saved ${name}`;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.said.textContent = "The program that saves cannot be loaded. Is the service within reach?";
    }
    announce(this.said.textContent);
  }
}
