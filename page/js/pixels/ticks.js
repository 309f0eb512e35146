/** Numbers that stand beside pictures: ticks of axes, of colour bars, and the length of a scale. Pure. */

import { shadeOf, valueOf } from "./stretch.js";

/** Lengths on the sky that people know, in arcseconds. */
const LENGTHS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/** The smallest of 1, 2, 5, 10, 20 … that is at least so much. */
export function roundStep(least) {
  const decade = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((digit) => digit * decade).find((step) => step >= least * (1 - 1e-9));
}

/** Whole pixels between two places, at least `room` pixels of the screen apart. */
export function axisTicks(first, last, side, room) {
  const step = Math.max(1, roundStep(room / side));
  const ticks = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step) ticks.push(tick);
  return ticks;
}

/** A number with as many decimals as steps of this size need, and without zeros at their end. */
function written(value, step) {
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  return String(Number(value.toFixed(decimals)) + 0).replace("-", "−");
}

/** Round values of a colour bar, each with its place between 0 and 1 and its text; about `count` of them. */
export function barTicks(limits, stretch, count) {
  const [low, high] = limits;
  if (!(high > low)) return [];
  const ticks = [];
  for (const [value, step] of stretch === "linear" ? evenly(low, high, count) : bySteps(limits, stretch, count)) {
    const place = shadeOf(value, limits, stretch);
    if (!ticks.length || place - ticks.at(-1).place > 0.6 / count) ticks.push({ value, place, text: written(value, step) });
  }
  return ticks;
}

function evenly(low, high, count) {
  const step = roundStep((0.7 * (high - low)) / count);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => [(first + i) * step, step]);
}

/** At even places the value there, as round as the values around it allow. */
function bySteps(limits, stretch, count) {
  const [low, high] = limits;
  const valueAt = (place) => valueOf(Math.max(0, Math.min(1, place / count)), limits, stretch);
  return Array.from({ length: count + 1 }, (_, i) => {
    const step = roundStep((valueAt(i + 0.5) - valueAt(i - 0.5)) / 2);
    const [least, most] = [Math.ceil(low / step), Math.floor(high / step)];
    return [Math.max(least, Math.min(most, Math.round(valueAt(i) / step))) * step, step];
  }).filter(([value]) => value >= low && value <= high);
}

/** The longest known length that is at most so many arcseconds, and its text; null where even the shortest is longer. */
export function scaleLength(most) {
  const arcseconds = LENGTHS.findLast((length) => length <= most);
  if (!arcseconds) return null;
  const [unit, size] = arcseconds >= 3600 ? ["°", 3600] : arcseconds >= 60 ? ["′", 60] : ["″", 1];
  return { arcseconds, text: `${arcseconds / size}${unit}` };
}
