/** The power at each period, drawn by uPlot; a click chooses the highest period nearby. */

/* global uPlot */

import { element, token } from "../../base/dom.js";

const NEAR_PIXELS = 6;
const LABEL_PIXELS = 34;

/** Labels of periods where there is room for them: first those of 1, 2 and 5 of each power of ten. */
function labels(plot, ticks) {
  const kept = [];
  const isRound = (tick) => /^[125]/.test(tick.toExponential(0));
  const hasRoom = (tick) => kept.every((other) => Math.abs(plot.valToPos(other, "x") - plot.valToPos(tick, "x")) >= LABEL_PIXELS);
  for (const tick of [...ticks.filter(isRound), ...ticks.filter((each) => !isRound(each))]) if (hasRoom(tick)) kept.push(tick);
  return ticks.map((tick) => (kept.includes(tick) ? String(Number(tick.toPrecision(1))) : ""));
}

export class PowerPlot {
  /** Parameters: `onChoose(period)`. */
  constructor(onChoose) {
    Object.assign(this, { onChoose, plot: null, data: [[], []] });
    this.node = element("div", { class: "power", role: "img", "aria-label": "Power at each period. The list below has the best periods." });
    this.node.addEventListener("click", (event) => this.#choose(event));
    new ResizeObserver(() => this.plot?.setSize(this.#size())).observe(this.node);
  }

  #size() {
    return { width: this.node.clientWidth || 600, height: this.node.clientHeight || 150 };
  }

  show(period, power) {
    const isFalling = period[0] > period.at(-1); // as frequencies rise
    this.data = [period, power].map((column) => (isFalling ? column.toReversed() : column));
    this.redraw();
  }

  redraw() {
    this.plot?.destroy();
    this.plot = null;
    if (!this.data[0].length) return;
    const axis = (label, size) => ({ label, size, labelSize: 16, labelFont: `12px ${token("text-font")}`, font: `11px ${token("text-font")}`, stroke: token("quiet"),
      grid: { stroke: token("plot-grid"), width: 1 }, ticks: { stroke: token("plot-grid"), width: 1, size: 5 }, gap: 4 });
    this.plot = new uPlot({
      ...this.#size(),
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
      scales: { x: { time: false, distr: 3, range: (_, low, high) => [low, high] }, y: { range: (_, low, high) => [0, high * 1.05 || 1] } },
      axes: [{ ...axis("period, days", 32), filter: (_, ticks) => ticks, values: labels }, axis("variance explained", 48)],
      series: [{}, { stroke: token("accent"), width: 1, points: { show: false } }],
    }, this.data, this.node);
  }

  #choose(event) {
    if (!this.plot || !this.plot.over.contains(event.target)) return;
    const left = event.clientX - this.plot.over.getBoundingClientRect().left;
    const [from, to] = [-NEAR_PIXELS, NEAR_PIXELS].map((away) => this.plot.posToVal(left + away, "x"));
    const [periods, power] = this.data;
    let top = -1;
    periods.forEach((period, i) => {
      if (period >= from && period <= to && (top < 0 || power[i] > power[top])) top = i;
    });
    if (top >= 0) this.onChoose(periods[top]);
  }
}
