/** The view of a target: its sectors, their frames and light curves, alone or together. */

import { byId, debounce, element, throttle, token } from "../base/dom.js";
import { LightCurve } from "../curve/lightcurve.js";
import { CleanControls } from "../curve/clean-controls.js";
import { FoldControls } from "../curve/fold.js";
import { SectorView } from "./sector-view.js";
import { sectorColour } from "../sky/colours.js";

const APERTURE_PAUSE = 250;
/** Milliseconds between two drawings of all sectors together while previews arrive. */
const TOGETHER_PAUSE = 250;
/** More sectors than this are small, and are asked for when they are scrolled to. */
const FEW = 4;
/** How far below and above the window a sector is asked for, in heights of the window. */
const AHEAD = "100% 0px";

export class Look {
  /** Parameters: `state`, which is read; `change(changes)` puts changes into it and the address. */
  constructor(state, change) {
    Object.assign(this, { state, change, views: new Map(), range: null });
    this.watcher = new IntersectionObserver((entries) => this.#scrolled(entries), { rootMargin: AHEAD });
    this.place = byId("sectors");
    this.together = byId("together");
    this.curve = new LightCurve({ title: "Light curves of all sectors together", onView: (first, last) => this.#inView(first, last), onMark: (time) => this.film?.player.seek(time) });
    this.together.append(this.curve.node);
    this.reload = debounce((cube) => this.views.get(cube)?.load(this.state), APERTURE_PAUSE);
    this.togetherSoon = throttle(() => this.#paintTogether(), TOGETHER_PAUSE);
    this.clean = new CleanControls(state, change, () => this.paint());
    this.fold = new FoldControls(state, change, () => this.paint());
    this.#controls();
  }

  // -- controls ------------------------------------------------------------------------------------------------------

  #controls() {
    for (const name of ["show", "unit", "stretch", "colours"]) {
      for (const input of document.querySelectorAll(`[name="${name}"]`)) {
        input.addEventListener("change", () => {
          this.change({ [name]: input.value });
          if (name === "show" && input.value === "folded") this.#guess();
          this.paint();
        });
      }
    }
    this.#check("flagged", () => this.paint());
    byId("background").addEventListener("change", (event) => {
      this.change({ background: event.target.value });
      this.load();
    });
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
    byId("flagged").checked = state.flagged;
    byId("background").value = state.background;
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
        this.togetherSoon();
      },
      onView: (first, last) => this.#inView(first, last),
      onFrame: (time) => this.#frame(view, time),
    });
    this.watcher.observe(view.node);
    return view;
  }

  #scrolled(entries) {
    for (const { target, isIntersecting } of entries) {
      const view = this.views.get(target.dataset.cube);
      if (!view) continue;
      view.isNear = isIntersecting;
      if (isIntersecting && this.#isMany()) view.load(this.state);
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
    this.curve.marker.mark(view.name, time);
  }

  #inView(first, last) {
    this.range = [first, last];
  }

  load() {
    for (const view of this.#drawn()) view.load(this.state);
    this.paint();
  }

  paint() {
    this.place.classList.toggle("frames-only", this.state.show !== "apart");
    this.place.classList.toggle("many", this.#isMany());
    byId("results").classList.toggle("side-by-side", this.state.show !== "apart" && this.views.size === 1);
    byId("fold-controls").hidden = this.state.show !== "folded";
    for (const view of this.#drawn()) view.load(this.state);
    this.#paintTogether();
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

  #paintTogether() {
    const { show, period, epoch, unit, flagged } = this.state;
    const ready = this.#ready();
    const several = ready.length > 1;
    const curves = ready.map((view) => view.series(this.state, several ? sectorColour(view.cube.sector) : token("ink")));
    this.clean.say(curves);
    this.fold.setCurves(curves);
    this.together.hidden = show === "apart" || !ready.length;
    for (const input of document.querySelectorAll('[name="unit"]')) input.disabled = !this.together.hidden && several;
    if (this.together.hidden) return;
    const fold = show === "folded" && period ? { period, epoch: epoch ?? 0 } : null;
    this.curve.show(curves, { fold, unit: several ? "relative" : unit, flagged });
    byId("key").replaceChildren(...(several ? ready.map((view) => this.#keyOf(view)) : []));
  }

  #keyOf(view) {
    const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = sectorColour(view.cube.sector);
    return element("li", {}, swatch, `Sector ${view.cube.sector}`);
  }

  /** Times of the cubes' previews, where they are known. */
  times(cube) {
    const times = this.views.get(cube)?.preview?.lightcurve.time.filter((time) => time !== null);
    return times?.length ? [times[0], times.at(-1)] : null;
  }
}
