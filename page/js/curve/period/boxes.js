/** Box least squares (Kovacs, Zucker and Mazeh 2002), as astropy.timeseries.BoxLeastSquares has it. */

import { median } from "../series.js";

const TINY = Number.EPSILON;
const ASK_EVERY = 128;

/** Put values into bins of phase, and make them cumulative sums; the first bins follow again after the last. */
function foldInto(sums, weights, { time, y, ivar, period, width, bins, oversample }) {
  sums.fill(0, 0, bins + 1);
  weights.fill(0, 0, bins + 1);
  for (let i = 0; i < time.length; i += 1) {
    // | 0 cuts off the fraction of what is not negative, several times as fast as Math.floor
    const bin = (((time[i] - period * ((time[i] / period) | 0)) / width) | 0) + 1;
    sums[bin] += y[i];
    weights[bin] += ivar[i];
  }
  for (let n = 1, at = bins - oversample; n <= oversample; n += 1, at += 1) {
    sums[at] = sums[n];
    weights[at] = weights[n];
  }
  for (let n = 1; n <= bins; n += 1) {
    sums[n] += sums[n - 1];
    weights[n] += weights[n - 1];
  }
}

/** The box of the greatest likelihood; null if no box is below what is outside of it. */
function bestBox(sums, weights, bins, lengths, totals) {
  let best = { power: -Infinity };
  for (const length of lengths) {
    for (let n = 0; n <= bins - length; n += 1) {
      const inside = weights[n + length] - weights[n];
      const outside = totals.ivar - inside;
      if (inside < TINY || outside < TINY) continue;
      const sum = sums[n + length] - sums[n];
      const [low, high] = [sum / inside, (totals.y - sum) / outside];
      const depth = high - low;
      const power = 0.5 * inside * depth * depth;
      if (depth >= 0 && power > best.power) best = { power, depth, n, length, inside, outside };
    }
  }
  return best.length ? best : null;
}

/**
 * The best box at each period, with the objective "likelihood".
 *
 * Parameters: `error` may be null; `durations` are not longer than the shortest period; `tell(part)` is called now and then.
 * Returns `power`, `depth`, `error` of the depth, `duration`, and `middle`, a time of the middle of an eclipse, for each period.
 */
export function boxLeastSquares(time, values, error, periods, durations, oversample = 10, tell = () => {}) {
  const start = time.reduce((a, b) => Math.min(a, b), Infinity);
  const centre = median(Array.from(values));
  const t = Float64Array.from(time, (value) => value - start);
  const ivar = Float64Array.from(values, (_, i) => (error ? 1 / error[i] ** 2 : 1));
  const y = Float64Array.from(values, (value, i) => (value - centre) * ivar[i]);
  const totals = { y: y.reduce((a, b) => a + b, 0), ivar: ivar.reduce((a, b) => a + b, 0) };
  const width = Math.min(...durations) / oversample;
  const lengths = durations.map((duration) => Math.round(duration / width));
  const longest = periods.reduce((a, b) => Math.max(a, b), 0);
  const room = Math.ceil(longest / width) + oversample + 2;
  const [sums, weights] = [new Float64Array(room), new Float64Array(room)];
  const found = Object.fromEntries(["power", "depth", "error", "duration", "middle"].map((name) => [name, new Float64Array(periods.length)]));
  periods.forEach((period, p) => {
    const bins = Math.ceil(period / width) + oversample;
    foldInto(sums, weights, { time: t, y, ivar, period, width, bins, oversample });
    const box = bestBox(sums, weights, bins, lengths, totals);
    found.power[p] = box ? box.power : -Infinity;
    found.depth[p] = box?.depth ?? NaN;
    found.error[p] = box ? Math.sqrt(1 / box.inside + 1 / box.outside) : NaN;
    found.duration[p] = box ? box.length * width : NaN;
    found.middle[p] = box ? start + ((box.n * width + 0.5 * box.length * width) % period) : NaN;
    if (p % ASK_EVERY === 0) tell(p / periods.length);
  });
  return found;
}
