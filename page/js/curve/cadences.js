/** The controls of cadences: which quality bits count, which cadences are left out, and what can be undone. */

import { announce, byId, closeByEscape, element, report } from "../base/dom.js";
import { explain, NAMES } from "./quality.js";
import { ALL_BITS, EXCLUDED, isIn, MOST_RANGES, rangesOf, union, without } from "./ranges.js";

const MOST_STEPS = 100;
/** Changes of one light curve that follow each other sooner than this are one step. */
const TOGETHER = 700;
const counted = new WeakMap();

/** How many cadences have each bit. */
function countBits(quality) {
  if (counted.has(quality)) return counted.get(quality);
  const counts = NAMES.map((_, bit) => quality.reduce((sum, value) => sum + ((value >> bit) & 1), 0));
  counted.set(quality, counts);
  return counts;
}

export class CadenceControls {
  /** Parameters: `state`, which is read; `change(changes)` puts changes into it; `paint()` shows the light curves anew. */
  constructor(state, change, paint) {
    Object.assign(this, { state, change, paint, steps: [], sources: [] });
    byId("lasso").addEventListener("click", () => this.#useLasso(!this.isLasso));
    byId("undo-curve").addEventListener("click", () => this.undo());
    byId("include-all").addEventListener("click", () => this.#set({ exclude: [] }));
    byId("flags").addEventListener("toggle", () => this.#listBits());
    closeByEscape(byId("flags"));
  }

  /** Whether a drag in a light curve draws around cadences. */
  get isLasso() {
    return byId("lasso").getAttribute("aria-pressed") === "true";
  }

  #useLasso(isOn) {
    byId("lasso").setAttribute("aria-pressed", String(isOn));
    document.body.classList.toggle("drawing", isOn);
    announce(isOn ? "Drags draw around cadences to leave them out" : "Drags zoom");
  }

  /** Put the controls where the state says. */
  setControls() {
    this.#say();
    this.#listBits();
  }

  /** Take the light curves as the service gave them. */
  setCurves(curves) {
    this.sources = curves;
    this.#say();
    this.#listBits();
  }

  // -- left out ------------------------------------------------------------------------------------------------------

  /** Leave cadences out, or take them in if all of them are out: pairs of a light curve and the set of its places. */
  toggle(chosen) {
    const { exclude } = this.state;
    const isOut = ([curve, places]) => [...places].every((i) => curve.quality[i] & EXCLUDED);
    const ranges = union(chosen.flatMap(([curve, places]) => rangesOf(curve.time, (i) => places.has(i), curve.width ?? 0)));
    this.#set({ exclude: chosen.every(isOut) ? without(exclude, ranges) : union([...exclude, ...ranges]) });
  }

  #set(changes) {
    if (changes.exclude?.length > MOST_RANGES) {
      return void report(byId("cadences-error"), `These are ${changes.exclude.length} ranges of cadences; allowed: up to ${MOST_RANGES}. Draw around fewer at a time, or clip.`);
    }
    const before = Object.fromEntries(Object.keys(changes).map((key) => [key, this.state[key]]));
    this.remember(null, () => this.#put(before));
    return this.#put(changes);
  }

  #put(changes) {
    report(byId("cadences-error"), "");
    this.change(changes);
    this.setControls();
    this.paint();
    announce(byId("excluded-said").textContent || "No cadence is left out");
  }

  #say() {
    const { exclude } = this.state;
    const out = exclude.length ? this.sources.reduce((sum, { time }) => sum + time.filter((each) => each !== null && isIn(exclude, each)).length, 0) : 0;
    byId("excluded-said").textContent = exclude.length ? `${out} cadence${out === 1 ? "" : "s"} left out` : "";
    byId("include-all").hidden = !exclude.length;
    byId("undo-curve").disabled = !this.steps.length;
  }

  // -- undo ----------------------------------------------------------------------------------------------------------

  /** Keep what undoes a change; many changes of one light curve at once are one. */
  remember(curve, undo) {
    const last = this.steps.at(-1);
    const now = performance.now();
    if (curve && last?.curve === curve && now - last.at < TOGETHER) last.at = now;
    else this.steps.push({ curve, undo, at: now });
    if (this.steps.length > MOST_STEPS) this.steps.shift();
    byId("undo-curve").disabled = false;
  }

  undo() {
    const step = this.steps.pop();
    step?.undo();
    byId("undo-curve").disabled = !this.steps.length;
    if (step?.curve) announce("Zoomed as before");
  }

  /** Forget all steps: they are of another target. */
  forget() {
    this.steps = [];
    byId("undo-curve").disabled = true;
  }

  // -- quality bits --------------------------------------------------------------------------------------------------

  #listBits() {
    const off = NAMES.filter((_, bit) => !(this.state.bits & (1 << bit))).length;
    byId("flags-said").textContent = off ? `all but ${off}` : "all";
    if (!byId("flags").open) return;
    const counts = this.sources.map(({ quality }) => countBits(quality));
    byId("flags-list").replaceChildren(...NAMES.map((name, bit) => this.#bit(bit, counts.reduce((sum, each) => sum + each[bit], 0))));
  }

  #bit(bit, count) {
    const change = ({ target }) => {
      this.#set({ bits: target.checked ? this.state.bits | (1 << bit) : this.state.bits & ~(1 << bit) & ALL_BITS });
      byId("flags-list").querySelectorAll("input")[bit].focus();
    };
    const box = element("input", { type: "checkbox", checked: Boolean(this.state.bits & (1 << bit)), "data-bit": bit, on: { change } });
    return element("li", {}, element("label", { class: "inline" }, box, ` ${explain(1 << bit)}`, element("span", { class: "quiet", text: `bit ${bit + 1}, ${count} cadence${count === 1 ? "" : "s"}` })));
  }

  /** What files of light curves are called after. */
  about() {
    const { name, ra, dec, show } = this.state;
    return { name, ra, dec, show };
  }
}
