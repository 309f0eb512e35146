/** The view of a target: its sectors, their frames and light curves, alone or together. */

import { byId, debounce } from "../base/dom.js";
import { CadenceControls } from "../curve/cadences.js";
import { CleanControls } from "../curve/clean-controls.js";
import { FoldControls } from "../curve/fold.js";
import { slicer, Together } from "../curve/together.js";
import { SectorView } from "./sector-view.js";

const APERTURE_PAUSE = 250;
/** More sectors than this are small, and are asked for when they are scrolled to. */
const FEW = 4;
/** How far below and above the window a sector is asked for, in heights of the window. */
const AHEAD = "100% 0px";
/** Controls of what the service takes from light curves. */
const MODELS = ["background", "detrend"];

export class Look {
  /** Parameters: `state`, which is read; `change(changes)` puts changes into it and the address. */
  constructor(state, change) {
    Object.assign(this, { state, change, views: new Map(), range: null });
    this.watcher = new IntersectionObserver((entries) => this.#scrolled(entries), { rootMargin: AHEAD });
    this.place = byId("sectors");
    this.reload = debounce((cube) => this.views.get(cube)?.load(this.state), APERTURE_PAUSE);
    this.cadences = new CadenceControls(state, change, () => this.paint());
    this.ofCurves = { tools: this.cadences, onView: (first, last) => this.#inView(first, last), onZoom: (zoom) => change({ zoom }) };
    this.together = new Together(state, { views: () => this.#ready(), onCurves: (...curves) => this.#curves(...curves), onMark: (time) => this.film?.player.seek(time), ...this.ofCurves });
    this.clean = new CleanControls(state, change, () => this.paint());
    this.fold = new FoldControls(state, change, () => this.paint());
    this.#controls();
  }

  // -- controls ------------------------------------------------------------------------------------------------------

  #controls() {
    for (const name of ["show", "unit", "stretch", "colours"]) {
      for (const input of document.querySelectorAll(`[name="${name}"]`)) {
        input.addEventListener("change", () => {
          this.change({ [name]: input.value, ...(["show", "unit"].includes(name) ? { zoom: null } : {}) });
          if (name === "show" && input.value === "folded") this.#guess();
          this.paint();
        });
      }
    }
    this.#check("flagged", () => this.paint());
    this.#check("neighbours", () => this.paint());
    for (const name of MODELS) {
      byId(name).addEventListener("change", (event) => {
        this.change({ [name]: event.target.value });
        this.load();
      });
    }
  }

  #check(name, run) {
    byId(name).addEventListener("change", (event) => {
      this.change({ [name]: event.target.checked });
      run();
    });
  }

  /** Put the controls where the state says. */
  setControls() {
    const { state } = this;
    for (const name of ["show", "unit", "stretch", "colours"]) {
      for (const input of document.querySelectorAll(`[name="${name}"]`)) {
        if (input.type === "radio") input.checked = input.value === state[name];
        else input.value = state[name];
      }
    }
    for (const name of ["flagged", "neighbours"]) byId(name).checked = state[name];
    for (const name of MODELS) byId(name).value = state[name];
    this.cadences.setControls();
    this.clean.setControls();
    this.fold.setControls();
  }

  #guess() {
    this.fold.guess(this.#ready().map((view) => view.preview.lightcurve));
  }

  // -- what is shown -------------------------------------------------------------------------------------------------

  /** Show these cubes, each as /v1/targets has it. */
  show(cubes) {
    const wanted = new Set(cubes.map((cube) => cube.cube));
    for (const [name, view] of this.views) {
      if (!wanted.has(name)) this.#close(name, view);
    }
    for (const cube of cubes) if (!this.views.has(cube.cube)) this.views.set(cube.cube, this.#make(cube));
    this.place.replaceChildren(...cubes.map((cube) => this.views.get(cube.cube).node));
    byId("nothing-chosen").hidden = cubes.length > 0;
    this.load();
  }

  clear() {
    for (const [name, view] of this.views) this.#close(name, view);
    this.cadences.forget();
    this.together.forget();
  }

  #close(name, view) {
    this.watcher.unobserve(view.node);
    view.close();
    this.views.delete(name);
  }

  #make(cube) {
    const view = new SectorView(cube, {
      onAperture: (name, hex) => this.#aperture(name, hex),
      onData: () => {
        if (this.state.show === "folded") this.#guess();
        this.together.paintSoon();
      },
      onFrame: (time) => this.#frame(view, time),
      ofCurves: this.ofCurves,
      onStill: (time) => this.change({ frame: time === null ? null : { cube: cube.cube, time } }),
    });
    this.watcher.observe(view.node);
    return view;
  }

  #scrolled(entries) {
    for (const { target, isIntersecting } of entries) {
      const view = this.views.get(target.dataset.cube);
      if (!view) continue;
      view.isNear = isIntersecting;
      view.isFar = !isIntersecting && this.views.size > FEW;
      if (isIntersecting && this.views.size > FEW) view.load(this.state);
    }
  }

  #isMany() {
    return this.views.size > FEW && this.state.show === "apart";
  }

  /** What is drawn now: all, or of many those that are near the window. */
  #drawn() {
    const views = [...this.views.values()];
    return this.#isMany() ? views.filter((view) => view.isNear) : views;
  }

  #aperture(cube, hex) {
    const apertures = { ...this.state.apertures };
    if (hex === null) delete apertures[cube];
    else apertures[cube] = hex;
    this.change({ apertures });
    if (hex === null) this.views.get(cube).load(this.state);
    else this.reload(cube);
  }

  /** Mark the time of the frame that a sector shows in the light curve of all. */
  #frame(view, time) {
    this.film = time === null ? null : view;
    this.together.curve.marker.mark(view.name, time);
  }

  #inView(first, last) {
    this.range = [first, last];
  }

  load() {
    this.#loadAll();
    this.paint();
  }

  /** Ask for what is needed, and draw what can be seen. */
  async #loadAll() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const pause = slicer();
    await SectorView.prepare(); // or all sectors would be made at once when it is there
    if (turn !== this.turn) return;
    for (const view of this.#drawn()) {
      view.isFar = this.views.size > FEW && view.isNear !== true;
      view.load(this.state);
      await pause();
      if (turn !== this.turn) return;
    }
  }

  paint() {
    this.place.classList.toggle("frames-only", this.state.show !== "apart");
    this.place.classList.toggle("many", this.#isMany());
    byId("results").classList.toggle("side-by-side", this.state.show !== "apart" && this.views.size === 1);
    byId("fold-controls").hidden = this.state.show !== "folded";
    this.#loadAll();
    this.together.paint();
  }

  /** In other colours. */
  redraw() {
    for (const view of this.views.values()) view.curve?.redraw();
    this.fold.search?.redraw();
    this.paint();
  }

  #ready() {
    return [...this.views.values()].filter((view) => view.preview);
  }

  #curves(curves, sources) {
    this.clean.say(curves);
    this.cadences.setCurves(sources);
    this.fold.setCurves(curves);
  }

  /** Times of the cubes' previews, where they are known. */
  times(cube) {
    const times = this.views.get(cube)?.preview?.lightcurve.time.filter((time) => time !== null);
    return times?.length ? [times[0], times.at(-1)] : null;
  }
}
