/** The room of a target: its CCDs, what is shown of them, their files, and what other programs get. Loaded at the first target. */

import { announce, byId, report } from "../base/dom.js";
import { Order } from "../files/order.js";
import { messagesOf, whyNot } from "../samp/items.js";
import { SampPanel } from "../samp/panel.js";
import { writeState } from "../state.js";
import { Look } from "./look.js";
import { SectorTable } from "./sectors.js";

const SHOWN_AT_FIRST = 1;
const OFF_SILICON = "The position is beyond the edge of the silicon on all CCDs here, so no file has its light. Tick a CCD to see its pixels anyway.";
const SENT = [
  ["observations", "the table of observations here"], ["pixels", "the target pixel files"], ["curves", "the light curves"],
  ["position", "the position"], ["coverage", "the coverage of the sectors"],
];

export class TargetRoom {
  /**
   * Parameters: `state`, which is read; `change(changes)` puts changes into it and the address; `onFound(names)` hears which
   * cubes see the target, `onHover(sector)` the row under the pointer; `onAdd(rows, product)` adds rows to the list of targets.
   */
  constructor(state, change, { onFound, onHover, onAdd }) {
    Object.assign(this, { state, change, onFound, cubes: [] });
    this.look = new Look(state, change);
    this.order = new Order(state, change, () => this.look.load(), this.look);
    this.order.onAdd = onAdd;
    this.table = new SectorTable({ onChoose: (names) => this.#choose(names), onHover });
    this.#samp();
  }

  #samp() {
    const { order, state } = this;
    const messages = (kind) => (state.ra === null ? [] : messagesOf(kind, order.order(), order.cubes, state, location.origin));
    const samp = new SampPanel(byId("samp"), SENT, messages, (kind) => whyNot(kind, order.order(), order.cubes, Boolean(order.problems.size)));
    order.onDescribe = () => samp.offer();
  }

  /** Take away what is shown of the target before. */
  clear() {
    this.look.clear();
  }

  /** In other colours. */
  redraw() {
    this.look.redraw();
  }

  /** Show the CCDs that see the target. */
  show(found) {
    this.look.setControls();
    this.order.setControls();
    this.cubes = found.toSorted((a, b) => a.sector - b.sector || a.camera - b.camera || a.ccd - b.ccd);
    const { state, cubes } = this;
    this.onFound(cubes.map((cube) => cube.cube));
    byId("cubes-scroll").hidden = byId("cubes-count").hidden = !cubes.length;
    const absent = state.cubes.filter((name) => !cubes.some((cube) => cube.cube === name));
    if (absent.length && cubes.length) report(byId("target-message"), `The link asks for ${absent.slice(0, 5).join(", ")}${absent.length > 5 ? " and others" : ""}, which ${absent.length > 1 ? "do" : "does"} not see this position.`);
    if (!cubes.length) return void report(byId("target-message"), `No ${state.product} cube of this service has pixels at this position. The map shows the observed areas.`, "note");
    const wanted = state.cubes.filter((name) => !absent.includes(name));
    const seeing = cubes.filter((cube) => cube.on_silicon !== false);
    if (!seeing.length) report(byId("target-message"), OFF_SILICON);
    const chosen = wanted.length ? wanted : seeing.slice(0, SHOWN_AT_FIRST).map((cube) => cube.cube);
    this.table.show(cubes, chosen);
    byId("found").hidden = false;
    announce(`${cubes.length} CCD${cubes.length === 1 ? " sees" : "s see"} the target`);
    this.#choose(chosen, false);
    return undefined;
  }

  #choose(names, save = true) {
    const { state } = this;
    if (save || state.cubes.length) this.change({ cubes: names });
    const chosen = this.cubes.filter((cube) => names.includes(cube.cube));
    byId("preview").hidden = byId("elsewhere").hidden = state.moving;
    byId("aladin-lite").href = `sky.html${writeState({ ...state, cubes: names })}`;
    if (!state.moving) this.look.show(chosen);
    this.order.setCubes(chosen);
  }
}
