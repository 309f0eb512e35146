/** Cadences that people leave out, as ranges of time, and the quality bits that count. */

/** A bit of quality that no service gives: the cadence is left out here. */
export const EXCLUDED = 1 << 24;
/** All bits that TESS uses. */
export const ALL_BITS = 0xffff;
/** More ranges make links that are too long. */
export const MOST_RANGES = 100;
const STEP = 1e5;
const made = new WeakMap();

/** Ranges in order, with those that touch made one. */
export function union(ranges) {
  const joined = [];
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const before = joined.at(-1);
    if (before && first <= before[1]) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/** What is left of ranges when others are taken out of them. */
export function without(ranges, gone) {
  return gone.reduce((left, [from, to]) => left.flatMap(([first, last]) => (to < first || from > last ? [[first, last]] : [[first, from], [to, last]].filter(([a, b]) => a < b))), ranges);
}

/** The ranges of times that are chosen: one for each run of neighbours, rounded outwards; `width` is that of a point, in days. */
export function rangesOf(times, isChosen, width = 0) {
  const ranges = [];
  let open = null;
  times.forEach((time, k) => {
    if (time === null) return;
    const last = Math.ceil((time + width / 2) * STEP) / STEP;
    if (!isChosen(k)) open = null;
    else if (open) open[1] = last;
    else ranges.push(open = [Math.floor((time - width / 2) * STEP) / STEP, last]);
  });
  return ranges;
}

/** Whether a time is in one of the ranges, which are in order. */
export function isIn(ranges, time) {
  let [from, to] = [0, ranges.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (ranges[middle][1] < time) from = middle + 1;
    else to = middle;
  }
  return from < ranges.length && ranges[from][0] <= time;
}

/**
 * A light curve whose flags are those that count: the quality bits of `bits`, and the bit EXCLUDED in the ranges.
 *
 * The same light curve, bits and ranges give the same object.
 */
export function marked(curve, { bits, exclude }) {
  if (bits === ALL_BITS && !exclude.length) return curve;
  const key = `${bits} ${exclude.join()}`;
  if (made.get(curve)?.key === key) return made.get(curve).result;
  const ignored = ALL_BITS & ~bits;
  const quality = curve.quality.map((value, i) => (value & ~ignored) | (curve.time[i] !== null && isIn(exclude, curve.time[i]) ? EXCLUDED : 0));
  made.set(curve, { key, result: { ...curve, quality } });
  return made.get(curve).result;
}
