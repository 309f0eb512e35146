/** What is loaded when it is first needed. */

import { element } from "./dom.js";

/** Load a script that is no module. */
export function loadScript(src) {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new TypeError(`the page's own file ${src} cannot be loaded`)); // as of a module
    document.head.append(element("script", { src, on: { load: resolve, error: failed } }));
  });
}

/** A room of the page. */
export class Later {
  /** Parameters: `load()`, which gives a promise of the room. */
  constructor(load) {
    Object.assign(this, { load, asked: null, room: null });
  }

  /** The room; a failure is forgotten, so that the next call asks again. */
  async get() {
    this.asked ??= this.load().catch((error) => {
      this.asked = null;
      throw error;
    });
    this.room = await this.asked;
    return this.room;
  }
}
