/** The picture of the sky: its grid, the CCDs and the target. */

import { sectorColour, shade } from "./colours.js";
import { toVector } from "./coordinates.js";
import { token } from "../base/dom.js";
import { vectorOf } from "./frames.js";
import { cosineBetween, HALF_HEIGHT, HALF_WIDTH, splitAtEdge } from "./projection.js";

const GALAXY_LABEL_DEC = 42;
/** Narrowest CCD whose name is written on it, in pixels, and the most CCDs that are named at once. */
const NAMED_WIDTH = 46;
const NAMED_AT_ONCE = 3;
const LINE = 15;
const circle = (frame) => Array.from({ length: 181 }, (_, i) => vectorOf(frame, 2 * i, 0));
const ECLIPTIC = circle("ecliptic");
const GALAXY = circle("galactic");

export class Picture {
  /** Parameters: the map, the context of its canvas, and the view. */
  constructor(map, context, view) {
    Object.assign(this, { map, context, view, shade: shade() });
  }

  paint() {
    const { context } = this;
    this.#sky();
    context.save();
    context.clip();
    this.map.behind?.paint(context, this.view, this.map.zoom);
    this.#grid();
    this.#circle(GALAXY, token("map-galaxy"), 1, [1, 3]);
    this.#footprints();
    this.#circle(ECLIPTIC, token("map-ecliptic"), 1, [5, 4]);
    this.#labels();
    this.#nameOfPointed();
    this.#mark();
    context.restore();
    this.#edge();
    if (document.activeElement === this.map.canvas) this.#crosshair();
  }

  #edge() {
    const { context, view } = this;
    context.beginPath();
    context.ellipse(...view.middle, HALF_WIDTH * view.scale, HALF_HEIGHT * view.scale, 0, 0, 2 * Math.PI);
    context.strokeStyle = token("map-edge");
    context.lineWidth = 1;
    context.stroke();
  }

  #sky() {
    const { context, view } = this;
    context.beginPath();
    context.ellipse(...view.middle, HALF_WIDTH * view.scale, HALF_HEIGHT * view.scale, 0, 0, 2 * Math.PI);
    context.fillStyle = token("map-sky");
    context.fill();
  }

  #spacing() {
    const { map } = this;
    return [30, 15, 10, 5, 2, 1].find((degrees) => degrees * map.zoom <= 60) ?? 1;
  }

  #grid() {
    const { context } = this;
    const step = this.#spacing();
    context.beginPath();
    for (let dec = step - 90; dec < 90; dec += step) this.#line((t) => toVector(t * 360, dec), 120);
    for (let ra = 0; ra < 360; ra += Math.max(step, 10)) this.#line((t) => toVector(ra, t * 180 - 90), 60);
    context.strokeStyle = token("map-grid");
    context.lineWidth = 1;
    context.stroke();
  }

  #line(at, count) {
    const { context, view } = this;
    let before = null;
    for (let i = 0; i <= count; i += 1) {
      const [lon, lat] = view.turn(at(i / count));
      const joined = before !== null && Math.abs(lon - before) < Math.PI / 2;
      context[joined ? "lineTo" : "moveTo"](...view.place(lon, lat));
      before = lon;
    }
  }

  #circle(vectors, colour, width, dash = []) {
    const { context } = this;
    context.beginPath();
    this.#line((t) => vectors[Math.round(t * (vectors.length - 1))], vectors.length - 1);
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
    context.setLineDash([]);
  }

  /** Trace CCDs as one path; with fewer corners where the sky is small. */
  #trace(ccds) {
    const { context, view, map } = this;
    const step = map.zoom < 2 ? 4 : map.zoom < 6 ? 2 : 1;
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
  #footprints() {
    const { context, view, map } = this;
    const reach = Math.cos(Math.min(Math.PI, (Math.PI * 1.3) / map.zoom + 0.25));
    const visible = map.ccds.filter((ccd) => map.zoom < 1.5 || cosineBetween(ccd.middle, view.forward) > reach);
    const behind = map.sector !== null || map.seen.size > 0;
    const many = visible.length;
    const fill = Math.max(0.045, Math.min(0.34, 40 / (many || 1))) * (behind && many > 20 ? 0.5 : 1);
    const line = many > 200 ? 0.2 : 0.5;
    for (const ccds of Map.groupBy(visible, (ccd) => ccd.sector).values()) this.#sectorOf(ccds, fill, line, many > 200 ? 0.5 : 0.8);
    const strong = visible.filter((ccd) => ccd.sector === map.sector || (map.sector === null && map.seen.has(ccd.cube)));
    const strength = map.sector === null ? Math.max(0.05, 0.2 / Math.sqrt(strong.length || 1)) : 0.3;
    for (const ccds of Map.groupBy(strong, (ccd) => ccd.sector).values()) this.#sectorOf(ccds, strength, 1, 1.5);
    if (!map.pointed.length) return;
    this.#trace(map.pointed);
    Object.assign(context, { strokeStyle: token("ink"), lineWidth: 1 });
    context.stroke();
  }

  #sectorOf(ccds, fill, line, width) {
    const { context } = this;
    this.#trace(ccds);
    context.fillStyle = sectorColour(ccds[0].sector, fill, this.shade);
    context.fill();
    context.strokeStyle = sectorColour(ccds[0].sector, line, this.shade);
    context.lineWidth = width;
    context.stroke();
  }

  /** Numbers at the grid near the middle, where nothing else is written. */
  #labels() {
    const { context, view, map } = this;
    const step = this.#spacing();
    const raStep = Math.max(step, 10);
    context.font = `11px ${token("text-font")}`;
    context.fillStyle = token("map-label");
    Object.assign(context, { textAlign: "center", strokeStyle: token("map-sky"), lineWidth: 4, lineJoin: "round" });
    const near = (value, by) => Math.round(value / by) * by;
    const ra = near(map.centre.ra, raStep) - (map.target ? raStep : 0);
    const towardsEquator = map.target ? Math.sign(map.centre.dec) * step : 0;
    const dec = Math.max(-90 + step, Math.min(90 - step, near(map.centre.dec, step) - towardsEquator));
    const taken = map.target ? [[...view.project(toVector(map.target.ra, map.target.dec)), 16]] : [];
    const write = (a, d, text, shift) => this.#label(toVector(a, d), text, shift, taken);
    for (let i = -6; i <= 6; i += 1) {
      const south = near(map.centre.dec, step) + i * step;
      if (south !== 0 && Math.abs(south) < 90) write(ra, south, `${south > 0 ? "+" : "−"}${Math.abs(south)}°`, [17, -4]);
    }
    for (let i = -6; i <= 6; i += 1) {
      const value = (((near(map.centre.ra, raStep) + i * raStep) % 360) + 360) % 360;
      if (i % 2 === 0 || map.zoom > 2) write(value, dec, `${value}°`, [0, 13]);
    }
    if (map.zoom < 2 && map.canvas.clientWidth > 500) {
      write(305, GALAXY_LABEL_DEC, "Galactic plane", [0, -7]);
      write(0, 0, "Ecliptic", [0, -8]);
    }
    this.#constellations(taken);
  }

  /** Camera and CCD of what is under the pointer, above it, where it is large enough. */
  #nameOfPointed() {
    const { context, view, map } = this;
    if (!map.pointed.length || map.pointed.length > NAMED_AT_ONCE) return;
    const corners = map.pointed[0].vectors.map((corner) => view.project(corner));
    const [left, right] = [Math.min, Math.max].map((most) => most(...corners.map(([x]) => x)));
    if (right - left < NAMED_WIDTH) return;
    const bottom = Math.max(LINE * map.pointed.length, Math.min(...corners.map(([, y]) => y)) - 5);
    Object.assign(context, { font: `600 12px ${token("text-font")}`, fillStyle: token("ink"), strokeStyle: token("map-sky"), lineWidth: 4, lineJoin: "round", textAlign: "center" });
    map.pointed.forEach((ccd, i) => {
      const place = [`Sector ${ccd.sector}, CCD ${ccd.camera}-${ccd.ccd}`, view.project(map.pointed[0].middle)[0], bottom - LINE * i];
      context.strokeText(...place);
      context.fillText(...place);
    });
  }

  #constellations(taken) {
    const { context, view, map } = this;
    Object.assign(context, { font: `10px ${token("text-font")}`, fillStyle: token("map-name"), lineWidth: 2 });
    for (const { text, vector } of map.behind?.named(view, map.zoom) ?? []) this.#label(vector, text, [0, 0], taken);
  }

  /** Write where nothing else is written. */
  #label(vector, text, [dx, dy], taken) {
    const { context, view } = this;
    if (cosineBetween(vector, view.forward) < -0.85) return;
    const place = view.project(vector);
    const [x, y, half] = [place[0] + dx, place[1] + dy, context.measureText(text).width / 2 + 3];
    if (taken.some(([middle, base, other]) => Math.abs(middle - x) < half + other && Math.abs(base - y) < 14)) return;
    taken.push([x, y, half]);
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }

  #mark() {
    const { context, view, map } = this;
    if (!map.target) return;
    const [x, y] = view.project(toVector(map.target.ra, map.target.dec));
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

  #crosshair() {
    const { context, view } = this;
    context.beginPath();
    context.arc(...view.middle, 8, 0, 2 * Math.PI);
    context.strokeStyle = token("focus");
    context.lineWidth = 2;
    context.stroke();
  }
}
