/** What can be sent to other programs by SAMP, and as which kinds of messages. Pure: no document, no network. */

import { address } from "../base/api.js";
import { curveQuery, cutoutQuery, isAtOnce } from "../files/snippets.js";
import { hasPreview, MAX_PREVIEW } from "../state.js";

/** A pixel of TESS is 21 arcseconds wide, as TESSCut counts. */
const DEGREES_PER_PIXEL = 21 / 3600;
/** What `/v1/cutouts.fits` cuts at most, and how many bytes its pixels have a cadence. */
const [MOST_BYTES, BYTES_PER_PIXEL] = [750_000_000, 20];
/** DS9 says that it has opened every file, and shows nothing useful of a coverage map or of a table of pixels. */
const DS9 = /^SAOImage/;
/** Aladin 12 makes a plane of a table of pixels that it cannot draw, and shows nothing else from then on. */
const NO_PIXELS = /^(SAOImage|Aladin)/;

/** The circle that touches the longer sides of the window: right ascension, declination and radius in degrees. */
export function circleOf({ ra, dec, size }) {
  return `${ra} ${dec} ${Number(((Math.max(...size) / 2) * DEGREES_PER_PIXEL).toFixed(6))}`;
}

/** Without an identifier, because TOPCAT refuses a table with one that it has received before. */
function table(type, url, name, more = {}) {
  return { type, params: { url, name, ...more } };
}

/** A file of comma-separated values. TOPCAT has a message of its own for formats that have no standard message. */
export function csvMessage(url, name) {
  return { name, types: [table("table.load.stil", url, name, { format: "csv" })] };
}

function observations(order, origin) {
  const url = origin + address("/sia2/query", { POS: `CIRCLE ${circleOf(order)}` });
  return { name: "Observations", types: [table("table.load.votable", url, `Tessera ${order.ra} ${order.dec}`)] };
}

/** The file of a cube, as the query of /v1/cutouts.fits. */
export function fileQuery(order, cube) {
  const own = order.aperture?.split(",").find((each) => each.startsWith(`${cube}:`))?.slice(cube.length + 1);
  return { cube, ...cutoutQuery(order), sectors: null, product: null, aperture: own ?? order.aperture?.split(",")[0] };
}

function pixels(order, { cube }, origin) {
  const url = origin + address("/v1/cutouts.fits", fileQuery(order, cube));
  return { name: cube, types: [table("table.load.fits", url, `${cube} pixels`)], not: NO_PIXELS };
}

function curve(order, { cube }, view, origin) {
  return csvMessage(origin + address("/v1/preview.csv", curveQuery(order, cube, view)), `${cube} light curve`);
}

/** Aladin 12 takes a coverage map as a table; newer programs have a message for it. */
function coverage(sector, product, origin) {
  const name = `${product} sector ${sector}`;
  const url = `${origin}/v1/coverage/${product}/s${String(sector).padStart(4, "0")}.fits`;
  return { name, types: [{ type: "coverage.load.moc.fits", params: { url, name } }, table("table.load.fits", url, name)], not: DS9 };
}

/** Messages of one kind for what is chosen; `view` has the apertures, and the models of background and trend. */
export function messagesOf(kind, order, cubes, view, origin) {
  if (kind === "position") return [{ name: "Position", types: [{ type: "coord.pointAt.sky", params: { ra: String(order.ra), dec: String(order.dec) } }] }];
  if (kind === "observations") return [observations(order, origin)];
  if (kind === "pixels") return cubes.map((cube) => pixels(order, cube, origin));
  if (kind === "curves") return cubes.map((cube) => curve(order, cube, view, origin));
  return order.sectors.map((sector) => coverage(sector, order.product, origin));
}

/** Why nothing of a kind can be sent, as a sentence; empty if it can. `wrong` says whether the window's fields are wrong. */
export function whyNot(kind, order, cubes, wrong) {
  if (["pixels", "curves", "coverage"].includes(kind) && !cubes.length) return "Tick a sector to send it.";
  if (["observations", "pixels", "curves"].includes(kind) && wrong) return "Correct the fields that are marked, then send.";
  if (kind === "curves" && !hasPreview(order.size)) return `Windows of more than ${MAX_PREVIEW} pixels a side have no light curves.`;
  const bytes = order.size[0] * order.size[1] * BYTES_PER_PIXEL * Math.max(0, ...cubes.map((cube) => cube.n_cadences));
  if (kind === "pixels" && (!isAtOnce({ ...order, aperture: null }) || bytes > MOST_BYTES)) return "The files are too large to be sent. Choose a smaller window, or download them.";
  return "";
}

/** Whether a program takes a kind of message. Its subscriptions may end in ".*" for all that begins so. */
function takes(subscriptions, type) {
  return Object.keys(subscriptions).some((each) => each === type || each === "*" || (each.endsWith(".*") && type.startsWith(each.slice(0, -1))));
}

/** The first kind in which a program takes a message; null if it takes none. */
export function kindFor({ types, not = null }, { name, subscriptions }) {
  if (not?.test(name)) return null;
  return types.find(({ type }) => takes(subscriptions, type)) ?? null;
}

/** What a program answered, in words. */
export function wordsOf(answer) {
  const error = answer["samp.error"] ?? {};
  const why = error["samp.usertxt"] || error["samp.errortxt"] || "";
  if (answer["samp.status"] === "samp.ok") return { text: "opened", good: true };
  if (answer["samp.status"] === "samp.warning") return { text: why ? `opened, with a warning: ${why}` : "opened, with a warning", good: true };
  return { text: why ? `failed: ${why}` : "failed without a reason", good: false };
}
