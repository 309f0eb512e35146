/** The search of a period: which points, which periods, and which of them are the best. */

import { boxLeastSquares } from "./boxes.js";
import { chanceOf, lombScargle } from "./lombscargle.js";
import { median } from "../series.js";
import { tableOf } from "../table.js";

const BEST = 10;
export const MIN_POINTS = 20;
const OVERSAMPLING = 5;
const BINS_IN_BOX = 5;
const MOST_FREQUENCIES = 400_000;
const MOST_PER_DAY = 100;
const FINE = 20;
const MANY = 3000;
/** Durations of eclipses in parts of a period of a day; they grow with its cube root. */
const DURATIONS = [0.05, 0.08, 0.125, 0.2, 0.3];
const AROUND = [0.6, 0.7, 0.8, 0.9, 1, 1.15, 1.3, 1.45];
const SHORTEST_WITH_ECLIPSES = 0.2;

/** Times and relative flux of what is not flagged, in order of time; errors if all are known. */
export function pointsOf(curves) {
  const { x, y, error, flagged } = tableOf(curves, { unit: "relative" });
  const isGood = (_, k) => !flagged[k];
  const errors = error.filter(isGood);
  return { time: x.filter(isGood), flux: y.filter(isGood), error: errors.every((value) => value > 0) ? errors : null };
}

/** Length of a light curve and the middle of its steps, in days. */
export function spanOf(time) {
  const steps = Array.from(time).slice(1).map((value, i) => value - time[i]).filter((step) => step > 0);
  return { days: time.at(-1) - time[0], step: median(steps) };
}

/** Frequencies for sines: two cycles at least, up to what the cadence can tell. */
function frequenciesOf(time) {
  const { days, step } = spanOf(time);
  const df = 1 / (OVERSAMPLING * days);
  const f0 = 2 / days;
  const n = Math.floor((Math.min(1 / (2.5 * step), MOST_PER_DAY) - f0) / df) + 1;
  return { f0, df, n: Math.max(2, Math.min(n, MOST_FREQUENCIES)) };
}

/**
 * Periods for boxes: bands of a factor of two, with durations that fit.
 *
 * From one frequency to the next the first and the last eclipse drift apart by half of the shortest duration, and by less
 * where there are few points.
 */
function bandsOf(time) {
  const { days, step } = spanOf(time);
  const longest = days / 2;
  const bands = [];
  for (let low = Math.max(4 * step, SHORTEST_WITH_ECLIPSES); low < longest; low *= 2) {
    const high = Math.min(2 * low, longest);
    const durations = [...new Set(DURATIONS.map((part) => Math.max(part * Math.min(low, Math.cbrt(low)), step)))];
    const df = ((time.length < MANY ? 0.1 : 0.5) * durations[0]) / low / days;
    const n = Math.ceil((1 / low - 1 / high) / df) + 1;
    bands.push({ periods: Float64Array.from({ length: n }, (_, k) => 1 / Math.max(1 / high, 1 / low - k * df)), durations, df });
  }
  return bands;
}

/** Places of the highest peaks, none nearer to a higher one than `apart`, in frequency. */
function peaksOf(frequency, power, apart, count = BEST) {
  const tops = [];
  for (let k = 0; k < power.length; k += 1) {
    if (power[k] > (power[k - 1] ?? -Infinity) && power[k] >= (power[k + 1] ?? -Infinity)) tops.push(k);
  }
  tops.sort((a, b) => power[b] - power[a]);
  const kept = [];
  for (const top of tops) {
    if (kept.every((other) => Math.abs(frequency[other] - frequency[top]) >= apart)) kept.push(top);
    if (kept.length === count) break;
  }
  return kept;
}

/** A peak seen with a finer grid: its period, the error of it, and its power. */
function refineSine({ time, flux, error }, frequency, df) {
  const step = df / FINE;
  const f0 = Math.max(step, frequency - FINE * step);
  const power = lombScargle(time, flux, error, { f0, df: step, n: 2 * FINE + 1 });
  const top = power.reduce((best, value, k) => (value > power[best] ? k : best), 0);
  const k = Math.max(1, Math.min(2 * FINE - 1, top));
  const bend = power[k - 1] - 2 * power[k] + power[k + 1];
  const shift = bend < 0 ? Math.max(-1, Math.min(1, (power[k - 1] - power[k + 1]) / (2 * bend))) : 0;
  const period = 1 / (f0 + (k + shift) * step);
  // where the sum of squares is one more, in units of what is left for each point
  const spread = bend < 0 ? step * Math.sqrt((2 * (1 - power[top])) / ((time.length - 4) * -bend)) : NaN;
  return { period, error: spread * period * period, power: power[top] };
}

/** The best sines. */
export function searchSines(points) {
  const { time, flux, error } = points;
  const grid = frequenciesOf(time);
  const power = lombScargle(time, flux, error, grid);
  const frequency = Float64Array.from(power, (_, k) => grid.f0 + k * grid.df);
  const highest = frequency.at(-1);
  const best = peaksOf(frequency, power, 1 / spanOf(time).days).map((k) => {
    const found = refineSine(points, frequency[k], grid.df);
    return { ...found, chance: chanceOf(found.power, time, highest), epoch: null };
  });
  return { period: frequency.map((value) => 1 / value), power, best: best.sort((a, b) => b.power - a.power) };
}

/** Sum of squares around the mean, with the weights of the points. */
function scatterOf({ flux, error }) {
  const weight = (i) => (error ? 1 / error[i] ** 2 : 1);
  let [sum, weights] = [0, 0];
  flux.forEach((value, i) => {
    sum += value * weight(i);
    weights += weight(i);
  });
  return flux.reduce((total, value, i) => total + weight(i) * (value - sum / weights) ** 2, 0);
}

/** The part of the variance that a box explains: its depth in units of its error, of all that there is. */
function explained(found, k, scatter) {
  return Math.max(0, (found.depth[k] / found.error[k]) ** 2 / scatter) || 0;
}

/**
 * Error of a period, from how well the eclipses are seen (as in Carter et al. 2008) and how far apart the cadences are.
 * Its factors are set so that two of three simulated eclipses are found within it.
 */
function errorOfBox({ time }, { period, duration, power }) {
  const { days, step } = spanOf(time);
  const signal = Math.sqrt((power * (time.length - 4)) / Math.max(1 - power, 1e-12));
  const eclipses = Math.max(1, days / period);
  const middle = Math.hypot(duration / (1.5 * signal), step / Math.sqrt(12 * eclipses));
  return (Math.sqrt(12) * middle * period) / days;
}

function refineBox(points, { frequency, df, duration }, scatter) {
  const { time, flux, error } = points;
  const durations = AROUND.map((part) => part * duration);
  const longest = Math.max(...durations);
  const periods = Float64Array.from({ length: 2 * FINE + 1 }, (_, k) => 1 / (frequency + (k - FINE) * (df / FINE))).filter((period) => period >= longest);
  const found = boxLeastSquares(time, flux, error, periods, durations, 2 * BINS_IN_BOX);
  // equal boxes have equal power: the middle of them
  const powers = periods.map((_, k) => explained(found, k, scatter));
  const top = Math.max(...powers);
  const tops = [...powers.keys()].filter((k) => powers[k] > top * (1 - 1e-9));
  const k = tops[tops.length >> 1];
  const box = { period: periods[k], power: top, depth: found.depth[k], duration: found.duration[k], epoch: found.middle[k], chance: null };
  return { ...box, error: errorOfBox(points, box) };
}

/** The best boxes; `tell(part)` hears how much is done. */
export function searchBoxes(points, tell = () => {}) {
  const { time, flux, error } = points;
  const scatter = scatterOf(points);
  const bands = bandsOf(time);
  const all = bands.reduce((sum, band) => sum + band.periods.length, 0);
  const rows = [];
  let done = 0;
  for (const { periods, durations, df } of bands) {
    const found = boxLeastSquares(time, flux, error, periods, durations, BINS_IN_BOX, (part) => tell((done + part * periods.length) / all));
    periods.forEach((period, k) => rows.push({ frequency: 1 / period, power: explained(found, k, scatter), df, duration: found.duration[k] }));
    done += periods.length;
  }
  const power = Float64Array.from(rows, (row) => row.power);
  const tops = peaksOf(Float64Array.from(rows, (row) => row.frequency), power, 1 / spanOf(time).days);
  const best = tops.map((k) => refineBox(points, rows[k], scatter)).sort((a, b) => b.power - a.power);
  return { period: Float64Array.from(rows, (row) => 1 / row.frequency), power, best };
}
