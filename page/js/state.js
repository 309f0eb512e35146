/** What the page shows, as its address says it, so that a view can be sent to somebody. */

export const DEFAULTS = {
  view: "look", name: "", ra: null, dec: null, moving: false, cubes: [], size: [15, 15], sizeUnit: "pixels", background: true, apertures: {},
  show: "apart", period: null, epoch: null, unit: "flux", flagged: true, stretch: "asinh", colours: "viridis",
  layout: "full", placement: "centre", time: null, good: false, product: "SPOC", bulk: null,
};

const CHOICES = {
  view: ["look", "list", "builds"], show: ["apart", "stitched", "folded"], unit: ["flux", "relative"], stretch: ["asinh", "linear", "sqrt", "log"],
  colours: ["viridis", "grey", "negative"], layout: ["full", "slim"], placement: ["centre", "tesscut"], product: ["SPOC", "TICA"], sizeUnit: ["pixels", "arcmin", "degrees"],
};
const SWITCHES = { moving: "yes", good: "yes", background: "no", flagged: "no" };
const CUBE = /^[\w.-]{1,80}$/;
/** The part of an address that names a running list of targets. It is a fragment, which no server sees. */
const BULK = /^#bulk=([0-9a-f]{32})$/;
/** Pixels a side of a preview. */
export const MAX_PREVIEW = 100;
/** Pixels a side of a file, and in its window. */
export const MAX_SIDE = 10_000;
export const MAX_PIXELS = 250_000;

function number(text, low, high) {
  const value = Number(text);
  return text !== null && text !== "" && Number.isFinite(value) && value >= low && value <= high ? value : null;
}

function pair(text, low, high) {
  const values = (text ?? "").split(",").map((each) => number(each, low, high));
  return values.length === 2 && values.every((value) => value !== null) && values[0] <= values[1] ? values : null;
}

/** Whether a file may have so many rows and columns. */
export function isSize(size) {
  return size.every((side) => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE) && size[0] * size[1] <= MAX_PIXELS;
}

/** Whether a window is small enough for a preview. */
export function hasPreview(size) {
  return Math.max(...size) <= MAX_PREVIEW;
}

function sizeOf(text) {
  const values = (text ?? "").split(",").map((each) => number(each, 1, MAX_SIDE));
  const size = [values[0], values[1] ?? values[0]];
  return values.length <= 2 && isSize(size) ? size : DEFAULTS.size;
}

function aperturesOf(text) {
  const pairs = (text ?? "").split(",").map((each) => each.split(":"));
  return Object.fromEntries(pairs.filter(([cube, hex]) => CUBE.test(cube) && /^[0-9a-f]{1,3000}$/.test(hex ?? "")));
}

/** Read an address; what it says wrongly is left at its default. */
export function readState(search, hash = "") {
  const query = new URLSearchParams(search);
  const state = { ...DEFAULTS };
  for (const [key, allowed] of Object.entries(CHOICES)) if (allowed.includes(query.get(key))) state[key] = query.get(key);
  for (const [key, word] of Object.entries(SWITCHES)) if (query.get(key) === word) state[key] = !DEFAULTS[key];
  state.name = (query.get("name") ?? "").slice(0, 100);
  const [ra, dec] = [number(query.get("ra"), -360, 360), number(query.get("dec"), -90, 90)];
  if (ra !== null && dec !== null) Object.assign(state, { ra, dec });
  state.cubes = (query.get("cubes") ?? "").split(",").filter((cube) => CUBE.test(cube)).slice(0, 200);
  state.size = sizeOf(query.get("size"));
  state.apertures = aperturesOf(query.get("aperture"));
  state.period = number(query.get("period"), 1e-4, 1e5);
  state.epoch = number(query.get("epoch"), -1e6, 1e6);
  state.time = pair(query.get("time"), -1e6, 1e6);
  state.bulk = BULK.exec(hash)?.[1] ?? null;
  if (state.bulk) state.view = "list";
  return state;
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
  for (const key of ["period", "epoch"]) if (state[key] !== null) say(key, state[key]);
  if (state.time) say("time", state.time.join(","));
  const apertures = Object.entries(state.apertures).map((each) => each.join(":"));
  if (apertures.length) say("aperture", apertures.join(","));
  return (said.length ? `?${said.join("&")}` : "") + (state.bulk && state.view === "list" ? `#bulk=${state.bulk}` : "");
}
