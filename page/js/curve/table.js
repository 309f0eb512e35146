/** The points of many light curves as columns, in the order in which they are drawn. Columns are typed arrays: 100 sectors have many points. */

import { phaseOf, relative } from "./series.js";

const COLUMNS = { x: Float64Array, y: Float64Array, error: Float64Array, flagged: Uint8Array, curve: Uint16Array, i: Uint32Array };
const A_BUCKET = 4;
const made = new WeakMap();

function prepare(curve, unit) {
  const scaled = unit === "relative" ? relative(curve) : curve;
  const kept = [];
  for (let i = 0; i < curve.time.length; i += 1) if (curve.time[i] !== null && scaled.flux[i] !== null) kept.push(i);
  return {
    time: Float64Array.from(kept, (i) => curve.time[i]),
    y: Float64Array.from(kept, (i) => scaled.flux[i]),
    error: Float64Array.from(kept, (i) => scaled.error[i] ?? NaN),
    flagged: Uint8Array.from(kept, (i) => (curve.quality[i] ? 1 : 0)),
    i: Uint32Array.from(kept),
  };
}

/** The points of one curve that have a time and a flux. The same flux and flags give the same arrays. */
export function pointsOf(curve, unit) {
  const known = made.get(curve.flux);
  if (known?.quality === curve.quality && known[unit]) return known[unit];
  const entry = known?.quality === curve.quality ? known : { quality: curve.quality };
  made.set(curve.flux, entry);
  entry[unit] = prepare(curve, unit);
  return entry[unit];
}

function isSorted(values) {
  for (let k = 1; k < values.length; k += 1) if (values[k] < values[k - 1]) return false;
  return true;
}

/** Places of values from the least to the largest. Values that are spread evenly, as phases are, take time in proportion to their number. */
export function orderOf(values) {
  const n = values.length;
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const buckets = Math.max(1, Math.ceil(n / A_BUCKET));
  const scale = high > low ? (buckets - 1) / (high - low) : 0;
  const starts = new Uint32Array(buckets + 1);
  for (const value of values) starts[Math.floor((value - low) * scale) + 1] += 1;
  for (let k = 0; k < buckets; k += 1) starts[k + 1] += starts[k];
  const [order, ends] = [new Uint32Array(n), starts.slice()];
  for (let i = 0; i < n; i += 1) {
    const bucket = Math.floor((values[i] - low) * scale);
    order[ends[bucket]] = i;
    ends[bucket] += 1;
  }
  for (let k = 1; k < n; k += 1) { // in its bucket each value moves to its place
    const moved = order[k];
    let to = k;
    for (; to > 0 && values[order[to - 1]] > values[moved]; to -= 1) order[to] = order[to - 1];
    order[to] = moved;
  }
  return order;
}

function place(points, { fold, axis }) {
  if (fold) return points.time.map((time) => phaseOf(time, fold.period, fold.epoch));
  const shift = axis && points.time.length ? points.time[0] - axis.to(points.time[0]) : 0;
  return shift ? points.time.map((time) => time - shift) : points.time;
}

function inOrder(column, order) {
  const sorted = new column.constructor(column.length);
  for (let k = 0; k < sorted.length; k += 1) sorted[k] = column[order[k]];
  return sorted;
}

/**
 * The columns of curves, in the order of x.
 *
 * `x` is the place on the axis or the phase, `y` the flux, `error` NaN where it is not known; `flagged` is 1 or 0; `curve`
 * and `i` say which curve a point is of and where in it.
 */
export function tableOf(curves, { fold = null, unit = "flux", axis = null } = {}) {
  const parts = curves.map((curve) => pointsOf(curve, unit));
  const n = parts.reduce((sum, part) => sum + part.y.length, 0);
  const table = Object.fromEntries(Object.entries(COLUMNS).map(([name, Column]) => [name, new Column(n)]));
  let start = 0;
  parts.forEach((part, index) => {
    table.x.set(place(part, { fold, axis }), start);
    for (const name of ["y", "error", "flagged", "i"]) table[name].set(part[name], start);
    table.curve.fill(index, start, start + part.y.length);
    start += part.y.length;
  });
  if (isSorted(table.x)) return table;
  const order = orderOf(table.x);
  return Object.fromEntries(Object.entries(table).map(([name, column]) => [name, inOrder(column, order)]));
}

/** First place of sorted values that lies between two, and the place after the last. */
export function within(sorted, low, high) {
  const search = (goal) => {
    let [from, to] = [0, sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (sorted[middle] < goal) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  return [search(low), search(high + Number.EPSILON * Math.abs(high))];
}

/** Least and largest y of some points that are not flagged; of all of them if all are. Null if there are none. */
export function rangeOf({ y, flagged }, first, last) {
  for (const all of [false, true]) {
    let [low, high] = [Infinity, -Infinity];
    for (let k = first; k < last; k += 1) {
      if (flagged[k] && !all) continue;
      if (y[k] < low) low = y[k];
      if (y[k] > high) high = y[k];
    }
    if (low <= high) return [low, high];
  }
  return null;
}
