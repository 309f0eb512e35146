/** The view in Aladin Lite, which comes from the CDS when this page is opened. The page runs sandboxed; see stacks/page.yaml. */

import { ApiError, getJson } from "../base/api.js";
import { formatPosition } from "../sky/coordinates.js";
import { byId, element, report } from "../base/dom.js";
import { readState, writeState } from "../state.js";
import { fieldOf, windowCorners } from "./shapes.js";

/** The address that the CDS documents for a fixed version. */
const PROGRAM = "https://aladin.cds.unistra.fr/AladinLite/api/v3/3.8.2/aladin.js";
const SURVEY = "https://alasky.cds.unistra.fr/DSS/DSSColor";
const WINDOW_COLOUR = "#ffffff";
const state = readState(location.search);

function sectorColour(sector) {
  return `hsl(${Math.round((((sector - 1) % 13) / 13) * 360 + 20)} 70% 60%)`;
}

function say(text, kind = "note") {
  byId("sky-messages").append(element("p", { class: `message ${kind}`, role: kind === "error" ? "alert" : "status", text }));
}

/** A sandboxed page has no storage, and Aladin Lite asks for it. It gets one that keeps nothing. */
function standInForStorage() {
  const none = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  Object.defineProperty(globalThis, "localStorage", { value: none, configurable: true });
}

function loadAladin() {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Error("Aladin Lite cannot be loaded. It and its images come from aladin.cds.unistra.fr, which this browser does not reach. The page of Tessera shows the CCDs and the pixels without the internet."));
    document.head.append(element("script", { src: PROGRAM, on: { load: () => resolve(globalThis.A), error: failed } }));
  });
}

/** Whether images of the sky can be had; the outlines are shown without them. */
async function checkImages() {
  try {
    await fetch(`${SURVEY}/properties`);
  } catch {
    say("The images of the sky cannot be loaded from alasky.cds.unistra.fr. The outlines are shown without them.", "error");
  }
}

function key(colour, text) {
  const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.background = colour;
  byId("sky-key").append(element("li", {}, swatch, text));
}

async function tolerate(promise, what) {
  try {
    return await promise;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    say(`${what}: ${error.message}`, "error");
    return null;
  }
}

async function chosenCubes() {
  const found = await tolerate(getJson("/v1/targets", { ra: state.ra, dec: state.dec, product: state.product }), "The CCDs of this position are missing");
  const cubes = found?.cubes ?? [];
  const wanted = cubes.filter(({ cube }) => state.cubes.includes(cube));
  return wanted.length ? wanted : cubes.slice(0, 1);
}

function overlay(A, aladin, name, color, lineWidth, outlines) {
  const layer = A.graphicOverlay({ name, color, lineWidth });
  aladin.addOverlay(layer);
  layer.addFootprints(outlines.map((outline) => A.polygon(outline)));
}

async function addWindow(A, aladin, cubes) {
  const headers = await Promise.all(cubes.map(({ sector, camera, ccd }) => tolerate(getJson("/tesscut/api/v0.1/ffi_wcs", { sector, camera, ccd, product: state.product }), `The window on sector ${sector} is missing`)));
  const outlines = cubes.flatMap((cube, i) => (headers[i]?.wcs ? [windowCorners(state, cube, headers[i].wcs)] : []));
  if (!outlines.length) return;
  overlay(A, aladin, "Window", WINDOW_COLOUR, 3, outlines);
  key(WINDOW_COLOUR, `Window of ${state.size.join(" × ")} pixels`);
}

async function addCcds(A, aladin, cubes) {
  const map = await tolerate(getJson("/v1/map", { product: state.product === "SPOC" ? null : state.product }), "The outlines of the CCDs are missing");
  const names = new Set(cubes.map(({ cube }) => cube));
  for (const { sector, ccds } of map?.sectors ?? []) {
    const outlines = ccds.filter(({ cube }) => names.has(cube)).map(({ corners }) => corners.map((corner) => [...corner]));
    if (!outlines.length) continue;
    overlay(A, aladin, `CCDs of sector ${sector}`, sectorColour(sector), 2, outlines);
    key(sectorColour(sector), `CCD in sector ${sector}: ${ccds.filter(({ cube }) => names.has(cube)).map(({ camera, ccd }) => `${camera}-${ccd}`).join(", ")}`);
  }
}

async function addCoverage(A, aladin, sectors) {
  await Promise.all(sectors.map(async (sector) => {
    const file = `/v1/coverage/${state.product}/s${String(sector).padStart(4, "0")}.json`;
    const moc = await tolerate(getJson(file), `The coverage of sector ${sector} is missing`);
    if (!moc) return;
    const name = `Coverage of sector ${sector}`;
    aladin.addMOC(A.MOCFromJSON(moc, { name, color: sectorColour(sector), opacity: 0.15, fill: true, perimeter: false }));
    key(sectorColour(sector), `${name}, shaded`);
  }));
}

async function show() {
  if (state.ra === null) throw new Error("This page needs a position, such as ?ra=98.2164&dec=-75.9018. Search on the page of Tessera.");
  standInForStorage();
  say("Loading Aladin Lite from the CDS in Strasbourg …");
  const A = await loadAladin();
  await A.init;
  const aladin = A.aladin("#aladin", { survey: SURVEY, target: `${state.ra} ${state.dec}`, fov: fieldOf(state.size), cooFrame: "ICRSd", showCooGrid: true, showShareControl: false, fullScreen: false });
  byId("sky-messages").replaceChildren();
  checkImages();
  const cubes = await chosenCubes();
  const sectors = [...new Set(cubes.map(({ sector }) => sector))];
  await Promise.all([addWindow(A, aladin, cubes), addCcds(A, aladin, cubes), addCoverage(A, aladin, sectors)]);
}

const name = state.name || (state.ra === null ? "No position" : formatPosition(state));
document.title = `${name} · Aladin Lite · Tessera`;
byId("sky-name").textContent = name;
byId("sky-back").href = `./${writeState(state)}`;
try {
  await show();
} catch (error) {
  report(byId("sky-messages"), typeof error === "string" ? `Aladin Lite says: ${error}` : error.message);
}
document.documentElement.dataset.ready = "yes";
