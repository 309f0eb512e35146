/** The controls that make light curves clean: what they allow, and what they did. */

import { byId, debounce, report } from "../base/dom.js";
import { STEPS } from "../state.js";

const PAUSE = 300;

/** Why a text is no value of a step; empty if it is one, or says nothing. */
export function fault(name, text) {
  const { low, high, words } = STEPS[name];
  const value = Number(text);
  if (text.trim() === "" || (Number.isFinite(value) && value >= low && value <= high)) return "";
  return `The ${words} are "${text}"; allowed: ${low} to ${high}, or nothing. This step is left out.`;
}

export class CleanControls {
  /** Parameters: `state`, which is read; `change(changes)` puts changes into it; `paint()` shows the light curves anew. */
  constructor(state, change, paint) {
    Object.assign(this, { state, change, paint: debounce(paint, PAUSE) });
    for (const name of Object.keys(STEPS)) byId(name).addEventListener("input", () => this.#typed(name));
  }

  /** Put the controls where the state says. */
  setControls() {
    for (const name of Object.keys(STEPS)) {
      byId(name).value = this.state[name] ?? "";
      byId(name).setAttribute("aria-invalid", "false");
    }
    report(byId("clean-error"), "");
  }

  #typed(name) {
    const faults = Object.keys(STEPS).map((each) => [each, fault(each, byId(each).value)]);
    for (const [each, why] of faults) byId(each).setAttribute("aria-invalid", String(why !== ""));
    report(byId("clean-error"), faults.map(([, why]) => why).filter(Boolean).join(" "));
    const { value } = byId(name);
    this.change({ [name]: value.trim() === "" || fault(name, value) ? null : Number(value) });
    this.paint();
  }

  /** Say what was left out of the light curves. */
  say(curves) {
    const clipped = curves.reduce((sum, curve) => sum + (curve.clipped ?? 0), 0);
    byId("clean-said").textContent = this.state.clip && curves.length ? `${clipped} cadence${clipped === 1 ? "" : "s"} clipped` : "";
  }
}
