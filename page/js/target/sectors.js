/** The CCDs that see the target, as a table; those that are ticked are shown. */

import { byId, element } from "../base/dom.js";
import { sectorColour } from "../sky/colours.js";

/** Days and exposure time as people say them. */
export function formatDays({ start, stop }) {
  if (!start) return "";
  return start === stop ? start : `${start} – ${stop}`;
}

export function formatCadence(seconds) {
  if (!seconds) return "";
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.round(seconds)} s`;
}

function pixel(value) {
  return value === undefined ? "" : value.toFixed(1).replace("-", "−");
}

/** Digits in threes, with narrow spaces. */
function grouped(count) {
  return count === undefined ? "" : String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

function edge(cube) {
  if (cube.edge_distance_px === undefined) return "";
  if (cube.on_silicon === false) return "off the silicon";
  return `${Math.round(cube.edge_distance_px)} px`;
}

/** How many CCDs there are, in words. */
function countCubes(cubes, ticked) {
  const sectors = new Set(cubes.map((cube) => cube.sector)).size;
  const off = cubes.filter((cube) => cube.on_silicon === false).length;
  const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  return `${plural(cubes.length, "CCD")} in ${plural(sectors, "sector")}${off ? `, ${off} without the target on silicon` : ""}; ${ticked} ticked.`;
}

export class SectorTable {
  /**
   * Parameters: `onChoose(cubes)` gets the names that are ticked, `onHover(sector)` the row under the pointer. "All
   * sectors" leaves out the CCDs whose silicon does not have the target, unless there are only such.
   */
  constructor({ onChoose, onHover }) {
    Object.assign(this, { onChoose, onHover, body: byId("cubes"), all: byId("all-cubes"), cubes: [] });
    this.all.addEventListener("change", () => {
      for (const box of this.#boxes()) box.checked = this.all.checked && this.#seeing().includes(box.value);
      this.#changed();
    });
  }

  show(cubes, chosen) {
    this.cubes = cubes;
    this.body.replaceChildren(...cubes.map((cube) => this.#row(cube, chosen.includes(cube.cube))));
    this.#settle();
  }

  #boxes() {
    return [...this.body.querySelectorAll("input")];
  }

  #seeing() {
    const seeing = this.cubes.filter((cube) => cube.on_silicon !== false);
    return (seeing.length ? seeing : this.cubes).map((cube) => cube.cube);
  }

  /** Say how many there are, and bring the box for all to where the others are. */
  #settle() {
    const ticked = this.#boxes().filter((box) => box.checked).map((box) => box.value);
    this.all.checked = ticked.length > 0 && this.#seeing().every((cube) => ticked.includes(cube));
    this.all.indeterminate = ticked.length > 0 && !this.all.checked;
    byId("cubes-count").textContent = countCubes(this.cubes, ticked.length);
  }

  #changed() {
    this.#settle();
    this.onChoose(this.#boxes().filter((box) => box.checked).map((box) => box.value));
  }

  #row(cube, checked) {
    const id = `see-${cube.cube}`;
    const box = element("input", { type: "checkbox", id, value: cube.cube, on: { change: () => this.#changed() } });
    box.checked = checked;
    const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = sectorColour(cube.sector);
    const cell = (text, kind = "") => element("td", { class: kind, text });
    return element("tr", { on: { mouseenter: () => this.onHover(cube.sector), mouseleave: () => this.onHover(null) } },
      element("td", { class: "tick" }, box),
      element("th", { scope: "row" }, element("label", { for: id }, swatch, String(cube.sector), element("span", { class: "hidden", text: ` camera ${cube.camera} CCD ${cube.ccd}` }))),
      cell(`${cube.camera}-${cube.ccd}`), element("td", { class: "days" }, formatDays(cube).split(/(?<= –)/).map((text) => element("span", { text }))), cell(formatCadence(cube.cadence_seconds)), cell(grouped(cube.n_cadences), "number"),
      cell(pixel(cube.row), "number"), cell(pixel(cube.column), "number"), cell(edge(cube), cube.on_silicon === false ? "number bad" : "number"));
  }
}
