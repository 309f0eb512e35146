/** Apertures: rows of 0 and 1, and the hexadecimal text that the service takes. Pure. */

import { median } from "../curve/series.js";

const MAD_TO_SIGMA = 1.4826;

/** Row by row, the first pixel the most significant bit of the first digit, filled up with zeros to whole digits. */
export function toHex(mask) {
  const bits = mask.flat().map((bit) => (bit ? "1" : "0")).join("");
  const filled = bits.padEnd(Math.ceil(bits.length / 4) * 4, "0");
  return (filled.match(/.{4}/g) ?? []).map((four) => parseInt(four, 2).toString(16)).join("");
}

/** The mask of a text that `toHex` has written. */
export function fromHex(hex, rows, columns) {
  const bits = [...hex].map((digit) => parseInt(digit, 16).toString(2).padStart(4, "0")).join("");
  return Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (__, column) => Number(bits[row * columns + column] ?? 0)));
}

/** The same mask with pixels in or out; the last pixel stays, for an empty aperture has no light. */
export function painted(mask, pixels, value) {
  const changed = mask.map((line) => [...line]);
  let inside = countPixels(changed);
  for (const [row, column] of pixels) {
    if (changed[row][column] === value || (!value && inside === 1)) continue;
    changed[row][column] = value;
    inside += value ? 1 : -1;
  }
  return changed;
}

/** Pixels from one to another, both included. */
export function pixelsBetween([row, column], [lastRow, lastColumn]) {
  const steps = Math.max(Math.abs(lastRow - row), Math.abs(lastColumn - column));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const share = steps ? i / steps : 0;
    return [Math.round(row + (lastRow - row) * share), Math.round(column + (lastColumn - column) * share)];
  });
}

/** The pixels whose centres are in a circle, and the one at its centre. */
export function circle(rows, columns, centre, radius) {
  const middle = nearest(rows, columns, centre);
  return Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (__, column) => {
    const isMiddle = row === middle[0] && column === middle[1];
    return Number(isMiddle || Math.hypot(row - centre.row, column - centre.column) <= radius);
  }));
}

/** The pixel of the window that is nearest to a place. */
export function nearest(rows, columns, { row, column }) {
  return [Math.max(0, Math.min(rows - 1, Math.round(row))), Math.max(0, Math.min(columns - 1, Math.round(column)))];
}

/**
 * The bright pixels that are connected along edges to a pixel: more than so many sigma above the median of the picture.
 * Sigma is 1.4826 times the median distance from the median, as in the service's default aperture.
 */
export function threshold(picture, [row, column], sigmas) {
  const values = picture.flat().filter((value) => value !== null);
  const mask = picture.map((line) => line.map(() => 0));
  mask[row][column] = 1;
  if (!values.length) return mask;
  const middle = median(values);
  const limit = middle + sigmas * MAD_TO_SIGMA * median(values.map((value) => Math.abs(value - middle)));
  const waiting = [[row, column]];
  while (waiting.length) {
    const [r, c] = waiting.pop();
    for (const [y, x] of [[r + 1, c], [r - 1, c], [r, c + 1], [r, c - 1]]) {
      const value = picture[y]?.[x] ?? null;
      if (value === null || mask[y][x] || !(value > limit)) continue;
      mask[y][x] = 1;
      waiting.push([y, x]);
    }
  }
  return mask;
}

/** Pixels inside. */
export function countPixels(mask) {
  return mask.flat().filter(Boolean).length;
}

/** Edges between what is in and what is out, as [x1, y1, x2, y2] in pixels. */
export function outline(mask) {
  const at = (row, column) => Boolean(mask[row]?.[column]);
  const edges = [];
  for (let row = 0; row <= mask.length; row += 1) {
    for (let column = 0; column <= mask[0].length; column += 1) {
      if (at(row, column) !== at(row - 1, column)) edges.push([column, row, column + 1, row]);
      if (at(row, column) !== at(row, column - 1)) edges.push([column, row, column, row + 1]);
    }
  }
  return edges;
}

/** What apertures were before, and after, what is shown now. They are kept as texts, null for the default one. */
export class History {
  constructor() {
    this.forget();
  }

  forget() {
    [this.past, this.future] = [[], []];
  }

  /** Note that what was shown is shown no longer. */
  note(before) {
    this.past.push(before);
    this.future = [];
  }

  /** What was there before (or, with `forward`, after) what is there now; undefined where there is nothing. */
  step(now, forward = false) {
    const [from, to] = forward ? [this.future, this.past] : [this.past, this.future];
    if (!from.length) return undefined;
    to.push(now);
    return from.pop();
  }
}
