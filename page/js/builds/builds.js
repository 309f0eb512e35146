/** Builds of cubes: what runs, how far it is, what failed. Only operators may see them, and act. */

import { ApiError, getJson, send } from "../base/api.js";
import { announce, byId, element, report } from "../base/dom.js";

/** Pause between two looks: while a build runs, and while none does. */
const BUSY_MILLISECONDS = 3000;
const IDLE_MILLISECONDS = 30_000;
const DETAILED = 12;
const WORDS = { RUNNING: "running", SUCCEEDED: "succeeded", FAILED: "failed", TIMED_OUT: "timed out", ABORTED: "stopped", PENDING_REDRIVE: "waiting" };
const CUBE = /^(tica-)?(s\d{4,5}-[1-4]-[1-4])/;

function when(text) {
  return text ? text.replace("T", " ").replace(/(\+00:00|Z)$/, "").slice(0, 19) : "";
}

/** To the minute. */
function minuteOf(text) {
  return when(text).slice(0, 16);
}

function priceOf({ usd }) {
  if (usd === null || usd === undefined) return "";
  return usd < 0.01 ? "< $0.01" : `$${usd.toFixed(2)}`;
}

function took({ started, stopped }) {
  const seconds = Math.max(0, Math.round(((stopped ? Date.parse(stopped) : Date.now()) - Date.parse(started)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** The message of the error out of the JSON that Lambda makes of an exception. */
function causeOf({ error, cause }) {
  try {
    return `${error ?? ""}: ${JSON.parse(cause).errorMessage}`;
  } catch {
    return [error, cause].filter(Boolean).join(": ");
  }
}

/** Name of the cube that a build makes: from its request, or from its own name, which begins with the CCD. */
function cubeOf({ name, request }) {
  if (request?.sector) return `${request.product === "TICA" ? "tica" : "tess"}-s${String(request.sector).padStart(4, "0")}-${request.camera}-${request.ccd}`;
  const [, tica, ccd] = CUBE.exec(name) ?? [];
  return ccd ? `${tica ?? "tess-"}${ccd}` : null;
}

/** How many frames a CCD lacks that another CCD of its sector has, among those that are shown; they have the same. */
export function missingFrames(name, cubes) {
  const own = cubes.get(name)?.frames?.frames;
  if (own === undefined) return null;
  const sector = name.replace(/-\d-\d$/, "");
  const [fullest, most] = [...cubes].map(([other, cube]) => [other, cube?.frames?.frames ?? 0])
    .filter(([other]) => other.replace(/-\d-\d$/, "") === sector).reduce((a, b) => (b[1] > a[1] ? b : a));
  return most > own ? { count: most - own, than: fullest } : null;
}

/** Sentences on the frames of a CCD: how many, which are missing, when they were listed, and when they will be. */
function framesInWords(name, cubes) {
  const cube = cubes.get(name);
  if (!cube?.frames) return [];
  const { frames, listed_at: listed, next_listing: following, removed, replaced } = cube.frames;
  const missing = missingFrames(name, cubes);
  const leftOut = cube.provenance?.left_out ?? [];
  const plural = (count) => `${count} frame${count === 1 ? "" : "s"}`;
  const problems = [
    missing && `${plural(missing.count)} fewer than ${missing.than}`,
    leftOut.length && `${plural(leftOut.length)} left out: ${leftOut.slice(0, 3).map((each) => `${each.name} (${each.reason})`).join(", ")}${leftOut.length > 3 ? " …" : ""}`,
    (removed || replaced) && `the last change removed ${removed} and replaced ${replaced}`,
  ].filter(Boolean);
  return [element("span", { text: `${plural(frames)}, listed ${minuteOf(listed)}${following ? `; next by ${minuteOf(following)}` : ""}` }),
    problems.length ? element("p", { class: "cause", text: `${problems.join("; ")}.` }) : null];
}

/** Whether builds are not for whoever asks. Without a signature, the gateway answers as for a path that does not exist. */
function isClosed({ status, message }) {
  return [401, 403].includes(status) || (status === 404 && message.startsWith("no such path"));
}

/** Whether whoever looks may see builds; asked only when the view is opened. */
export class Builds {
  constructor() {
    this.body = byId("builds-list");
    this.message = byId("builds-message");
    this.timer = 0;
    this.isBusy = false;
    this.begun = null;
    this.ended = new Map();
    byId("build-form").addEventListener("submit", (event) => this.#start(event));
    document.addEventListener("visibilitychange", () => !document.hidden && this.open && this.refresh());
  }

  show() {
    this.open = true;
    this.refresh();
  }

  hide() {
    this.open = false;
    clearTimeout(this.timer);
  }

  async refresh() {
    clearTimeout(this.timer);
    try {
      const { builds } = await getJson("/v1/builds", { limit: 30 });
      const cubes = await this.#cubes(builds);
      if (!this.open) return;
      byId("builds-for-operators").hidden = false;
      this.#show(builds.map((build) => this.#row(build, cubes)));
      byId("builds-none").hidden = builds.length > 0;
      byId("builds-table").hidden = builds.length === 0;
      this.isBusy = builds.some((build) => build.status === "RUNNING");
      this.#tellFreshness();
      const hasEnded = builds.some(({ name, status }) => name === this.begun && status !== "RUNNING");
      if (this.shown || hasEnded) report(this.message, "");
      this.shown = false;
    } catch (error) {
      this.#fail(error);
      if (isClosed(error)) return;
    }
    if (this.open && !document.hidden) this.timer = setTimeout(() => this.refresh(), this.isBusy ? BUSY_MILLISECONDS : IDLE_MILLISECONDS);
  }

  /** Put rows in the place of the old ones; what has the focus keeps it. */
  #show(rows) {
    const focused = this.body.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    this.body.replaceChildren(...rows);
    if (focused) this.body.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }

  #tellFreshness() {
    const pause = (this.isBusy ? BUSY_MILLISECONDS : IDLE_MILLISECONDS) / 1000;
    byId("builds-fresh").textContent = `As of ${new Date().toISOString().slice(11, 19)} UTC; refreshed every ${pause} s while you look.`;
  }

  /** The newest builds in detail, and what ingest has seen of the frames of each CCD. */
  async #cubes(builds) {
    const recent = await Promise.all(builds.slice(0, DETAILED).map((build) => this.#detail(build)));
    const names = [...new Set(recent.map(cubeOf).filter(Boolean))];
    const cubes = names.map((name) => getJson(`/v1/cubes/${name}`).then((cube) => [name, cube]).catch(() => [name, null]));
    return { details: new Map(recent.map((build) => [build.name, build])), cubes: new Map(await Promise.all(cubes)) };
  }

  /** A build with its request and its failure; one that has ended stays as it is. */
  async #detail(build) {
    if (!this.ended.has(build.name)) {
      const found = await getJson(`/v1/builds/${encodeURIComponent(build.name)}`).catch(() => build);
      if (found.status === "RUNNING") return found;
      this.ended.set(build.name, found);
    }
    return this.ended.get(build.name);
  }

  #row(listed, known) {
    const build = known.details.get(listed.name) ?? listed;
    const cube = cubeOf(build);
    const state = element("td", {}, element("span", { class: `state ${build.status.toLowerCase()}`, text: WORDS[build.status] ?? build.status }));
    const problem = build.error || build.cause ? element("p", { class: "cause", text: causeOf(build) }) : null;
    const cell = (name, ...children) => element("td", { "data-name": name }, children);
    return element("tr", { "data-build": build.name }, element("th", { scope: "row" }, cube ?? build.name, element("span", { class: "build-name", text: build.name })), state,
      cell("Started (UTC)", when(build.started)), element("td", { class: "number", "data-name": "Took", text: took(build) }), cell("Progress", this.#progress(build), problem),
      cell("Frames (UTC)", ...framesInWords(cube, known.cubes)), element("td", { class: "number", "data-name": "Cost", text: priceOf(build) }), element("td", {}, this.#actions(build)));
  }

  /** Where the log is, and a button that stops what runs. */
  #actions({ name, status, console: log }) {
    return element("span", { class: "buttons" },
      log ? element("a", { href: log, target: "_blank", rel: "noopener", text: "Log", "aria-label": `Log of ${name} at AWS` }) : null,
      status === "RUNNING" ? element("button", { type: "button", class: "small danger", text: "Stop", "aria-label": `Stop ${name}`, on: { click: () => this.#stop(name) } }) : null);
  }

  #progress({ name, progress, status }) {
    if (!progress) return null;
    const text = `${progress.done} of ${progress.blocks} blocks`;
    if (status !== "RUNNING") return element("span", { text });
    return element("span", { class: "blocks" }, element("progress", { max: progress.blocks, value: progress.done, "aria-label": `Blocks of ${name}` }), text);
  }

  async #start(event) {
    event.preventDefault();
    const [sector, camera, ccd] = ["build-sector", "build-camera", "build-ccd"].map((id) => Number(byId(id).value));
    const body = { sector, camera, ccd, product: byId("build-product").value };
    const begin = async () => { this.begun = (await send("POST", "/v1/builds", body)).name; };
    await this.#act(begin, `Build of sector ${sector}, camera ${camera}, CCD ${ccd} has started.`);
  }

  async #stop(name) {
    await this.#act(() => send("DELETE", `/v1/builds/${encodeURIComponent(name)}`), `${name} was stopped.`);
  }

  /** Do something and say so. That a build has started is said until it ends. */
  async #act(run, words) {
    this.begun = null;
    try {
      await run();
      report(this.message, words, "good");
      announce(words);
      await this.refresh();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error) {
    if (!(error instanceof ApiError)) throw error;
    const closed = isClosed(error);
    byId("builds-for-operators").hidden = closed;
    this.shown = true;
    report(this.message, closed ? "Builds are for operators, who send signed requests from a terminal." : error.message, closed ? "note" : "error");
  }
}
