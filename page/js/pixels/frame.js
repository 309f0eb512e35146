/** One picture of pixels with axes, a colour bar, the aperture and what else is on it; strokes on it are told by pointer or keyboard. */

import { announce, element, oncePerFrame, prepareCanvas } from "../base/dom.js";
import { FINGER, Gestures } from "./gestures.js";
import { drawAperture, drawBar, drawCircle, drawColumns, drawCursor, drawMissing, drawRows, drawSky, drawTarget } from "./marks.js";
import { COLOURS, formatFlux, palette, shadeOf } from "./stretch.js";
import { Layout, View } from "./view.js";

const MAX_SIDE = 420;
const SHADES = 256;
const STEPS = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const ZOOM = 1.5;

export class Frame {
  /**
   * Parameters: `title` of the picture; `help` for people who hear the page; `outlined`, the token of the aperture's colour; `view`, the part that is shown; `onView()` when
   * that is another one; `onStroke(phase, place, pixel)` where pixels can be chosen, else null: phases are begin, move, end and cancel; `onPoint(pixel, place)` for the
   * pixel under pointer or cursor, with null when there is none. A pixel is [row, column], a place { row, column } with fractions.
   */
  constructor({ title, help, outlined = "aperture", view = new View(), onView = () => this.draw(), onStroke = null, onPoint }) {
    Object.assign(this, { title, outlined, view, onView, onStroke, onPoint, cursor: null, circle: null, pixels: null, layers: [] });
    const label = onStroke ? `${title}: aperture of pixels` : title;
    this.canvas = element("canvas", { class: onStroke ? "frame editable" : "frame", tabindex: onStroke ? 0 : null, role: onStroke ? "application" : "img", "aria-label": label });
    const axis = (name) => element("canvas", { class: name, "aria-hidden": "true" });
    [this.rowAxis, this.columnAxis, this.bar] = ["row-axis", "column-axis", "bar"].map(axis);
    this.unit = element("span", { class: "unit" });
    this.range = element("span", { class: "hidden" });
    const name = (text) => element("span", { class: "axis-name", "aria-hidden": "true", text });
    this.node = element("figure", { class: "picture" }, element("figcaption", {}, name("row"), element("span", { text: title }), this.unit, this.range),
      element("div", { class: "framed" }, this.rowAxis, this.canvas, name("col."), this.columnAxis, this.bar));
    if (help) this.canvas.setAttribute("aria-description", help);
    this.image = element("canvas");
    this.draw = oncePerFrame(() => this.#paint());
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(this.node);
  }

  /**
   * Show pixels (rows from below), with the aperture, the target's place and how values become colours. `first` is the row and column of the first pixel on the frame, and
   * `wcs` where the pixels are on the sky; without them there are no axes and no directions.
   */
  show({ pixels, limits, mask, target, stretch, colours, units, first = null, wcs = null }) {
    Object.assign(this, { pixels, limits, mask, target, stretch, scale: COLOURS[colours], units, first, wcs });
    this.colours = new Uint32Array(palette(this.scale, SHADES).buffer);
    this.node.classList.toggle("plain", !first);
    this.unit.textContent = units;
    this.range.textContent = `colours from ${formatFlux(limits[0])} to ${formatFlux(limits[1])}`;
    this.draw();
  }

  /** Where things are on the screen now. */
  layout() {
    const [rows, columns] = [this.pixels.length, this.pixels[0].length];
    const room = Math.min((this.node.clientWidth || 240) - this.rowAxis.clientWidth, MAX_SIDE);
    return new Layout(rows, columns, room, Math.min(window.devicePixelRatio || 1, 3), this.view);
  }

  // -- pointer and keyboard ------------------------------------------------------------------------------------------

  #listen() {
    const { canvas } = this;
    new Gestures(canvas, {
      ready: () => Boolean(this.pixels),
      hover: (point) => this.#hover(point),
      finger: (point, isTap) => Boolean(this.onStroke) && this.#canHit(point, isTap),
      begin: (point) => this.#stroke("begin", point),
      move: (point) => this.#stroke("move", point),
      end: () => this.onStroke?.("end"),
      cancel: () => this.onStroke?.("cancel"),
      zoom: (by, { x, y }) => this.zoomBy(by, this.layout().at(x, y)),
      pan: (x, y) => this.#pan(x, y),
    });
    if (!this.onStroke) return;
    canvas.addEventListener("keydown", (event) => this.pixels && this.#key(event));
    canvas.addEventListener("focus", () => this.#focus());
    canvas.addEventListener("blur", () => this.#point(null));
  }

  /** Whether a finger hits a pixel. Where pixels are too small, a tap enlarges them. */
  #canHit({ x, y }, isTap) {
    const layout = this.layout();
    if (layout.side >= FINGER) return true;
    if (!isTap) return false;
    this.zoomBy((FINGER + 1) / layout.side, layout.at(x, y));
    return this.layout().side === layout.side; // where they cannot be larger
  }

  #stroke(phase, { x, y }) {
    const layout = this.layout();
    const pixel = layout.pixelAt(x, y);
    if (this.onStroke && (pixel || phase === "move")) this.onStroke(phase, layout.at(x, y), pixel);
  }

  #hover(point) {
    if (!point || !this.pixels) return void this.#point(null);
    const layout = this.layout();
    return void this.#point(layout.pixelAt(point.x, point.y), layout.at(point.x, point.y));
  }

  /** Enlarge around a place, that of the cursor or the target where none is given. */
  zoomBy(by, place = null) {
    if (!this.pixels) return;
    const [row, column] = this.cursor ?? [this.target.row, this.target.column];
    this.view.zoomBy(by, place ?? { row, column }, this.layout());
    this.onView();
  }

  #pan(x, y) {
    const layout = this.layout();
    this.view.panBy(-x / layout.side, y / layout.side, layout);
    this.onView();
  }

  #focus() {
    if (this.canvas.matches(":focus-visible") && this.pixels) this.#point(this.#middle());
  }

  #middle() {
    return [Math.round(this.target.row), Math.round(this.target.column)];
  }

  #point(pixel, place = null) {
    this.cursor = pixel;
    this.onPoint(pixel, place ?? (pixel && { row: pixel[0], column: pixel[1] }));
    this.draw();
  }

  #key(event) {
    const place = this.cursor ?? this.#middle();
    if (event.key in STEPS) this.#step(place, STEPS[event.key], event.shiftKey);
    else if (event.key === "Enter" || event.key === " ") this.#strokeAlong([place]);
    else if (event.key === "+" || event.key === "=") this.zoomBy(ZOOM);
    else if (event.key === "-") this.zoomBy(1 / ZOOM);
    else if (event.key === "0") {
      this.view.reset();
      this.onView();
    } else return;
    event.preventDefault();
  }

  /** One pixel on; with shift a stroke from here to there. */
  #step([row, column], [up, right], isStroke) {
    const { rows, columns } = this.layout();
    const next = [Math.max(0, Math.min(rows - 1, row + up)), Math.max(0, Math.min(columns - 1, column + right))];
    this.view.follow(...next, { rows, columns });
    this.onView();
    this.#point(next);
    if (isStroke) this.#strokeAlong([[row, column], next]);
    else this.#say();
  }

  #strokeAlong(pixels) {
    const tell = (phase, [row, column]) => this.onStroke(phase, { row, column }, [row, column]);
    tell("begin", pixels[0]);
    for (const pixel of pixels.slice(1)) tell("move", pixel);
    this.onStroke("end");
    this.#point(pixels.at(-1));
    this.#say();
  }

  #say() {
    const [row, column] = this.cursor;
    const state = this.mask[row][column] ? "in the aperture" : "not in the aperture";
    const { row: firstRow, column: firstColumn } = this.first ?? { row: 0, column: 0 };
    announce(`row ${firstRow + row}, column ${firstColumn + column}, ${formatFlux(this.pixels[row][column])} ${this.units}, ${state}`);
  }

  // -- drawing -------------------------------------------------------------------------------------------------------

  #paint() {
    if (!this.pixels || !this.node.clientWidth) return;
    const layout = this.layout();
    const { width, height } = layout;
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const context = prepareCanvas(this.canvas, width, height);
    drawMissing(context, layout, this.#paintPixels(context, layout));
    drawAperture(context, layout, this.mask, this.outlined);
    for (const layer of this.layers) layer(context, layout);
    drawTarget(context, layout, this.target);
    if (this.circle) drawCircle(context, layout, this.circle);
    if (this.cursor) drawCursor(context, layout, this.cursor);
    if (this.wcs) drawSky(context, layout, this.wcs);
    this.#paintBeside(layout);
  }

  /** Colour by colour into a small picture, which is enlarged; what has no value is given back. */
  #paintPixels(context, layout) {
    const { rows, columns } = layout;
    const data = new ImageData(columns, rows);
    const into = new Uint32Array(data.data.buffer);
    const missing = [];
    this.pixels.forEach((line, row) => line.forEach((value, column) => {
      if (value === null) missing.push([row, column]);
      else into[(rows - 1 - row) * columns + column] = this.colours[Math.round(shadeOf(value, this.limits, this.stretch) * (SHADES - 1))];
    }));
    Object.assign(this.image, { width: columns, height: rows });
    this.image.getContext("2d").putImageData(data, 0, 0);
    const { x, y } = layout.place(rows - 0.5, -0.5);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.image, x, y, columns * layout.side, rows * layout.side);
    return missing;
  }

  #paintBeside(layout) {
    const { row, column } = this.first ?? {};
    this.rowAxis.style.height = `${layout.height}px`;
    for (const canvas of [this.columnAxis, this.bar]) canvas.style.width = `${layout.width}px`;
    if (this.first) {
      drawRows(this.rowAxis, layout, row);
      drawColumns(this.columnAxis, layout, column);
    }
    if (this.bar.clientHeight) drawBar(this.bar, layout.width, this);
  }
}
