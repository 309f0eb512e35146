/** What the pixels of many frames are shown as: with or without background, as the change from their median, between common limits. */

/** Milliseconds of work between two pauses, so that the page stays quick. */
const SLICE = 8;
/** Values among which the limits are found. */
const SAMPLE = 150_000;
const PERCENTILES = [0.5, 99.5];

/** Put the first `count` values of a list in such an order that those before the place `k` are not above it, and those after not below (Hoare). */
function select(values, count, k) {
  let [low, high] = [0, count - 1];
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let [i, j] = [low, high];
    while (i <= j) {
      while (values[i] < pivot) i += 1;
      while (values[j] > pivot) j -= 1;
      if (i <= j) {
        const kept = values[i];
        values[i] = values[j];
        values[j] = kept;
        i += 1;
        j -= 1;
      }
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else return;
  }
}

/** The middle of the first values of a list, whose order changes; NaN where there are none. */
function middleOf(values, count) {
  if (!count) return NaN;
  const half = count >> 1;
  select(values, count, half);
  if (count % 2) return values[half];
  let below = -Infinity;
  for (let i = 0; i < half; i += 1) if (values[i] > below) below = values[i];
  return (below + values[half]) / 2;
}

/** A value below which that percentage of sorted values is, as numpy.percentile has it. */
function percentile(sorted, part) {
  const place = (part / 100) * (sorted.length - 1);
  const low = Math.floor(place);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low);
}

/** Let the page draw and listen once work has taken a while. */
export function breather() {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < SLICE) return;
    await new Promise((resolve) => { setTimeout(resolve); });
    began = performance.now();
  };
}

/** Background of each cadence: the median of the pixels outside the aperture, as in the light curve; 0 where all are inside. */
export async function backgroundOf(cadences, mask, rest = breather()) {
  const outside = mask.flat().flatMap((bit, pixel) => (bit ? [] : [pixel]));
  const found = new Float64Array(cadences.count);
  const values = new Float32Array(outside.length);
  for (let index = 0; index < cadences.count; index += 1) {
    await rest();
    const frame = cadences.frame(index);
    let count = 0;
    for (const pixel of outside) if (!Number.isNaN(frame[pixel])) values[count++] = frame[pixel];
    found[index] = count ? middleOf(values, count) : 0;
  }
  return found;
}

/** Cadences without flags, or all if each has one. */
export function goodOf({ quality }) {
  const all = Array.from(quality.keys());
  const good = all.filter((index) => !quality[index]);
  return good.length ? good : all;
}

/** Median of each pixel without the background, over the cadences without flags. */
export async function medianOf(cadences, background, rest = breather()) {
  const [found, good] = [new Float64Array(cadences.pixels), goodOf(cadences)];
  const values = new Float64Array(good.length);
  for (let pixel = 0; pixel < cadences.pixels; pixel += 1) {
    await rest();
    let count = 0;
    for (const index of good) {
      const value = cadences.flux[index * cadences.pixels + pixel] - background[index];
      if (!Number.isNaN(value)) values[count++] = value;
    }
    found[pixel] = middleOf(values, count);
  }
  return found;
}

/** Values of a cadence in the order of its pixels: its flux without `background` (of all cadences) and `median`, where they are given. */
export function valuesOf(cadences, index, { background = null, median = null }) {
  const level = background ? background[index] : 0;
  return Float64Array.from(cadences.frame(index), (value, pixel) => value - level - (median ? median[pixel] : 0));
}

/** Limits for all cadences: percentiles of those without flags, or, where they are changes, equally far from 0. */
export function limitsOf(cadences, { background = null, median = null }) {
  const good = goodOf(cadences);
  const some = Math.max(1, Math.min(good.length, Math.floor(SAMPLE / cadences.pixels)));
  const values = new Float64Array(some * cadences.pixels);
  let count = 0;
  for (let i = 0; i < some; i += 1) {
    const index = good[some === 1 ? 0 : Math.round((i * (good.length - 1)) / (some - 1))];
    for (const value of valuesOf(cadences, index, { background, median })) if (!Number.isNaN(value)) values[count++] = median ? Math.abs(value) : value;
  }
  if (!count) return [0, 1];
  const sorted = values.subarray(0, count).sort();
  const [low, high] = PERCENTILES.map((part) => percentile(sorted, part));
  return median ? [-(high || 1), high || 1] : [low, high];
}
