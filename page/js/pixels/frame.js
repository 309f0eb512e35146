/** One small picture of pixels, with the aperture on it; pixels are chosen by pointer or keyboard. */

import { outline } from "./aperture.js";
import { announce, element, oncePerFrame, prepareCanvas, token } from "../base/dom.js";
import { COLOURS, colourOf, shadeOf } from "./stretch.js";

const MAX_SIDE = 420;

/** A value for people: four digits that matter. */
export function formatFlux(value) {
  if (value === null || !Number.isFinite(value)) return "no value";
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : 2;
  return value.toFixed(digits).replace("-", "−");
}

export class Frame {
  /**
   * Parameters: `title` of the picture; `outlined`, the token of the aperture's colour; `onToggle(row, column)` where pixels can be chosen, else null; `onPoint(row,
   * column)` for the pixel under pointer or cursor, with null when there is none.
   */
  constructor({ title, help, outlined = "aperture", onToggle = null, onPoint }) {
    Object.assign(this, { title, outlined, onToggle, onPoint, cursor: null, pixels: null });
    const label = onToggle ? `${title}: aperture of pixels` : title;
    this.canvas = element("canvas", { class: onToggle ? "frame editable" : "frame", tabindex: onToggle ? 0 : null, role: onToggle ? "application" : "img", "aria-label": label });
    this.bar = element("canvas", { class: "bar", "aria-hidden": "true" });
    this.low = element("span");
    this.high = element("span");
    this.node = element("figure", { class: "picture" }, element("figcaption", { text: title }), this.canvas,
      element("div", { class: "scale" }, this.low, this.bar, this.high));
    if (help) this.canvas.setAttribute("aria-description", help);
    this.draw = oncePerFrame(() => this.#paint());
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(this.node);
  }

  /** Show pixels (rows from below), with the aperture, the target's place and how values become colours. */
  show({ pixels, limits, mask, target, stretch, colours, units }) {
    Object.assign(this, { pixels, limits, mask, target, stretch, scale: COLOURS[colours], units });
    this.low.textContent = formatFlux(limits[0]);
    this.high.textContent = `${formatFlux(limits[1])} ${units}`;
    this.draw();
  }

  #size() {
    const [rows, columns] = [this.pixels.length, this.pixels[0].length];
    const room = Math.min(this.node.clientWidth || 240, MAX_SIDE);
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    const side = Math.max(1, Math.floor((room / Math.max(rows, columns)) * ratio) / ratio);
    return { rows, columns, side, width: side * columns, height: side * rows };
  }

  #pixelAt(event) {
    const { rows, columns, side } = this.#size();
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / side);
    const row = rows - 1 - Math.floor((event.clientY - box.top) / side);
    return row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null;
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => this.pixels && this.#point(this.#pixelAt(event)));
    canvas.addEventListener("pointerleave", () => this.#point(null));
    if (!this.onToggle) return;
    canvas.addEventListener("click", (event) => {
      const pixel = this.pixels && this.#pixelAt(event);
      if (pixel) this.#toggle(pixel);
    });
    canvas.addEventListener("keydown", (event) => this.pixels && this.#key(event));
    canvas.addEventListener("focus", () => this.#focus());
    canvas.addEventListener("blur", () => this.#point(null));
  }

  #focus() {
    if (!this.canvas.matches(":focus-visible") || !this.pixels) return;
    this.#point([Math.round(this.target.row), Math.round(this.target.column)]);
  }

  #point(pixel) {
    this.cursor = pixel;
    this.onPoint(...(pixel ?? [null, null]));
    this.draw();
  }

  #key(event) {
    const steps = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const { rows, columns } = this.#size();
    const [row, column] = this.cursor ?? [Math.round(this.target.row), Math.round(this.target.column)];
    if (event.key in steps) {
      const [dr, dc] = steps[event.key];
      this.#point([Math.max(0, Math.min(rows - 1, row + dr)), Math.max(0, Math.min(columns - 1, column + dc))]);
      this.#say();
    } else if (event.key === "Enter" || event.key === " ") {
      this.#toggle([row, column]);
      this.#say();
    } else return;
    event.preventDefault();
  }

  #say() {
    const [row, column] = this.cursor;
    const state = this.mask[row][column] ? "in the aperture" : "not in the aperture";
    announce(`row ${row}, column ${column}, ${formatFlux(this.pixels[row][column])} ${this.units}, ${state}`);
  }

  #toggle([row, column]) {
    this.cursor = [row, column];
    this.onToggle(row, column);
  }

  // -- drawing -------------------------------------------------------------------------------------------------------

  #paint() {
    if (!this.pixels || !this.node.clientWidth) return;
    const { rows, side, width, height } = this.#size();
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const context = prepareCanvas(this.canvas, width, height);
    const y = (row) => (rows - 1 - row) * side;
    this.pixels.forEach((line, row) => line.forEach((value, column) => {
      if (value === null) return void this.#missing(context, column * side, y(row), side);
      context.fillStyle = `rgb(${colourOf(this.scale, shadeOf(value, this.limits, this.stretch)).join(" ")})`;
      return void context.fillRect(column * side, y(row), side, side);
    }));
    this.#aperture(context, side, height);
    this.#targetMark(context, side, height);
    if (this.cursor) this.#cursorMark(context, side, y);
    this.#paintBar();
  }

  /** A pixel without a value has a stroke across, because its colour may be one of the scale's. */
  #missing(context, x, y, side) {
    context.fillStyle = token("panel");
    context.fillRect(x, y, side, side);
    Object.assign(context, { strokeStyle: token("line-strong"), lineWidth: 1 });
    context.beginPath();
    context.moveTo(x, y + side);
    context.lineTo(x + side, y);
    context.stroke();
  }

  #aperture(context, side, height) {
    context.lineCap = "square";
    for (const [colour, lineWidth] of [[token(`${this.outlined}-halo`), 4], [token(this.outlined), 2]]) {
      context.beginPath();
      for (const [x1, y1, x2, y2] of outline(this.mask)) {
        context.moveTo(x1 * side, height - y1 * side);
        context.lineTo(x2 * side, height - y2 * side);
      }
      Object.assign(context, { strokeStyle: colour, lineWidth });
      context.stroke();
    }
  }

  #targetMark(context, side, height) {
    const [x, y] = [(this.target.column + 0.5) * side, height - (this.target.row + 0.5) * side];
    const arm = Math.max(4, Math.min(9, side / 2));
    for (const [colour, lineWidth] of [["rgb(0 0 0 / 0.6)", 3.5], ["#fff", 1.5]]) {
      context.beginPath();
      context.moveTo(x - arm, y);
      context.lineTo(x + arm, y);
      context.moveTo(x, y - arm);
      context.lineTo(x, y + arm);
      Object.assign(context, { strokeStyle: colour, lineWidth });
      context.stroke();
    }
  }

  #cursorMark(context, side, y) {
    const [row, column] = this.cursor;
    for (const [colour, lineWidth] of [["#000", 3], ["#fff", 1]]) {
      Object.assign(context, { strokeStyle: colour, lineWidth });
      context.strokeRect(column * side + 1, y(row) + 1, side - 2, side - 2);
    }
  }

  #paintBar() {
    const width = this.bar.clientWidth;
    const context = prepareCanvas(this.bar, width, 8);
    for (let x = 0; x < width; x += 1) {
      const [low, high] = this.limits;
      const value = low + ((high - low) * x) / width;
      context.fillStyle = `rgb(${colourOf(this.scale, shadeOf(value, this.limits, this.stretch)).join(" ")})`;
      context.fillRect(x, 0, 1, 8);
    }
  }
}
