/** A small picture of a star: its pixels, and its light curve beside them, out of the preview that its view asks for too. */

import { prepareCanvas, token } from "../base/dom.js";
import { COLOURS, colourOf, shadeOf } from "../pixels/stretch.js";

const GAP = 12;
const INSET = 3;

/** Times and flux of the cadences without flags; where there is a period, phases from -0.25 to 1.25 in the place of times. */
export function pointsOf({ time, flux, quality }, period = null) {
  const good = time.map((_, i) => i).filter((i) => flux[i] !== null && !quality[i]);
  if (!good.length) return [];
  if (!period) return good.map((i) => [time[i], flux[i]]);
  const phase = (i) => (((time[i] - time[good[0]]) / period) % 1 + 1) % 1;
  return good.flatMap((i) => [-1, 0, 1].map((turn) => [phase(i) + turn, flux[i]])).filter(([x]) => x >= -0.25 && x <= 1.25);
}

/** Ends of the values: of places all, of flux all but the outermost thousandth at each side. */
export function limitsOf(values, share = 0) {
  const sorted = values.toSorted((a, b) => a - b);
  const out = Math.floor(sorted.length * share);
  return [sorted[out], sorted[sorted.length - 1 - out]];
}

function paintPixels(context, { median, limits }, side) {
  const { length: rows } = median;
  const columns = median[0].length;
  const one = Math.max(1, Math.floor(side / Math.max(rows, columns)));
  median.forEach((line, row) => line.forEach((value, column) => {
    if (value === null) return;
    const [red, green, blue] = colourOf(COLOURS.viridis, shadeOf(value, limits.median ?? [0, 1], "asinh"));
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect(column * one, (rows - 1 - row) * one, one, one);
  }));
}

function paintCurve(context, points, { left, width, height }) {
  const [first, last] = limitsOf(points.map(([x]) => x));
  const [low, high] = limitsOf(points.map(([, y]) => y), 0.001);
  const x = (value) => left + INSET + ((value - first) / (last - first || 1)) * (width - 2 * INSET);
  const y = (value) => height - INSET - ((value - low) / (high - low || 1)) * (height - 2 * INSET);
  context.fillStyle = token("ink");
  const dot = points.length > 500 ? 1.5 : 2.5;
  context.globalAlpha = points.length > 2000 ? 0.35 : 0.8;
  for (const [place, flux] of points) if (flux >= low && flux <= high) context.fillRect(x(place) - dot / 2, y(flux) - dot / 2, dot, dot);
  context.globalAlpha = 1;
}

/** Draw a preview on a canvas, as large as the style sheet makes it. */
export function paintThumbnail(canvas, preview, period) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return;
  const context = prepareCanvas(canvas, width, height);
  paintPixels(context, preview, height);
  const points = pointsOf(preview.lightcurve, period);
  if (points.length) paintCurve(context, points, { left: height + GAP, width: width - height - GAP, height });
  canvas.dataset.drawn = "yes";
}
