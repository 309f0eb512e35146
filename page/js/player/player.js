/** The frames of a window as a film, with its controls. */

import { announce, element, token } from "../base/dom.js";
import { explain } from "../curve/quality.js";
import { marked } from "../curve/ranges.js";
import { Frame } from "../pixels/frame.js";
import { formatFlux } from "../pixels/stretch.js";
import { Course } from "./course.js";
import { backgroundOf, limitsOf, medianOf, valuesOf } from "./values.js";

/** Frames a second. */
const SPEEDS = [2, 5, 15, 30, 60, 240];
const MODES = [["flux", "Flux"], ["clean", "Without background"], ["change", "Difference from the median"]];
/** A pause of the browser is not made up for. */
const LONGEST_STEP = 250;
const PAGES = 20;

export class Player {
  /**
   * Parameters: a `title` for those who hear the page; the `cadences`; `place`, with the window's `first` pixel on the frame, the `target` in the window and `wcs`; `units`;
   * `timeSystem`; what to call: `onFrame(time)` when another frame is shown, `onStill(time)` when the film stops at one, `onClose()`.
   */
  constructor({ title, cadences, place, units, timeSystem, onFrame, onStill, onClose }) {
    Object.assign(this, { title, cadences, place, units, timeSystem, onFrame, onStill, onClose, mode: "flux", ready: null, running: 0, state: null, flagged: true });
    this.given = { time: cadences.time, quality: cadences.quality };
    this.course = new Course(cadences, true);
    this.rows = Array.from({ length: cadences.rows }, () => new Array(cadences.columns).fill(null));
    this.picture = new Frame({ title: "Frame", onPoint: (pixel) => this.#point(pixel) });
    this.node = element("div", { class: "player", role: "group", "aria-label": `Frames of ${title}` }, this.picture.node, ...this.#controls());
    this.node.addEventListener("keydown", (event) => this.#key(event));
  }

  #controls() {
    const button = (text, label, run) => element("button", { type: "button", class: "small", "aria-label": label, title: label, text, on: { click: run } });
    const choice = (label, options, value, change) => element("label", { class: "inline" }, `${label} `, element("select", { on: { change: (event) => change(event.target.value) } },
      options.map(([key, text]) => element("option", { value: key, text, selected: key === value }))));
    this.playing = element("button", { type: "button", class: "small play", text: "Play", on: { click: () => this.toggle() } });
    this.slider = element("input", { type: "range", min: 0, max: this.course.shown.length - 1, value: 0, step: 1, "aria-label": `Frame of ${this.title}`, "aria-description": "Space plays and pauses.",
      on: { input: () => this.#slide(Number(this.slider.value)) } });
    this.speed = 15;
    this.words = element("output", { class: "readout", "aria-live": "off" });
    this.flags = element("p", { class: "flags" });
    this.pixel = element("output", { class: "readout", "aria-live": "off" });
    const step = (frames) => () => this.#go(() => this.course.step(frames));
    return [
      element("div", { class: "player-side" },
        element("div", { class: "buttons" }, button("‹", "Frame before", step(-1)), this.playing, button("›", "Next frame", step(1)),
          button("Close", `Close the frames of ${this.title}`, () => this.onClose())),
        this.words, this.flags, this.pixel),
      this.slider,
      element("div", { class: "player-choices" },
        choice("Speed", SPEEDS.map((speed) => [speed, `${speed} frames/s`]), this.speed, (value) => { this.speed = Number(value); }),
        choice("Show", MODES, this.mode, (value) => { this.mode = value; this.paint(this.state, this.mask); })),
    ];
  }

  // -- what is shown -------------------------------------------------------------------------------------------------

  /** Show the frames in the way that the state says, with an aperture. */
  async paint(state, mask) {
    const { index } = this.course;
    const { quality } = marked(this.given, state);
    Object.assign(this, { state, mask });
    if (this.flagged !== state.flagged || this.cadences.quality !== quality) {
      this.flagged = state.flagged; // the page changes its state in place
      this.wish = this.cadences.quality === quality ? this.wish : null;
      this.cadences.quality = quality;
      this.course = new Course(this.cadences, state.flagged);
      this.course.seek(this.cadences.time[index]);
      this.slider.max = this.course.shown.length - 1;
    }
    await this.#measure();
    this.#show();
  }

  /** Find out of all frames what the mode needs; a later wish overtakes an earlier one. */
  async #measure() {
    const { cadences, mode, mask } = this;
    const { quality } = cadences;
    const wish = mode === "flux" ? mode : `${mode} ${mask}`;
    if (wish === this.wish) return;
    this.wish = wish;
    this.node.setAttribute("aria-busy", "true");
    const background = mode === "flux" ? null : await backgroundOf(cadences, mask);
    const median = mode === "change" ? await medianOf(cadences, background) : null;
    if (wish !== this.wish || quality !== cadences.quality) return;
    this.ready = { mode, background, median, limits: limitsOf(cadences, { background, median }) };
    this.node.removeAttribute("aria-busy");
  }

  #show() {
    if (!this.ready) return;
    this.#fill();
    const { mask, place, units, state, ready } = this;
    this.picture.outlined = ready.mode === "change" ? "aperture-on-difference" : "aperture";
    const look = ready.mode === "change" ? { stretch: "linear", colours: token("difference") } : { stretch: state.stretch, colours: state.colours };
    this.picture.show({ pixels: this.rows, limits: ready.limits, mask, units, ...place, ...look });
    this.#tell();
  }

  #fill() {
    const values = valuesOf(this.cadences, this.course.index, this.ready);
    const { columns } = this.cadences;
    this.rows.forEach((row, r) => {
      for (let c = 0; c < columns; c += 1) row[c] = Number.isNaN(values[r * columns + c]) ? null : values[r * columns + c];
    });
  }

  /** Words, slider and the mark in the light curve. */
  #tell() {
    const { cadences, course, timeSystem } = this;
    const { index } = course;
    const [time, quality] = [cadences.time[index], cadences.quality[index]];
    const flags = quality ? explain(quality) : "";
    const said = [Number.isNaN(time) ? "without a time" : `${timeSystem} ${time.toFixed(5)}`, `frame ${index + 1} of ${cadences.count}`, `cadence ${cadences.cadence[index]}`];
    this.words.textContent = said.join("\n");
    this.flags.textContent = flags && `× ${flags}`;
    this.text = [...said, ...(flags ? [flags] : [])].join(", ");
    this.node.classList.toggle("flagged", Boolean(quality));
    this.slider.value = Math.floor(course.place);
    this.#tellPixel();
    this.onFrame(time);
    if (this.running) return;
    this.slider.setAttribute("aria-valuetext", this.text);
    if (Number.isFinite(time)) this.onStill(time);
  }

  #point(pixel) {
    this.at = pixel;
    this.#tellPixel();
    Object.assign(this.picture, { cursor: pixel }).draw();
  }

  /** The value under the pointer, which changes with the frames. */
  #tellPixel() {
    const { at, rows, units, place } = this;
    const [row, column] = at ?? [];
    this.pixel.textContent = at ? `row ${place.first.row + row}, column ${place.first.column + column}\n${formatFlux(rows[row][column])} ${units}` : "";
  }

  // -- time ----------------------------------------------------------------------------------------------------------

  toggle() {
    if (this.running) return void this.pause();
    let before = null;
    this.course.settle();
    const tick = (now) => {
      this.running = requestAnimationFrame(tick);
      const passed = before === null ? 0 : Math.min(LONGEST_STEP, now - before);
      before = now;
      const { index } = this.course;
      this.course.advance((passed / 1000) * this.speed);
      if (this.course.index !== index) this.#draw();
    };
    this.running = requestAnimationFrame(tick);
    this.playing.textContent = "Pause";
    return undefined;
  }

  pause() {
    cancelAnimationFrame(this.running);
    this.running = 0;
    this.playing.textContent = "Play";
    if (this.ready) this.#tell();
  }

  #draw() {
    if (!this.ready) return;
    this.#fill();
    this.picture.draw();
    this.#tell();
  }

  /** Go somewhere by hand, which ends the film. */
  #go(move) {
    if (this.running) this.pause();
    move();
    this.#draw();
  }

  #slide(place) {
    this.#go(() => { this.course.place = place; });
  }

  /** Show the frame of a time, for instance of the light curve. */
  seek(time) {
    this.#go(() => this.course.seek(time));
  }

  /** Keys of the film; the slider has its own to move, and on buttons space presses them. */
  #key(event) {
    const isSlider = event.target === this.slider;
    if (!isSlider && event.target.matches("select, input")) return;
    const all = this.course.shown.length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -PAGES, PageDown: PAGES, Home: -all, End: all };
    if (event.key === " " && !event.target.matches("button")) this.toggle();
    else if (!isSlider && event.key in steps) this.#go(() => this.course.step(steps[event.key]));
    else return;
    event.preventDefault();
    if (event.key === " ") announce(this.running ? "playing" : this.text);
  }

  close() {
    cancelAnimationFrame(this.running);
    this.wish = null;
    this.node.remove();
  }
}
