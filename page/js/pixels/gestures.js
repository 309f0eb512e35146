/** What a mouse, a pen and fingers do on a picture: strokes, moving it, enlarging it. */

import { isZoom, zoomOf } from "../base/wheel.js";

/** Pixels of the screen that a finger hits. */
export const FINGER = 24;
/** Pixels that a finger goes sideways before it paints. */
const SIDEWAYS = 6;

/**
 * Listens on a canvas. `on` has: `ready()`, whether there is a picture; `hover(point)`, null when the pointer leaves; `finger(point, isTap)`, whether a finger may begin
 * a stroke there; `begin(point)`, `move(point)`, `end()` and `cancel()` of a stroke; `zoom(by, point)`; `pan(x, y)`. Points are in pixels of the style sheet from the
 * upper left corner. A finger that goes up or down scrolls the page, so its stroke begins when it goes sideways or is lifted.
 */
export class Gestures {
  constructor(canvas, on) {
    Object.assign(this, { canvas, on, fingers: new Map() });
    this.#rest();
    const listen = (name, run, options) => canvas.addEventListener(name, (event) => on.ready() && run(event, this.#pointOf(event)), options);
    listen("pointerdown", (event, point) => this.#down(event, point));
    listen("pointermove", (event, point) => this.#move(event, point));
    listen("pointerup", (event) => this.#up(event));
    listen("pointercancel", (event) => this.#cancel(event));
    listen("pointerleave", (event) => event.pointerType !== "touch" && on.hover(null));
    // one finger may scroll the page (touch-action in the style); two are for the picture
    listen("touchmove", (event) => event.touches.length > 1 && event.cancelable && event.preventDefault(), { passive: false });
    listen("wheel", (event, point) => this.#wheel(event, point), { passive: false });
  }

  #pointOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** Nothing is going on: no stroke, no picture that is moved, no finger that may begin a stroke. */
  #rest() {
    Object.assign(this, { stroke: false, held: null, waiting: null });
  }

  #begin(point) {
    Object.assign(this, { stroke: true, waiting: null });
    this.on.begin(point);
  }

  #down(event, point) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") {
      this.fingers.set(event.pointerId, point);
      if (this.fingers.size > 1) this.#stop();
      else this.waiting = point;
    } else if (event.shiftKey) this.held = point;
    else this.#begin(point);
  }

  #move(event, point) {
    const { on, waiting } = this;
    if (this.fingers.size > 1) return void this.#pinch(event.pointerId, point);
    if (waiting && Math.abs(point.x - waiting.x) > SIDEWAYS && on.finger(waiting, false)) this.#begin(waiting);
    if (this.held) {
      on.pan(point.x - this.held.x, point.y - this.held.y);
      this.held = point;
    } else if (this.stroke) on.move(point);
    return void on.hover(point);
  }

  #up(event) {
    const { on, waiting } = this;
    this.fingers.delete(event.pointerId);
    if (waiting) on.hover(waiting);
    if (waiting && on.finger(waiting, true)) this.#begin(waiting);
    if (this.stroke) on.end();
    this.#rest();
  }

  #cancel(event) {
    this.fingers.delete(event.pointerId);
    this.#stop();
  }

  #stop() {
    if (this.stroke) this.on.cancel();
    this.#rest();
  }

  #wheel(event, point) {
    if (!isZoom(event)) return;
    event.preventDefault();
    this.on.zoom(zoomOf(event), point);
  }

  /** Two fingers: what is between them moves and grows with them. */
  #pinch(id, point) {
    const places = () => [...this.fingers.values()].slice(0, 2);
    const before = places();
    this.fingers.set(id, point);
    const after = places();
    const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    const length = ([a, b]) => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
    this.on.pan(middle(after).x - middle(before).x, middle(after).y - middle(before).y);
    this.on.zoom(length(after) / length(before), middle(after));
  }
}
