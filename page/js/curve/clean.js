/** Light curves made clean: trends taken out, outliers left out, cadences binned, each as lightkurve does it. */

import { median } from "./series.js";

const ITERATIONS = 3;
const TREND_SIGMA = 3;
const BREAK = 5;
const CLIPPINGS = 5;
const SMALL = 1e-14;
const ANEW = 256;
/** Part of a bin that a time may lack to be in it: times are not exact. */
const EDGE = 1e-9;
const HOURS_A_DAY = 24;
const made = new WeakMap();

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function deviation(values) {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}

/** A parabola through 2 m + 1 values, as a function of the place from -m to m. */
function parabola(values, m) {
  const [third, n] = [(m * (m + 1)) / 3, 2 * m + 1];
  const sums = [0, 0, 0, 0, 0];
  values.forEach((value, k) => {
    const x = k - m;
    const bend = x * x - third;
    [value, value * x, value * bend, x * x, bend * bend].forEach((term, i) => { sums[i] += term; });
  });
  const [level, slope, curvature] = [sums[0] / n, sums[1] / sums[3], sums[2] / (sums[4] || 1)];
  return (x) => level + slope * x + curvature * (x * x - third);
}

/**
 * A function of the sums over windows of 2 m + 1 values: of the values, and of the values times their squared place from
 * the middle. The sums move from window to window, and begin anew after some, so that rounding does not add up.
 */
function runningSums(values, m, result) {
  const level = values[0];
  const results = [];
  let [sum, slope, bend] = [0, 0, 0];
  for (let i = m; i < values.length - m; i += 1) {
    if ((i - m) % ANEW === 0) {
      [sum, slope, bend] = [0, 0, 0];
      for (let x = -m; x <= m; x += 1) {
        const value = values[i + x] - level;
        [sum, slope, bend] = [sum + value, slope + value * x, bend + value * x * x];
      }
    } else {
      const [gone, come] = [values[i - m - 1] - level, values[i + m] - level];
      bend += (come - gone) * m * m - 2 * (slope + m * gone) + (sum - gone);
      slope += (come + gone) * m - (sum - gone);
      sum += come - gone;
    }
    results.push(result(sum + level * (2 * m + 1), bend + (level * m * (m + 1) * (2 * m + 1)) / 3));
  }
  return results;
}

/** The filter of Savitzky and Golay of order 2; the ends are those of the parabolas of the first and the last window. */
function savitzkyGolay(values, window) {
  const m = (window - 1) / 2;
  if (!m) return values.slice();
  const scale = (2 * m - 1) * (2 * m + 1) * (2 * m + 3);
  const [first, last] = [parabola(values.slice(0, window), m), parabola(values.slice(-window), m)];
  const middle = runningSums(values, m, (sum, bent) => (3 * ((3 * m * m + 3 * m - 1) * sum - 5 * bent)) / scale);
  return values.map((_, i) => {
    if (i < m) return first(i - m);
    if (i >= values.length - m) return last(i - (values.length - 1 - m));
    return middle[i - m];
  });
}

/** Pieces between gaps of more than some times the median step, as first place and the place after the last. */
function pieces(time) {
  const steps = time.slice(1).map((value, i) => value - time[i]);
  const usual = median(steps);
  const cuts = steps.flatMap((step, i) => (step > BREAK * usual ? [i + 1] : []));
  return [0, ...cuts].map((start, i) => [start, cuts[i] ?? time.length]);
}

function smooth(time, flux, window) {
  return pieces(time).flatMap(([start, end]) => {
    const piece = flux.slice(start, end);
    if (window > piece.length || piece.length < BREAK) return piece.map(() => median(piece));
    return savitzkyGolay(piece, window);
  });
}

/** Values between known ones on straight lines, which go on beyond the first and the last. */
function interpolate(places, values, wanted) {
  let at = 1;
  return wanted.map((x) => {
    while (at > 1 && x < places[at - 1]) at -= 1;
    while (at < places.length - 1 && x > places[at]) at += 1;
    if (places.length === 1) return values[0];
    const part = (x - places[at - 1]) / (places[at] - places[at - 1]);
    return values[at - 1] + part * (values[at] - values[at - 1]);
  });
}

/**
 * The slow trend of a light curve: a filter over so many cadences, three times, without what is far from it.
 *
 * Returns its values at the times of `wanted`.
 */
export function trendOf(time, flux, window, wanted = time) {
  const [middle, far] = [median(flux), TREND_SIGMA * deviation(flux)];
  let used = [...time.keys()].filter((i) => Math.abs(flux[i] - middle) <= far);
  let trend = [];
  for (let turn = 0; turn < ITERATIONS; turn += 1) {
    const [t, y] = [used.map((i) => time[i]), used.map((i) => flux[i])];
    trend = smooth(t, y, window);
    const rest = y.map((value, i) => value - trend[i]);
    const limit = TREND_SIGMA * deviation(rest) + SMALL;
    const kept = rest.map((value) => Math.abs(value) < limit);
    used = used.filter((_, i) => kept[i]);
    trend = trend.filter((_, i) => kept[i]);
  }
  return interpolate(used.map((i) => time[i]), trend, wanted);
}

/** Whether each value is farther than so many standard deviations from the median of those that are not. */
export function outliers(values, sigma) {
  let [low, high] = [-Infinity, Infinity];
  let kept = values;
  for (let turn = 0; turn < CLIPPINGS; turn += 1) {
    const [middle, far] = [median(kept), sigma * deviation(kept)];
    [low, high] = [middle - far, middle + far];
    const inside = kept.filter((value) => value >= low && value <= high);
    if (inside.length === kept.length) break;
    kept = inside;
  }
  return values.map((value) => value < low || value > high);
}

/** Means in bins of so many days from the first time on, with the errors of the means; bins without values are left out. */
export function binned({ time, flux, error }, days) {
  const bins = new Map();
  time.forEach((value, i) => {
    const bin = Math.floor((value - time[0]) / days + EDGE);
    if (!bins.has(bin)) bins.set(bin, []);
    bins.get(bin).push(i);
  });
  const rows = [...bins].sort((a, b) => a[0] - b[0]);
  return {
    time: rows.map(([bin]) => time[0] + (bin + 0.5) * days),
    flux: rows.map(([, members]) => mean(members.map((i) => flux[i]))),
    error: rows.map(([, members]) => (members.every((i) => error[i] !== null) ? Math.sqrt(members.reduce((sum, i) => sum + error[i] ** 2, 0)) / members.length : null)),
  };
}

/** Cadences of a filter that is so many days long: an odd number, as the filter has a middle. */
function windowOf(time, days) {
  const step = median(time.slice(1).map((value, i) => value - time[i]));
  return 2 * Math.max(1, Math.round(days / step / 2)) + 1;
}

/** Divide by the trend of what is good; the level stays. */
function flatten(curve, good, days) {
  const [time, flux] = [good.map((i) => curve.time[i]), good.map((i) => curve.flux[i])];
  const known = [...curve.time.keys()].filter((i) => curve.time[i] !== null);
  const trend = trendOf(time, flux, windowOf(time, days), known.map((i) => curve.time[i]));
  const level = median(flux);
  const factors = new Map(known.map((i, k) => [i, level / trend[k]]));
  const scaled = (values, size) => values.map((value, i) => (value === null || !factors.has(i) ? null : value * size(factors.get(i))));
  return { ...curve, flux: scaled(curve.flux, (factor) => factor), error: scaled(curve.error, Math.abs) };
}

function work(curve, { flatten: days, clip, bin }) {
  const good = [...curve.time.keys()].filter((i) => curve.time[i] !== null && curve.flux[i] !== null && !curve.quality[i]);
  if (good.length < BREAK) return { ...curve, clipped: 0 };
  const flat = days ? flatten(curve, good, days) : curve;
  const far = clip ? outliers(good.map((i) => flat.flux[i]), clip) : good.map(() => false);
  const gone = new Set(good.filter((_, k) => far[k]));
  const kept = { ...flat, flux: flat.flux.map((value, i) => (gone.has(i) ? null : value)), clipped: gone.size };
  if (!bin) return kept;
  const left = good.filter((i) => !gone.has(i));
  const means = binned({ time: left.map((i) => flat.time[i]), flux: left.map((i) => flat.flux[i]), error: left.map((i) => flat.error[i]) }, bin / HOURS_A_DAY);
  return { ...kept, ...means, quality: means.time.map(() => 0), width: bin / HOURS_A_DAY };
}

/**
 * A light curve made clean: flattened over days, clipped at so many sigma, binned in hours; null leaves a step out.
 *
 * Flagged cadences take no part and are not in bins. `clipped` says how many cadences were left out. The same light curve
 * and options give the same arrays.
 */
export function clean(curve, { flatten: days = null, clip = null, bin = null }) {
  if (!days && !clip && !bin) return curve;
  const key = [days, clip, bin].join();
  if (made.get(curve)?.key !== key) made.set(curve, { key, result: work(curve, { flatten: days, clip, bin }) });
  return made.get(curve).result;
}
