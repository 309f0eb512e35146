/** The whole sky, equal-area, with the CCDs that were observed; hover, click, zoom, and all of it by keyboard. */

import { formatPosition, toVector } from "./coordinates.js";
import { oncePerFrame, prepareCanvas, token } from "../base/dom.js";
import { arc, cosineBetween, HALF_HEIGHT, HALF_WIDTH, holds, middleOf, splitAtEdge, View } from "./projection.js";

const STEPS_PER_SIDE = 8;
const MAX_ZOOM = 60;
const MARGIN = 12;
const SECTORS_OF_A_YEAR = 13;
const OBLIQUITY = 23.4393;
const GALAXY_LABEL_DEC = 42;
const GALACTIC_POLE = { ra: 192.85948, dec: 27.12825 };

function hueOf(sector) {
  return Math.round((((sector - 1) % SECTORS_OF_A_YEAR) / SECTORS_OF_A_YEAR) * 360 + 20);
}

/** Lightness and chroma of all sectors. */
function shade() {
  return `${token("sector-lightness")} ${token("sector-chroma")}`;
}

/** Colour of a sector: once around the circle in a year, as the telescope turns about the pole. */
export function sectorColour(sector) {
  return `oklch(${shade()} ${hueOf(sector)})`;
}

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

function circleAbout({ ra, dec }) {
  const pole = toVector(ra, dec);
  const start = toVector(ra, dec > 0 ? dec - 90 : dec + 90);
  const side = [pole[1] * start[2] - pole[2] * start[1], pole[2] * start[0] - pole[0] * start[2], pole[0] * start[1] - pole[1] * start[0]];
  return Array.from({ length: 181 }, (_, i) => {
    const angle = (i * Math.PI) / 90;
    return [0, 1, 2].map((k) => Math.cos(angle) * start[k] + Math.sin(angle) * side[k]);
  });
}

const ECLIPTIC = circleAbout({ ra: 270, dec: 90 - OBLIQUITY });
const GALAXY = circleAbout(GALACTIC_POLE);

export class SkyMap {
  /**
   * Parameters: the canvas, and what to call: `onPick(position)` for a place that is chosen, `onHover(position, ccds)`
   * for what is under the pointer, with null when it leaves.
   */
  constructor(canvas, { onPick, onHover }) {
    Object.assign(this, { canvas, onPick, onHover, ccds: [], pointed: [], target: null, sector: null, seen: new Set() });
    this.home = { ra: 90, dec: 0 };
    this.centre = this.home;
    this.zoom = 1;
    this.pointers = new Map();
    this.draw = oncePerFrame(() => this.#paint());
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  setSectors(sectors) {
    this.ccds = prepare(sectors);
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
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), this.#at(event));
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

  // -- drawing -------------------------------------------------------------------------------------------------------

  #paint() {
    const { canvas } = this;
    if (!canvas.clientWidth) return;
    const view = this.view();
    const context = prepareCanvas(canvas, canvas.clientWidth, canvas.clientHeight);
    this.shade = shade();
    this.#sky(context, view);
    context.save();
    context.clip();
    this.#grid(context, view);
    this.#circle(context, view, GALAXY, token("map-galaxy"), 5);
    this.#footprints(context, view);
    this.#circle(context, view, ECLIPTIC, token("map-ecliptic"), 1, [5, 4]);
    this.#labels(context, view);
    this.#mark(context, view);
    context.restore();
    this.#edge(context, view);
    if (document.activeElement === canvas) this.#crosshair(context, view);
  }

  #edge(context, view) {
    context.beginPath();
    context.ellipse(...view.middle, HALF_WIDTH * view.scale, HALF_HEIGHT * view.scale, 0, 0, 2 * Math.PI);
    context.strokeStyle = token("map-edge");
    context.lineWidth = 1;
    context.stroke();
  }

  #sky(context, view) {
    context.beginPath();
    context.ellipse(...view.middle, HALF_WIDTH * view.scale, HALF_HEIGHT * view.scale, 0, 0, 2 * Math.PI);
    context.fillStyle = token("map-sky");
    context.fill();
  }

  #spacing() {
    return [30, 15, 10, 5, 2, 1].find((degrees) => degrees * this.zoom <= 60) ?? 1;
  }

  #grid(context, view) {
    const step = this.#spacing();
    context.beginPath();
    for (let dec = step - 90; dec < 90; dec += step) this.#line(context, view, (t) => toVector(t * 360, dec), 120);
    for (let ra = 0; ra < 360; ra += Math.max(step, 10)) this.#line(context, view, (t) => toVector(ra, t * 180 - 90), 60);
    context.strokeStyle = token("map-grid");
    context.lineWidth = 1;
    context.stroke();
  }

  #line(context, view, at, count) {
    let before = null;
    for (let i = 0; i <= count; i += 1) {
      const [lon, lat] = view.turn(at(i / count));
      const joined = before !== null && Math.abs(lon - before) < Math.PI / 2;
      context[joined ? "lineTo" : "moveTo"](...view.place(lon, lat));
      before = lon;
    }
  }

  #circle(context, view, vectors, colour, width, dash = []) {
    context.beginPath();
    this.#line(context, view, (t) => vectors[Math.round(t * (vectors.length - 1))], vectors.length - 1);
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
    context.setLineDash([]);
  }

  /** Trace CCDs as one path; with fewer corners where the sky is small. */
  #trace(context, view, ccds) {
    const step = this.zoom < 2 ? 4 : this.zoom < 6 ? 2 : 1;
    context.beginPath();
    for (const ccd of ccds) {
      const points = [];
      for (let i = 0; i < ccd.outline.length; i += step) points.push(view.turn(ccd.outline[i]));
      for (const piece of splitAtEdge(points)) {
        piece.forEach((point, i) => context[i ? "lineTo" : "moveTo"](...view.place(...point)));
        context.closePath();
      }
    }
  }

  /** All CCDs, those of a sector at once; then those that matter: of the target, or of the sector that is looked at. */
  #footprints(context, view) {
    const reach = Math.cos(Math.min(Math.PI, (Math.PI * 1.3) / this.zoom + 0.25));
    const visible = this.ccds.filter((ccd) => this.zoom < 1.5 || cosineBetween(ccd.middle, view.forward) > reach);
    const behind = this.sector !== null || this.seen.size > 0;
    const many = visible.length;
    const fill = Math.max(0.045, Math.min(0.34, 40 / (many || 1))) * (behind && many > 20 ? 0.5 : 1);
    const line = many > 200 ? 0.2 : 0.5;
    for (const ccds of Map.groupBy(visible, (ccd) => ccd.sector).values()) this.#sectorOf(context, view, ccds, fill, line, many > 200 ? 0.5 : 0.8);
    const strong = visible.filter((ccd) => ccd.sector === this.sector || (this.sector === null && this.seen.has(ccd.cube)));
    const strength = this.sector === null ? Math.max(0.05, 0.2 / Math.sqrt(strong.length || 1)) : 0.3;
    for (const ccds of Map.groupBy(strong, (ccd) => ccd.sector).values()) this.#sectorOf(context, view, ccds, strength, 1, 1.5);
    if (!this.pointed.length) return;
    this.#trace(context, view, this.pointed);
    Object.assign(context, { strokeStyle: token("ink"), lineWidth: 1 });
    context.stroke();
  }

  #sectorOf(context, view, ccds, fill, line, width) {
    this.#trace(context, view, ccds);
    context.fillStyle = this.#colour(ccds[0].sector, fill);
    context.fill();
    context.strokeStyle = this.#colour(ccds[0].sector, line);
    context.lineWidth = width;
    context.stroke();
  }

  /** As `sectorColour`, but the style sheet is asked once for all. */
  #colour(sector, alpha) {
    return `oklch(${this.shade} ${hueOf(sector)} / ${alpha})`;
  }

  /** Numbers at the grid near the middle, where nothing else is written. */
  #labels(context, view) {
    const step = this.#spacing();
    const raStep = Math.max(step, 10);
    context.font = `11px ${token("text-font")}`;
    context.fillStyle = token("map-label");
    Object.assign(context, { textAlign: "center", strokeStyle: token("map-sky"), lineWidth: 3, lineJoin: "round" });
    const near = (value, by) => Math.round(value / by) * by;
    const ra = near(this.centre.ra, raStep) - (this.target ? raStep : 0);
    const towardsEquator = this.target ? Math.sign(this.centre.dec) * step : 0;
    const dec = Math.max(-90 + step, Math.min(90 - step, near(this.centre.dec, step) - towardsEquator));
    const taken = this.target ? [view.project(toVector(this.target.ra, this.target.dec))] : [];
    const write = (a, d, text, shift) => this.#label(context, view, toVector(a, d), text, shift, taken);
    for (let i = -6; i <= 6; i += 1) {
      const south = near(this.centre.dec, step) + i * step;
      if (south !== 0 && Math.abs(south) < 90) write(ra, south, `${south > 0 ? "+" : "−"}${Math.abs(south)}°`, [17, -4]);
    }
    for (let i = -6; i <= 6; i += 1) {
      const value = (((near(this.centre.ra, raStep) + i * raStep) % 360) + 360) % 360;
      if (i % 2 === 0 || this.zoom > 2) write(value, dec, `${value}°`, [0, 13]);
    }
    if (this.zoom < 2 && this.canvas.clientWidth > 500) {
      write(305, GALAXY_LABEL_DEC, "Galactic plane", [0, -7]);
      write(0, 0, "ecliptic", [0, -8]);
    }
  }

  #label(context, view, vector, text, [dx, dy], taken) {
    if (cosineBetween(vector, view.forward) < -0.85) return;
    const place = view.project(vector);
    const [x, y] = [place[0] + dx, place[1] + dy];
    if (taken.some(([left, top]) => Math.abs(left - x) < 34 && Math.abs(top - y) < 16)) return;
    taken.push([x, y]);
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }

  #mark(context, view) {
    if (!this.target) return;
    const [x, y] = view.project(toVector(this.target.ra, this.target.dec));
    for (const [colour, width] of [[token("map-sky"), 5], [token("mark"), 2]]) {
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + dx * 5, y + dy * 5);
        context.lineTo(x + dx * 14, y + dy * 14);
      }
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  }

  #crosshair(context, view) {
    context.beginPath();
    context.arc(...view.middle, 8, 0, 2 * Math.PI);
    context.strokeStyle = token("focus");
    context.lineWidth = 2;
    context.stroke();
  }
}

/** What is under the pointer, in words. */
export function describe(position, ccds) {
  if (!position) return "";
  const text = formatPosition({ ra: Number(position.ra.toFixed(3)), dec: Number(position.dec.toFixed(3)) });
  if (!ccds.length) return `${text}: not observed`;
  const names = [...new Set(ccds.map((ccd) => ccd.sector))].sort((a, b) => a - b);
  const shown = names.length > 12 ? `${names.slice(0, 12).join(", ")} and ${names.length - 12} more` : names.join(", ");
  return `${text}: sector${names.length > 1 ? "s" : ""} ${shown}`;
}
