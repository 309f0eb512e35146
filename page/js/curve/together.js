/** The light curves of all ticked CCDs in one plot, stitched or folded. Work on many is cut into slices, so that the page stays alive. */

import { byId, element, throttle, token } from "../base/dom.js";
import { sectorColour, shade } from "../sky/colours.js";
import { LightCurve } from "./lightcurve.js";
import { pointsOf } from "./table.js";

/** Milliseconds between two drawings while previews arrive. */
const PAUSE = 250;
/** Milliseconds of work without a pause. */
const SLICE = 12;

/** A function that lets the browser do something else if there was no pause for a while. */
export function slicer() {
  let start = performance.now();
  return async () => {
    if (performance.now() - start < SLICE) return;
    await new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = resolve;
      port2.postMessage(0);
    });
    start = performance.now();
  };
}

export class Together {
  /**
   * Parameters: `state`, which is read; `views()` gives the views that have previews; `onCurves(curves, sources)` hears which
   * light curves there are, clean and as the service gave them; the others are those of LightCurve.
   */
  constructor(state, { views, onCurves, ...more }) {
    Object.assign(this, { state, views, onCurves, turn: 0 });
    this.place = byId("together");
    this.curve = new LightCurve({ title: "Light curves of all sectors together", ...more });
    this.place.append(this.curve.node);
    this.paintLater = throttle(() => this.paint(), PAUSE);
  }

  /** Paint when a preview has arrived; until then the light curves that are here are not yet all that there are. */
  paintSoon() {
    this.place.setAttribute("aria-busy", "true");
    this.paintLater();
  }

  /** Forget the zoom: the light curves are of another target. */
  forget() {
    this.curve.zoomed = false;
    this.turn += 1;
    this.place.removeAttribute("aria-busy");
  }

  async paint() {
    const turn = (this.turn += 1);
    const { show, period, epoch, unit, flagged, zoom } = this.state;
    const views = this.views();
    const several = views.length > 1;
    const shown = show !== "apart" && views.length > 0;
    const scale = shown && several ? "relative" : unit;
    this.place.hidden = !shown;
    for (const input of document.querySelectorAll('[name="unit"]')) input.disabled = shown && several;
    const [curves, sources, pause, light] = [[], [], slicer(), shade()];
    for (const view of views) {
      if (!view.preview) return; // it is asked for again, and this is painted again when it is there
      sources.push(view.preview.lightcurve);
      curves.push(view.series(this.state, several ? sectorColour(view.cube.sector, 1, light) : token("ink")));
      if (shown) pointsOf(curves.at(-1), scale);
      await pause();
      if (turn !== this.turn) return;
    }
    this.onCurves(curves, sources);
    this.place.removeAttribute("aria-busy");
    if (!shown) return;
    await pause();
    if (turn !== this.turn) return;
    const fold = show === "folded" && period ? { period, epoch: epoch ?? 0 } : null;
    this.curve.show(curves, { fold, unit: scale, flagged, zoom });
    this.#key(several ? views : [], light);
  }

  #key(views, light) {
    const sectors = views.map((view) => view.cube.sector);
    const asked = [...sectors, ...light].join();
    if (asked === this.keyOf) return;
    this.keyOf = asked;
    byId("key").replaceChildren(...sectors.map((sector) => {
      const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.background = sectorColour(sector, 1, light);
      return element("li", {}, swatch, `Sector ${sector}`);
    }));
  }
}
