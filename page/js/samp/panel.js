/** Connect to the hub, choose what is sent to whom, and read what became of it. */

import { announce, element, report } from "../base/dom.js";
import { hub } from "./hub.js";
import { kindFor, wordsOf } from "./items.js";

const MOST_TOLD = 20;

export class SampPanel {
  /**
   * Parameters: `place` is filled; `kinds` are pairs of a name and its words, what can be sent; `messages(kind)` are
   * the messages of one of them; `whyNot(kind)` says why it cannot be sent, empty if it can.
   */
  constructor(place, kinds, messages, whyNot = () => "") {
    Object.assign(this, { place, messages, whyNot });
    const id = place.id;
    const button = (text, properties, click) => element("button", { type: "button", text, ...properties, on: { click } });
    this.connect = button("Find programs by SAMP", { id: `${id}-connect` }, () => this.#connect());
    this.stop = button("Stop waiting", { id: `${id}-stop` }, () => this.#leave());
    this.leave = button("Disconnect", { id: `${id}-leave`, class: "small" }, () => this.#leave());
    this.send = button("Send", { id: `${id}-send`, class: "primary" }, () => this.#send());
    this.what = element("select", { id: `${id}-what`, on: { change: () => this.offer() } }, kinds.map(([value, text]) => element("option", { value, text })));
    this.to = element("select", { id: `${id}-to` });
    this.words = element("p", { class: "quiet" });
    this.form = element("span", { class: "buttons" }, element("label", { class: "inline", for: this.what.id }, "Send ", this.what),
      element("label", { class: "inline", for: this.to.id }, "to ", this.to), this.send, this.leave);
    this.message = element("div", { class: "messages" });
    this.results = element("ul", { class: "sent", "aria-label": "What has been sent" });
    place.replaceChildren(element("div", { class: "actions" }, this.connect, this.stop, this.form, this.words), this.message, this.results);
    hub.onChange(() => this.#draw());
    this.#draw();
  }

  #connect() {
    hub.connect();
    this.stop.focus();
  }

  #leave() {
    hub.disconnect();
    this.connect.focus();
  }

  #draw() {
    const { status, reason } = hub;
    const had = document.activeElement;
    this.connect.hidden = status !== "off";
    this.stop.hidden = status !== "asking";
    this.form.hidden = status !== "on";
    const told = status === "asking" ? "Waiting for the hub. It asks you in a window of its own whether this page may connect." : reason;
    if (told !== this.shown) report(this.message, told, status === "asking" ? "note" : "error");
    this.shown = told;
    this.offer();
    if (had === this.stop && status === "on") this.what.focus();
    else if (had === this.stop && status === "off") this.connect.focus();
  }

  /** Programs that take what is chosen. */
  #programs() {
    if (this.whyNot(this.what.value)) return [];
    const messages = this.messages(this.what.value);
    return hub.programs().filter((program) => messages.some((message) => kindFor(message, program)));
  }

  /** Name the programs that take what is chosen, or say why it cannot be sent. */
  offer() {
    if (hub.status !== "on") return void (this.words.textContent = "TOPCAT, Aladin and DS9 on this computer open tables and files from this page.");
    const programs = this.#programs();
    const chosen = this.to.value;
    const options = programs.map(({ id, name }) => element("option", { value: id, text: name }));
    if (programs.length > 1) options.unshift(element("option", { value: "", text: "all of them" }));
    this.to.replaceChildren(...options);
    if (programs.some(({ id }) => id === chosen)) this.to.value = chosen;
    this.to.disabled = this.send.disabled = !programs.length;
    const others = hub.programs().map(({ name }) => name);
    const problem = this.whyNot(this.what.value);
    if (programs.length || problem) this.words.textContent = problem;
    else if (others.length) this.words.textContent = `None of the connected programs takes this: ${others.join(", ")}.`;
    else this.words.textContent = "No program is connected to the hub yet.";
    return undefined;
  }

  #send() {
    const messages = this.messages(this.what.value);
    for (const program of this.#programs()) {
      if (this.to.value && this.to.value !== program.id) continue;
      for (const message of messages) {
        const kind = kindFor(message, program);
        if (kind) this.#sendOne(program, message.name, kind);
      }
    }
  }

  #sendOne({ id, name }, what, kind) {
    const row = element("li", { text: `${what} to ${name}: sent, no answer yet` });
    this.results.prepend(row);
    while (this.results.children.length > MOST_TOLD) this.results.lastChild.remove();
    hub.send(id, kind, (answer) => {
      const { text, good } = wordsOf(answer);
      row.textContent = `${what} to ${name}: ${text}`;
      row.className = good ? "" : "bad";
      announce(row.textContent);
    });
  }
}
