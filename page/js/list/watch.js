/** A running list of targets: how far it is, what failed, and the files that it has made so far. */

import { address, ApiError, ask, getJson } from "../base/api.js";
import { announce, byId, element, report } from "../base/dom.js";
import { saveBlob } from "../base/save.js";
import { csvMessage } from "../samp/items.js";
import { SampPanel } from "../samp/panel.js";
import { formatBytes } from "../files/snippets.js";
import { problemTable } from "./price.js";
import { remember, tokenOf } from "./store.js";
import { count, duration } from "./words.js";

const POLL_MILLISECONDS = [700, 1000, 1500, 2000, 3000, 5000];
/** Links work for 15 minutes. */
const RENEW_MILLISECONDS = 600_000;
const PAGE = 50;
const LINKS_PAGE = 1000;
const RUNNING = new Set(["queued", "running"]);
const STATES = { queued: "Waiting to start", running: "Running", succeeded: "Ready", partial: "Ready, but some cutouts failed", failed: "Failed", cancelled: "Cancelled" };
const PHASES = { planning: "Planning the reads", cutting: "Cutting", finishing: "Writing the tables" };

/** The line of a configuration of curl that gets one file. */
function curlLines({ name, url }) {
  const quote = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  return `url = ${quote(url)}\noutput = ${quote(name)}\n`;
}

export class Watch {
  constructor() {
    Object.assign(this, { id: null, timer: 0, turn: 0, after: [], told: "", shown: "" });
    this.place = byId("list-job-body");
    this.message = byId("list-job-message");
    this.table = null;
    const messages = () => (this.table ? [csvMessage(this.table, `Status of list ${this.id}`)] : []);
    this.samp = new SampPanel(byId("list-samp"), [["status", "status.csv"]], messages);
    document.addEventListener("visibilitychange", () => !document.hidden && this.id && this.#poll(this.id));
  }

  show(id) {
    Object.assign(this, { id, turn: 0, after: [], told: "", shown: "" });
    this.#setTable(null);
    this.place.replaceChildren();
    report(this.message, "");
    this.#poll(id);
  }

  hide() {
    clearTimeout(this.timer);
    this.id = null;
  }

  async #poll(id) {
    clearTimeout(this.timer);
    let job = null;
    try {
      job = await getJson(`/v1/bulk/${id}`, { after: this.after.at(-1), limit: PAGE });
      if (id !== this.id) return;
      this.#draw(job);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (id !== this.id) return;
      report(this.message, error.message);
      if ([400, 404].includes(error.status)) return;
    }
    if (document.hidden) return;
    const ended = job && !RUNNING.has(job.status);
    this.timer = setTimeout(() => this.#poll(id), ended ? RENEW_MILLISECONDS : POLL_MILLISECONDS[Math.min(this.turn, POLL_MILLISECONDS.length - 1)]);
    this.turn += 1;
  }

  /** The address of status.csv, which other programs can open; null while there is none. */
  #setTable(url) {
    const was = this.table;
    this.table = url && new URL(url, location.href).href;
    byId("list-samp").hidden = !url;
    if (!was !== !url) this.samp.offer();
  }

  #draw(job) {
    this.#setTable(job.status_url ?? null);
    if (this.message.textContent) report(this.message, "");
    const words = this.#words(job);
    if (words !== this.told) announce(words);
    this.told = words;
    const had = document.activeElement?.id === "list-cancel";
    this.place.querySelector(".job")?.remove();
    this.place.prepend(this.#state(job, words));
    if (had) document.getElementById("list-cancel")?.focus();
    const shown = JSON.stringify([this.after, job.status, Boolean(job.next), job.progress.failed, Boolean(job.plan), job.files.map(({ name }) => name)]);
    if (shown === this.shown && RUNNING.has(job.status)) return;
    this.shown = shown;
    this.#drawRest(job);
  }

  /** What changes seldom is left alone meanwhile, so that people can tab and scroll in it. */
  #drawRest(job) {
    const focused = document.activeElement?.id;
    const rest = [this.#counts(job), problemTable(job.plan?.problems ?? [], job.plan?.n_problems ?? 0), this.#files(job)].filter(Boolean);
    this.place.replaceChildren(this.place.firstChild, ...rest);
    if (focused) document.getElementById(focused)?.focus();
  }

  #words(job) {
    if (job.status === "queued") return job.turn ? `${STATES.queued}, number ${job.turn} in the queue` : STATES.queued;
    return job.status === "running" ? PHASES[job.phase] ?? STATES.running : STATES[job.status] ?? job.status;
  }

  #state(job, words) {
    const running = RUNNING.has(job.status);
    const { rows, rows_done: ended = 0 } = job.progress;
    const left = running && job.eta_seconds ? `, ${duration(job.eta_seconds)} left` : "";
    const far = rows ? `: ${ended.toLocaleString("en")} of ${count(rows, "row")}${left}` : "";
    const bar = rows || running ? element("progress", { ...(rows ? { max: rows, value: ended } : {}), "aria-label": "Finished rows" }) : null;
    const cancel = running && tokenOf(job.id) ? element("button", { type: "button", class: "small", id: "list-cancel", text: "Cancel", on: { click: () => this.#cancel(job.id) } }) : null;
    const reason = job.reason ? element("p", { class: "message error", text: job.reason }) : null;
    return element("div", { class: "job", "data-status": job.status }, element("p", { class: "job-state" }, element("strong", { text: words }), far), bar, cancel, reason);
  }

  #counts({ progress, plan, status, expires, files, status_url: table }) {
    const none = plan && !progress.cutouts && !RUNNING.has(status) ? "No target is on a cube of this service. " : "";
    const failed = progress.failed ? `${count(progress.failed, "cutout")} failed${table ? "; status.csv says why" : ""}. ` : "";
    const kept = expires && !RUNNING.has(status) && (table || files.length) ? `The results are kept until ${expires.replace("T", " ").slice(0, 16)} UTC.` : "";
    return none || failed || kept ? element("p", { class: "quiet", text: none + failed + kept }) : null;
  }

  #files(job) {
    const { files } = job;
    if (!files.length && !this.after.length) return RUNNING.has(job.status) ? element("p", { class: "quiet", text: "Files appear here as they are made." }) : null;
    const rows = files.map(({ name, url, bytes, sha256 }) => element("tr", {}, element("th", { scope: "row" }, element("a", { href: url, text: name, download: name.split("/").at(-1) })), element("td", { class: "number", text: formatBytes(bytes) }), element("td", {}, element("code", { text: sha256 ?? "" }))));
    const head = ["File", "Size", "SHA-256"].map((text) => element("th", { scope: "col", class: text === "Size" ? "number" : null, text }));
    return element("section", { "aria-labelledby": "list-files-title" }, element("h3", { id: "list-files-title", text: RUNNING.has(job.status) ? "Partial results: the files so far" : "Files" }),
      element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Files of the list", id: "list-files-scroll" }, element("table", { class: "files" }, element("thead", {}, element("tr", {}, head)), element("tbody", { id: "list-files" }, rows))),
      element("p", { class: "actions" }, job.status_url ? element("a", { href: job.status_url, text: "status.csv", download: "status.csv", title: "What became of each row" }) : null,
        job.manifest_url ? element("a", { href: job.manifest_url, text: "manifest.json", download: "manifest.json", title: "The request, and all files with their checksums" }) : null, this.#turn("Previous", this.after.length > 0, () => this.after.pop()), this.#turn("Next", Boolean(job.next), () => this.after.push(files.at(-1).name)),
        element("button", { type: "button", class: "small", id: "list-links", text: "All links, for curl", title: "A file for curl --create-dirs --parallel --config FILE; the links work for 15 minutes", on: { click: () => this.#links(job.id) } })));
  }

  #turn(text, possible, turn) {
    const go = () => {
      turn();
      this.#poll(this.id);
    };
    return element("button", { type: "button", class: "small", id: `list-${text.toLowerCase()}`, text, disabled: !possible, on: { click: go } });
  }

  /** The links of all files so far, as a file for curl: each file goes to its place in the folder of the results. */
  async #links(id) {
    const lines = [];
    try {
      for (let after = null, more = true; more;) {
        const page = await getJson(`/v1/bulk/${id}`, { after, limit: LINKS_PAGE });
        lines.push(...page.files.map(curlLines));
        [after, more] = [page.files.at(-1)?.name, Boolean(page.next)];
        if (!more && page.manifest_url) lines.push(curlLines({ name: "manifest.json", url: page.manifest_url }));
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return void report(this.message, error.message);
    }
    return void saveBlob(new Blob(lines), `tessera-${id}.curl`);
  }

  async #cancel(id) {
    try {
      await ask(address(`/v1/bulk/${id}`, { cancel_token: tokenOf(id) }), { method: "DELETE" });
      this.#poll(id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      report(this.message, error.message);
    }
  }
}

/** Keep what the answer to a list says, so that the list can be found and cancelled after a reload. */
export function keep({ id, cancel_token: token }, name, now) {
  remember({ id, token, name, begun: now.toISOString().slice(0, 16).replace("T", " ") });
}
