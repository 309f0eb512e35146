/** How pixel values become shades and words: stretches, colour scales, numbers. Pure. */

const CURVES = {
  linear: (t) => t,
  sqrt: Math.sqrt,
  log: (t) => Math.log1p(1000 * t) / Math.log(1001),
  asinh: (t) => Math.asinh(10 * t) / Math.asinh(10),
};

/** For each curve, what undoes it. */
const INVERSES = {
  linear: (s) => s,
  sqrt: (s) => s * s,
  log: (s) => Math.expm1(s * Math.log(1001)) / 1000,
  asinh: (s) => Math.sinh(s * Math.asinh(10)) / 10,
};

const VIRIDIS = [
  [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37],
];
/** Blue below, red above; white in between. */
const DIVERGING = [[24, 66, 139], [66, 124, 186], [146, 182, 214], [222, 228, 233], [245, 240, 236], [240, 204, 178], [216, 134, 100], [178, 62, 51], [118, 12, 33]];
/** The same with a dark middle, for dark pages. */
const DIVERGING_DARK = [[190, 222, 255], [112, 176, 240], [58, 118, 190], [34, 66, 112], [34, 37, 42], [112, 48, 36], [188, 80, 50], [240, 138, 88], [255, 208, 170]];
const GREY = [[8, 10, 14], [252, 252, 250]];

/** Names of the colour scales. */
export const COLOURS = { viridis: VIRIDIS, grey: GREY, negative: [...GREY].reverse(), difference: DIVERGING, "difference-dark": DIVERGING_DARK };

/** Colour of a shade between 0 and 1. */
export function colourOf(scale, shade) {
  const place = Math.max(0, Math.min(1, shade)) * (scale.length - 1);
  const low = Math.min(scale.length - 2, Math.floor(place));
  return scale[low].map((value, i) => Math.round(value + (scale[low + 1][i] - value) * (place - low)));
}

/** Shade of a value between the limits. */
export function shadeOf(value, [low, high], stretch = "linear") {
  const t = high > low ? Math.max(0, Math.min(1, (value - low) / (high - low))) : 0.5;
  return CURVES[stretch](t);
}

/** The value that has a shade: what undoes `shadeOf`. */
export function valueOf(shade, [low, high], stretch = "linear") {
  return low + (high - low) * INVERSES[stretch](shade);
}

/** So many colours of a scale, from its first to its last: red, green, blue, and 255 as canvases want them. */
export function palette(scale, count) {
  const colours = new Uint8ClampedArray(count * 4);
  for (let i = 0; i < count; i += 1) colours.set([...colourOf(scale, i / (count - 1)), 255], i * 4);
  return colours;
}

/** A value for people: four digits that matter. */
export function formatFlux(value) {
  if (value === null || !Number.isFinite(value)) return "no value";
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : 2;
  return value.toFixed(digits).replace("-", "−");
}
