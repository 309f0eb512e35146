/** The place below the frames of a CCD where its film can be played; the film is asked for when somebody wants it. */

import { ApiError } from "../base/api.js";
import { element, report } from "../base/dom.js";
import { formatBytes } from "../files/snippets.js";
import { bytesOf, loadCadences } from "./cadences.js";

export class PlayerSlot {
  /** Parameters: the `title` of the CCD; `onFrame(time)` when another frame is shown, and `onStill(time)` when the film stops at one: null when there is no film. */
  constructor({ title, onFrame, onStill }) {
    Object.assign(this, { title, onFrame, onStill, player: null, isLinked: false });
    this.message = element("div", { class: "player-message" });
    this.open = element("button", { type: "button", class: "small", "aria-label": `Play the frames of ${title}`, on: { click: () => this.#open() } });
    this.size = element("span", { class: "quiet" });
    this.offered = element("p", { class: "buttons" }, this.open, this.size);
    this.node = element("div", { class: "player-slot" }, this.offered, this.message);
  }

  /** Offer the frames of a preview, which was asked for with this query. Frames of another window are dropped. */
  offer(preview, { cube, ra, dec, size }) {
    const window = { cube, ra, dec, size };
    const { rows, columns } = preview.window;
    const count = preview.lightcurve.cadences;
    if (this.player && JSON.stringify(window) !== JSON.stringify(this.window)) this.#end();
    Object.assign(this, { preview, window, count, rows, columns });
    this.open.textContent = "Play the frames";
    this.size.textContent = `${count.toLocaleString("en")} frames, ${formatBytes(bytesOf(count, rows, columns))}`;
  }

  /** Get the frames and play them, or show the one of a time. */
  async #open(time = null) {
    const [aborter, { window, count, rows, columns }] = [new AbortController(), this];
    this.aborter?.abort();
    this.aborter = aborter;
    this.open.disabled = true;
    report(this.message, "");
    const onPart = (part) => { this.size.textContent = `Getting the frames: ${Math.round(100 * part)} %`; };
    try {
      onPart(0);
      const film = loadCadences({ query: window, count, rows, columns, signal: aborter.signal, onPart });
      const [cadences, { Player }] = await Promise.all([film, import("./player.js")]);
      this.#play(Player, cadences, time);
    } catch (error) {
      if (error.name === "AbortError") return;
      report(this.message, error.message);
      if (!(error instanceof ApiError)) throw error;
    } finally {
      if (this.aborter === aborter) {
        this.open.disabled = false;
        this.offer(this.preview, this.window);
      }
    }
  }

  #play(Player, cadences, time) {
    const { preview } = this;
    const { target, wcs, window } = preview;
    const inWindow = ({ row, column }) => ({ row: row - window.first_row, column: column - window.first_column });
    const place = { first: { row: window.first_row, column: window.first_column }, target: inWindow(target), wcs: { ...wcs, ...inWindow(wcs) } };
    this.player = new Player({ title: this.title, cadences, place, units: preview.units.replace("e-", "e⁻"), timeSystem: preview.lightcurve.time_system,
      onFrame: this.onFrame, onStill: this.onStill, onClose: () => { this.#end(); this.open.focus(); } });
    this.offered.hidden = true;
    this.node.append(this.player.node);
    const begun = this.player.paint(this.state, this.mask);
    if (time !== null) {
      this.#tellFar(cadences.time, time);
      return void begun.then(() => this.player?.seek(time));
    }
    begun.then(() => this.player?.toggle());
    return this.player.playing.focus();
  }

  /** Say that a time is not one of the film. */
  #tellFar(times, wanted) {
    const [first, last] = [times[0], times.at(-1)];
    const step = (last - first) / Math.max(1, times.length - 1);
    if (wanted >= first - step && wanted <= last + step) return;
    report(this.message, `The link asks for the frame at ${wanted}; the frames are from ${first.toFixed(5)} to ${last.toFixed(5)}. The nearest one is shown.`);
  }

  #end() {
    report(this.message, "");
    this.close();
    this.onStill(null);
  }

  /** Show the frames in the way that the state says, with an aperture. */
  paint(state, mask) {
    Object.assign(this, { state, mask });
    this.player?.paint(state, mask);
    if (this.isLinked || state.frame?.cube !== this.window.cube) return;
    this.isLinked = true;
    if (!this.player) this.#open(state.frame.time);
  }

  /** Show another aperture. */
  setMask(mask) {
    if (this.state) this.paint(this.state, mask);
  }

  /** Show the frame of a time. */
  seek(time) {
    this.player?.seek(time);
  }

  close() {
    this.aborter?.abort();
    this.aborter = null;
    this.open.disabled = false;
    this.player?.close();
    this.player = null;
    this.offered.hidden = false;
    this.onFrame(null);
  }
}
