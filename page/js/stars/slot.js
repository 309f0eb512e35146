/** The place of the stars below the pictures of a CCD. What shows them is loaded when it is first needed. */

import { element, report } from "../base/dom.js";
import { Later } from "../base/later.js";

export class StarSlot {
  /** Parameters: the name of the `cube`, the `title` of its CCD, and the `frames` that the stars are drawn on. */
  constructor({ cube, title, frames }) {
    Object.assign(this, { cube, shown: null });
    this.node = element("div", { class: "stars", role: "group", "aria-label": `Stars around the target, ${title}` });
    this.stars = new Later(async () => new (await import("./neighbours.js")).Neighbours(this.node, frames));
    frames.more.append(this.node);
  }

  /** Show the stars of a preview as the state says, unless the pictures are small. */
  async show(preview, state) {
    this.shown = { preview, state };
    this.node.hidden = !state.neighbours;
    if (!this.stars.room && !this.node.getClientRects().length) return undefined;
    try {
      await this.stars.get();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return void report(this.node, "The neighbouring stars cannot be loaded. Is the service within reach?", "error", () => this.again());
    }
    return this.isClosed ? undefined : this.stars.room.show(this.cube, this.shown.preview, this.shown.state);
  }

  /** Show them where there was no room for them before. */
  again() {
    if (this.shown) this.show(this.shown.preview, this.shown.state);
  }

  close() {
    this.isClosed = true;
    this.stars.room?.close();
  }
}
