/** What the page shows, as its address says it, so that a view can be sent to somebody. */

import { ALL_BITS, MOST_RANGES, union } from "./curve/ranges.js";

export const DEFAULTS = {
  view: "look", name: "", ra: null, dec: null, moving: false, cubes: [], size: [15, 15], sizeUnit: "pixels", background: "median", detrend: "none", apertures: {},
  show: "apart", period: null, epoch: null, zoom: null, exclude: [], bits: ALL_BITS, flatten: null, clip: null, bin: null, unit: "flux", flagged: true, neighbours: true, stretch: "asinh", colours: "viridis",
  layout: "full", placement: "centre", time: null, good: false, mark: true, frame: null, product: "SPOC", bulk: null,
};

const CHOICES = {
  view: ["look", "list", "builds"], show: ["apart", "stitched", "folded"], unit: ["flux", "relative"], stretch: ["asinh", "linear", "sqrt", "log"],
  colours: ["viridis", "grey", "negative"], layout: ["full", "slim"], placement: ["centre", "tesscut"], product: ["SPOC", "TICA"], sizeUnit: ["pixels", "arcmin", "degrees"],
  background: ["median", "rows", "components", "none"], detrend: ["none", "pld", "cbv"],
};
/** Words that older links have. */
const ONCE = { background: { yes: "median", no: "none" } };
/** Steps that make a light curve clean: the least and the most, and how they are called. */
export const STEPS = {
  flatten: { low: 0.05, high: 1000, words: "days to flatten over" }, clip: { low: 1, high: 100, words: "sigma to clip at" }, bin: { low: 0.05, high: 1000, words: "hours to bin" },
};
/** Numbers that fold a light curve: the least and the most, and what is allowed in words. */
export const FOLD = { period: { low: 1e-4, high: 1e5, allowed: "days from 0.0001 to 100,000" }, epoch: { low: -1e6, high: 1e6, allowed: "a time in BTJD from -1,000,000 to 1,000,000" } };
const SWITCHES = { moving: "yes", good: "yes", mark: "no", flagged: "no", neighbours: "no" };
const CUBE = /^[\w.-]{1,80}$/;
const MAX_CUBES = 200;
/** The part of an address that names a running list of targets. It is a fragment, which no server sees. */
const BULK = /^#bulk=([0-9a-f]{32})$/;
/** Pixels a side of a preview. */
export const MAX_PREVIEW = 100;
/** Pixels a side of a file, and in its window. */
export const MAX_SIDE = 10_000;
export const MAX_PIXELS = 250_000;

function number(low, high) {
  return (text) => {
    const value = Number(text);
    return text.trim() !== "" && Number.isFinite(value) && value >= low && value <= high ? value : null;
  };
}

function pair(text) {
  const values = text.split(",").map(number(-1e6, 1e6));
  return values.length === 2 && values.every((value) => value !== null) && values[0] <= values[1] ? values : null;
}

/** Whether a file may have so many rows and columns. */
export function isSize(size) {
  return size.every((side) => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE) && size[0] * size[1] <= MAX_PIXELS;
}

/** What the service takes from the light curves of a state, as parameters. */
export function modelsOf({ background, detrend }) {
  return { background, detrend: detrend === "none" ? null : detrend };
}

/** Whether a window is small enough for a preview. */
export function hasPreview(size) {
  return Math.max(...size) <= MAX_PREVIEW;
}

/** Times or phases, and the flux if there are four numbers. */
function zoomOf(text) {
  const values = text.split(",").map(number(-1e12, 1e12));
  const isRange = ([low, high]) => low !== null && high !== null && low < high;
  return (values.length === 2 || values.length === 4) && isRange(values) && (values.length === 2 || isRange(values.slice(2))) ? values : null;
}

function rangesOf(text) {
  const ranges = text.split(",").map((each) => each.split("~").map(number(-1e6, 1e6)));
  return ranges.length <= MOST_RANGES && ranges.every((range) => range.length === 2 && !range.includes(null) && range[0] <= range[1]) ? union(ranges) : null;
}

function bitsOf(text) {
  const value = number(0, ALL_BITS)(text);
  return Number.isInteger(value) ? value : null;
}

function sizeOf(text) {
  const values = text.split(",").map(number(1, MAX_SIDE));
  const size = [values[0], values[1] ?? values[0]];
  return values.length <= 2 && values.every((value) => value !== null) && isSize(size) ? size : null;
}

function cubesOf(text) {
  const cubes = text.split(",");
  return cubes.length <= MAX_CUBES && cubes.every((cube) => CUBE.test(cube)) ? cubes : null;
}

function aperturesOf(text) {
  const pairs = text.split(",").map((each) => each.split(":"));
  return pairs.every(([cube, hex, more]) => CUBE.test(cube) && /^[0-9a-f]{1,3000}$/.test(hex ?? "") && more === undefined) ? Object.fromEntries(pairs) : null;
}

/** Whether an aperture has a bit for each pixel of a window, the rest of its last digit zero, and a pixel inside. */
function fits(hex, [rows, columns]) {
  const rest = (4 - ((rows * columns) % 4)) % 4;
  return hex.length === Math.ceil((rows * columns) / 4) && /[^0]/.test(hex) && parseInt(hex.at(-1), 16) % 2 ** rest === 0;
}

/** Leave out what does not go together with the rest of the address; gives a sentence for each. */
function leaveOut(state) {
  const wrong = [];
  if (state.moving && !state.name) wrong.push("The link says moving=yes without a name; a moving target needs one.");
  if (!state.name) state.moving = false;
  const [rows, columns] = state.size;
  const bad = Object.keys(state.apertures).filter((cube) => !fits(state.apertures[cube], state.size));
  if (bad.length) wrong.push(`The aperture of ${bad.join(", ")} in the link was left out; allowed: ${Math.ceil((rows * columns) / 4)} hexadecimal digits, one bit for each of ${rows} × ${columns} pixels, at least one of them 1.`);
  state.apertures = Object.fromEntries(Object.entries(state.apertures).filter(([cube]) => !bad.includes(cube)));
  return wrong;
}

function frameOf(text) {
  const [cube, time, more] = text.split(":");
  const read = number(-1e6, 1e6)(time ?? "");
  return CUBE.test(cube) && read !== null && more === undefined ? { cube, time: read } : null;
}

/** For each key: what reads its text, null where the text is wrong; and what is allowed, in words. */
const FIELDS = {
  name: [(text) => (text.length <= 100 ? text : null), "up to 100 characters"],
  ra: [number(-360, 360), "degrees from -360 to 360"],
  dec: [number(-90, 90), "degrees from -90 to 90"],
  cubes: [cubesOf, `up to ${MAX_CUBES} names of cubes, separated by commas`],
  size: [sizeOf, `whole pixels, as rows,columns, at most ${MAX_PIXELS.toLocaleString("en")} in all`],
  aperture: [aperturesOf, "the name of a cube, a colon and hexadecimal digits"],
  ...Object.fromEntries(Object.entries(FOLD).map(([key, { low, high, allowed }]) => [key, [number(low, high), allowed]])),
  ...Object.fromEntries(Object.entries(STEPS).map(([key, { low, high, words }]) => [key, [number(low, high), `${words}, ${low} to ${high}`]])),
  zoom: [zoomOf, "the first and the last time or phase, and the least and the most flux if it is zoomed"],
  exclude: [rangesOf, `up to ${MOST_RANGES} ranges of BTJD such as 1325.3~1325.4, separated by commas`],
  bits: [bitsOf, `the sum of the quality bits that count, 0 to ${ALL_BITS}`],
  frame: [frameOf, "the name of a cube, a colon and a time in BTJD"],
  time: [pair, "two times in BTJD, the first one first"],
  ...Object.fromEntries(Object.entries(CHOICES).map(([key, words]) => [key, [(text) => (words.includes(text) ? text : null), words.join(", ")]])),
  ...Object.fromEntries(Object.entries(SWITCHES).map(([key, word]) => [key, [(text) => (["yes", "no"].includes(text) ? (text === word) !== DEFAULTS[key] : null), "yes, no"]])),
};
const IN_STATE = { aperture: "apertures" };

/** Read an address. Gives the state, where what is wrong is at its default, and a sentence for each thing that is wrong. */
export function readAddress(search, hash = "") {
  const query = new URLSearchParams(search);
  const [state, wrong] = [{ ...DEFAULTS }, []];
  for (const [key, [read, allowed]] of Object.entries(FIELDS)) {
    const text = ONCE[key]?.[query.get(key)] ?? query.get(key);
    const value = text ? read(text) : null;
    if (value !== null) state[IN_STATE[key] ?? key] = value;
    else if (text) wrong.push(`${key} is "${text.slice(0, 40)}" in the link, and was left out; allowed: ${allowed}.`);
  }
  if ((state.ra === null) !== (state.dec === null)) {
    if (query.get("ra") === null || query.get("dec") === null) wrong.push("The link has only one of ra and dec; a position needs both.");
    Object.assign(state, { ra: null, dec: null });
  }
  wrong.push(...leaveOut(state));
  state.bulk = BULK.exec(hash)?.[1] ?? null;
  if (!state.bulk && hash.startsWith("#bulk=")) wrong.push("The link to a list is not complete; it ends in #bulk= and 32 digits.");
  if (state.bulk) state.view = "list";
  return { state, wrong };
}

/** The state that an address says. */
export function readState(search, hash = "") {
  return readAddress(search, hash).state;
}

/** Write an address; what is at its default is not said. */
export function writeState(state) {
  const said = [];
  const say = (key, value) => said.push(`${key}=${encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%20", "+")}`);
  if (state.name) say("name", state.name);
  if (state.ra !== null) say("ra", state.ra);
  if (state.dec !== null) say("dec", state.dec);
  if (state.cubes.length) say("cubes", state.cubes.join(","));
  if (String(state.size) !== String(DEFAULTS.size)) say("size", state.size.join(","));
  for (const key of Object.keys(CHOICES)) if (state[key] !== DEFAULTS[key]) say(key, state[key]);
  for (const [key, word] of Object.entries(SWITCHES)) if (state[key] !== DEFAULTS[key]) say(key, word);
  for (const key of ["period", "epoch", ...Object.keys(STEPS)]) if (state[key] !== null) say(key, state[key]);
  if (state.zoom) say("zoom", state.zoom.join(","));
  if (state.exclude.length) say("exclude", state.exclude.map((range) => range.join("~")).join(","));
  if (state.bits !== ALL_BITS) say("bits", state.bits);
  if (state.time) say("time", state.time.join(","));
  if (state.frame) say("frame", `${state.frame.cube}:${Number(state.frame.time.toFixed(5))}`);
  const apertures = Object.entries(state.apertures).map((each) => each.join(":"));
  if (apertures.length) say("aperture", apertures.join(","));
  return (said.length ? `?${said.join("&")}` : "") + (state.bulk && state.view === "list" ? `#bulk=${state.bulk}` : "");
}
