/** What one cube shows: its median and difference frames, and its light curve. */

import { address, ApiError, Gate, getJson } from "../base/api.js";
import { element, report } from "../base/dom.js";
import { clean } from "../curve/clean.js";
import { marked } from "../curve/ranges.js";
import { LightCurve } from "../curve/lightcurve.js";
import { PlayerSlot } from "../player/slot.js";
import { formatCadence, formatDays } from "./sectors.js";
import { StarSlot } from "../stars/slot.js";
import { hasPreview, MAX_PREVIEW, modelsOf } from "../state.js";

const POINTS = 20_000;
const OFF_SILICON = "The target is beyond the edge of the silicon of this CCD. These pixels do not have its light, and the light curve is not that of the target.";
const gate = new Gate(4);

/** A preview, and the query that gives it: one without `detrend`, and a note, if the trend of this light curve cannot be found. */
async function ask(query, signal) {
  try {
    return { preview: await getJson("/v1/preview", query, signal), given: query, note: "" };
  } catch (error) {
    if (!query.detrend || error.parameter !== "detrend") throw error;
    const given = { ...query, detrend: null };
    return { preview: await getJson("/v1/preview", given, signal), given, note: `The light curve keeps its trend: ${error.message}.` };
  }
}

export class SectorView {
  /**
   * Parameters: the cube as /v1/targets shows it, and what to call: `onAperture(cube, hex)`, hex null for the default;
   * `onData()` when there is a new preview; `ofCurves`, see LightCurve; `onFrame(time)` when the player shows another frame, null when it
   * shows none; `onStill(time)` when it stops at a frame.
   */
  constructor(cube, { onAperture, onData, ofCurves, onFrame, onStill }) {
    Object.assign(this, { cube, onAperture, onData, ofCurves, onFrame, onStill, preview: null, isFar: false });
    this.name = `Sector ${cube.sector}`;
    this.title = `Sector ${cube.sector}, camera ${cube.camera}, CCD ${cube.ccd}`;
    this.message = element("div", { class: "messages" });
    this.larger = element("button", { type: "button", class: "small larger", text: "Larger", "aria-pressed": "false", "aria-label": `Larger: ${this.title}`, on: { click: () => this.#enlarge() } });
    this.node = element("section", { class: "sector", "aria-label": this.title, "data-cube": cube.cube },
      element("header", {}, element("h3", { text: this.title }), this.facts = element("p", { class: "facts", text: this.#facts() }), this.larger),
      cube.on_silicon === false ? element("p", { class: "message error", text: OFF_SILICON }) : null, this.message);
  }

  /** Get what draws the pixels: a page without a target does not need it. */
  static async prepare() {
    this.Frames ??= (await import("../pixels/frames.js")).Frames;
  }

  /** Make the frames and the curve when they are first needed: of a hundred sectors few are looked at. */
  #furnish() {
    if (this.body) return;
    this.frames = new SectorView.Frames({ name: this.cube.cube, title: this.title, onAperture: (hex) => this.onAperture(this.cube.cube, hex) });
    this.curve = new LightCurve({ title: `Light curve of ${this.title}`, ...this.ofCurves, onMark: (time) => this.player.seek(time) });
    this.player = new PlayerSlot({ title: this.title, onFrame: (time) => this.#frame(time), onStill: this.onStill });
    this.frames.more.append(this.player.node);
    this.frames.onMask.push((mask) => this.player.setMask(mask));
    this.stars = new StarSlot({ cube: this.cube.cube, title: this.title, frames: this.frames });
    this.links = element("p", { class: "links" });
    this.curvePart = element("div", { class: "curve-part" }, this.curve.node, this.links);
    this.body = element("div", { class: "sector-body" }, this.frames.node, this.curvePart);
    this.node.append(this.body);
  }

  #facts() {
    const { cube } = this;
    return [formatDays(cube), formatCadence(cube.cadence_seconds), `${cube.n_cadences} cadences`, this.#science(), this.#trend()].filter(Boolean).join(" · ");
  }

  /** How many pixels of the window see the sky, if not all do. */
  #science() {
    const { rows, columns, science_pixels: seeing } = this.preview?.window ?? {};
    return seeing < rows * columns ? `${seeing} of ${rows * columns} pixels see the sky` : "";
  }

  /** What was taken from the light curve as the trend. */
  #trend() {
    return this.preview?.detrended ? `without the trend by ${this.preview.detrended}` : "";
  }

  #query(state, aperture) {
    return { cube: this.cube.cube, ra: state.ra, dec: state.dec, size: state.size.join(","), ...modelsOf(state), points: POINTS, aperture };
  }

  /** Ask for what the state says, and show it; what was asked for before is dropped. */
  async load(state) {
    await SectorView.prepare();
    if (this.isClosed) return undefined;
    this.#furnish();
    if (!hasPreview(state.size)) return this.#withoutPreview();
    const query = this.#query(state, state.apertures[this.cube.cube] ?? "");
    const asked = JSON.stringify(query);
    if (asked === this.asked) return this.paint(state);
    this.asked = asked;
    this.aborter?.abort();
    this.aborter = new AbortController();
    this.node.setAttribute("aria-busy", "true");
    try {
      const { signal } = this.aborter;
      const { preview, given, note } = await gate.run(() => ask(query, signal));
      this.#take(preview, given);
      report(this.message, note, "note");
      this.paint(state);
      this.onData();
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      [this.asked, this.preview] = [null, null];
      this.body.hidden = true;
      if (!(error instanceof ApiError)) throw error;
      report(this.message, error.message, "error", () => this.load(state));
      this.onData();
    } finally {
      if (asked === this.asked || this.asked === null) this.node.removeAttribute("aria-busy");
    }
    return undefined;
  }

  #withoutPreview() {
    this.aborter?.abort();
    [this.asked, this.preview] = [null, null];
    this.body.hidden = true;
    this.node.removeAttribute("aria-busy");
    report(this.message, `A window of more than ${MAX_PREVIEW} pixels a side has no preview. Its files can be downloaded.`, "note");
    this.onData();
    return undefined;
  }

  #take(preview, query) {
    this.preview = preview;
    this.facts.textContent = this.#facts();
    this.body.hidden = false;
    this.player.offer(preview, query);
    const csv = address("/v1/preview.csv", { ...query, points: null });
    this.links.replaceChildren(element("a", { href: csv, download: `${this.cube.cube}.csv`, text: "Light curve as CSV" }),
      ...Object.entries(preview.pictures).map(([name, href]) => element("a", { href, download: `${this.cube.cube}-${name}.png`, text: `${name[0].toUpperCase()}${name.slice(1)} as PNG` })));
    const { binned } = preview.lightcurve;
    if (binned > 1) this.links.append(element("span", { text: `Each point is the mean of ${binned} cadences.` }));
  }

  /** Show what is there in the way that the state says. */
  paint(state) {
    if (!this.preview || this.isFar) return;
    this.frames.show(this.preview, state.apertures[this.cube.cube] ?? null, state);
    this.player.paint(state, this.frames.mask);
    this.stars.show(this.preview, state);
    this.curvePart.hidden = state.show !== "apart";
    if (state.show === "apart") this.curve.show([this.series(state)], { unit: state.unit, flagged: state.flagged, zoom: state.zoom });
  }

  /** The light curve, marked and clean as the state says, with the name and colour of its sector. */
  series(state, colour = null) {
    return { ...clean(marked(this.preview.lightcurve, state), state), name: this.name, cube: this.cube.cube, colour, units: this.preview.units };
  }

  /** Of many small sectors, show this one as large as if it were alone. */
  #enlarge() {
    const isLarge = this.node.classList.toggle("large");
    this.larger.setAttribute("aria-pressed", String(isLarge));
    this.stars?.again();
  }

  #frame(time) {
    this.curve.marker.mark(this.name, time);
    this.onFrame(time);
  }

  close() {
    this.isClosed = true;
    this.aborter?.abort();
    this.player?.close();
    this.stars?.close();
    this.node.remove();
  }
}
