/** A light curve that can be zoomed, panned and read, also by keyboard; drawn by uPlot. */

/* global uPlot */

import { announce, debounce, element, token } from "../base/dom.js";
import { HINT_PAUSE, isZoom, WHEEL_HINT } from "../base/wheel.js";
import { Marker } from "./marker.js";
import { explain } from "./quality.js";
import { formatFlux } from "../pixels/frame.js";
import { closeGaps, columns, within } from "./series.js";

const ERROR_BARS_UP_TO = 400;
const MIN_POINTS_IN_VIEW = 4;
const TIMES = { BTJD: "BTJD (BJD − 2 457 000), days", TJD: "TJD (JD − 2 457 000) at the spacecraft, days" };

/** A tick as text, without separators of thousands, which a time has not. */
function plain(tick) {
  return tick === null ? "" : String(Number(tick.toPrecision(8))).replace("-", "−");
}

/** Squares for what is good, crosses for what is flagged; larger when there are few. */
function pointPaths(shape) {
  return (plot, index, first, last) => {
    const path = new Path2D();
    const [xs, ys] = [plot.data[0], plot.data[index]];
    const ratio = uPlot.pxRatio;
    const half = (last - first > 3000 ? 1 : last - first > 600 ? 1.5 : last - first > 150 ? 2.2 : 3) * ratio;
    const { left, top, width, height } = plot.bbox;
    for (let i = first; i <= last; i += 1) {
      if (ys[i] === null || ys[i] === undefined) continue;
      const x = plot.valToPos(xs[i], "x", true);
      const y = plot.valToPos(ys[i], "y", true);
      if (x < left || x > left + width || y < top || y > top + height) continue;
      if (shape === "square") path.rect(x - half, y - half, 2 * half, 2 * half);
      else {
        const arm = half + ratio;
        path.moveTo(x - arm, y - arm);
        path.lineTo(x + arm, y + arm);
        path.moveTo(x - arm, y + arm);
        path.lineTo(x + arm, y - arm);
      }
    }
    return shape === "square" ? { fill: path, stroke: new Path2D() } : { fill: new Path2D(), stroke: path };
  };
}

export class LightCurve {
  /** Parameters: a title for those who hear the page, `onView(first, last)` for the range that is shown, and `onMark(time)` for the frame that somebody wants to see. */
  constructor({ title, onView = () => {}, onMark = () => {} }) {
    Object.assign(this, { title, onView, plot: null, curves: [], options: {} });
    this.marker = new Marker(this, onMark);
    this.area = element("div", { class: "plot", tabindex: 0, role: "application", "aria-label": title,
      "aria-description": "Arrow keys left and right pan, up and down zoom, 0 shows everything, square brackets step from point to point." });
    this.readout = element("output", { class: "readout", "aria-live": "off" });
    const button = (text, label, run) => element("button", { type: "button", class: "small", "aria-label": label, title: label, text, on: { click: run } });
    this.node = element("div", { class: "curve" }, this.area, element("div", { class: "under" }, this.readout,
      element("span", { class: "buttons" }, button("−", "Zoom out", () => this.zoom(2)), button("+", "Zoom in", () => this.zoom(0.5)), button("All", "All of the light curve", () => this.all()))));
    this.hint = debounce(() => { this.readout.textContent = WHEEL_HINT; }, HINT_PAUSE);
    this.area.addEventListener("keydown", (event) => this.#key(event));
    this.area.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.area.addEventListener("pointerdown", (event) => this.#startPan(event), { capture: true });
    new ResizeObserver(() => this.#resize()).observe(this.area);
  }

  /**
   * Show curves.
   *
   * Parameters: `curves` have time, flux, error, quality, name and colour; `fold` is a period and an epoch, or null;
   * `unit` is flux or relative; `flagged` says whether flagged cadences are shown.
   */
  show(curves, { fold = null, unit = "flux", flagged = true } = {}) {
    const same = this.plot && JSON.stringify(fold) === JSON.stringify(this.options.fold);
    const kept = same && this.zoomed ? [this.plot.scales.x.min, this.plot.scales.x.max] : null;
    Object.assign(this, { curves, options: { fold, unit, flagged } });
    this.axis = fold ? null : closeGaps(curves);
    this.table = columns(curves, { fold, unit, axis: this.axis });
    this.#build();
    if (kept) this.#setRange(...kept);
  }

  /** Draw anew, for instance in other colours. */
  redraw() {
    if (this.curves.length) this.show(this.curves, this.options);
  }

  all() {
    const { x } = this.table;
    if (!x.length) return;
    const margin = (x.at(-1) - x[0] || 1) * 0.015;
    this.#setRange(x[0] - margin, x.at(-1) + margin);
    this.zoomed = false;
  }

  /** Make the range so many times as wide around a value, the middle if none is given. */
  zoom(factor, around = null) {
    const { min, max } = this.plot.scales.x;
    const at = around ?? (min + max) / 2;
    this.#setRange(at - (at - min) * factor, at + (max - at) * factor);
  }

  pan(part) {
    const { min, max } = this.plot.scales.x;
    this.#setRange(min + (max - min) * part, max + (max - min) * part);
  }

  #setRange(min, max) {
    const { x } = this.table;
    const span = x.at(-1) - x[0] || 1;
    const [first, last] = within(x, min, max);
    const narrower = max - min < this.plot.scales.x.max - this.plot.scales.x.min;
    if ((narrower && last - first < MIN_POINTS_IN_VIEW) || max - min > 3 * span || max < x[0] || min > x.at(-1)) return;
    this.zoomed = true;
    this.plot.setScale("x", { min, max });
  }

  #build() {
    this.plot?.destroy();
    const size = { width: this.area.clientWidth || 600, height: this.area.clientHeight || 280 };
    this.plot = new uPlot(this.#settings(size), [this.table.x, ...this.table.series], this.area);
    this.zoomed = false;
    if (this.table.x.length) this.all();
    this.marker.attach();
  }

  /** The point at a place in the table. */
  pointAt(index) {
    const { index: of, i, flagged } = this.table.rows[index];
    return { name: this.curves[of].name, time: this.curves[of].time[i], i, flagged };
  }

  #settings(size) {
    const axis = (label) => ({ label, labelSize: 18, labelFont: `12px ${token("text-font")}`, font: `11px ${token("text-font")}`, stroke: token("quiet"),
      grid: { stroke: token("plot-grid"), width: 1 }, ticks: { stroke: token("plot-grid"), width: 1, size: 5 }, gap: 4 });
    const { fold, unit } = this.options;
    const [{ units = "e-/s", time_system = "BTJD" } = {}] = this.curves;
    return {
      ...size,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
      scales: { x: { time: false }, y: { range: () => this.#yRange() } },
      axes: [
        { ...axis(fold ? `phase, period ${fold.period} d` : TIMES[time_system]), size: 34, values: (_, ticks) => ticks.map((tick) => plain(this.axis ? this.axis.from(tick) : tick)) },
        { ...axis(unit === "relative" ? "relative flux" : units.replace("e-", "e⁻")), size: 62, values: (_, ticks) => ticks.map(plain) },
      ],
      series: [{}, ...this.curves.flatMap((curve) => [this.#series(curve.colour ?? token("ink"), "square", true), this.#series(token("flag"), "cross", this.options.flagged)])],
      hooks: { setCursor: [(plot) => this.#read(plot.cursor.idx)], setSelect: [(plot) => this.#select(plot)], draw: [(plot) => this.#errorBars(plot), (plot) => this.#breaks(plot), () => this.marker.place()], setScale: [(plot, key) => key === "x" && this.#tellView(plot.scales.x)] },
    };
  }

  #series(colour, shape, show) {
    return { show, paths: () => null, points: { show: true, stroke: colour, fill: colour, width: 1.4, paths: pointPaths(shape) } };
  }

  /** Around what is good and in view; around flagged values where nothing is good. */
  #yRange() {
    const { x, rows } = this.table;
    const scale = this.plot?.scales.x;
    const [first, last] = scale && scale.min !== null && scale.min !== undefined ? within(x, scale.min, scale.max) : [0, x.length];
    const inView = rows.slice(first, last);
    const good = inView.filter((row) => !row.flagged);
    const values = (good.length ? good : inView).map((row) => row.y);
    if (!values.length) return [0, 1];
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const margin = (high - low || Math.abs(high) || 1) * 0.08;
    return [low - margin, high + margin];
  }

  #errorBars(plot) {
    const { x, rows } = this.table;
    const [first, last] = within(x, plot.scales.x.min, plot.scales.x.max);
    if (last - first > ERROR_BARS_UP_TO || last <= first) return;
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.globalAlpha = 0.45;
    ctx.lineWidth = uPlot.pxRatio;
    for (const row of rows.slice(first, last)) {
      if (!row.error || (row.flagged && !this.options.flagged)) continue;
      const at = plot.valToPos(row.x, "x", true);
      ctx.beginPath();
      ctx.moveTo(at, plot.valToPos(row.y - row.error, "y", true));
      ctx.lineTo(at, plot.valToPos(row.y + row.error, "y", true));
      ctx.strokeStyle = row.flagged ? token("flag") : this.curves[row.index].colour ?? token("ink");
      ctx.stroke();
    }
    ctx.restore();
  }

  #tellView({ min, max }) {
    if (this.axis) this.onView(this.axis.from(min), this.axis.from(max));
  }

  /** Lines where days without frames were left out. */
  #breaks(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.setLineDash([2 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
    ctx.strokeStyle = token("line-strong");
    ctx.lineWidth = uPlot.pxRatio;
    for (const place of this.axis?.breaks ?? []) {
      const at = plot.valToPos(place, "x", true);
      if (at < bbox.left || at > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  #words(index) {
    const row = this.table.rows[index];
    if (!row) return "";
    const curve = this.curves[row.index];
    const flux = this.options.unit === "relative" ? row.y.toFixed(5) : `${formatFlux(row.y)}${row.error ? ` ± ${formatFlux(row.error)}` : ""} e⁻/s`;
    const flags = row.flagged ? `; ${explain(curve.quality[row.i])}` : "";
    const phase = this.options.fold ? `phase ${row.x.toFixed(4)}, ` : "";
    return `${this.curves.length > 1 ? `${curve.name}: ` : ""}${phase}${curve.time[row.i].toFixed(5)}  ${flux}${flags}`;
  }

  #read(index) {
    this.readout.textContent = index === null || index === undefined ? "" : this.#words(index);
  }

  #select(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    this.#setRange(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  }

  #key(event) {
    const moves = { ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2), ArrowUp: () => this.zoom(0.6), ArrowDown: () => this.zoom(1 / 0.6),
      "+": () => this.zoom(0.6), "-": () => this.zoom(1 / 0.6), 0: () => this.all(), "[": () => this.#step(-1), "]": () => this.#step(1) };
    if (!this.plot || !(event.key in moves)) return;
    event.preventDefault();
    moves[event.key]();
  }

  #step(by) {
    const [first, last] = within(this.table.x, this.plot.scales.x.min, this.plot.scales.x.max);
    if (last <= first) return;
    const at = this.at === undefined ? first : Math.max(first, Math.min(last - 1, this.at + by));
    this.at = at;
    this.plot.setCursor({ left: this.plot.valToPos(this.table.x[at], "x"), top: 10 });
    announce(this.#words(at));
  }

  #wheel(event) {
    if (!this.plot || !this.plot.over.contains(event.target)) return;
    const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!isSideways && !isZoom(event)) return void this.hint();
    event.preventDefault();
    if (isSideways) return void this.pan(event.deltaX / this.plot.over.clientWidth);
    const left = event.clientX - this.plot.over.getBoundingClientRect().left;
    this.zoom(Math.exp(event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), this.plot.posToVal(left, "x"));
    return undefined;
  }

  /** Shift and drag, the middle button, or a finger, moves the curve; dragging alone marks what to zoom to. */
  #startPan(event) {
    if (this.marker.has(event.target)) return;
    if (!this.plot || !(event.shiftKey || event.button === 1 || event.pointerType === "touch")) return;
    event.preventDefault();
    event.stopPropagation();
    const { min, max } = this.plot.scales.x;
    const [start, perPixel] = [event.clientX, (max - min) / this.plot.over.clientWidth];
    const move = (each) => this.#setRange(min - (each.clientX - start) * perPixel, max - (each.clientX - start) * perPixel);
    const stop = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", stop);
      window.removeEventListener("pointercancel", stop);
      window.removeEventListener("mousedown", block, { capture: true });
    };
    const block = (each) => each.stopPropagation();
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", stop);
    window.addEventListener("pointercancel", stop);
    window.addEventListener("mousedown", block, { capture: true });
  }

  #resize() {
    if (!this.plot || !this.area.clientWidth) return;
    this.plot.setSize({ width: this.area.clientWidth, height: this.area.clientHeight });
  }
}
