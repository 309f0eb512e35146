/** The SAMP hub on the visitor's computer, by its web profile: which programs are there, and messages to them. */

import { Later, loadScript } from "../base/later.js";

const FILE = "vendor/sampjs/samp.js";
const NAME = "Tessera";

/** The library; its last line is for CommonJS, so it finds a `module`. */
const library = new Later(async () => {
  globalThis.module = {};
  try {
    await loadScript(FILE);
    return globalThis.module.exports.samp;
  } finally {
    delete globalThis.module;
  }
});

/** What the library calls by itself, and whether it asks about a program. */
const CALLS = { declareSubscriptions: false, getRegisteredClients: false, getMetadata: true, getSubscriptions: true };

/**
 * The library leaves the hub when it asks about a program that has just left; only a hub that does not answer is a reason to. It
 * goes on when an answer comes after the page has left, and then fails, because it has no key any more.
 */
function askPatiently(connection) {
  for (const [method, aboutProgram] of Object.entries(CALLS)) {
    const ask = connection[method].bind(connection);
    const failed = (error) => (error?.faultString === undefined || !aboutProgram) && connection.close();
    connection[method] = (params, onAnswer) => connection.regInfo && ask(params, onAnswer, failed);
  }
}

export class Hub {
  constructor() {
    Object.assign(this, { status: "off", reason: "", listeners: [], turn: 0, sent: 0 });
    window.addEventListener("pagehide", () => this.disconnect());
  }

  /** Call `run` whenever the status or the programs change. The status is off, asking or on. */
  onChange(run) {
    this.listeners.push(run);
  }

  #become(status, reason = "") {
    Object.assign(this, { status, reason });
    for (const run of this.listeners) run();
  }

  /** Ask the hub to let this page in. A hub asks its user in a window of its own; nothing says how long that takes. */
  async connect() {
    const turn = (this.turn += 1);
    this.#become("asking");
    try {
      this.samp ??= await library.get();
    } catch (error) {
      return this.#become("off", `SAMP does not work: ${error.message}.`);
    }
    if (turn !== this.turn) return undefined;
    this.samp.register(NAME, (connection) => (turn === this.turn ? this.#begin(connection) : connection.close()), (error) => turn === this.turn && this.#refused(error));
    return undefined;
  }

  #begin(connection) {
    const { ClientTracker, Connector } = this.samp;
    const tracker = new ClientTracker();
    const about = { "samp.name": NAME, "samp.description.text": "Cutouts of TESS full-frame images", "samp.icon.url": new URL("icon.svg", location.href).href };
    const connector = new Connector(NAME, about, tracker, tracker.calculateSubscriptions());
    askPatiently(connection);
    Object.assign(this, { connector, tracker, connection });
    const own = connection.regInfo["samp.self-id"];
    let missed = true;
    tracker.onchange = (id, kind) => {
      if (this.connection !== connection) return;
      this.#become("on");
      // The tracker misses programs that come after its first look and before the hub tells it of programs that come.
      if (missed && id === own && kind === "subs") {
        missed = false;
        tracker.init(connection);
      }
    };
    connector.onunreg = () => this.connection === connection && this.#ended("The hub has ended the connection.");
    connector.setConnection(connection);
    this.#become("on");
  }

  /** A hub that says no answers with a fault; where there is no hub, or the browser forbids the way to it, nothing does. */
  #refused(error) {
    if (error?.faultString === undefined) return this.#become("off", "No SAMP hub answers on this computer. Start TOPCAT or Aladin, then connect again. If one is running, your browser may forbid pages to reach programs of this computer.");
    return this.#become("off", `The hub has refused this page: ${error.faultString}`);
  }

  #ended(reason = "") {
    Object.assign(this, { connector: null, tracker: null, connection: null });
    this.#become("off", reason);
  }

  /** Leave the hub, or stop waiting for it. */
  disconnect() {
    this.turn += 1;
    const { connector } = this;
    if (this.status !== "off") this.#ended();
    connector?.unregister();
  }

  /** Programs that are connected to the hub, but not the hub and this page, with what they subscribe to. */
  programs() {
    if (!this.connection?.regInfo) return [];
    const { ids, subs } = this.tracker;
    const { "samp.self-id": own, "samp.hub-id": hub } = this.connection.regInfo;
    const others = Object.keys(ids).filter((id) => id !== own && id !== hub && subs[id]);
    return others.map((id) => ({ id, name: this.tracker.getName(id), subscriptions: subs[id] }));
  }

  /** Send a message to a program. `onAnswer(answer)` is called if and when the program has dealt with it. */
  send(id, { type, params }, onAnswer) {
    const tag = `tessera-${(this.sent += 1)}`;
    const { replyHandler } = this.tracker;
    const answered = (answer) => {
      delete replyHandler[tag];
      onAnswer(answer);
    };
    replyHandler[tag] = (_, __, answer) => answered(answer);
    const failed = (error) => answered({ "samp.status": "samp.error", "samp.error": { "samp.errortxt": error?.faultString ?? "the hub does not answer" } });
    this.connection.call([id, tag, new this.samp.Message(type, params)], null, failed);
  }
}

/** One connection for the whole page. */
export const hub = new Hub();
