/** The stars around a target on its pictures: circles by magnitude, and who puts how much light into the aperture. */

import { ApiError, getJson } from "../base/api.js";
import { element, oncePerFrame } from "../base/dom.js";
import { DEFAULTS, writeState } from "../state.js";
import { shares, SIGMA } from "./light.js";

/** Degrees of a pixel, a little more than most have; how far beyond the window stars are asked for, in pixels; and the largest radius of the service. */
const [PIXEL, BEYOND, WIDEST] = [21.5 / 3600, 5, 0.5];
const MOST = 2000;
/** Circles that are drawn; rows of the table at first, and at most. */
const [DRAWN, FEW, MANY] = [150, 8, 200];
const HINT = "Point at a circle to see which star it is.";

/** A part of the light for people, in percent. */
export function formatShare(share) {
  const percent = 100 * share;
  if (percent < 0.01) return percent > 0 ? "< 0.01 %" : "0 %";
  return `${percent.toFixed(percent >= 9.95 ? 0 : percent >= 0.995 ? 1 : 2)} %`;
}

/** Radius of a circle in pixels of the screen, by the magnitude and the side of a pixel of the picture. */
function radiusOf(magnitude, side) {
  return (1.8 + 0.9 * Math.max(0, Math.min(10, 16 - magnitude))) * Math.max(0.6, Math.min(2, side / 14));
}

export class Neighbours {
  /** Parameters: `place`, the element that it fills; `frames`, the pictures that it draws on. */
  constructor(place, frames) {
    Object.assign(this, { frames, isOn: false, stars: [], list: [], chosen: null, isLong: false });
    this.summary = element("summary", { text: "Neighbours …" });
    this.rows = element("tbody");
    this.note = element("p", { class: "note" });
    const all = { type: "button", class: "small", on: { click: () => this.#lengthen() } };
    this.all = element("button", all);
    this.details = element("details", { hidden: true }, this.summary, element("div", { class: "scroll" }, this.#table()), element("p", {}, this.all), this.note);
    this.message = element("p", { class: "quiet", text: "Neighbours …" });
    this.words = element("output", { class: "said", "aria-live": "off" });
    place.replaceChildren(this.message, this.details, this.words);
    this.refresh = oncePerFrame(() => this.#refresh());
    for (const frame of [frames.median, frames.difference]) frame.layers.push((context, layout) => this.#draw(context, layout));
    frames.onMask.push(() => this.refresh());
    frames.onPlace.push((where) => this.#point(where));
  }

  #table() {
    const head = (text, about, className = "number") => element("th", { scope: "col", class: className }, element("abbr", { title: about, text }));
    return element("table", {}, element("thead", {}, element("tr", {}, element("th", { scope: "col", text: "Star" }),
      head("Share", "Part of all light in the aperture that is the star's"), head("Inside", "Part of the light of the star that falls into the aperture"),
      head("Mag.", "TESS magnitude"), head("Away", "Distance from the target in arcseconds"))), this.rows);
  }

  // -- what is shown -------------------------------------------------------------------------------------------------

  /** Show the stars around the target of a preview of a cube, as the state says. */
  async show(cube, preview, state) {
    this.isOn = state.neighbours;
    Object.assign(this, { preview, state });
    if (!this.isOn) return void this.frames.draw();
    const { window } = preview;
    const reach = (Math.hypot(window.rows, window.columns) / 2 + BEYOND) * PIXEL;
    const query = { cube, ra: state.ra, dec: state.dec, radius: Math.min(WIDEST, reach).toFixed(4), limit: MOST };
    const asked = JSON.stringify(query);
    if (asked === this.asked) return void this.#place();
    this.asked = asked;
    this.aborter?.abort();
    this.aborter = new AbortController();
    try {
      this.answer = await getJson("/v1/neighbours", query, this.aborter.signal);
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      if (!(error instanceof ApiError)) throw error;
      [this.asked, this.answer] = [null, { stars: [], reason: error.message }];
    }
    return void this.#place();
  }

  close() {
    this.aborter?.abort();
  }

  /** Where the stars are in the window. */
  #place() {
    if (!this.answer) return;
    const { window } = this.preview;
    const seen = this.answer.stars.filter(({ row }) => row !== null);
    this.stars = seen.map((star) => ({ ...star, row: star.row - window.first_row, column: star.column - window.first_column }));
    this.refresh();
  }

  #refresh() {
    const { mask } = this.frames;
    if (!this.answer || !mask || !this.isOn) return;
    const { target, window } = this.preview;
    Object.assign(this, shares(this.stars, mask, { row: target.row - window.first_row, column: target.column - window.first_column }));
    const { reason } = this.answer;
    this.details.hidden = !this.stars.length;
    this.message.hidden = Boolean(this.stars.length);
    this.words.hidden = !this.stars.length;
    this.message.textContent = `No neighbouring stars: ${reason ?? "the frames have no pixel where they are."}`;
    if (this.stars.length) this.#fill();
    this.#point(null);
    this.frames.draw();
  }

  #fill() {
    const { catalogue, total } = this.answer;
    this.summary.textContent = this.#inWords();
    const listed = this.list.slice(0, this.isLong ? MANY : FEW);
    this.rows.replaceChildren(...listed.map((star) => this.#row(star)));
    this.all.parentElement.hidden = this.list.length <= FEW;
    this.all.textContent = this.isLong ? "Fewer" : this.list.length > MANY ? `The ${MANY} with most light inside` : `All ${this.list.length} stars`;
    const left = total > this.answer.stars.length ? ` The ${total - this.answer.stars.length} faintest of ${total} stars here are left out.` : "";
    const model = `The light of each star is spread as a round Gaussian of ${SIGMA} pixel; real images have wider wings.`;
    this.note.textContent = `${catalogue.name}, down to magnitude ${catalogue.faintest.toFixed(1)}.${left} ${model} Contamination is the light of the neighbours over that of the target, as contratio in the TIC.`;
  }

  #inWords() {
    const [target, others] = [this.list.find((star) => star.isTarget), this.list.filter((star) => !star.isTarget)];
    const { name } = this.answer.catalogue;
    if (!target) return `Neighbours: ${name} has no star at the target, so their share is not known`;
    if (this.contamination === null) return "Neighbours: the aperture has no light of the target";
    const share = others.reduce((sum, star) => sum + star.share, 0);
    return `Neighbours: ${formatShare(share)} of the light in the aperture, contamination ${this.contamination.toFixed(this.contamination < 0.0995 ? 3 : 2)}`;
  }

  #row(star) {
    const { name, ra, dec, magnitude, isTarget } = star;
    const { cubes, size, sizeUnit, product } = this.state;
    const link = element("a", { href: writeState({ ...DEFAULTS, cubes, size, sizeUnit, product, name, ra, dec }), text: name });
    const cell = (text) => element("td", { class: "number", text });
    const choose = (chosen) => () => this.#choose(chosen);
    const on = { pointerenter: choose(star), pointerleave: choose(null), focusin: choose(star), focusout: choose(null) };
    return element("tr", { "data-star": name, on }, element("th", { scope: "row" }, isTarget ? `${name} (target)` : link),
      cell(formatShare(star.share)), cell(formatShare(star.own)), cell(magnitude.toFixed(2)), cell(`${star.distance_arcsec.toFixed(star.distance_arcsec < 99.5 ? 1 : 0)}″`));
  }

  #lengthen() {
    this.isLong = !this.isLong;
    this.#fill();
  }

  // -- one star ------------------------------------------------------------------------------------------------------

  /** The star whose circle is at a place of the window. */
  #point(where) {
    if (!this.isOn) return;
    const side = this.frames.median.pixels ? this.frames.median.layout().side : 1;
    const away = (star) => Math.hypot(star.row - where.row, star.column - where.column) * side;
    const near = where ? this.list.filter((star) => away(star) <= Math.max(6, radiusOf(star.magnitude, side))) : [];
    this.#choose(near.toSorted((a, b) => away(a) - away(b))[0] ?? null);
  }

  #choose(star) {
    const isOther = star?.name !== this.chosen?.name;
    this.chosen = star;
    const text = star && `${star.name} · magnitude ${star.magnitude.toFixed(2)} · ${star.distance_arcsec.toFixed(1)}″ away · ${formatShare(star.share)} of the light inside`;
    this.words.replaceChildren(text ?? element("span", { class: "quiet", text: this.stars.length ? HINT : "" }));
    for (const row of this.rows.children) row.classList.toggle("chosen", row.dataset.star === star?.name);
    if (isOther) this.frames.draw();
  }

  #draw(context, layout) {
    if (!this.isOn) return;
    const inside = ({ row, column }) => row > -1 && row < layout.rows && column > -1 && column < layout.columns;
    const drawn = this.stars.filter(inside).slice(0, DRAWN); // the brightest come first
    for (const [strokeStyle, wider] of [["rgb(0 0 0 / 0.65)", 3.2], ["#fff", 1.3]]) {
      for (const star of drawn) {
        const { x, y } = layout.place(star.row, star.column);
        const isChosen = star.name === this.chosen?.name;
        context.beginPath();
        context.arc(x, y, radiusOf(star.magnitude, layout.side), 0, 2 * Math.PI);
        Object.assign(context, { strokeStyle, lineWidth: wider + (isChosen ? 1.7 : 0), fillStyle: "rgb(255 255 255 / 0.4)" });
        context.stroke();
        if (isChosen) context.fill();
      }
    }
  }
}
