/** Programs that make the same files and light curves: copied as text, or saved as a notebook. */

import { address } from "../base/api.js";
import { announce, byId, element, report } from "../base/dom.js";
import { saveBlob } from "../base/save.js";
import { hasPreview } from "../state.js";
import { shownApertures } from "./apertures.js";
import { curl, curveQuery } from "./snippets.js";

const LOADED = { astroquery: "python", tessera: "python", lightkurve: "python", notebook: "notebook" };
const NOT_LOADED = "The program cannot be loaded. Is the service within reach? Try again.";

export class Programs {
  /** Parameters: `order`, what the programs ask for; `look`, which shows it. */
  constructor(order, look) {
    Object.assign(this, { order, look, place: byId("snippet") });
    for (const what of ["curl", "astroquery", "tessera", "lightkurve"]) byId(`copy-${what}`).addEventListener("click", () => this.#make(what));
    byId("notebook").addEventListener("click", () => this.#make("notebook"));
  }

  /** What is asked for is another: programs of before are taken away. */
  describe(ready) {
    const { moving } = this.order.state;
    for (const id of ["copy-curl", "copy-astroquery", "copy-tessera", "copy-lightkurve", "notebook"]) byId(id).disabled = !ready;
    for (const id of ["copy-tessera", "copy-lightkurve", "notebook"]) byId(id).hidden = moving;
    this.place.hidden = true;
  }

  /** Apertures that are shown, by cube. */
  #shown() {
    const { state, cubes } = this.order;
    return shownApertures(state.apertures, cubes.map(({ cube }) => this.look.views.get(cube)?.preview).filter(Boolean));
  }

  /** Addresses of the light curves whose trends are taken away, by cube. Some keep their trend, because it cannot be found. */
  #trends(order, origin) {
    const { state, cubes } = this.order;
    if (state.detrend === "none" || !hasPreview(state.size)) return {};
    const previews = cubes.map(({ cube }) => [cube, this.look.views.get(cube)?.preview]);
    const taken = previews.filter(([, preview]) => !preview || preview.detrended).map(([cube]) => cube);
    return Object.fromEntries(taken.map((cube) => [cube, origin + address("/v1/preview.csv", curveQuery(order, cube, state))]));
  }

  async #make(what) {
    const module = LOADED[what] ? await import(`./${LOADED[what]}.js`).catch(() => null) : {};
    if (!module) {
      this.place.hidden = false;
      return void report(this.place, NOT_LOADED);
    }
    const { cubes } = this.order;
    const [order, marked, { origin }] = [this.order.order(), { ...this.order.order(), aperture: this.order.aperture() }, location];
    const view = { ...this.order.state, trends: this.#trends(order, origin) };
    if (what === "curl") return this.#copy(what, curl(order, origin));
    if (what === "astroquery") return this.#copy(what, module.astroquery(order, origin, this.#shown()));
    if (what === "tessera") return this.#copy(what, module.library(marked, origin, view));
    if (what === "lightkurve") return this.#copy(what, module.lightkurve(marked, cubes, origin, view));
    saveBlob(new Blob([module.notebookOf(view, marked, cubes, location.href)], { type: "application/x-ipynb+json" }), module.nameOf(view));
    this.place.hidden = false;
    report(this.place, "The notebook is saved. It needs lightkurve, and it loads the files from this service.", "good");
    return undefined;
  }

  async #copy(what, text) {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      done = false;
    }
    this.place.hidden = false;
    this.place.replaceChildren(element("p", { class: "note", text: done ? `Copied for ${what}:` : `For ${what} (your browser did not allow the copy):` }), element("pre", { tabindex: 0, "aria-label": `Program for ${what}`, text }));
    announce(done ? `Copied for ${what}` : "Not copied. The page shows the text");
  }
}
