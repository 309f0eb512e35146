/** Lines in Python that make a light curve of a target pixel file with lightkurve, as the page makes it. */

import { ALL_BITS, EXCLUDED } from "../curve/ranges.js";

const BACKGROUNDS = {
  none: [],
  median: [
    "    if not mask.all():  # the background is the median of the other pixels",
    "        curve = curve - mask.sum() * np.nanmedian(pixels.flux[:, ~mask], axis=1)",
  ],
  rows: [
    "    if not mask.all():  # the background of a row is the median of its other pixels, or of all if it has none",
    "        outside = np.where(mask, np.nan, pixels.flux.value)",
    "        rows = np.where(mask.all(axis=1), np.nanmedian(outside, axis=(1, 2))[:, np.newaxis], np.nanmedian(np.where(mask.all(axis=1)[:, np.newaxis], 0, outside), axis=2))",
    "        curve = curve - rows @ mask.sum(axis=1) * curve.flux.unit",
  ],
  components: [
    "    if not mask.all():  # the background is what five principal components of the other pixels explain",
    "        outside, good = pixels.flux.value[:, ~mask].astype(float), pixels.quality == 0",
    "        outside = outside[:, np.isfinite(outside[good]).all(axis=0)]",
    "        centred = outside - outside[good].mean(axis=0)",
    "        directions = np.linalg.svd(centred[good], full_matrices=False)[2][:5]",
    "        matrix = lk.DesignMatrix(centred @ directions.T, name=\"outside\").append_constant()",
    "        corrector = lk.RegressionCorrector(curve)",
    "        corrector.correct(matrix, cadence_mask=good)",
    "        model, level = corrector.model_lc.flux, mask.sum() * np.nanmedian(outside, axis=1)[good]",
    "        curve = curve - (model - np.median(model[good])) - np.median(level) * curve.flux.unit",
  ],
};

/** What the background is, in words. */
export const BACKGROUND_WORDS = {
  none: "The sum of the aperture. The background is not subtracted.",
  median: "The sum of the aperture, less the median of the pixels outside for each of its pixels.",
  rows: "The sum of the aperture, less the median of the pixels outside in the same row for each of its pixels.",
  components: "The sum of the aperture, less what the principal components of the pixels outside explain.",
};

/** What is taken away as the trend, in words. */
export const TREND_WORDS = {
  pld: "The trend that the pixels show beside slow changes (PLD) is taken away, as the service finds it.",
  cbv: "The trend that the cotrending vectors of the CCD explain is taken away, as the service finds it.",
};

/** Flags that count, and cadences that are left out. */
function marking({ bits, exclude }) {
  return [
    ...(bits === ALL_BITS ? [] : [`    curve["quality"] = curve["quality"] & ~${ALL_BITS & ~bits}  # without the quality bits that do not count`]),
    ...(exclude.length ? [
      `    for first, last in [${exclude.map((range) => `(${range.join(", ")})`).join(", ")}]:  # cadences that are left out`,
      `        curve["quality"][(curve.time.value >= first) & (curve.time.value <= last)] |= ${EXCLUDED}`,
    ] : []),
  ];
}

/** Lines of what the service took from light curves as their trends, by cube. */
function placing(trends) {
  return ["trends = {  # the service finds them", ...Object.entries(trends).map((pair) => `    ${pair.map((text) => JSON.stringify(text)).join(": ")},`), "}", "", ""];
}

/** Lines that take the trend away. Cadences are found by their times, which the service rounds. */
const DETRENDING = [
  "    cube = pixels.path.replace(\"\\\\\", \"/\").split(\"/\")[-1].split(\"_\")[0]",
  "    if cube in trends:",
  "        with urlopen(trends[cube]) as answer:",
  "            table = np.genfromtxt(io.StringIO(answer.read().decode()), delimiter=\",\", names=True)",
  "        table = table[np.isfinite(table[table.dtype.names[0]])]",
  "        rows = np.searchsorted(table[table.dtype.names[0]], curve.time.value - 1e-5)",
  "        curve = curve - table[\"trend\"][rows] * curve.flux.unit",
  "        curve[\"quality\"] = curve[\"quality\"] | table[\"quality\"][rows].astype(int)",
];

/**
 * Lines of a function that makes a light curve of a target pixel file; `view` has background, bits, exclude, and `trends`: where
 * trends that are taken away are, by cube.
 */
export function summing({ trends = {}, ...view }) {
  const isDetrended = Object.keys(trends).length > 0;
  return [
    ...(isDetrended ? placing(trends) : []),
    "def light_curve(pixels):",
    "    mask = pixels.pipeline_mask",
    "    curve = pixels.to_lightcurve(aperture_mask=mask)",
    ...BACKGROUNDS[view.background],
    ...(isDetrended ? DETRENDING : []),
    ...marking(view),
    "    return curve",
  ];
}
