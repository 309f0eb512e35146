/** The periodogram of Lomb and Scargle with a floating mean, as astropy.timeseries.LombScargle has it. */

const SPREAD = 12;
const OVERSAMPLING = 2;

/** Fast Fourier transform in place, with exp(+i...); the length is a power of two. */
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i += 1) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
  }
  const cos = Float64Array.from({ length: n / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / n));
  const sin = Float64Array.from({ length: n / 2 }, (_, k) => Math.sin((2 * Math.PI * k) / n));
  for (let half = 1; half < n; half *= 2) {
    const step = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let k = 0; k < half; k += 1) {
        const [a, b, c, s] = [start + k, start + k + half, cos[k * step], sin[k * step]];
        const [x, y] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c];
        [re[b], im[b]] = [re[a] - x, im[a] - y];
        re[a] += x;
        im[a] += y;
      }
    }
  }
}

/**
 * Sums of value * exp(2 pi i f t) at the frequencies f0 + k * df, k < n; `cos` and `sin` of them.
 *
 * Values are spread over a regular grid by a Gaussian, whose shape is divided out after the transform (Greengard and Lee,
 * SIAM Review 46, 2004). With 12 points on each side the sums are right to some 1e-12 of the sum of all values.
 */
function trigSums(time, values, { f0, df, n }) {
  const half = n >> 1;
  let size = 1;
  while (size < Math.max(OVERSAMPLING * n, 4 * SPREAD)) size *= 2;
  const ratio = size / n;
  const tau = (Math.PI * SPREAD) / (n * n * ratio * (ratio - 0.5));
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  const cell = (2 * Math.PI) / size;
  for (let j = 0; j < time.length; j += 1) {
    const turns = df * time[j];
    const x = 2 * Math.PI * (turns - Math.floor(turns));
    const angle = 2 * Math.PI * (((f0 + half * df) * time[j]) % 1);
    const [c, s] = [values[j] * Math.cos(angle), values[j] * Math.sin(angle)];
    const nearest = Math.floor(x / cell);
    for (let at = nearest - SPREAD + 1; at <= nearest + SPREAD; at += 1) {
      const away = x - at * cell;
      const share = Math.exp((-away * away) / (4 * tau));
      const place = (at + size) & (size - 1);
      re[place] += c * share;
      im[place] += s * share;
    }
  }
  transform(re, im);
  const [cos, sin] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k += 1) {
    const away = k - half;
    const shape = (Math.sqrt(Math.PI / tau) * Math.exp(away * away * tau)) / size;
    const place = (away + size) & (size - 1);
    cos[k] = re[place] * shape;
    sin[k] = im[place] * shape;
  }
  return { cos, sin };
}

/** Weights that add up to one; equal ones where no errors are given. */
function weightsOf(error, n) {
  const weights = Float64Array.from({ length: n }, (_, i) => (error ? 1 / error[i] ** 2 : 1));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * Power at the frequencies f0 + k * df, k < n: the part of the variance that a sine with a mean of its own explains.
 *
 * `error` may be null: all values then have the same weight.
 */
export function lombScargle(time, values, error, grid) {
  const w = weightsOf(error, time.length);
  const mean = values.reduce((sum, value, i) => sum + w[i] * value, 0);
  const y = Float64Array.from(values, (value) => value - mean);
  const t = Float64Array.from(time, (value) => value - time[0]);
  const total = y.reduce((sum, value, i) => sum + w[i] * value * value, 0);
  const first = trigSums(t, y.map((value, i) => value * w[i]), grid);
  const ones = trigSums(t, w, grid);
  const twice = trigSums(t, w, { f0: 2 * grid.f0, df: 2 * grid.df, n: grid.n });
  return Float64Array.from({ length: grid.n }, (_, k) => {
    const [C, S, C2, S2] = [ones.cos[k], ones.sin[k], twice.cos[k], twice.sin[k]];
    const tau = 0.5 * Math.atan2(S2 - 2 * S * C, C2 - (C * C - S * S));
    const [c, s, c2, s2] = [Math.cos(tau), Math.sin(tau), Math.cos(2 * tau), Math.sin(2 * tau)];
    const [yc, ys] = [first.cos[k] * c + first.sin[k] * s, first.sin[k] * c - first.cos[k] * s];
    const cc = 0.5 * (1 + C2 * c2 + S2 * s2) - (C * c + S * s) ** 2;
    const ss = 0.5 * (1 - C2 * c2 - S2 * s2) - (S * c - C * s) ** 2;
    return ((yc * yc) / cc + (ys * ys) / ss) / total;
  });
}

/** Chance that noise alone has such a power anywhere up to the highest frequency (Baluev, MNRAS 385, 2008). */
export function chanceOf(power, time, highest) {
  const n = time.length;
  const mean = time.reduce((a, b) => a + b, 0) / n;
  const variance = time.reduce((sum, t) => sum + (t - mean) ** 2, 0) / n;
  const width = highest * Math.sqrt(4 * Math.PI * variance);
  const single = (1 - power) ** (0.5 * (n - 3));
  const tau = width * (1 - power) ** (0.5 * (n - 4)) * Math.sqrt(0.5 * (n - 1) * power);
  return 1 - (1 - single) * Math.exp(-tau);
}
