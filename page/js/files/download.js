/** Getting the files: at once where the service has them at once, else by a job whose progress is shown. */

import { address, ApiError, ask, getJson, send } from "../base/api.js";
import { announce, element } from "../base/dom.js";
import { fetchFile, saveBlob } from "../base/save.js";
import { cutoutQuery, formatBytes, isAtOnce, jobBody } from "./snippets.js";

const POLL_MILLISECONDS = [400, 700, 1000, 1500, 2000];
const RUNNING = new Set(["queued", "running"]);
const WORDS = { queued: "Waiting to start", running: "Running", succeeded: "Ready", partial: "Ready, but some cubes failed", failed: "Failed", cancelled: "Cancelled" };

function nameOf(response) {
  return /filename="?([\w.+-]+)"?/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "cutouts.zip";
}

/** Where a download shows what it is doing. */
export class Downloads {
  constructor(place) {
    this.place = place;
  }

  /** Begin; a second click on the same thing shows the same job. */
  async start(order) {
    this.stop?.();
    this.#say("Requesting the files …");
    try {
      if (!isAtOnce(order)) await this.#job(order);
      else await this.#atOnce(order);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #atOnce(order) {
    const url = address("/v1/cutouts", cutoutQuery(order));
    const response = await ask(url, { redirect: "manual" });
    if (response.type === "opaqueredirect") {
      fetchFile(url);
      this.#say("The download has started.", "good");
    } else if (response.status === 202) await this.#follow(await response.json());
    else {
      const file = await response.blob();
      saveBlob(file, nameOf(response));
      this.#say(`Downloaded ${nameOf(response)}, ${formatBytes(file.size)}.`, "good");
    }
  }

  async #job(order) {
    await this.#follow(await send("POST", "/v1/jobs", jobBody(order)));
  }

  async startJob(order) {
    this.stop?.();
    this.#say("Starting a job …");
    try {
      await this.#job(order);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Show a job until it ends. Only the answer to the order has the token that cancels the job. */
  async #follow({ id, cancel_token: token }) {
    this.token = token;
    let stopped = false;
    this.stop = () => { stopped = true; };
    for (let turn = 0; !stopped; turn += 1) {
      const job = await getJson(`/v1/jobs/${encodeURIComponent(id)}`);
      if (stopped) return;
      this.#show(job);
      if (!RUNNING.has(job.status)) return void this.#ended(job);
      await new Promise((resolve) => { setTimeout(resolve, POLL_MILLISECONDS[Math.min(turn, POLL_MILLISECONDS.length - 1)]); });
    }
  }

  #ended(job) {
    announce(WORDS[job.status]);
    if (job.result) fetchFile(job.result.url);
  }

  #show(job) {
    const { cubes, done, failed } = job.progress;
    const running = RUNNING.has(job.status);
    const bar = element("progress", { max: Math.max(1, cubes), value: done + failed, "aria-label": "Finished cubes" });
    const cancel = element("button", { type: "button", class: "small", text: "Cancel", on: { click: () => this.#cancel(job.id) } });
    const archive = job.result && element("a", { href: job.result.url, text: `Archive${job.result.bytes ? `, ${formatBytes(job.result.bytes)}` : ""}` });
    const state = element("p", { class: "job-state" }, element("strong", { text: job.turn ? `${WORDS.queued}, number ${job.turn} in the queue` : WORDS[job.status] }), `: ${done} of ${cubes} cube${cubes === 1 ? "" : "s"}${failed ? `, ${failed} failed` : ""}. `, archive ?? "");
    const files = job.cubes.length ? element("ul", { class: "files" }, job.cubes.map((cube) => this.#file(cube))) : null;
    const reason = job.reason ? element("p", { class: "message error", text: job.reason }) : null;
    this.place.replaceChildren(element("div", { class: "job", "data-status": job.status }, state, bar, running ? cancel : null, reason, files));
  }

  #file(cube) {
    if (cube.status === "failed") return element("li", { class: "bad", text: `${cube.cube}: ${cube.reason ?? "failed"}` });
    return element("li", {}, cube.url ? element("a", { href: cube.url, text: cube.cube }) : cube.cube, `, ${formatBytes(cube.bytes)}`);
  }

  async #cancel(id) {
    try {
      this.stop?.();
      this.#show(await send("DELETE", address(`/v1/jobs/${encodeURIComponent(id)}`, { cancel_token: this.token })));
    } catch (error) {
      this.#fail(error);
    }
  }

  #say(text, kind = "note") {
    this.place.replaceChildren(element("p", { class: `message ${kind}`, role: "status", text }));
  }

  #fail(error) {
    if (!(error instanceof ApiError)) throw error;
    const wait = error.status === 429 ? " Wait a moment, then try again." : "";
    this.place.replaceChildren(element("p", { class: "message error", role: "alert", text: `${error.message}${wait}` }));
  }
}
