/** What a mouse, a pen and fingers do on a picture: strokes, moving it, enlarging it. */

import { isZoom } from "../base/wheel.js";

/** Pixels of the screen that a finger hits. */
export const FINGER = 24;
const WHEEL_ZOOM = 0.0015;

/**
 * Listen on a canvas. `on` has: `ready()`, whether there is a picture; `hover(point)`, null when the pointer leaves; `finger(point, isTap)`, whether a finger may
 * begin a stroke there; `begin(point)`, `move(point)`, `end()` and `cancel()` of a stroke; `zoom(by, point)`; `pan(x, y)`. Points are in pixels of the style sheet from
 * the upper left corner. A finger that goes up or down scrolls the page, so its stroke begins when it goes sideways or is lifted.
 */
export function listenTo(canvas, on) {
  const fingers = new Map();
  let [stroke, panned, waiting] = [false, null, null];
  const pointOf = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const stop = () => {
    if (stroke) on.cancel();
    [stroke, panned, waiting] = [false, null, null];
  };
  const begin = (point) => {
    stroke = true;
    waiting = null;
    on.begin(point);
  };
  canvas.addEventListener("pointerdown", (event) => {
    const point = pointOf(event);
    if (!on.ready() || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") {
      fingers.set(event.pointerId, point);
      if (fingers.size > 1) stop();
      else waiting = point;
    } else if (event.shiftKey) panned = point;
    else begin(point);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!on.ready()) return;
    const point = pointOf(event);
    if (fingers.size > 1) return void pinch(fingers, event.pointerId, point, on);
    if (waiting && Math.abs(point.x - waiting.x) > 6 && on.finger(waiting, false)) begin(waiting);
    if (panned) {
      on.pan(point.x - panned.x, point.y - panned.y);
      panned = point;
    } else if (stroke) on.move(point);
    on.hover(point);
    return undefined;
  });
  canvas.addEventListener("pointerup", (event) => {
    const tapped = waiting;
    fingers.delete(event.pointerId);
    if (tapped) on.hover(tapped);
    if (tapped && on.finger(tapped, true)) begin(tapped);
    if (stroke) on.end();
    [stroke, panned, waiting] = [false, null, null];
  });
  canvas.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    stop();
  });
  // one finger may scroll the page (touch-action in the style); two are for the picture
  canvas.addEventListener("touchmove", (event) => event.touches.length > 1 && event.cancelable && event.preventDefault(), { passive: false });
  canvas.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && on.hover(null));
  canvas.addEventListener("wheel", (event) => {
    if (!on.ready() || !isZoom(event)) return;
    event.preventDefault();
    on.zoom(Math.exp(-event.deltaY * WHEEL_ZOOM), pointOf(event));
  }, { passive: false });
}

/** Two fingers: what is between them moves and grows with them. */
function pinch(fingers, id, point, on) {
  const before = [...fingers.values()].slice(0, 2);
  fingers.set(id, point);
  const after = [...fingers.values()].slice(0, 2);
  const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const length = ([a, b]) => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
  on.pan(middle(after).x - middle(before).x, middle(after).y - middle(before).y);
  on.zoom(length(after) / length(before), middle(after));
}
