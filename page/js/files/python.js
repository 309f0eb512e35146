/** Programs in Python that make the same files and light curves. Pure; loaded when one is asked for. */

import { address } from "../base/api.js";
import { ALL_BITS } from "../curve/ranges.js";
import { summing } from "./summing.js";
import { cutoutQuery, isAtOnce, jobBody } from "./snippets.js";

/** Backgrounds that are True and False in Python. */
const SWITCHES = { median: true, none: false };

/** For Python: a string literal. */
export function pythonQuote(text) {
  return JSON.stringify(text);
}

/** For Python: a value that is text, a number, true, false, null, or a list or an object of these. */
function python(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return pythonQuote(value);
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([name, each]) => `${pythonQuote(name)}: ${python(each)}`).join(", ")}}`;
  return String(value);
}

/** What marks apertures in files of TESSCut, which has none, and whose windows may begin a pixel earlier. */
function marking(apertures) {
  return [
    "# Digits of the apertures on the page, and the first row and column of its windows; lightkurve finds them as pipeline_mask",
    "apertures = {",
    ...Object.entries(apertures).map(([cube, [hex, row, column]]) => `    ${pythonQuote(cube)}: (${pythonQuote(hex)}, ${row}, ${column}),`),
    "}", "", "",
    "def mark(cutout, digits, row, column):",
    "    header, pixels = cutout[\"PIXELS\"].header, cutout[\"APERTURE\"].data",
    "    bits = np.unpackbits(np.frombuffer(bytes.fromhex(digits + \"0\" * (len(digits) % 2)), np.uint8))",
    "    rows, columns = np.nonzero(bits[: pixels.size].reshape(pixels.shape))",
    "    rows, columns = rows + row + 1 - header[\"2CRV5P\"], columns + column + 1 - header[\"1CRV5P\"]",
    "    inside = (rows >= 0) & (rows < pixels.shape[0]) & (columns >= 0) & (columns < pixels.shape[1])",
    "    rows, columns = rows[inside], columns[inside]",
    "    pixels[rows, columns] |= 2 * (pixels[rows, columns] > 0)",
    "", "",
    "for cutout in cutouts:",
    "    about = cutout[0].header",
    `    cube = f"${Object.keys(apertures)[0].slice(0, 4)}-s{about['SECTOR']:04d}-{about['CAMERA']}-{about['CCD']}"`,
    "    if cube in apertures:",
    "        mark(cutout, *apertures[cube])",
  ];
}

/** Say what TESSCut's paths cannot give of an order; null if they give all of it. */
function lost(order) {
  const parts = [order.time && "range of time", order.good && "choice of cadences", order.layout !== "full" && "other layout"].filter(Boolean);
  return parts.length ? `# TESSCut's paths have no ${parts.join(" and no ")}: the files have all cadences, in the full layout` : null;
}

/** A program with astroquery, against this server; `apertures` as `shownApertures` gives them. */
export function astroquery(order, origin, apertures = {}) {
  const size = order.size[0] === order.size[1] ? String(order.size[0]) : `(${order.size.join(", ")})`;
  const product = order.product === "TICA" ? ', product="TICA"' : "";
  const what = order.moving ? `objectname=${pythonQuote(order.name)}, moving_target=True` : "coordinates=star";
  const sectors = order.sectors.length ? `[${order.sectors.join(", ")}]` : "[None]  # all";
  const marks = !order.moving && Object.keys(apertures).length ? marking(apertures) : null;
  return [
    marks && "import numpy as np",
    order.moving ? null : "from astropy.coordinates import SkyCoord",
    "from astroquery.mast import Tesscut",
    "",
    `Tesscut._service_api_connection.REQUEST_URL = ${pythonQuote(`${origin}/tesscut/api/v0.1/`)}`,
    order.moving ? null : `star = SkyCoord(${order.ra}, ${order.dec}, unit="deg")`,
    lost(order),
    "cutouts = [",
    "    cutout",
    `    for sector in ${sectors}`,
    `    for cutout in Tesscut.get_cutouts(${what}, size=${size}, sector=sector${product})`,
    "]",
    ...(marks ?? []),
    "cutouts[0].info()",
    "",
  ].filter((line) => line !== null).join("\n");
}

function options(order) {
  const said = [];
  if (order.placement !== "centre") said.push(`placement=${pythonQuote(order.placement)}`);
  if (order.layout !== "full") said.push(`layout=${pythonQuote(order.layout)}`);
  if (order.time) said.push(`time=(${order.time.join(", ")})`);
  if (order.good) said.push(`quality_mask=${ALL_BITS}`);
  return said.join(", ");
}

/** Lines before the light curves, and the arguments that take their trends away; see `summing`. */
function detrending({ detrend, trends = {} }, origin) {
  const cubes = Object.keys(trends);
  if (detrend === "pld" && cubes.length) return [[], 'detrend="pld", '];
  if (!cubes.length) return [[], ""];
  const files = cubes.map((cube) => `    ${pythonQuote(cube)}: urlopen(${pythonQuote(`${origin}/v1/cubes/${cube}/vectors.fits`)}).read(),`);
  return [["vectors = {", ...files, "}"], 'detrend="cbv" if result.cube in vectors else "none", vectors=vectors.get(result.cube), '];
}

/** A program with this project's library, against this server; `view` as `summing` takes it. */
export function library(order, origin, view) {
  const { background } = view;
  const [vectors, taken] = detrending(view, origin);
  const chosen = options(order);
  const given = [
    `(${order.ra}, ${order.dec})`, `(${order.size.join(", ")})`, `sectors=[${order.sectors.join(", ")}]`, order.product === "TICA" ? 'product="TICA"' : null,
    chosen ? `options=tessera.CutoutOptions(${chosen})` : null, order.aperture ? `aperture=${pythonQuote(order.aperture)}` : null, 'output_dir="cutouts"',
  ].filter(Boolean);
  return [
    ...(vectors.length ? ["from urllib.request import urlopen", ""] : []),
    "import tessera",
    "",
    `with tessera.Client(${pythonQuote(origin)}) as client:`,
    "    results = client.cutouts(",
    ...given.map((each) => `        ${each},`),
    "    )",
    ...vectors,
    `curves = [result.pixels.to_lightcurve(background=${python(SWITCHES[background] ?? background)}, ${taken}quality="none") for result in results]`,
    "for result, curve in zip(results, curves):",
    "    print(result.path, curve)",
    "",
  ].join("\n");
}

/** Lines that get the files of an order into the folder `cutouts`, and their paths into `paths`. */
export function fetching(order, cubes, origin) {
  const what = isAtOnce(order) ? pythonQuote(origin + address("/v1/cutouts", cutoutQuery(order)))
    : `Request(\n    ${pythonQuote(`${origin}/v1/cutouts`)},\n    json.dumps(${python(jobBody(order))}).encode(),\n    {"Content-Type": "application/json"},\n)`;
  return [
    `cubes = ${python(cubes.map(({ cube }) => cube))}`,
    `request = ${what}`,
    "with urlopen(request) as answer:",
    "    content = answer.read()",
    "if not content.startswith(b\"PK\"):  # the service makes them in a job",
    "    job = json.loads(content)",
    "    while job[\"status\"] in (\"queued\", \"running\"):",
    "        time.sleep(3)",
    "        with urlopen(job[\"url\"]) as answer:",
    "            job = json.load(answer)",
    "    if not job[\"result\"]:",
    "        raise RuntimeError(f\"the job is {job['status']}: {job['reason']}\")",
    "    with urlopen(job[\"result\"][\"url\"]) as answer:",
    "        content = answer.read()",
    "archive = zipfile.ZipFile(io.BytesIO(content))",
    "paths = [archive.extract(name, \"cutouts\") for name in archive.namelist() if name.split(\"_\")[0] in cubes]",
  ];
}

export const IMPORTS = ["import io", "import json", "import time", "import zipfile", "from urllib.request import Request, urlopen", "", "import lightkurve as lk", "import numpy as np"];

/** A program with lightkurve, against this server. */
export function lightkurve(order, cubes, origin, view) {
  return [
    ...IMPORTS, "", ...fetching({ ...order, layout: "full" }, cubes, origin), "", "", ...summing(view), "", "",
    "files = [lk.TessTargetPixelFile(path, quality_bitmask=\"none\") for path in paths]",
    "curves = [light_curve(pixels) for pixels in files]",
    "print(curves)",
    "",
  ].join("\n");
}
