/** The search of a period as people see it: its progress, the power at each period, and the best periods to choose from. */

import { announce, element, prepareCanvas, report, token } from "../../base/dom.js";
import { tidy } from "../fold.js";
import { PowerPlot } from "./power-plot.js";
import { MIN_POINTS, pointsOf } from "./search.js";
import { phaseOf } from "../series.js";

const METHODS = { sines: "Waves (Lomb-Scargle)", boxes: "Eclipses (box least squares)" };
const [WIDTH, HEIGHT, BINS, MAX_DOTS] = [150, 56, 75, 400];
/** A period stands out if noise gives such a wave less often than this, or such an eclipse is seen with this certainty. */
const [MAX_CHANCE, MIN_SIGNAL] = [0.01, 7];

/** A number with its error: as many digits as the error has meaning. */
function withError(value, error) {
  if (!(error > 0)) return value.toPrecision(6);
  const digits = Math.max(0, Math.min(8, 1 - Math.floor(Math.log10(error))));
  return `${value.toFixed(digits)} ± ${error.toFixed(digits)}`;
}

/** Phases and flux to draw: the points, or the means of bins where there are many. */
function phaseDots({ time, flux }, period, epoch) {
  if (time.length <= MAX_DOTS) return Array.from(time, (value, i) => [phaseOf(value, period, epoch), flux[i]]);
  const bins = Array.from({ length: BINS }, () => [0, 0]);
  for (let i = 0; i < time.length; i += 1) {
    const bin = bins[Math.min(BINS - 1, Math.floor((phaseOf(time[i], period, epoch) + 0.5) * BINS))];
    bin[0] += flux[i];
    bin[1] += 1;
  }
  return bins.map(([sum, n], i) => [(i + 0.5) / BINS - 0.5, sum / n]).filter((dot) => Number.isFinite(dot[1]));
}

function drawDots(canvas, dots) {
  const context = prepareCanvas(canvas, WIDTH, HEIGHT);
  const values = dots.map((dot) => dot[1]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  context.fillStyle = token("ink");
  for (const [phase, value] of dots) context.fillRect((phase + 0.5) * (WIDTH - 2), 3 + (1 - (value - low) / (high - low || 1)) * (HEIGHT - 8), 2, 2);
}

/** Whether the best of a method is more than noise. */
function standsOut(best, n) {
  if (!best) return false;
  if (best.chance !== null) return best.chance < MAX_CHANCE;
  return Math.sqrt((best.power * (n - 4)) / Math.max(1 - best.power, 1e-12)) >= MIN_SIGNAL;
}

export class PeriodSearch {
  /** Parameters: where it is shown, and `onChoose({ period, epoch })`. */
  constructor(place, onChoose) {
    Object.assign(this, { place, onChoose, worker: null, method: "sines" });
    this.message = element("div", { class: "messages" });
    this.bar = element("progress", { max: 1, "aria-label": "Search of periods" });
    this.cancel = element("button", { type: "button", class: "small", text: "Cancel", on: { click: () => this.#cancelled() } });
    this.running = element("div", { class: "actions", hidden: true }, this.bar, this.cancel);
    this.plot = new PowerPlot((period) => this.onChoose({ period, epoch: null }));
    this.list = element("ol", { class: "periods", "aria-label": "The best periods" });
    this.said = element("p", { class: "quiet" });
    this.methods = element("fieldset", { class: "group segments" }, element("legend", { text: "Best for" }), ...Object.entries(METHODS).map(([name, text]) => this.#method(name, text)));
    this.results = element("div", { hidden: true }, this.methods, this.said, this.plot.node, this.list);
    place.replaceChildren(this.message, this.running, this.results);
  }

  #method(name, text) {
    const input = element("input", { type: "radio", name: "period-method", value: name, checked: name === this.method, on: { change: () => this.#show(name) } });
    return element("label", {}, input, element("span", { text }));
  }

  /** Search in these light curves. */
  run(curves) {
    this.close();
    this.place.hidden = false;
    this.points = pointsOf(curves);
    const n = this.points.time.length;
    if (n < MIN_POINTS) return report(this.message, `A period needs ${MIN_POINTS} cadences without flags; here are ${n}.`);
    this.running.hidden = false;
    this.bar.removeAttribute("value");
    announce("Searching for periods");
    this.worker = new Worker(new URL("./search-worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => (data.boxes ? this.#take(data) : this.bar.setAttribute("value", data.part));
    this.worker.onerror = (event) => {
      this.close();
      this.place.hidden = false;
      report(this.message, `The search failed: ${event.message || "its program cannot be loaded"}.`);
    };
    return this.worker.postMessage(this.points);
  }

  /** End the search, and take away what was found. */
  close() {
    this.worker?.terminate();
    this.worker = null;
    this.running.hidden = this.results.hidden = this.place.hidden = true;
    report(this.message, "");
  }

  /** The light curves are others now: what was found, or is searched, is not theirs. */
  outdate() {
    if (this.place.hidden) return;
    this.close();
    this.place.hidden = false;
    report(this.message, "The light curves have changed. Find the period again.", "note");
  }

  #cancelled() {
    this.close();
    announce("The search was cancelled");
  }

  #take(found) {
    this.worker.terminate();
    this.worker = null;
    this.found = found;
    this.running.hidden = true;
    this.results.hidden = false;
    const clear = Object.keys(METHODS).filter((name) => standsOut(found[name].best[0], this.points.time.length));
    const better = (a, b) => (found[b].best[0].power > found[a].best[0].power ? b : a);
    this.#show(clear.length ? clear.reduce(better) : this.method);
    for (const input of this.methods.querySelectorAll("input")) input.checked = input.value === this.method;
  }

  #show(method) {
    this.method = method;
    const { best, period, power } = this.found[method];
    const [short, long] = [period, period].map((all, i) => all.reduce((a, b) => (i ? Math.max(a, b) : Math.min(a, b)), i ? 0 : Infinity));
    const clear = standsOut(best[0], this.points.time.length);
    const range = `Periods from ${short.toPrecision(3)} to ${long.toPrecision(3)} days, in ${this.points.time.length} cadences without flags that span ${(this.points.time.at(-1) - this.points.time[0]).toPrecision(4)} days.`;
    this.said.textContent = period.length ? `${clear ? "" : "No period stands out: the best may be noise. "}${range}` : "The light curve is too short for two cycles.";
    this.plot.show(period, power);
    this.list.replaceChildren(...best.map((each) => this.#item(each)));
    this.#draw(best);
    announce(best.length ? `The best period is ${withError(best[0].period, best[0].error)} days` : "No period was found");
  }

  #item(found) {
    const words = [`explains ${(100 * found.power).toFixed(found.power < 0.1 ? 1 : 0)} %`];
    if (found.duration) words.push(`${(24 * found.duration).toFixed(1)} h, ${(100 * found.depth).toPrecision(2)} % deep`);
    if (found.relation) words.push(found.relation);
    return element("li", {}, element("button", { type: "button", "aria-pressed": "false", "data-period": tidy(found.period, found.error), on: { click: () => this.onChoose(found) } },
      element("canvas", { "aria-hidden": "true", width: WIDTH, height: HEIGHT }), element("strong", { text: `${withError(found.period, found.error)} d` }), ...words.map((text) => element("span", { class: "quiet", text }))));
  }

  #draw(best) {
    const canvases = this.list.querySelectorAll("canvas");
    best.forEach(({ period, epoch }, i) => drawDots(canvases[i], phaseDots(this.points, period, epoch ?? this.points.time[0])));
  }

  /** Show which of the periods is chosen. */
  mark(period) {
    for (const button of this.list.querySelectorAll("button")) button.setAttribute("aria-pressed", String(Number(button.dataset.period) === period));
  }

  /** Draw anew, in other colours. */
  redraw() {
    if (this.results.hidden) return;
    this.plot.redraw();
    this.#draw(this.found[this.method].best);
  }
}
