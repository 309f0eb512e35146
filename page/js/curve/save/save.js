/** Save what a light curve shows, as a picture or a table. */

import { token } from "../../base/dom.js";
import { saveBlob } from "../../base/save.js";
import { within } from "../table.js";
import { csvOf, ecsvOf } from "./tables.js";
import { svgOf } from "./svg.js";

/** The points in view, as columns for a table. */
export function shownBy(curve) {
  const { table, curves, options, plot } = curve;
  const [from, to] = within(table.x, plot.scales.x.min, plot.scales.x.max);
  const places = Array.from({ length: to - from }, (_, k) => from + k).filter((k) => options.flagged || !table.flagged[k]);
  const points = places.map((k) => curve.pointAt(k));
  const column = (name) => places.map((k) => table[name][k]);
  return {
    time: points.map((point) => point.time), phase: options.fold ? column("x") : null, flux: column("y"), error: column("error"), quality: points.map((point) => point.quality),
    name: points.map((point) => point.cube ?? point.name), fold: options.fold, unit: options.unit === "relative" ? "" : curves[0].units, system: curves[0].time_system,
  };
}

/** The picture as it is on the screen, on the colour of the page. */
async function pngOf({ plot }) {
  const { canvas } = plot.ctx;
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d");
  context.fillStyle = token("panel");
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  return new Promise((resolve) => { copy.toBlob(resolve, "image/png"); });
}

/** Name of a file: of one light curve with the name of its cube, because a sector may have two. */
function nameOf(about, curves, kind) {
  const target = about.name || (about.ra === undefined || about.ra === null ? "light-curve" : `${about.ra}_${about.dec}`);
  return `${[target, about.show === "apart" ? curves[0].cube : about.show].filter(Boolean).join("-").replaceAll(/[^\w.+-]+/g, "_")}.${kind.toLowerCase()}`;
}

/** Save; gives the name of the file. */
export async function save(curve, kind) {
  const about = curve.tools.about();
  const makers = {
    PNG: () => pngOf(curve), SVG: () => new Blob([svgOf(curve)], { type: "image/svg+xml" }),
    CSV: () => new Blob([csvOf(shownBy(curve))], { type: "text/csv" }), ECSV: () => new Blob([ecsvOf(shownBy(curve), about)], { type: "text/plain" }),
  };
  const name = nameOf(about, curve.curves, kind);
  saveBlob(await makers[kind](), name);
  return name;
}
