/** Drags in a light curve: they move it, or draw around points. */

import { element } from "../../base/dom.js";

const [NEAR, FLAT] = [14, 8];

/** Follow a pointer until it is lifted; the plot itself hears nothing of it. */
function follow(event, move, end = () => {}) {
  event.preventDefault();
  event.stopPropagation();
  const block = (each) => each.stopPropagation();
  const stop = (each) => {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", stop);
    window.removeEventListener("pointercancel", stop);
    window.removeEventListener("mousedown", block, { capture: true });
    end(each.type === "pointerup");
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", stop);
  window.addEventListener("pointercancel", stop);
  window.addEventListener("mousedown", block, { capture: true });
}

/** Move the light curve with the pointer. */
export function startPan(event, curve) {
  const { min, max } = curve.plot.scales.x;
  const [start, perPixel] = [event.clientX, (max - min) / curve.plot.over.clientWidth];
  follow(event, (each) => curve.setRange(min - (each.clientX - start) * perPixel, max - (each.clientX - start) * perPixel), () => curve.tellZoom());
}

/** Whether a place is in a polygon, by the number of its edges to the right. */
export function isInside(polygon, x, y) {
  let inside = false;
  for (let k = 0, before = polygon.length - 1; k < polygon.length; before = k, k += 1) {
    const [[x1, y1], [x2, y2]] = [polygon[k], polygon[before]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}

/** What a drawn line chooses: a function of a place, or null where the line is a click. */
export function choiceOf(line) {
  const span = (values) => [Math.min(...values), Math.max(...values)];
  const [[left, right], [top, bottom]] = [span(line.map(([x]) => x)), span(line.map(([, y]) => y))];
  if (right - left < FLAT && bottom - top < FLAT) return null;
  if (bottom - top < FLAT) return (x) => x >= left && x <= right;
  return (x, y) => x >= left && x <= right && y >= top && y <= bottom && isInside(line, x, y);
}

/** Draw around points; a flat line takes all between its ends, and a click the nearest point. */
export function startLasso(event, curve) {
  const box = curve.plot.over.getBoundingClientRect();
  const at = (each) => [each.clientX - box.left, each.clientY - box.top];
  const line = [at(event)];
  const path = element("path");
  const picture = element("svg", { class: "lasso", width: box.width, height: box.height, "aria-hidden": "true" }, path);
  curve.plot.over.append(picture);
  const move = (each) => {
    line.push(at(each));
    path.setAttribute("d", `M${line.map((place) => place.map((value) => value.toFixed(1)).join(" ")).join("L")}`);
  };
  follow(event, move, (isDone) => {
    picture.remove();
    if (isDone) curve.choose(choiceOf(line) ?? nearest(curve, line[0]));
  });
}

/** The one point that is nearest to a place, if it is near. */
function nearest(curve, [x, y]) {
  let [best, least] = [null, NEAR];
  curve.eachInView((left, top) => {
    const away = Math.hypot(left - x, top - y);
    if (away < least) [best, least] = [[left, top], away];
  });
  return (left, top) => best !== null && left === best[0] && top === best[1];
}
