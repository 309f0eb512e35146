/** A light curve that can be zoomed, panned, read and marked, also by keyboard; drawn by uPlot. */

/* global uPlot */

import { announce, debounce, element, token } from "../base/dom.js";
import { HINT_PAUSE, isZoom, WHEEL_HINT, zoomOf } from "../base/wheel.js";
import { Marker } from "./marker.js";
import { explain } from "./quality.js";
import { formatFlux } from "../pixels/stretch.js";
import { closeGaps } from "./series.js";
import { drawBreaks, drawDots, drawErrors } from "./draw/dots.js";
import { startLasso, startPan } from "./draw/gestures.js";
import { hasUtc, settingsOf } from "./draw/settings.js";
import { formatUtc } from "./draw/utc.js";
import { SaveMenu } from "./save/menu.js";
import { rangeOf, tableOf, within } from "./table.js";

const MIN_POINTS_IN_VIEW = 4;
const MARGIN = 0.08;
const DIGITS = 1e5;
const KEYS = "Arrow keys left and right pan, up and down zoom, with shift they zoom the flux, 0 shows everything, square brackets step from point to point, x leaves the point out or takes it in, capital X does so with all in view, Ctrl and Z undoes.";
/** Tools of a light curve that stands alone; see CadenceControls. */
const NO_TOOLS = { isLasso: false, remember: () => {}, undo: () => {}, toggle: () => {}, about: () => ({}) };

export class LightCurve {
  /**
   * Parameters: a title for those who hear the page; `tools`, see CadenceControls; `onView(first, last)` for the times that
   * are shown; `onZoom(range)` for what is zoomed to, null for all; `onMark(time)` for the frame that somebody wants to see.
   */
  constructor({ title, tools = NO_TOOLS, onView = () => {}, onZoom = () => {}, onMark = () => {} }) {
    Object.assign(this, { title, tools, onView, onZoom, plot: null, curves: [], options: {}, flux: null, zoomed: false });
    this.marker = new Marker(this, onMark);
    this.area = element("div", { class: "plot", tabindex: 0, role: "application", "aria-label": title, "aria-description": KEYS });
    this.readout = element("output", { class: "readout", "aria-live": "off" });
    const button = (text, label, run, name = "small") => element("button", { type: "button", class: name, "aria-label": label, title: label, text, on: { click: run } });
    this.node = element("div", { class: "curve" }, this.area, element("div", { class: "under" }, this.readout, element("span", { class: "buttons" },
      button("−", "Zoom out", () => this.#byUser(() => this.zoom(2))), button("+", "Zoom in", () => this.#byUser(() => this.zoom(0.5))),
      button("↕−", "Zoom out in flux", () => this.#byUser(() => this.zoomFlux(2)), "small upwards"), button("↕+", "Zoom in in flux", () => this.#byUser(() => this.zoomFlux(0.5)), "small upwards"),
      button("All", "All of the light curve", () => this.#byUser(() => this.all())), new SaveMenu(this).node)));
    this.hint = debounce(() => { this.readout.textContent = WHEEL_HINT; }, HINT_PAUSE);
    this.tellZoom = debounce(() => this.onZoom(this.range), HINT_PAUSE);
    this.area.addEventListener("keydown", (event) => this.#key(event));
    this.area.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.area.addEventListener("pointerdown", (event) => this.#drag(event), { capture: true });
    new ResizeObserver(() => this.#resize()).observe(this.area);
  }

  /**
   * Show curves.
   *
   * Parameters: `curves` have time, flux, error, quality, name and colour; `fold` is a period and an epoch, or null; `unit` is
   * flux or relative; `flagged` says whether flagged cadences are shown; `zoom` is the range to begin with.
   */
  show(curves, { fold = null, unit = "flux", flagged = true, zoom = null } = {}) {
    const same = this.plot && JSON.stringify(fold) === JSON.stringify(this.options.fold) && unit === this.options.unit;
    const kept = same && this.zoomed ? this.range : this.plot && same ? null : zoom;
    Object.assign(this, { curves, options: { fold, unit, flagged } });
    this.axis = fold ? null : closeGaps(curves);
    const table = tableOf(curves, { fold, unit, axis: this.axis });
    if (this.table?.x.length !== table.x.length) this.at = undefined;
    this.table = table;
    this.#build();
    if (kept) this.#restore(kept);
  }

  /** Draw anew, for instance in other colours. */
  redraw() {
    if (this.curves.length) this.show(this.curves, this.options);
  }

  /** The times or phases that are zoomed to, and the flux if it is; null for all. */
  get range() {
    if (!this.plot || !this.zoomed) return null;
    const { min, max } = this.plot.scales.x;
    const ends = [min, max].map((value) => Math.round((this.axis ? this.axis.from(value) : value) * DIGITS) / DIGITS);
    return [...ends, ...(this.flux ?? []).map((value) => Number(value.toPrecision(7)))];
  }

  #restore(range) {
    if (range === null) return this.all();
    const ends = range.slice(0, 2).map((value) => (this.axis ? this.axis.to(value) : value));
    const [first, last] = within(this.table.x, ...ends);
    if (last - first < MIN_POINTS_IN_VIEW) return undefined;
    this.flux = range.length === 4 ? range.slice(2) : null;
    return this.setRange(...ends);
  }

  all() {
    const { x } = this.table;
    this.flux = null;
    if (!x.length) return;
    const margin = (x.at(-1) - x[0] || 1) * 0.015;
    this.setRange(x[0] - margin, x.at(-1) + margin);
    this.zoomed = false;
  }

  /** Make the range so many times as wide around a value, the middle if none is given. */
  zoom(factor, around = null) {
    const { min, max } = this.plot.scales.x;
    const at = around ?? (min + max) / 2;
    this.setRange(at - (at - min) * factor, at + (max - at) * factor);
  }

  /** The same for the flux. */
  zoomFlux(factor, around = null) {
    const { min, max } = this.plot.scales.y;
    const at = around ?? (min + max) / 2;
    this.#setFlux([at - (at - min) * factor, at + (max - at) * factor]);
  }

  pan(part) {
    const { min, max } = this.plot.scales.x;
    this.setRange(min + (max - min) * part, max + (max - min) * part);
  }

  setRange(min, max) {
    const { x } = this.table;
    const span = x.at(-1) - x[0] || 1;
    const [first, last] = within(x, min, max);
    const narrower = max - min < this.plot.scales.x.max - this.plot.scales.x.min;
    if ((narrower && last - first < MIN_POINTS_IN_VIEW) || max - min > 3 * span || max < x[0] || min > x.at(-1)) return;
    this.zoomed = true;
    this.plot.setScale("x", { min, max });
  }

  #setFlux(range) {
    const { min, max } = this.plot.scales.x;
    if (!(range[1] - range[0] > Math.abs(range[1]) * 1e-9)) return;
    Object.assign(this, { flux: range, zoomed: true });
    this.plot.setScale("x", { min, max });
  }

  /** Do what changes the range, so that it can be undone. */
  #byUser(run) {
    if (!this.plot) return;
    const before = this.range;
    this.tools.remember(this, () => {
      if (!this.plot || !this.node.isConnected) return;
      this.#restore(before);
      this.tellZoom();
    });
    run();
    this.tellZoom();
  }

  #build() {
    this.plot?.destroy();
    const size = { width: this.area.clientWidth || 600, height: this.area.clientHeight || 280 };
    const { fold, unit, flagged } = this.options;
    const style = { colours: this.curves.map((curve) => curve.colour ?? token("ink")), flag: token("flag"), flagged };
    const line = token("line-strong");
    const hooks = {
      setCursor: [(plot) => this.#read(plot.cursor.idx)], setSelect: [(plot) => this.#select(plot)],
      draw: [(plot) => drawErrors(plot, this.table, style), (plot) => drawDots(plot, this.table, style), (plot) => drawBreaks(plot, this.axis?.breaks ?? [], line), () => this.marker.place()],
      setScale: [(plot, key) => key === "x" && this.#tellView(plot.scales.x)],
    };
    Object.assign(this, { flux: null, hasUtc: hasUtc(fold, size.height) });
    this.plot = new uPlot(settingsOf({ size, fold, unit, axis: this.axis, curve: this.curves[0], yRange: () => this.#yRange(), hooks }), [this.table.x, this.table.y], this.area);
    this.zoomed = false;
    if (this.table.x.length) this.all();
    this.marker.attach();
  }

  /** Around what is good and in view; around flagged values where nothing is good. */
  #yRange() {
    if (this.flux) return this.flux;
    const scale = this.plot?.scales.x;
    const isKnown = scale && scale.min !== null && scale.min !== undefined;
    const found = rangeOf(this.table, ...(isKnown ? within(this.table.x, scale.min, scale.max) : [0, this.table.x.length]));
    if (!found) return [0, 1];
    const [low, high] = found;
    const margin = (high - low || Math.abs(high) || 1) * MARGIN;
    return [low - margin, high + margin];
  }

  #tellView({ min, max }) {
    if (this.axis) this.onView(this.axis.from(min), this.axis.from(max));
  }

  // -- points --------------------------------------------------------------------------------------------------------

  /** A point of the table: of which curve it is, where in it, its time and its flags. */
  pointAt(index) {
    const [curve, i] = [this.curves[this.table.curve[index]], this.table.i[index]];
    return { name: curve.name, cube: curve.cube, time: curve.time[i], i, quality: curve.quality[i], flagged: Boolean(this.table.flagged[index]) };
  }

  /** Call with the place of each point in view, in pixels of the plot's area, and its place in the table. */
  eachInView(run) {
    const { x: across, y: upwards } = this.plot.scales;
    const { clientWidth: width, clientHeight: height } = this.plot.over;
    const [first, last] = within(this.table.x, across.min, across.max);
    for (let k = first; k < last; k += 1) {
      if (this.table.flagged[k] && !this.options.flagged) continue;
      run(((this.table.x[k] - across.min) / (across.max - across.min)) * width, ((upwards.max - this.table.y[k]) / (upwards.max - upwards.min)) * height, k);
    }
  }

  /** Leave points out, or take them in where all are left out: those for whose place in pixels the answer is yes. */
  choose(isChosen) {
    const chosen = [];
    this.eachInView((left, top, k) => isChosen(left, top) && chosen.push(k));
    this.#toggle(chosen);
  }

  #toggle(places) {
    const sets = this.curves.map(() => new Set());
    for (const k of places) sets[this.table.curve[k]].add(this.table.i[k]);
    if (places.length) this.tools.toggle(this.curves.map((curve, c) => [curve, sets[c]]).filter(([, set]) => set.size));
  }

  #words(index) {
    if (!(index < this.table.x.length)) return "";
    const { name, time, quality, flagged } = this.pointAt(index);
    const [x, y, error] = ["x", "y", "error"].map((column) => this.table[column][index]);
    const { unit, fold } = this.options;
    const flux = unit === "relative" ? y.toFixed(5) : `${formatFlux(y)}${error > 0 ? ` ± ${formatFlux(error)}` : ""} ${(this.curves[0].units ?? "e-/s").replace("e-", "e⁻")}`;
    const phase = fold ? `phase ${x.toFixed(4)}, ` : "";
    return `${this.curves.length > 1 ? `${name}: ` : ""}${phase}${time.toFixed(5)}  ${flux}  ${formatUtc(time)} UTC${flagged ? `; ${explain(quality)}` : ""}`;
  }

  #read(index) {
    this.readout.textContent = index === null || index === undefined ? "" : this.#words(index);
  }

  // -- mouse and keyboard --------------------------------------------------------------------------------------------

  #select(plot) {
    const { left, width, top, height } = plot.select;
    const { clientWidth, clientHeight } = plot.over;
    if (width < 4 && height < 4) return;
    this.#byUser(() => {
      if (height > 4 && height < clientHeight - 1) this.#setFlux([plot.posToVal(top + height, "y"), plot.posToVal(top, "y")]);
      if (width > 4 && width < clientWidth - 1) this.setRange(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
    });
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  }

  #key(event) {
    const user = (run) => () => this.#byUser(run);
    const moves = { ArrowLeft: user(() => this.pan(-0.2)), ArrowRight: user(() => this.pan(0.2)), "+": user(() => this.zoom(0.6)), "-": user(() => this.zoom(1 / 0.6)), 0: user(() => this.all()),
      ArrowUp: user(() => (event.shiftKey ? this.zoomFlux(0.6) : this.zoom(0.6))), ArrowDown: user(() => (event.shiftKey ? this.zoomFlux(1 / 0.6) : this.zoom(1 / 0.6))),
      "[": () => this.#step(-1), "]": () => this.#step(1), x: () => this.#toggle(this.at === undefined ? [] : [this.at]), X: () => this.choose(() => true) };
    const isUndo = (event.ctrlKey || event.metaKey) && event.key === "z";
    if (!this.plot || event.target !== this.area || !(isUndo || (event.key in moves && !event.ctrlKey && !event.metaKey))) return;
    event.preventDefault();
    if (isUndo) this.tools.undo();
    else moves[event.key]();
  }

  #step(by) {
    const [first, last] = within(this.table.x, this.plot.scales.x.min, this.plot.scales.x.max);
    if (last <= first) return;
    this.at = this.at === undefined ? first : Math.max(first, Math.min(last - 1, this.at + by));
    this.plot.setCursor({ left: this.plot.valToPos(this.table.x[this.at], "x"), top: 10 });
    announce(this.#words(this.at));
    this.marker.follow(this.at);
  }

  #wheel(event) {
    if (!this.plot) return undefined;
    const isOver = this.plot.over.contains(event.target);
    const box = this.plot.over.getBoundingClientRect();
    const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!isOver && !(isZoom(event) && event.clientX < box.left)) return undefined;
    if (!isSideways && !isZoom(event)) return void this.hint();
    event.preventDefault();
    if (isSideways) return void this.#byUser(() => this.pan(event.deltaX / box.width));
    const factor = 1 / zoomOf(event);
    if (!isOver) return void this.#byUser(() => this.zoomFlux(factor, this.plot.posToVal(event.clientY - box.top, "y")));
    return void this.#byUser(() => this.zoom(factor, this.plot.posToVal(event.clientX - box.left, "x")));
  }

  /** Dragging alone marks what to zoom to. Shift and drag, the middle button, or a finger, moves; with the lasso, it draws around points. */
  #drag(event) {
    if (!this.plot || !this.plot.over.contains(event.target) || this.marker.has(event.target)) return;
    if (this.tools.isLasso && event.button === 0 && !event.shiftKey) return void startLasso(event, this);
    if (!(event.shiftKey || event.button === 1 || event.pointerType === "touch")) return;
    this.#byUser(() => startPan(event, this));
  }

  #resize() {
    if (!this.plot || !this.area.clientWidth) return;
    const size = { width: this.area.clientWidth, height: this.area.clientHeight };
    if (hasUtc(this.options.fold, size.height) !== this.hasUtc) this.redraw();
    else this.plot.setSize(size);
  }
}
