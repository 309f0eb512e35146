/** The frames of a window, cadence by cadence: what `/v1/preview.npy` answers. */

import { address, ask } from "../base/api.js";

const MAGIC = "\x93NUMPY";
const FIELDS = /^\{'descr': \[\('time', '<f8'\), \('cadence', '<i4'\), \('quality', '<i4'\), \('flux', '<f4', \((\d+), (\d+)\)\)\], 'fortran_order': False, 'shape': \((\d+),\)/;
/** Bytes of time, cadence and quality, before the pixels. */
const BEFORE = 16;

/** Bytes of so many frames. */
export function bytesOf(count, rows, columns) {
  return count * (BEFORE + 4 * rows * columns);
}

/** Where the frames of a NumPy file are, how many, and how many pixels each has. A record of provenance is behind them. */
export function readHeader(buffer) {
  const bytes = new Uint8Array(buffer);
  const text = (from, to) => String.fromCharCode(...bytes.subarray(from, to));
  const offset = bytes.length < 10 ? 0 : 10 + new DataView(buffer).getUint16(8, true);
  const found = offset && text(0, 6) === MAGIC ? FIELDS.exec(text(10, offset)) : null;
  if (!found) throw new Error("the service answered something else than frames");
  const [rows, columns, count] = found.slice(1).map(Number);
  if (bytes.length < offset + bytesOf(count, rows, columns)) throw new Error("the answer of the service is not complete");
  return { offset, rows, columns, count };
}

/** All frames: `time`, `cadence` and `quality` of each, and `flux`, one frame after the other. */
export class Cadences {
  constructor(count, rows, columns) {
    Object.assign(this, { count, rows, columns, pixels: rows * columns });
    this.time = new Float64Array(count).fill(NaN);
    this.cadence = new Int32Array(count);
    this.quality = new Int32Array(count);
    this.flux = new Float32Array(count * rows * columns).fill(NaN);
  }

  /** Put the records of an answer in their place; their number. */
  add(first, buffer) {
    const { offset, rows, columns, count } = readHeader(buffer);
    if (rows !== this.rows || columns !== this.columns || first + count > this.count) throw new Error("the frames of the service are not those of this window");
    const [view, step] = [new DataView(buffer), bytesOf(1, rows, columns)];
    for (let i = 0; i < count; i += 1) {
      const place = offset + i * step;
      this.time[first + i] = view.getFloat64(place, true);
      this.cadence[first + i] = view.getInt32(place + 8, true);
      this.quality[first + i] = view.getInt32(place + 12, true);
      this.flux.set(new Float32Array(buffer, place + BEFORE, this.pixels), (first + i) * this.pixels);
    }
    return count;
  }

  /** The pixels of a cadence, row by row. */
  frame(index) {
    return this.flux.subarray(index * this.pixels, (index + 1) * this.pixels);
  }
}

/**
 * Ask for all frames of a window.
 *
 * Parameters: `query` of the window; the `count` of cadences, `rows` and `columns`; `signal` to stop; `onPart(part)`, the
 * part that is there, from 0 to 1. The first answer says how many cadences the others have.
 */
export async function loadCadences({ query, count, rows, columns, signal, onPart }) {
  const cadences = new Cadences(count, rows, columns);
  let loaded = 0;
  while (loaded < count) {
    const answer = await ask(address("/v1/preview.npy", { ...query, first: loaded }), { signal });
    loaded += cadences.add(loaded, await answer.arrayBuffer());
    onPart(loaded / count);
  }
  return cadences;
}
