/** The view for lists of targets: give a list, see its price, begin, watch, download. */

import { ApiError } from "../base/api.js";
import { announce, byId, element, report } from "../base/dom.js";
import { ListForm } from "./form.js";
import { planNodes } from "./price.js";
import { forget, remembered } from "./store.js";
import { keep, Watch } from "./watch.js";
import { dollars } from "./words.js";

export class ListView {
  /** Parameters: `onBegin(id)`, called with the id of a list that has begun. */
  constructor({ onBegin }) {
    Object.assign(this, { onBegin, asked: 0 });
    this.form = new ListForm({ onChange: () => this.#forgetPlan(), onFile: () => this.#price(), onUpload: () => report(byId("list-message"), "Uploading the list …", "note") });
    this.watch = new Watch();
    byId("list-price").addEventListener("click", () => this.#price());
    byId("list-begin").addEventListener("click", () => this.#begin());
  }

  show(id) {
    byId("list-order").hidden = Boolean(id);
    byId("list-job").hidden = !id;
    if (id) this.watch.show(id);
    else this.#showKnown();
  }

  /** Take files that were dropped elsewhere on the page. */
  give(files) {
    this.form.give(files);
    byId("list-title").setAttribute("tabindex", "-1");
    byId("list-title").focus();
  }

  hide() {
    this.watch.hide();
  }

  /** What is asked for has changed: the price is another. */
  #forgetPlan() {
    this.asked += 1;
    byId("list-plan").hidden = true;
    report(byId("list-message"), "");
    byId("list-price").disabled = false;
  }

  async #price() {
    this.#forgetPlan();
    const turn = this.asked;
    const answer = await this.#ask("/v1/bulk/plan", byId("list-message"), byId("list-price"), "Counting the cutouts …");
    if (!answer || turn !== this.asked) return;
    this.#offer(planNodes(answer), answer.allowed && answer.cutouts > 0);
    announce(`The price is ${dollars(answer.usd)} for ${answer.cutouts.toLocaleString("en")} cutouts`);
  }

  /** Show what is known of the price, and whether the list can begin. */
  #offer(nodes, possible) {
    byId("list-plan-body").replaceChildren(...nodes);
    report(byId("list-begin-message"), "");
    byId("list-begin").disabled = !possible;
    byId("list-plan").hidden = false;
  }

  async #begin() {
    const source = this.form.list();
    const answer = await this.#ask("/v1/bulk", byId("list-begin-message"), byId("list-begin"), "Starting …");
    if (!answer) return;
    keep(answer, source.name, new Date());
    this.onBegin(answer.id);
    byId("list-job-title").setAttribute("tabindex", "-1");
    byId("list-job-title").focus();
  }

  /** Send list and options; the answer, or null after a message beside what is wrong. */
  async #ask(path, place, button, words) {
    const turn = this.asked;
    const options = this.form.options();
    const source = this.form.list();
    if (!source) {
      report(byId("list-source-error"), "Give a file, or paste a table.");
      byId("list-file").focus();
    }
    if (!source || !options) return null;
    report(place, words, "note");
    button.disabled = true;
    try {
      const answer = await source.post(path, options);
      if (turn === this.asked) report(place, "");
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn === this.asked) this.#fail(error, place);
      return null;
    } finally {
      if (turn === this.asked) button.disabled = false;
    }
  }

  #fail(error, place) {
    if (error.status === 413 && error.parameter === "upload" && place.id === "list-message") {
      report(place, "");
      return this.#offer([element("p", { class: "message note", text: `The list has more rows than are priced at once. It can begin: then it is counted first, and ends if it exceeds a limit.` })], true);
    }
    const wait = error.status === 429 ? " Wait a moment, then try again." : "";
    report(place, this.form.blame(error) ? "" : `${error.message}${wait}`);
    return undefined;
  }

  /** Lists that this browser began. */
  #showKnown() {
    const known = remembered();
    byId("list-known").hidden = !known.length;
    byId("list-known-list").replaceChildren(...known.map(({ id, name, begun }) => element("li", {}, element("a", { href: `?view=list#bulk=${id}`, text: name || id }), ` ${begun ?? ""} `,
      element("button", { type: "button", class: "small", text: "Remove", "aria-label": `Remove ${name || id} from here`, on: { click: () => {
        forget(id);
        this.#showKnown();
      } } }))));
  }
}
