/** The place of the stars below the pictures of a CCD. What shows them is loaded when it is first needed. */

import { element } from "../base/dom.js";

export class StarSlot {
  /** Parameters: the name of the `cube`, the `title` of its CCD, and the `frames` that the stars are drawn on. */
  constructor({ cube, title, frames }) {
    Object.assign(this, { cube, frames, shown: null });
    this.node = element("div", { class: "stars", role: "group", "aria-label": `Stars around the target, ${title}` });
    frames.more.append(this.node);
  }

  /** Show the stars of a preview as the state says, unless the pictures are small. */
  async show(preview, state) {
    this.shown = { preview, state };
    this.node.hidden = !state.neighbours;
    if (!this.stars && !this.node.getClientRects().length) return;
    this.loading ??= import("./neighbours.js").then(({ Neighbours }) => { this.stars = new Neighbours(this.node, this.frames); });
    await this.loading;
    if (!this.isClosed) await this.stars.show(this.cube, this.shown.preview, this.shown.state);
  }

  /** Show them where there was no room for them before. */
  again() {
    if (this.shown) this.show(this.shown.preview, this.shown.state);
  }

  close() {
    this.isClosed = true;
    this.stars?.close();
  }
}
