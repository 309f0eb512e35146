/** How pixel values become shades: stretches and colour scales. */

const CURVES = {
  linear: (t) => t,
  sqrt: Math.sqrt,
  log: (t) => Math.log1p(1000 * t) / Math.log(1001),
  asinh: (t) => Math.asinh(10 * t) / Math.asinh(10),
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
