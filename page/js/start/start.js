/** The view before a search: what is here and how new it is, examples with live pictures, and sectors with the newest first. */

import { ApiError, getJson } from "../base/api.js";
import { byId, element } from "../base/dom.js";
import { sectorColour } from "../sky/colours.js";
import { DEFAULTS, writeState } from "../state.js";
import { formatCadence } from "../target/sectors.js";

export const SHOWN_EXAMPLES = 3;
/** Points of a light curve, as many as the view of a target asks for. */
const POINTS = 20_000;

function plural(count, word) {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

/** A time of the service as people read it, to the minute. */
function minuteOf(text) {
  return `${text.slice(0, 16).replace("T", " ")} UTC`;
}

/** First and last day; the year once if it is the same. */
function daysOf({ start, stop }) {
  if (start === stop) return start;
  return `${start} – ${start.slice(0, 5) === stop.slice(0, 5) ? stop.slice(5) : stop}`;
}

function paragraph(text) {
  return element("p", { class: "quiet", text });
}

export class Start {
  /** Parameters: `map`, which tells what sees a star; `onStar(star)` and `onSector(sector)` for what is chosen. */
  constructor(map, { onStar, onSector }) {
    Object.assign(this, { map, onStar, onSector, examples: [], sectors: [], health: null, previews: new Map() });
    this.watcher = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) if (isIntersecting) this.#load(target);
    });
    new ResizeObserver(() => this.redraw()).observe(byId("example-list"));
  }

  /** Show what the service has. */
  show(sectors, product) {
    Object.assign(this, { sectors, product });
    this.#tellState();
    byId("sectors-count").textContent = sectors.length ? plural(sectors.length, "sector") : "";
    byId("newest").hidden = !sectors.length;
    byId("sector-list").replaceChildren(...sectors.toReversed().map((sector) => this.#row(sector)));
    this.#tellExamples();
  }

  /** Take the answer of /v1/health. */
  setHealth(health) {
    this.health = health;
    this.#tellState();
  }

  async loadExamples() {
    ({ examples: this.examples } = await getJson("data/examples.json"));
    this.#tellExamples();
  }

  /** Stars to begin with: those that are on a CCD here. */
  seen() {
    const days = new Map(this.sectors.map(({ sector, start, stop }) => [sector, (Date.parse(stop) - Date.parse(start)) / 86_400_000]));
    const simulated = days.size === 1 && days.get(1) < 2;
    return this.examples.filter((star) => Boolean(star.simulated) === simulated && this.map.under(star).length);
  }

  // -- what is here --------------------------------------------------------------------------------------------------

  #tellState() {
    const { sectors, health, product } = this;
    const ccds = sectors.reduce((sum, sector) => sum + sector.ccds.length, 0);
    const newest = sectors.at(-1);
    const facts = [
      ["Here", ccds ? `${plural(ccds, "CCD")} of ${plural(sectors.length, "sector")} (${product})` : "no cubes yet"],
      ["Newest data", newest ? `sector ${newest.sector}, until ${newest.stop}` : null],
      ["Index", health ? (health.index_changed ? `changed ${minuteOf(health.index_changed)}` : "not written yet") : "…"],
      ["Service", health ? `version ${health.version}${health.paused ? ", paused" : ""}` : "…"],
    ];
    byId("state").replaceChildren(...facts.filter(([, text]) => text).flatMap(([name, text]) => [element("dt", { text: name }), element("dd", { text })]));
  }

  #row({ sector, start, stop, cadence_seconds: cadence, ccds }) {
    const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = sectorColour(sector);
    const show = element("button", { type: "button", class: "link", text: sector, "aria-label": `Sector ${sector}`, title: "Show it on the map", on: { click: () => this.onSector(sector) } });
    return element("tr", {}, element("th", { scope: "row" }, swatch, show), element("td", { text: daysOf({ start, stop }) }),
      element("td", { text: formatCadence(cadence) }), element("td", { class: "number", text: ccds.length }));
  }

  // -- examples ------------------------------------------------------------------------------------------------------

  #tellExamples() {
    const seen = this.seen().slice(0, SHOWN_EXAMPLES);
    byId("examples").hidden = !seen.length;
    this.watcher.disconnect();
    byId("example-list").replaceChildren(...seen.map((star) => this.#card(star)));
    if (this.isReady) this.#watch();
  }

  #card(star) {
    const follow = (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      this.onStar(star);
    };
    const state = { ...DEFAULTS, name: star.name, ra: star.ra, dec: star.dec, ...(star.period ? { period: star.period } : {}) };
    const curve = star.period ? `phases of ${star.period} days` : "light curve";
    const canvas = element("canvas", { class: "thumbnail", "aria-hidden": "true" });
    return element("li", { "data-star": star.name }, element("a", { class: "card", href: writeState(state), on: { click: follow } },
      element("span", { class: "thumbnail-place" }, canvas), element("strong", { text: star.name }), element("span", { text: star.about }),
      element("small", { class: "quiet", text: `pixels and ${curve}` })));
  }

  /** Begin to ask for pictures, each when it is scrolled to. */
  begin() {
    this.isReady = true;
    this.#watch();
  }

  #watch() {
    for (const card of byId("example-list").children) this.watcher.observe(card);
  }

  async #load(card) {
    const star = this.examples.find(({ name }) => name === card.dataset.star);
    this.watcher.unobserve(card);
    const { paused } = this.health ?? {};
    if (paused) return void card.querySelector(".thumbnail-place").replaceChildren(paragraph("No picture while the service is paused."));
    try {
      if (!this.previews.has(star.name)) this.previews.set(star.name, await this.#ask(star));
      await this.#paint(card, star);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      card.querySelector(".thumbnail-place").replaceChildren(paragraph(`No picture now: ${error.message}`));
    }
    return undefined;
  }

  /** The preview that the view of the star asks for first, so that the browser has it already. */
  #ask({ ra, dec }) {
    const [first] = this.map.under({ ra, dec }).toSorted((a, b) => a.sector - b.sector || a.camera - b.camera || a.ccd - b.ccd);
    return getJson("/v1/preview", { cube: first.cube, ra, dec, size: DEFAULTS.size.join(","), background: String(DEFAULTS.background), points: POINTS });
  }

  async #paint(card, star) {
    const { paintThumbnail } = await import("./thumbnail.js");
    paintThumbnail(card.querySelector("canvas"), this.previews.get(star.name), star.period);
  }

  /** Draw again, for another width or other colours. */
  redraw() {
    for (const card of byId("example-list").children) {
      const star = this.examples.find(({ name }) => name === card.dataset.star);
      if (this.previews.has(star.name)) this.#paint(card, star);
    }
  }
}
