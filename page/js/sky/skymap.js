/** The whole sky, equal-area, with the CCDs that were observed; hover, click, zoom, and all of it by keyboard. */

import { formatPosition, fromVector, toVector } from "./coordinates.js";
import { debounce, oncePerFrame, prepareCanvas } from "../base/dom.js";
import { HINT_PAUSE, isZoom, WHEEL_HINT, zoomOf } from "../base/wheel.js";
import { Picture } from "./picture.js";
import { arc, cosineBetween, HALF_HEIGHT, HALF_WIDTH, holds, middleOf, View } from "./projection.js";

const STEPS_PER_SIDE = 8;
const MAX_ZOOM = 60;
const MARGIN = 12;
/** Length of the mean direction of CCDs, up to which they are all around. */
const ALL_AROUND = 0.3;
/** Most sectors that are named under the map. */
const NAMED = 6;

/** CCDs of the map document, ready to be drawn. */
function prepare(sectors) {
  return sectors.flatMap(({ sector, ccds }) =>
    ccds.map((ccd) => {
      const corners = ccd.corners.map(([ra, dec]) => toVector(ra, dec));
      const outline = corners.flatMap((corner, i) => arc(corner, corners[(i + 1) % corners.length], STEPS_PER_SIDE));
      return { ...ccd, sector, vectors: corners, outline, middle: middleOf(corners) };
    }),
  );
}

export class SkyMap {
  /**
   * Parameters: the canvas, and what to call: `onPick(position)` for a place that is chosen, `onHover(position, ccds)`
   * for what is under the pointer, with null when it leaves, `onHint(text)` for how to do what was tried.
   */
  constructor(canvas, { onPick, onHover, onHint }) {
    Object.assign(this, { canvas, onPick, onHover, onHint, ccds: [], pointed: [], behind: null, target: null, sector: null, seen: new Set() });
    this.home = { ra: 90, dec: 0 };
    this.centre = this.home;
    this.zoom = 1;
    this.pointers = new Map();
    this.draw = oncePerFrame(() => this.#paint());
    this.hint = debounce(() => this.onHint(WHEEL_HINT), HINT_PAUSE);
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  setSectors(sectors) {
    this.ccds = prepare(sectors);
    this.draw();
  }

  /** Load what is behind the CCDs. */
  async loadBehind() {
    const { loadBehind } = await import("./behind.js");
    this.behind = await loadBehind();
    if (!this.behind) return;
    this.canvas.dataset.behind = "yes";
    this.draw();
  }

  /** Mark a target and the cubes that see it, and turn to it. */
  setTarget(target, cubes = []) {
    this.seen = new Set(cubes);
    this.target = target;
    if (target) [this.centre, this.zoom] = [target, Math.max(this.zoom, 4)];
    this.draw();
  }

  markSeen(cubes) {
    this.seen = new Set(cubes);
    this.draw();
  }

  highlight(sector) {
    this.sector = sector;
    this.draw();
  }

  showAll() {
    [this.centre, this.zoom] = [this.home, 1];
    this.draw();
  }

  zoomBy(factor, at = null) {
    const before = at && this.view().unproject(...at);
    if (!at && factor > 1 && this.centre === this.home) this.centre = this.#whereDataAre();
    this.zoom = Math.max(1, Math.min(MAX_ZOOM, this.zoom * factor));
    if (before) this.#keepUnder(before, at);
    this.draw();
  }

  /** CCDs that see a position. */
  under({ ra, dec }) {
    const vector = toVector(ra, dec);
    return this.ccds.filter((ccd) => cosineBetween(ccd.middle, vector) > 0.9 && holds(ccd.vectors, vector));
  }

  view() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const fit = Math.min((width - 2 * MARGIN) / (2 * HALF_WIDTH), (height - 2 * MARGIN) / (2 * HALF_HEIGHT));
    return new View(this.centre, fit * this.zoom, width, height);
  }

  /** Move the centre until a position is under a place of the picture again. */
  #keepUnder(position, at) {
    for (let i = 0; i < 3; i += 1) {
      const now = this.view().unproject(...at);
      if (!now) return;
      const turn = ((position.ra - now.ra + 540) % 360) - 180;
      this.#moveCentre(turn, position.dec - now.dec);
    }
  }

  /** Where a zoom into the whole sky goes: to the middle of the CCDs, unless they are all around. */
  #whereDataAre() {
    const sum = this.ccds.reduce((total, { middle }) => total.map((value, i) => value + middle[i]), [0, 0, 0]);
    const length = Math.hypot(...sum);
    return length > ALL_AROUND * this.ccds.length ? fromVector(sum.map((value) => value / length)) : this.home;
  }

  #moveCentre(ra, dec) {
    this.centre = { ra: (this.centre.ra + ra + 360) % 360, dec: Math.max(-90, Math.min(90, this.centre.dec + dec)) };
  }

  #pan(dx, dy) {
    const degrees = 180 / Math.PI / this.view().scale;
    this.#moveCentre((dx * degrees) / Math.max(0.15, Math.cos((this.centre.dec * Math.PI) / 180)), dy * degrees);
    this.draw();
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => this.#point(null));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    // a finger up or down scrolls the page (touch-action in the style); two are for the map
    canvas.addEventListener("touchmove", (event) => event.touches.length > 1 && event.cancelable && event.preventDefault(), { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => this.draw());
    canvas.addEventListener("blur", () => this.draw());
  }

  #down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.#at(event));
    this.moved = this.pointers.size > 1;
  }

  #move(event) {
    const at = this.#at(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.#hover(at);
    const step = [at[0] - before[0], at[1] - before[1]];
    if (!this.moved && Math.hypot(...step) < 4) return undefined;
    this.moved = true;
    if (this.pointers.size === 2) this.#pinch(event.pointerId, before, at);
    else this.#pan(...step);
    this.pointers.set(event.pointerId, at);
    return undefined;
  }

  #pinch(id, before, at) {
    const [other] = [...this.pointers].filter(([key]) => key !== id).map(([, value]) => value);
    const [was, is] = [before, at].map((each) => Math.hypot(each[0] - other[0], each[1] - other[1]));
    if (was > 0) this.zoomBy(is / was);
  }

  #up(event) {
    const clicked = this.pointers.delete(event.pointerId) && !this.moved;
    const position = clicked && this.view().unproject(...this.#at(event));
    if (position) this.onPick(position);
  }

  #hover(at) {
    const position = this.view().unproject(...at);
    this.canvas.classList.toggle("on-sky", Boolean(position));
    this.#point(position);
  }

  /** Outline what is under the pointer, and tell. */
  #point(position) {
    const ccds = position ? this.under(position) : [];
    if (String(ccds.map((ccd) => ccd.cube)) !== String(this.pointed.map((ccd) => ccd.cube))) this.draw();
    this.pointed = ccds;
    this.onHover(position, ccds);
  }

  #wheel(event) {
    if (!isZoom(event)) return void this.hint();
    event.preventDefault();
    this.zoomBy(zoomOf(event), this.#at(event));
    return undefined;
  }

  #key(event) {
    const step = 40;
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key in moves) this.#pan(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoomBy(1.5);
    else if (event.key === "-") this.zoomBy(1 / 1.5);
    else if (event.key === "0" || event.key === "Home") this.showAll();
    else if (event.key === "Enter" || event.key === " ") this.onPick(this.centre);
    else return;
    event.preventDefault();
    this.#point(this.centre);
  }

  #paint() {
    const { canvas } = this;
    if (!canvas.clientWidth) return;
    const context = prepareCanvas(canvas, canvas.clientWidth, canvas.clientHeight);
    new Picture(this, context, this.view()).paint();
  }
}

/** What is under the pointer, in words. */
export function describe(position, ccds) {
  if (!position) return "";
  const text = formatPosition({ ra: Number(position.ra.toFixed(3)), dec: Number(position.dec.toFixed(3)) });
  if (!ccds.length) return `${text}: not observed`;
  const seeing = ccds.toSorted((a, b) => a.sector - b.sector || a.camera - b.camera || a.ccd - b.ccd);
  if (seeing.length === 1) return `${text}: sector ${seeing[0].sector}, camera ${seeing[0].camera}, CCD ${seeing[0].ccd}`;
  const names = seeing.slice(0, NAMED).map(({ sector, camera, ccd }) => `${sector} (${camera}-${ccd})`);
  const more = seeing.length > NAMED ? ` and ${seeing.length - NAMED} more` : "";
  return `${text}: sectors ${names.join(", ")}${more}`;
}
