/** The page: where things are wired together. */

import { ApiError, getJson } from "./base/api.js";
import { formatPosition, formatSexagesimal, PositionError, trim } from "./sky/coordinates.js";
import { announce, byId, debounce, element, report } from "./base/dom.js";
import { Later, loadScript } from "./base/later.js";
import { takeDrops } from "./list/drop.js";
import { formatFrames, readPosition } from "./sky/frames.js";
import { SearchBox } from "./sky/search-box.js";
import { describe, SkyMap } from "./sky/skymap.js";
import { SHOWN_EXAMPLES, Start } from "./start/start.js";
import { readAddress, writeState } from "./state.js";
import { adviseOn } from "./sky/suggest.js";
import { startTheme } from "./base/theme.js";

/** Modules deep in the room of a target: they are asked for together with it, and not one after the other. */
const OF_TARGETS = ["./curve/lightcurve.js", "./curve/draw/settings.js", "./files/order.js", "./pixels/frames.js", "./samp/panel.js", "./target/look.js", "./target/sector-view.js"];
/** The source of a place whose text is a position, which only the service can read. */
const OF_POSITIONS = "coordinates";
const NOT_LOADED = "This view cannot be loaded: the service cannot be reached.";
const { state, wrong } = readAddress(location.search, location.hash);
let asked = 0;

const saveSoon = debounce(() => history.replaceState(null, "", location.pathname + writeState(state)), 200);

function change(changes) {
  Object.assign(state, changes);
  byId("aladin-lite").href = `sky.html${writeState(state)}`;
  saveSoon();
}

const map = new SkyMap(byId("map"), {
  onPick: (position) => goTo({ name: "", ra: Number(trim(position.ra, 5)), dec: Number(trim(position.dec, 5)), moving: false }),
  onHover: (position, ccds) => { byId("map-words").textContent = describe(position, ccds); },
  onHint: (text) => { byId("map-words").textContent = text; },
});
const targets = new Later(async () => {
  const [{ TargetRoom }] = await Promise.all([import("./target/room.js"), loadScript("vendor/uplot/uPlot.iife.min.js"), ...OF_TARGETS.map((path) => import(path))]);
  return new TargetRoom(state, change, {
    onFound: (names) => map.markSeen(names),
    onHover: (sector) => map.highlight(sector ?? chosenSector()),
    onAdd: async (rows, product) => (await rooms.list.get()).form.add(rows, product),
  });
});
const start = new Start(map, {
  onStar: (star) => goTo({ name: star.name, ra: star.ra, dec: star.dec, moving: false, period: star.period ?? null }),
  onSector: (sector) => {
    byId("sector").value = sector;
    map.highlight(sector);
    byId("map").scrollIntoView({ block: "nearest" });
    announce(`The map shows sector ${sector}`);
  },
});
const rooms = {
  builds: new Later(async () => new (await import("./builds/builds.js")).Builds()),
  list: new Later(async () => new (await import("./list/view.js")).ListView({ onBegin: (id) => goToView("list", id) })),
};
takeDrops(async (files) => {
  await goToView("list");
  rooms.list.room?.give(files);
});
const searchBox = new SearchBox({ onSearch: search, known: () => start.seen() });

function chosenSector() {
  return byId("sector").value ? Number(byId("sector").value) : null;
}

// -- search ----------------------------------------------------------------------------------------------------------

async function search(typed) {
  report(byId("search-message"), "");
  tellWrong([]);
  if (!typed) return void byId("query").focus();
  const turn = (asked += 1);
  try {
    const place = readPosition(typed) ?? await getJson("/v1/resolve", { name: typed });
    if (turn === asked) goTo({ name: place.source === OF_POSITIONS ? "" : place.name ?? "", ra: Number(trim(place.ra, 6)), dec: Number(trim(place.dec, 6)), moving: false });
  } catch (error) {
    if (turn === asked) searchFailed(error, typed);
  }
}

function searchFailed(error, typed) {
  if (!(error instanceof ApiError || error instanceof PositionError)) throw error;
  if (error.status !== 404) return void report(byId("search-message"), error.message);
  const button = (text, run) => element("button", { type: "button", class: "small", text, on: { click: run } });
  const look = (name) => button(name, () => { byId("query").value = name; search(name); });
  const { words, instead } = adviseOn(typed, [...new Set([...start.examples, ...searchBox.more].map((star) => star.name))]);
  const shown = instead.length ? instead : start.seen().slice(0, SHOWN_EXAMPLES).map((star) => star.name);
  report(byId("search-message"), words);
  const advice = instead.length ? "Did you mean" : "Write a name such as TIC 261136679, or a position such as 98.2164 −75.9018.";
  byId("search-message").append(element("p", { class: "note buttons" }, advice, instead.length || !shown.length ? null : "Or look at", shown.map(look)));
  byId("search-message").append(element("p", { class: "note" }, "Is it an asteroid, a comet or a planet? ", button("Search moving targets", () => searchMoving(typed))));
  return undefined;
}

async function searchMoving(typed) {
  const turn = (asked += 1);
  report(byId("search-message"), "Getting the ephemeris …", "note");
  try {
    const found = await getJson("/v1/resolve", { name: typed, moving: true });
    if (turn === asked) goTo({ name: found.name, ra: null, dec: null, moving: true });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (turn === asked) report(byId("search-message"), error.message);
  }
}

/** Say what the address of the page has wrongly. */
function tellWrong(sentences) {
  byId("link-message").replaceChildren(...sentences.map((text) => element("p", { class: "message error", role: "alert", text })));
}

/** Go to a target; a new entry in the browser's history. */
function goTo(target) {
  tellWrong([]);
  Object.assign(state, { cubes: [], apertures: {}, frame: null, period: null, epoch: null, zoom: null, exclude: [], time: null, view: "look" }, target);
  history.pushState(null, "", location.pathname + writeState(state));
  apply();
}

// -- what is shown ---------------------------------------------------------------------------------------------------

/** Go to a view, and to a running list in it. */
function goToView(view, bulk = null) {
  Object.assign(state, { view, bulk });
  history.pushState(null, "", location.pathname + writeState(state));
  return apply();
}

/** Show a room; it is hidden until it is loaded, so that nothing is clicked in vain. */
async function enter(view) {
  let { room } = rooms[view];
  try {
    room ??= await rooms[view].get();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return void report(byId("search-message"), NOT_LOADED, "error", apply);
  }
  if (state.view !== view) return undefined;
  byId(view).hidden = false;
  room.show(state.bulk);
  return undefined;
}

/** Bring everything to where the state is. A room that has to be loaded gives a promise. */
function apply() {
  report(byId("search-message"), "");
  for (const view of ["look", "list", "builds"]) {
    byId(view).hidden = state.view !== view || rooms[view]?.room === null;
    byId(`to-${view}`).toggleAttribute("aria-current", state.view === view);
  }
  document.title = { builds: "Builds · Tessera", list: "List of targets · Tessera" }[state.view] ?? `${targetName() ? `${targetName()} · ` : ""}Tessera`;
  for (const { room } of Object.values(rooms)) room?.hide();
  if (state.view in rooms) return enter(state.view);
  byId("product").value = state.product;
  const hasTarget = state.ra !== null || state.moving;
  byId("start").hidden = byId("begin").hidden = hasTarget;
  byId("target").hidden = !hasTarget;
  byId("found").hidden = true;
  document.body.classList.toggle("has-target", hasTarget);
  byId("query").value = state.name || (state.ra === null ? "" : formatPosition(state));
  map.setTarget(state.ra === null ? null : { ra: state.ra, dec: state.dec });
  if (hasTarget) return loadTarget(targets.get());
  if (state.name) search(state.name);
  return undefined;
}

function targetName() {
  return state.name || (state.ra === null ? "" : formatPosition(state));
}

/** Ask what sees the target while its room is loaded. Gives a promise of the room, not of the answer. */
function loadTarget(room) {
  const turn = (asked += 1);
  byId("target-name").textContent = targetName();
  byId("target-place").textContent = state.moving ? "This target moves. Its files follow it." : `${state.name ? `${formatPosition(state)} · ` : ""}${formatSexagesimal(state)}`;
  if (!state.moving) byId("target-place").append(element("span", { class: "other-frames", text: ` · ${formatFrames(state)}` }));
  report(byId("target-message"), "");
  byId("cubes-scroll").hidden = byId("cubes-count").hidden = true;
  targets.room?.clear();
  showTarget(turn, room);
  return room.catch(() => undefined); // showTarget tells it
}

async function showTarget(turn, room) {
  const asking = state.moving ? movingCubes() : getJson("/v1/targets", { ra: state.ra, dec: state.dec, product: state.product });
  let found;
  try {
    found = await Promise.all([asking, room]);
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof TypeError)) throw error;
    if (turn === asked) report(byId("target-message"), error instanceof ApiError ? error.message : NOT_LOADED, "error", apply);
    return;
  }
  const [{ cubes }, loaded] = found;
  if (turn === asked) loaded.show(cubes);
}

async function movingCubes() {
  const { results = [] } = await getJson("/tesscut/api/v0.1/moving_target/sector", { obj_id: state.name, product: state.product });
  const cubes = results.map((row) => {
    const [sector, camera, ccd] = [row.sector, row.camera, row.ccd].map(Number);
    return { cube: row.sectorName, sector, camera, ccd, moving: true };
  });
  return { cubes };
}

// -- the map ---------------------------------------------------------------------------------------------------------

async function loadMap() {
  let sectors = [];
  try {
    ({ sectors } = await getJson("/v1/map", { product: state.product === "SPOC" ? null : state.product }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return void report(byId("search-message"), `The map cannot be shown: ${error.message}`, "error", () => {
      report(byId("search-message"), "");
      loadMap();
    });
  }
  map.setSectors(sectors);
  const option = (sector) => element("option", { value: sector.sector, text: `${sector.sector} (${sector.start})` });
  byId("sector").replaceChildren(element("option", { value: "", text: "all" }), ...sectors.map(option));
  return start.show(sectors, state.product);
}

/** Asks how the service is, and tells why if it is paused. */
async function showPause() {
  try {
    const health = await getJson("/v1/health");
    report(byId("pause-message"), health.paused ? health.paused.reason : "");
    start.setHealth(health);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    byId("query").focus();
  });
  byId("query").addEventListener("input", () => targets.get().catch(() => undefined), { once: true }); // a failure is told by the search
  byId("map-in").addEventListener("click", () => map.zoomBy(1.6));
  byId("map-out").addEventListener("click", () => map.zoomBy(1 / 1.6));
  byId("map-all").addEventListener("click", () => map.showAll());
  byId("sector").addEventListener("change", () => map.highlight(chosenSector()));
  byId("product").addEventListener("change", (event) => {
    change({ product: event.target.value, cubes: [], apertures: {}, frame: null });
    loadMap();
    apply();
  });
  for (const [id, view] of [["to-look", "look"], ["to-list", "list"], ["list-another", "list"], ["open-list", "list"], ["start-list", "list"], ["to-builds", "builds"]]) {
    byId(id).addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      goToView(view);
    });
  }
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // its fragment would take the place of the list's
    byId("content").focus();
  });
  window.addEventListener("popstate", () => {
    const read = readAddress(location.search, location.hash);
    Object.assign(state, read.state);
    tellWrong(read.wrong);
    apply();
  });
}

startTheme(() => {
  map.draw();
  targets.room?.redraw();
  start.redraw();
});
listen();
tellWrong(wrong);
const known = showPause();
await Promise.all([apply(), loadMap(), start.loadExamples()]);
document.documentElement.dataset.ready = "yes";
map.loadBehind();
await known; // while the service is paused it makes no pictures
start.begin();
