/** The form for files: what is in them, and the buttons that get them. */

import { getJson } from "./api.js";
import { announce, byId, element, report } from "./dom.js";
import { Downloads } from "./download.js";
import { astroquery, curl, formatBytes, guessBytes, library } from "./snippets.js";
import { MAX_SIDE } from "./state.js";

/** A pixel of TESS is 21 arcseconds wide, as TESSCut counts. */
const PIXEL = { pixels: 1, arcmin: 21 / 60, degrees: 21 / 3600 };

function describeLimit(unit) {
  return unit === "pixels" ? "21″ each" : `up to ${Number((MAX_SIDE * PIXEL[unit]).toFixed(3))} ${unit}`;
}

export class Order {
  /** Parameters: `state`; `change(changes)`; `reload()` after a change of what previews show; `look`, which has the times. */
  constructor(state, change, reload, look) {
    Object.assign(this, { state, change, reload, look, cubes: [] });
    this.downloads = new Downloads(byId("progress"));
    this.snippet = byId("snippet");
    this.#size();
    this.#time();
    for (const name of ["layout", "placement"]) {
      for (const input of document.querySelectorAll(`[name="${name}"]`)) input.addEventListener("change", () => this.#set({ [name]: input.value }));
    }
    byId("good").addEventListener("change", (event) => this.#set({ good: event.target.checked }));
    byId("download").addEventListener("click", () => this.downloads.start(this.order()));
    byId("start-job").addEventListener("click", () => this.downloads.startJob(this.order()));
    byId("copy-curl").addEventListener("click", () => this.#copy("curl", curl(this.order(), location.origin)));
    byId("copy-astroquery").addEventListener("click", () => this.#copy("astroquery", astroquery(this.order(), location.origin)));
    byId("copy-library").addEventListener("click", () => this.#library());
  }

  #set(changes) {
    this.change(changes);
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
    const good = sizes.map((value) => Number.isInteger(value) && value >= 1 && value <= MAX_SIDE);
    ["rows", "columns"].forEach((each, i) => byId(each).setAttribute("aria-invalid", String(!good[i])));
    report(byId("size-error"), good.every(Boolean) ? "" : `Rows and columns are whole pixels from 1 to ${MAX_SIDE} here (${describeLimit(sizeUnit)}). For larger windows, start a job with curl or Python.`);
    if (!good.every(Boolean) || String(sizes) === String(this.state.size)) return;
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
      const values = [first, last].map(Number);
      const empty = first === "" && last === "";
      const good = empty || (first !== "" && last !== "" && values.every(Number.isFinite) && values[0] <= values[1]);
      report(byId("time-error"), good ? "" : "Give the first and the last BTJD, or neither.");
      if (good) this.#set({ time: empty ? null : values });
    };
    for (const name of ["first", "last"]) byId(name).addEventListener("change", read);
    byId("time-in-view").addEventListener("click", () => {
      if (!this.look.range || this.state.show === "folded") return;
      [byId("first").value, byId("last").value] = this.look.range.map((value) => value.toFixed(4));
      read();
    });
    byId("time-all").addEventListener("click", () => {
      [byId("first").value, byId("last").value] = ["", ""];
      read();
    });
  }

  setControls() {
    const { state } = this;
    this.#writeSize();
    [byId("first").value, byId("last").value] = state.time ?? ["", ""];
    for (const name of ["layout", "placement"]) for (const input of document.querySelectorAll(`[name="${name}"]`)) input.checked = input.value === state[name];
    byId("good").checked = state.good;
  }

  /** These cubes are asked for; the same as are shown. */
  setCubes(cubes) {
    this.cubes = cubes;
    this.describe();
  }

  order() {
    const { name, ra, dec, moving, size, time, layout, placement, good, product } = this.state;
    return { name, ra, dec, moving, size, time, layout, placement, good, product, sectors: [...new Set(this.cubes.map((cube) => cube.sector))].sort((a, b) => a - b) };
  }

  describe() {
    const { cubes } = this;
    const order = this.order();
    for (const id of ["download", "start-job", "copy-curl", "copy-astroquery", "copy-library"]) byId(id).disabled = !cubes.length;
    byId("copy-library").hidden = order.moving;
    const timed = cubes.map((cube) => {
      const [first_time, last_time] = this.look.times(cube.cube) ?? [];
      return { ...cube, first_time, last_time };
    });
    const size = order.moving || !cubes.length ? "" : `, about ${formatBytes(guessBytes(order, timed))} before compression`;
    byId("what").textContent = cubes.length ? `${cubes.length} target pixel file${cubes.length === 1 ? "" : "s"} of ${order.size[0]} × ${order.size[1]} pixels${size}.` : "Tick a sector to get its file.";
    this.snippet.hidden = true;
  }

  async #copy(what, text) {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      done = false;
    }
    this.snippet.hidden = false;
    this.snippet.replaceChildren(element("p", { class: "note", text: done ? `Copied for ${what}:` : `For ${what} (your browser did not allow the copy):` }), element("pre", { tabindex: 0, "aria-label": `Program for ${what}`, text }));
    announce(done ? `Copied for ${what}` : "Not copied. The page shows the text");
  }

  async #library() {
    const places = await Promise.all(this.cubes.map(async ({ cube }) => {
      const { provenance } = await getJson(`/v1/cubes/${encodeURIComponent(cube)}`);
      return provenance.location.includes("://") ? provenance.location : `s3://<the stack's CubeBucketName>/${provenance.location}`;
    }));
    await this.#copy("tessera", library(this.order(), places));
  }
}
