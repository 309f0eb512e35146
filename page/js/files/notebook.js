/** A Jupyter notebook that makes in Python what the page shows. Pure; loaded when it is asked for. */

import { formatPosition } from "../sky/coordinates.js";
import { fetching, IMPORTS, pythonQuote } from "./python.js";
import { BACKGROUND_WORDS, summing, TREND_WORDS } from "./summing.js";

const IMPORTED = [...IMPORTS.slice(0, -1), "import matplotlib.pyplot as plt", ...IMPORTS.slice(-1), "from astropy.visualization import simple_norm", ""];
const MAPS = { viridis: "viridis", grey: "gray", negative: "gray_r" };

/** File name of the notebook of a target. */
export function nameOf(state) {
  const name = (state.name || formatPosition(state)).normalize("NFKD").replaceAll("−", "-").replaceAll(/[^\w.+-]+/g, "_").replaceAll(/^_+|_+$/g, "");
  return `${name.slice(0, 60) || "target"}.ipynb`;
}

/** Text that Markdown shows as it is. */
function plain(text) {
  return text.replaceAll(/[^\p{L}\p{N} .,:+-]/gu, (letter) => (letter.charCodeAt(0) < 128 ? `\\${letter}` : letter));
}

function introduction(state, order, cubes, link) {
  const many = cubes.length === 1 ? "this CCD" : "these CCDs";
  return [
    `# ${plain(state.name || formatPosition(state))}`, "",
    `Pixels and light curves at ${order.ra}, ${order.dec} (ICRS, degrees) of ${many}: ${cubes.map(({ cube }) => cube).join(", ")}. [The same view on the web page](${link.replaceAll("(", "%28").replaceAll(")", "%29")}).`, "",
    "This notebook needs `pip install lightkurve`. The first cell loads the files from the service.",
  ];
}

function pictures({ stretch, colours }) {
  return [
    "across = min(len(files), 4)",
    "figure, axes = plt.subplots(-(-len(files) // across), across, squeeze=False, figsize=(4.5 * across, 4 * -(-len(files) // across)), layout=\"constrained\")",
    "for axis in axes.flat:",
    "    axis.set_visible(False)",
    "for axis, pixels in zip(axes.flat, files):",
    "    axis.set_visible(True)",
    "    flux, good = pixels.flux.value, pixels.quality == 0",
    "    median = np.nanmedian(flux[good] if good.any() else flux, axis=0)",
    "    left, bottom = pixels.column - 1.5, pixels.row - 1.5  # rows and columns of frames, from 0",
    `    norm = simple_norm(median, ${pythonQuote(stretch)}, min_percent=0.5, max_percent=99.5)`,
    `    axis.imshow(median, origin="lower", cmap=${pythonQuote(MAPS[colours])}, norm=norm, extent=(left, left + median.shape[1], bottom, bottom + median.shape[0]))`,
    "    for row, column in np.argwhere(pixels.pipeline_mask):",
    "        axis.add_patch(plt.Rectangle((left + column, bottom + row), 1, 1, fill=False, edgecolor=\"red\"))",
    "    axis.set(title=f\"Sector {pixels.sector}, camera {pixels.camera}, CCD {pixels.ccd}\", xlabel=\"Column\", ylabel=\"Row\")",
  ];
}

/** Lines that make a light curve clean as lightkurve does it; none where the page leaves it as it is. */
function cleaning({ flatten, clip, bin }) {
  if (!flatten && !clip && !bin) return [];
  return [
    "def clean(curve):",
    "    curve = curve[curve.quality == 0].remove_nans()",
    ...(flatten ? [
      "    level = np.median(curve.flux)",
      `    cadences = ${flatten} / np.median(np.diff(curve.time.value))`,
      "    curve = curve.flatten(window_length=2 * max(1, round(cadences / 2)) + 1, polyorder=2) * level",
    ] : []),
    ...(clip ? [`    curve = curve.remove_outliers(sigma=${clip})`] : []),
    ...(bin ? [`    curve = curve.bin(time_bin_size=${bin} / 24).remove_nans()`] : []),
    "    return curve",
    "", "",
    "shown = [clean(curve) for curve in curves]",
  ];
}

/** Columns of light curves, as the page scales them. */
const RELATIVE = [
  "def relative(curve):",
  "    good = curve.quality == 0 if \"quality\" in curve.columns else np.ones(len(curve), bool)",
  "    level = np.nanmedian((curve.flux[good] if good.any() else curve.flux).value)",
  "    return curve / (level * curve.flux.unit)",
];

function folding({ show, period, epoch }) {
  return show === "folded" && period ? `.fold(period=${period}, epoch_time=${epoch ?? 0}, normalize_phase=True)` : "";
}

/** What is zoomed to on the page, where the light curve has something there. */
function zooming(zoom) {
  if (!zoom) return [];
  const [first, last, low, high] = zoom;
  return [
    `    if np.any((curve.time.value >= ${first}) & (curve.time.value <= ${last})):`,
    `        axis.set_xlim(${first}, ${last})`,
    ...(high === undefined ? [] : [`        axis.set_ylim(${low}, ${high})`]),
  ];
}

function drawing(state, isRelative) {
  const folded = folding(state);
  return [
    "def draw(axis, curve, label):",
    ...(folded ? [`    curve = curve${folded}`] : []),
    "    good = curve.quality == 0 if \"quality\" in curve.columns else np.ones(len(curve), bool)",
    "    line, = axis.plot(curve.time.value[good], curve.flux.value[good], \".\", label=label)",
    ...(state.flagged ? ["    axis.plot(curve.time.value[~good], curve.flux.value[~good], \"x\", color=line.get_color(), alpha=0.5)"] : []),
    `    axis.set(xlabel=${folded ? '"Phase"' : '"Time (days since JD 2457000)"'}, ylabel=${isRelative ? "\"Relative flux\"" : "f\"Flux ({curve.flux.unit})\""})`,
    "    axis.legend()",
    ...zooming(state.zoom),
  ];
}

function showing(state, cubes) {
  const together = state.show !== "apart";
  const isRelative = state.unit === "relative" || (together && cubes.length > 1);
  return [
    ...(isRelative ? [...RELATIVE, "", ""] : []),
    ...drawing(state, isRelative), "", "",
    ...(isRelative ? ["shown = [relative(curve) for curve in shown]"] : []),
    together ? "figure, axis = plt.subplots(figsize=(10, 4), layout=\"constrained\")"
      : "figure, axes = plt.subplots(len(shown), 1, squeeze=False, figsize=(10, 3.5 * len(shown)), layout=\"constrained\")",
    together ? "for pixels, curve in zip(files, shown):" : "for axis, pixels, curve in zip(axes.flat, files, shown):",
    "    draw(axis, curve, f\"Sector {pixels.sector}\")",
  ];
}

function cell(kind, lines, number) {
  const source = lines.map((line, i) => (i < lines.length - 1 ? `${line}\n` : line));
  const common = { cell_type: kind, id: `tessera-${number}`, metadata: {}, source };
  return kind === "code" ? { ...common, execution_count: null, outputs: [] } : common;
}

/** Lines about what is taken away as the trend. */
function detrended({ detrend, trends = {} }) {
  return Object.keys(trends).length ? ["", TREND_WORDS[detrend]] : [];
}

/** The notebook of a view, as text: `order` with its apertures, the ticked cubes, and the address of the view. */
export function notebookOf(state, order, cubes, link) {
  const { origin } = new URL(link);
  const cleaned = cleaning(state);
  const parts = [
    ["markdown", introduction(state, order, cubes, link)],
    ["code", [...IMPORTED, ...fetching({ ...order, layout: "full" }, cubes, origin)]],
    ["markdown", ["## Pixels", "", "The median of the cadences without flags. The aperture is `pipeline_mask`."]],
    ["code", ["files = [lk.TessTargetPixelFile(path, quality_bitmask=\"none\") for path in paths]", ...pictures(state)]],
    ["markdown", ["## Light curves", "", BACKGROUND_WORDS[state.background], ...detrended(state)]],
    ["code", [...summing(state), "", "", "shown = curves = [light_curve(pixels) for pixels in files]"]],
    ...(cleaned.length ? [["markdown", ["## Clean light curves"]], ["code", cleaned]] : []),
    ["markdown", [`## ${{ apart: "Separate", stitched: "Stitched", folded: "Folded" }[state.show]}`]],
    ["code", showing(state, cubes)],
  ];
  const metadata = { kernelspec: { display_name: "Python 3", language: "python", name: "python3" }, language_info: { name: "python" } };
  return JSON.stringify({ cells: parts.map(([kind, lines], i) => cell(kind, lines, i)), metadata, nbformat: 4, nbformat_minor: 5 }, null, 1);
}
