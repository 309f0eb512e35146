/** The search box: a combobox that suggests while somebody types. */

import { getJson } from "../base/api.js";
import { byId, element } from "../base/dom.js";
import { suggest } from "./suggest.js";

const FILES = ["data/names.json", "data/sky/star-names.json"];

export class SearchBox {
  /** Parameters: `onSearch(text)`; `known()`, names that the service has on its CCDs, each with `name` and `about`. */
  constructor({ onSearch, known }) {
    Object.assign(this, { onSearch, known, more: [], shown: [], active: -1, open: false, input: byId("query"), list: byId("suggestions") });
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#close();
      this.onSearch(this.input.value.trim());
    });
    this.input.addEventListener("focus", () => this.#load(), { once: true });
    this.input.addEventListener("input", () => this.#offer());
    this.input.addEventListener("blur", () => this.#close());
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  }

  /** Names that everybody knows, in groups. Without them, the others are suggested. */
  async #load() {
    const files = await Promise.allSettled(FILES.map((file) => getJson(file)));
    const groups = files.flatMap(({ value }) => Object.entries(value ?? {}));
    this.more = groups.flatMap(([about, names]) => names.map((name) => ({ name, about })));
    if (this.open && this.active < 0) this.#offer();
  }

  #offer() {
    this.open = true;
    this.#show(suggest(this.input.value, [...this.known(), ...this.more]));
  }

  #show(found) {
    Object.assign(this, { shown: found, active: -1 });
    this.list.replaceChildren(...found.map(({ text, about }, i) => element("li", { role: "option", id: `suggestion-${i}`, "aria-selected": "false", on: { click: () => this.#take(i) } },
      element("span", { text }), about && element("span", { class: "quiet", text: about }))));
    this.list.hidden = !found.length;
    this.input.setAttribute("aria-expanded", String(found.length > 0));
    this.input.removeAttribute("aria-activedescendant");
  }

  #close() {
    this.open = false;
    this.#show([]);
  }

  #take(i) {
    const { text, query = text } = this.shown[i];
    this.input.value = text;
    this.#close();
    this.onSearch(query);
  }

  #point(i) {
    const [before, now] = [this.list.children[this.active], this.list.children[i]];
    before?.setAttribute("aria-selected", "false");
    now?.setAttribute("aria-selected", "true");
    now?.scrollIntoView({ block: "nearest" });
    this.active = now ? i : -1;
    if (now) this.input.setAttribute("aria-activedescendant", now.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  /** Arrow keys go through the suggestions and the box itself, which is before the first and after the last. */
  #key(event) {
    const count = this.shown.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!count) this.#offer();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.#point(((this.active + 1 + step + this.shown.length + 1) % (this.shown.length + 1)) - 1);
    } else if (event.key === "Escape" && count) this.#close();
    else if (event.key === "Enter" && this.active >= 0) this.#take(this.active);
    else return;
    event.preventDefault();
  }
}
