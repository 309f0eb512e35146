/** The form for files: what is in them, and the buttons that get them. */

import { announce, byId, report } from "../base/dom.js";
import { apertureText } from "./apertures.js";
import { Downloads } from "./download.js";
import { Programs } from "./programs.js";
import { rowsOf, whyNoRows } from "./rows.js";
import { formatBytes, guessBytes, isInTime, spanOf } from "./snippets.js";
import { hasPreview, isSize, MAX_PIXELS, MAX_SIDE } from "../state.js";

/** A pixel of TESS is 21 arcseconds wide, as TESSCut counts. */
const PIXEL = { pixels: 1, arcmin: 21 / 60, degrees: 21 / 3600 };

const MOST_SPANS = 4;

function describeSpans(cubes) {
  const known = cubes.filter((cube) => cube.first_time !== undefined);
  const spans = known.slice(0, MOST_SPANS).map((cube) => `from ${cube.first_time.toFixed(1)} to ${cube.last_time.toFixed(1)} (sector ${cube.sector})`);
  return spans.join(", ") + (known.length > MOST_SPANS ? " and in other sectors" : "");
}

function describeLimit(unit) {
  return unit === "pixels" ? "21″ each" : `up to ${Number((MAX_SIDE * PIXEL[unit]).toFixed(3))} ${unit}`;
}

function timeProblem(first, last) {
  if (first === "" && last === "") return "";
  if (first === "" || last === "") return "Give the first and the last BTJD, or neither.";
  const wrong = [first, last].find((text) => !Number.isFinite(Number(text)));
  if (wrong !== undefined) return `The first and the last BTJD are numbers, such as 1325.3; "${wrong.slice(0, 40)}" is not.`;
  return Number(first) > Number(last) ? `The first time, ${first}, is after the last, ${last}.` : "";
}

export class Order {
  /**
   * Parameters: `state`; `change(changes)`; `reload()` after a change of what previews show; `look`, which has the times.
   * `onDescribe()` is called whenever the words about the files may change; `onAdd(rows, product)` adds rows to the list of
   * targets, and gives words about that.
   */
  constructor(state, change, reload, look) {
    Object.assign(this, { onDescribe: () => undefined, onAdd: null, state, change, reload, look, cubes: [], problems: {}, told: {} });
    this.downloads = new Downloads(byId("progress"));
    this.programs = new Programs(this, look);
    this.#size();
    this.#time();
    for (const name of ["layout", "placement"]) {
      for (const input of document.querySelectorAll(`[name="${name}"]`)) input.addEventListener("change", () => this.#set({ [name]: input.value }));
    }
    for (const name of ["good", "mark"]) byId(name).addEventListener("change", (event) => this.#set({ [name]: event.target.checked }));
    byId("download").addEventListener("click", () => this.downloads.start(this.order()));
    byId("start-job").addEventListener("click", () => this.downloads.startJob(this.order()));
    byId("add-to-list").addEventListener("click", () => this.#add());
  }

  #set(changes) {
    this.change(changes);
    this.describe();
  }

  /** Say beside a field what is wrong with it, or nothing. What needs the field is disabled meanwhile. */
  #tell(name, text, fields) {
    this.problems[name] = text;
    for (const [field, good] of Object.entries(fields)) byId(field).setAttribute("aria-invalid", String(!good));
    this.describe();
  }

  /** Sizes are whole pixels; in angles they are the nearest ones. */
  #size() {
    for (const name of ["rows", "columns"]) byId(name).addEventListener("change", () => this.#readSize());
    byId("size-unit").addEventListener("change", (event) => {
      this.change({ sizeUnit: event.target.value });
      this.#writeSize();
    });
  }

  #readSize() {
    const { sizeUnit } = this.state;
    const values = ["rows", "columns"].map((each) => Number(byId(each).value) / PIXEL[sizeUnit]);
    const sizes = sizeUnit === "pixels" ? values : values.map(Math.round);
    const good = sizes.map((value) => isSize([value, 1]));
    const text = isSize(sizes) ? "" : `Rows and columns are whole pixels from 1 to ${MAX_SIDE.toLocaleString("en")} (${describeLimit(sizeUnit)}), at most ${MAX_PIXELS.toLocaleString("en")} in the window.`;
    const both = good.every(Boolean) && text !== "";
    this.#tell("size", text, { rows: good[0] && !both, columns: good[1] && !both });
    if (text || String(sizes) === String(this.state.size)) return;
    this.#set({ size: sizes, apertures: {} });
    this.#writeSize();
    this.reload();
  }

  #writeSize() {
    const { size, sizeUnit } = this.state;
    byId("size-unit").value = sizeUnit;
    ["rows", "columns"].forEach((name, i) => { byId(name).value = Number((size[i] * PIXEL[sizeUnit]).toFixed(4)); });
  }

  #time() {
    const read = () => {
      const [first, last] = ["first", "last"].map((name) => byId(name).value.trim());
      const text = timeProblem(first, last);
      const isNumber = (each) => each !== "" && Number.isFinite(Number(each));
      const reversed = isNumber(first) && isNumber(last);
      this.#tell("time", text, { first: !text || (isNumber(first) && !reversed), last: !text || (isNumber(last) && !reversed) });
      if (!text) this.#set({ time: first === "" ? null : [first, last].map(Number) });
    };
    for (const name of ["first", "last"]) byId(name).addEventListener("change", read);
    byId("time-in-view").addEventListener("click", () => {
      if (this.state.show === "folded") return this.#report("time", "A folded light curve shows phases, not times. Take the range of one that is separate or stitched.", "note");
      if (!this.look.range) return undefined;
      [byId("first").value, byId("last").value] = this.look.range.map((value) => value.toFixed(4));
      return read();
    });
    byId("time-all").addEventListener("click", () => {
      [byId("first").value, byId("last").value] = ["", ""];
      read();
    });
  }

  setControls() {
    const { state } = this;
    this.problems = {};
    for (const field of ["rows", "columns", "first", "last"]) byId(field).removeAttribute("aria-invalid");
    this.#writeSize();
    [byId("first").value, byId("last").value] = state.time ?? ["", ""];
    for (const name of ["layout", "placement"]) for (const input of document.querySelectorAll(`[name="${name}"]`)) input.checked = input.value === state[name];
    for (const name of ["good", "mark"]) byId(name).checked = state[name];
  }

  /** These cubes are asked for; the same as are shown. */
  setCubes(cubes) {
    this.cubes = cubes;
    this.describe();
  }

  order() {
    const { name, ra, dec, moving, size, time, layout, placement, good, product, mark } = this.state;
    const sectors = [...new Set(this.cubes.map((cube) => cube.sector))].sort((a, b) => a - b);
    return { name, ra, dec, moving, size, time, layout, placement, good, product, sectors, aperture: mark ? this.aperture() : null };
  }

  /** Apertures as the service takes them; null where the page shows none. */
  aperture() {
    const { state, cubes } = this;
    return state.moving || !hasPreview(state.size) ? null : apertureText(state.apertures, cubes);
  }

  describe() {
    const { cubes, problems } = this;
    const order = this.order();
    const timed = cubes.map((cube) => ({ ...cube, ...spanOf(cube, this.look.times(cube.cube)) }));
    const inTime = timed.filter((cube) => isInTime(order.time, cube));
    const outside = cubes.length > 0 && !inTime.length;
    this.#report("size", problems.size);
    this.#report("time", problems.time || (outside ? `No frames of the ticked sectors are between ${order.time.join(" and ")}. They are ${describeSpans(timed)}.` : ""));
    const ready = inTime.length > 0 && !problems.size && !problems.time;
    for (const id of ["download", "start-job", "add-to-list"]) byId(id).disabled = !ready;
    byId("list-added").hidden = true;
    byId("add-to-list").hidden = order.moving;
    byId("mark").disabled = !this.aperture();
    byId("what").textContent = this.#words(order, inTime, ready);
    this.programs.describe(ready);
    this.onDescribe();
  }

  #words(order, cubes, ready) {
    if (!this.cubes.length) return "Tick a sector to get its file.";
    if (!ready) return "Correct the fields that are marked, then download.";
    const size = order.moving ? "" : `, about ${formatBytes(guessBytes(order, cubes))} before compression`;
    const dark = cubes.filter((cube) => cube.on_silicon === false).length;
    return `${cubes.length} target pixel file${cubes.length === 1 ? "" : "s"} of ${order.size[0]} × ${order.size[1]} pixels${size}${dark ? `; ${dark} without the target on silicon` : ""}.`;
  }

  /** Messages that stay are left alone, so that they are read aloud once. */
  #report(name, text = "", kind = "error") {
    if (this.told[name] === text) return;
    this.told[name] = text;
    report(byId(`${name}-error`), text, kind);
  }

  /** Put the target into the list, with its window, sectors and apertures. */
  async #add() {
    const { state, cubes } = this;
    const words = whyNoRows(state) || await this.onAdd(rowsOf(state, cubes, state.apertures), state.product);
    byId("list-added").hidden = false;
    byId("list-added-words").textContent = words;
    announce(words);
  }
}
