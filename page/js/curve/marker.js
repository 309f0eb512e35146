/** A line in a light curve at the time of a frame. It can be dragged. It is an element above the plot, so that moving it draws nothing anew. */

import { element } from "../base/dom.js";
import { phaseOf } from "./series.js";
import { within } from "./table.js";

/** Pixels that a pointer may move in a click. */
const STILL = 4;

export class Marker {
  /** Parameters: the light curve that has it; `onMark(time)` when somebody wants to see the frame of another time. */
  constructor(curve, onMark) {
    Object.assign(this, { curve, onMark, name: null, time: null });
    this.node = element("div", { class: "marker", "aria-hidden": "true", hidden: true });
    this.node.addEventListener("mousedown", (event) => event.stopPropagation());
    this.node.addEventListener("pointerdown", (event) => this.#drag(event));
  }

  /** Mark a time in the light curve of a name; null takes the mark away. */
  mark(name, time) {
    Object.assign(this, { name, time });
    this.place();
  }

  /** Take the place in a new plot. */
  attach() {
    const { over } = this.curve.plot;
    let pressed = null;
    over.append(this.node);
    over.addEventListener("pointerdown", (event) => { pressed = event.clientX; });
    over.addEventListener("click", (event) => {
      if (this.time !== null && pressed !== null && Math.abs(event.clientX - pressed) < STILL && !this.has(event.target)) this.#want(event.clientX);
    });
    this.place();
  }

  /** Go to a point, if it is one of the marked light curve. */
  follow(index) {
    const { name, time } = this.curve.pointAt(index);
    if (this.time !== null && name === this.name) this.onMark(time);
  }

  has(target) {
    return this.node.contains(target);
  }

  /** Put the line where the time is now. */
  place() {
    const { plot, axis, options, curves } = this.curve;
    if (!plot) return;
    const isShown = this.time !== null && Number.isFinite(this.time) && curves.some(({ name }) => name === this.name);
    const x = !isShown ? NaN : options.fold ? phaseOf(this.time, options.fold.period, options.fold.epoch) : axis.to(this.time);
    this.node.hidden = !(x >= plot.scales.x.min && x <= plot.scales.x.max);
    if (!this.node.hidden) this.node.style.transform = `translateX(${plot.valToPos(x, "x")}px)`;
  }

  /** Ask for the time of the point of the marked light curve that is nearest to a place on the screen. */
  #want(clientX) {
    const { plot, table } = this.curve;
    const { x } = table;
    const goal = plot.posToVal(clientX - plot.over.getBoundingClientRect().left, "x");
    const is = (at) => this.curve.pointAt(at).name === this.name;
    let [below, above] = within(x, goal, goal).map((at, side) => (side ? at : at - 1));
    while (below >= 0 && !is(below)) below -= 1;
    while (above < x.length && !is(above)) above += 1;
    const best = above >= x.length || (below >= 0 && goal - x[below] < x[above] - goal) ? below : above;
    if (best >= 0) this.onMark(this.curve.pointAt(best).time);
  }

  #drag(event) {
    event.preventDefault();
    event.stopPropagation();
    this.node.setPointerCapture(event.pointerId);
    const move = (each) => this.#want(each.clientX);
    const stop = () => {
      this.node.removeEventListener("pointermove", move);
      this.node.removeEventListener("pointerup", stop);
      this.node.removeEventListener("pointercancel", stop);
    };
    this.node.addEventListener("pointermove", move);
    this.node.addEventListener("pointerup", stop);
    this.node.addEventListener("pointercancel", stop);
  }
}
