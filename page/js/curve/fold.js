/** The controls of a folded light curve: the period, what is around it, the epoch, and the search. */

import { byId, oncePerFrame, report } from "../base/dom.js";
import { FOLD } from "../state.js";
import { faintest } from "./series.js";

const STEPS = 100;
const { low: SHORTEST, high: LONGEST } = FOLD.period;
const WORDS = { period: "The period", epoch: "The time of phase 0" };

/** A period with the digits that matter: two more than its error has, if that is known. */
export function tidy(period, error = null) {
  const digits = error > 0 ? 3 + Math.ceil(Math.log10(period / error)) : 10;
  return Number(period.toPrecision(Math.max(3, Math.min(10, digits))));
}

export class FoldControls {
  /** Parameters: `state`, which is read; `change(changes)` puts changes into it; `paint()` shows the light curves anew. */
  constructor(state, change, paint) {
    Object.assign(this, { state, change, paint: oncePerFrame(paint), curves: [], search: null, centre: null });
    for (const name of ["period", "epoch"]) byId(name).addEventListener("input", () => this.#typed(name));
    byId("half-period").addEventListener("click", () => this.#scale(0.5));
    byId("double-period").addEventListener("click", () => this.#scale(2));
    byId("period-slider").addEventListener("input", () => this.#slide());
    byId("find-period").addEventListener("click", () => this.#find());
  }

  /** Put the controls where the state says. */
  setControls() {
    for (const name of ["period", "epoch"]) {
      byId(name).value = this.state[name] ?? "";
      this.#judge(name, "");
    }
    this.#centreOn(this.state.period);
  }

  /** Take the light curves that are there; what was found in others is taken away. */
  setCurves(curves) {
    const same = curves.length === this.curves.length && curves.every(({ flux }, i) => flux === this.curves[i].flux);
    this.curves = curves;
    byId("find-period").disabled = !curves.length;
    byId("fold-hint").hidden = Boolean(this.state.period);
    this.search?.mark(this.state.period);
    if (same) return;
    if (curves.length) this.search?.outdate();
    else this.search?.close();
    this.#centreOn(this.state.period);
  }

  /** A first epoch, where there is none. */
  guess(curves) {
    if (this.state.epoch !== null || !curves.length) return;
    const epoch = faintest(curves[0]);
    if (epoch) this.change({ epoch: Number(epoch.toFixed(5)) });
    byId("epoch").value = this.state.epoch ?? "";
  }

  #typed(name) {
    const text = byId(name).value.trim();
    const { low, high, allowed } = FOLD[name];
    const good = text !== "" && Number(text) >= low && Number(text) <= high;
    this.#judge(name, good || !text ? "" : `${WORDS[name]} is "${text}"; allowed: ${allowed}, or nothing.`);
    this.change({ [name]: good ? Number(text) : null });
    if (name === "period") this.#centreOn(this.state.period);
    this.paint();
  }

  /** Say beside the fields what is wrong with one; nothing if it is right. */
  #judge(name, wrong) {
    byId(name).setAttribute("aria-invalid", String(wrong !== ""));
    report(byId(`${name}-error`), wrong);
  }

  #scale(factor) {
    if (this.state.period) this.choose({ period: this.state.period * factor, epoch: null });
  }

  /** Fold with a period, and with an epoch if there is one. */
  choose({ period, epoch, error = null }) {
    this.change({ period: tidy(period, error), ...(epoch === null ? {} : { epoch: Number(epoch.toFixed(5)) }) });
    this.setControls();
    this.paint();
  }

  #days() {
    const isTime = (value) => value !== null;
    const ends = this.curves.flatMap(({ time }) => [time.find(isTime), time.findLast(isTime)]).filter((value) => value !== undefined);
    return ends.length ? Math.max(...ends) - Math.min(...ends) : 0;
  }

  #centreOn(period) {
    const slider = byId("period-slider");
    this.centre = period;
    slider.value = 0;
    slider.disabled = !period || !this.#days();
    slider.setAttribute("aria-valuetext", period ? `${period} days` : "no period");
  }

  /** The ends of the slider are one cycle more and one less between the first cadence and the last. */
  #slide() {
    const slider = byId("period-slider");
    const frequency = 1 / this.centre + Number(slider.value) / STEPS / this.#days();
    const period = tidy(Math.min(LONGEST, Math.max(SHORTEST, 1 / Math.max(frequency, 1 / LONGEST))));
    this.change({ period });
    byId("period").value = period;
    slider.setAttribute("aria-valuetext", `${period} days`);
    this.paint();
  }

  async #find() {
    const place = byId("period-search");
    try {
      const { PeriodSearch } = await import("./period/periods.js");
      this.search ??= new PeriodSearch(place, (found) => this.choose(found));
    } catch {
      return void report(place, "The search of periods cannot be loaded. Is the service within reach? Try again.");
    }
    return this.search.run(this.curves);
  }
}
