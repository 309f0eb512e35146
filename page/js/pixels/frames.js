/** The pictures of one CCD with the aperture on them, what is under the pointer, and the tools that change the aperture. */

import { announce, element, token } from "../base/dom.js";
import { formatPosition } from "../sky/coordinates.js";
import { circle, countPixels, fromHex, History, nearest, painted, pixelsBetween, threshold, toHex } from "./aperture.js";
import { Frame } from "./frame.js";
import { formatFlux } from "./stretch.js";
import { Tools } from "./tools.js";
import { View } from "./view.js";
import { pixelArcseconds, skyAt } from "./wcs.js";

const NOTHING = [0, 1];
const HELP = "Arrow keys move. Space adds a pixel to the aperture or removes it, and with shift arrows paint. Plus and minus zoom, 0 shows all.";
const DIFFERENCE = "The picture is the mean of the brightest tenth of the cadences minus that of the faintest tenth.";

function unitsOf({ units }) {
  return units.replace("e-", "e⁻");
}

export class Frames {
  /**
   * Parameters: `name` and `title` of the CCD; `onAperture(hex)` when another aperture is chosen, null for the default one. Who draws more on the pictures puts
   * functions into `onMask`, called with the aperture that is shown, and into `onPlace`, called with the place in the window under the pointer, or null.
   */
  constructor({ name, title, onAperture }) {
    Object.assign(this, { onAperture, onMask: [], onPlace: [], preview: null, mask: null, hex: null, stroke: null, around: null, view: new View(), history: new History() });
    const common = { view: this.view, onView: () => this.draw(), onPoint: (pixel, place) => this.#point(pixel, place) };
    this.median = new Frame({ ...common, title: "Median", help: HELP, onStroke: (...what) => this.#stroke(this.median, ...what) });
    this.difference = new Frame({
      ...common, title: "Difference", help: `${HELP} ${DIFFERENCE}`, outlined: "aperture-on-difference", onStroke: (...what) => this.#stroke(this.difference, ...what),
    });
    this.tools = new Tools(name, {
      tool: () => this.tools && this.#point(null), number: () => this.#again(), around: () => this.#aroundTarget(), undo: () => this.#step(false), redo: () => this.#step(true),
      clear: () => this.#clear(), reset: () => this.#choose(null), zoom: (by) => this.#zoom(by),
    });
    this.words = element("output", { class: "readout", "aria-live": "off" });
    this.more = element("div", { class: "more" });
    this.node = element("div", { class: "frames", role: "group", "aria-label": `Pixels of ${title}`, on: { keydown: (event) => this.#key(event) } },
      element("div", { class: "pair" }, this.median.node, this.difference.node),
      this.words, this.tools.node, this.tools.message, this.more);
    this.#point(null);
  }

  #zoom(by) {
    if (by) return void this.median.zoomBy(by);
    this.view.reset();
    return void this.draw();
  }

  // -- what is shown -------------------------------------------------------------------------------------------------

  /** Show a preview with the aperture `hex`, null for the default one, in the way that the state says. */
  show(preview, hex, state) {
    const { window } = preview;
    if (JSON.stringify(window) !== JSON.stringify(this.preview?.window)) this.#begin();
    this.preview = preview;
    if (!hex) this.byDefault = preview.aperture;
    if (!this.stroke) this.#set(hex ?? null, hex ? fromHex(hex, window.rows, window.columns) : preview.aperture);
    const { median, difference, limits, target } = preview;
    const units = unitsOf(preview);
    const common = {
      mask: this.mask, target: this.#inWindow(target), stretch: state.stretch, units, first: { row: window.first_row, column: window.first_column },
      wcs: { ...preview.wcs, ...this.#inWindow(preview.wcs) },
    };
    this.median.show({ ...common, pixels: median, limits: limits.median ?? NOTHING, colours: state.colours });
    const reach = Math.max(...(limits.difference ?? NOTHING).map(Math.abs)) || 1;
    this.difference.show({ ...common, pixels: difference, limits: [-reach, reach], stretch: "linear", colours: token("difference") });
  }

  /** Forget what was chosen in another window. */
  #begin() {
    this.history.forget();
    this.view.reset();
    Object.assign(this, { byDefault: null, around: null, stroke: null });
  }

  #inWindow({ row, column }) {
    const { window } = this.preview;
    return { row: row - window.first_row, column: column - window.first_column };
  }

  draw() {
    for (const frame of [this.median, this.difference]) frame.draw();
  }

  #set(hex, mask) {
    this.hex = hex;
    this.#mask(mask);
  }

  #mask(mask) {
    this.mask = mask;
    for (const frame of [this.median, this.difference]) Object.assign(frame, { mask }).draw();
    for (const tell of this.onMask) tell(mask);
    const { past, future } = this.history;
    this.tools.say({ inside: countPixels(mask), isDefault: this.hex === null, canUndo: past.length > 0, canRedo: future.length > 0 });
  }

  #point(pixel, place) {
    for (const frame of [this.median, this.difference]) Object.assign(frame, { cursor: pixel }).draw();
    for (const tell of this.onPlace) tell(pixel ? place : null);
    if (!this.preview || !pixel) return void this.words.replaceChildren(element("span", { class: "quiet", text: this.tools.hint }));
    const [row, column] = pixel;
    const { window, wcs, median, difference } = this.preview;
    const units = unitsOf(this.preview);
    const [onRow, onColumn] = [window.first_row, window.first_column];
    const sky = skyAt(wcs, onRow + place.row, onColumn + place.column);
    const round = this.stroke?.circle ? ` · radius ${this.stroke.circle.radius} px, ${Math.round(this.stroke.circle.radius * pixelArcseconds(wcs))}″` : "";
    return void this.words.replaceChildren(`row ${onRow + row}, column ${onColumn + column} · ${formatPosition(sky)}`, element("br"),
      `${formatFlux(median[row][column])} ${units}, difference ${formatFlux(difference[row][column])}${round}`);
  }

  // -- strokes -------------------------------------------------------------------------------------------------------

  #stroke(frame, phase, place, pixel) {
    if (phase === "begin") this.#beginStroke(frame, pixel);
    else if (!this.stroke) return;
    else if (phase === "move") this.#moveStroke(place, pixel);
    else this.#endStroke(phase === "end");
  }

  #beginStroke(frame, pixel) {
    const { tool, number } = this.tools;
    if (tool !== "paint" && number === null) return;
    this.stroke = { before: this.mask, last: pixel };
    if (tool === "paint") {
      this.stroke.value = this.mask[pixel[0]][pixel[1]] ? 0 : 1;
      this.#mask(painted(this.mask, [pixel], this.stroke.value));
    } else {
      this.around = { frame, pixel };
      this.#apply();
    }
  }

  #moveStroke(place, pixel) {
    if (this.tools.tool === "paint" && pixel) {
      this.#mask(painted(this.mask, pixelsBetween(this.stroke.last, pixel), this.stroke.value));
      this.stroke.last = pixel;
    } else if (this.tools.tool === "circle") {
      const [row, column] = this.around.pixel;
      const radius = Math.min(70, Math.round(Math.hypot(place.row - row, place.column - column) * 10) / 10);
      if (radius < 0.5) return; // the pointer is still where it was put
      this.tools.number = radius;
      this.stroke.circle = { row, column, radius };
      for (const frame of [this.median, this.difference]) frame.circle = this.stroke.circle;
      this.#apply();
    }
  }

  #endStroke(isKept) {
    const { before } = this.stroke;
    this.stroke = null;
    for (const frame of [this.median, this.difference]) frame.circle = null;
    if (isKept && toHex(this.mask) !== toHex(before)) this.#choose(toHex(this.mask));
    else this.#mask(before);
  }

  /** The mask of the tool around the place that was chosen last. */
  #apply() {
    const { frame, pixel } = this.around;
    const { rows, columns } = this.preview.window;
    const centre = { row: pixel[0], column: pixel[1] };
    this.#mask(this.tools.tool === "circle" ? circle(rows, columns, centre, this.tools.number) : threshold(frame.pixels, pixel, this.tools.number));
  }

  /** The same tool at the same place with another number. */
  #again() {
    if (!this.preview || !this.around || this.stroke) return;
    this.stroke = { before: this.mask };
    this.#apply();
    this.#endStroke(true);
  }

  #aroundTarget() {
    this.around = { frame: this.median, pixel: this.#targetPixel() };
    this.#again();
    this.#tell();
  }

  #targetPixel() {
    const { rows, columns } = this.preview.window;
    return nearest(rows, columns, this.#inWindow(this.preview.target));
  }

  #clear() {
    const { rows, columns } = this.preview.window;
    const [row, column] = this.#targetPixel();
    this.#choose(toHex(circle(rows, columns, { row, column }, 0)));
  }

  // -- undo ----------------------------------------------------------------------------------------------------------

  #choose(hex) {
    if (hex === this.hex) return;
    this.history.note(this.hex);
    this.#become(hex);
  }

  #step(isForward) {
    const hex = this.history.step(this.hex, isForward);
    if (hex !== undefined) this.#become(hex);
  }

  #become(hex) {
    const { rows, columns } = this.preview.window;
    this.#set(hex, hex === null ? this.byDefault ?? this.mask : fromHex(hex, rows, columns));
    if (document.activeElement?.disabled) this.median.canvas.focus({ preventScroll: true });
    this.onAperture(hex);
    this.#tell();
  }

  #tell() {
    announce(`${countPixels(this.mask)} pixels in the aperture`);
  }

  #key(event) {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.matches("input[type=number]")) return;
    if (key === "z") this.#step(event.shiftKey);
    else if (key === "y") this.#step(true);
    else return;
    event.preventDefault();
  }
}
