/** What is drawn on pictures of pixels and beside them. */

import { outline } from "./aperture.js";
import { prepareCanvas, token } from "../base/dom.js";
import { axisTicks, barTicks, scaleLength } from "./ticks.js";
import { colourOf } from "./stretch.js";
import { directions, pixelArcseconds } from "./wcs.js";

const HALO = "rgb(0 0 0 / 0.6)";
/** Pictures with shorter sides have neither compass nor scale, because these would cover too much. */
const SMALLEST = 110;
const BAR = 8;
/** Pixels of the screen between ticks: in a row, and one above the other. */
const [ROOM_ACROSS, ROOM_UP] = [34, 20];
const TEXT = 11;

function font() {
  return `${TEXT}px ${token("text-font")}`;
}

/** Draw lines twice: a wide dark one below, a bright one above, so that they are seen on every colour. */
function strokeTwice(context, trace, [halo, colour], [wide, narrow]) {
  for (const [strokeStyle, lineWidth] of [[halo, wide], [colour, narrow]]) {
    context.beginPath();
    trace();
    Object.assign(context, { strokeStyle, lineWidth });
    context.stroke();
  }
}

function writeTwice(context, text, x, y) {
  Object.assign(context, { strokeStyle: "rgb(0 0 0 / 0.75)", lineWidth: 3, lineJoin: "round", fillStyle: "#fff" });
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

/** The edge of the aperture; `outlined` is the token of its colour. */
export function drawAperture(context, layout, mask, outlined) {
  context.lineCap = "square";
  const edges = outline(mask).map(([x1, y1, x2, y2]) => [layout.place(y1 - 0.5, x1 - 0.5), layout.place(y2 - 0.5, x2 - 0.5)]);
  strokeTwice(context, () => edges.forEach(([from, to]) => {
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
  }), [token(`${outlined}-halo`), token(outlined)], [4, 2]);
}

/** A cross where the target is. */
export function drawTarget(context, layout, { row, column }) {
  const { x, y } = layout.place(row, column);
  const arm = Math.max(4, Math.min(9, layout.side / 2));
  strokeTwice(context, () => {
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
  }, [HALO, "#fff"], [3.5, 1.5]);
}

/** A frame around the pixel under the pointer. */
export function drawCursor(context, layout, [row, column]) {
  const { x, y } = layout.place(row, column);
  const { side } = layout;
  strokeTwice(context, () => context.rect(x - side / 2 + 1, y - side / 2 + 1, side - 2, side - 2), ["#000", "#fff"], [3, 1]);
}

/** A circle around a place, in pixels of the window. */
export function drawCircle(context, layout, { row, column, radius }) {
  const { x, y } = layout.place(row, column);
  context.setLineDash([5, 4]);
  strokeTwice(context, () => context.arc(x, y, radius * layout.side, 0, 2 * Math.PI), [HALO, "#fff"], [3.5, 1.5]);
  context.setLineDash([]);
}

/** Strokes across pixels without a value, because any colour may be one of the scale's. */
export function drawMissing(context, layout, missing) {
  const half = layout.side / 2;
  Object.assign(context, { fillStyle: token("panel"), strokeStyle: token("line-strong"), lineWidth: 1 });
  context.beginPath();
  for (const [row, column] of missing) {
    const { x, y } = layout.place(row, column);
    context.fillRect(x - half, y - half, layout.side, layout.side);
    context.moveTo(x - half, y + half);
    context.lineTo(x + half, y - half);
  }
  context.stroke();
}

/** Arrows to the north and to the east in the upper right corner, and a length on the sky in the lower left one. `wcs` is that of the window. */
export function drawSky(context, layout, wcs) {
  if (Math.min(layout.width, layout.height) < SMALLEST) return;
  Object.assign(context, { font: font(), lineCap: "round", textAlign: "center", textBaseline: "middle" });
  drawCompass(context, layout, wcs);
  drawScale(context, layout, wcs);
}

function drawCompass(context, layout, wcs) {
  const { north, east } = directions(wcs, (layout.rows - 1) / 2, (layout.columns - 1) / 2);
  const arm = 20;
  // The corner of the arrows is where the box around them ends 8 pixels from the sides of the picture.
  const reach = (axis, sign) => Math.max(0, ...[north, east].map((direction) => sign * direction[axis])) * (arm + 9) + 8;
  const [x0, y0] = [layout.width - reach(0, 1), reach(1, 1)];
  strokeTwice(context, () => [north, east].forEach((direction) => traceArrow(context, x0, y0, direction, arm)), [HALO, "#fff"], [4, 1.6]);
  for (const [letter, [x, y]] of [["N", north], ["E", east]]) writeTwice(context, letter, x0 + x * (arm + 9), y0 - y * (arm + 9));
}

function traceArrow(context, x0, y0, [x, y], arm) {
  const tip = [x0 + x * arm, y0 - y * arm];
  context.moveTo(x0, y0);
  context.lineTo(...tip);
  for (const side of [-1, 1]) {
    context.moveTo(...tip);
    context.lineTo(tip[0] - 5 * x + 3 * side * y, tip[1] + 5 * y + 3 * side * x);
  }
}

function drawScale(context, layout, wcs) {
  const perScreen = pixelArcseconds(wcs) / layout.side;
  const length = scaleLength(perScreen * layout.width * 0.4);
  if (!length) return;
  const [left, right, y] = [9, 9 + length.arcseconds / perScreen, layout.height - 9];
  strokeTwice(context, () => {
    context.moveTo(left, y);
    context.lineTo(right, y);
    for (const x of [left, right]) {
      context.moveTo(x, y - 3);
      context.lineTo(x, y + 3);
    }
  }, [HALO, "#fff"], [4, 1.6]);
  writeTwice(context, length.text, (left + right) / 2, y - 10);
}

/** Text that fits into a width, at its right side. */
function writeInto(context, text, width, y) {
  const wide = context.measureText(text).width;
  if (wide > width) context.font = context.font.replace(/[\d.]+px/, `${(TEXT * width) / wide}px`);
  context.fillText(text, width, y);
}

/** The rows at the left of a picture; `first` is the first one of the window. */
export function drawRows(canvas, layout, first) {
  const width = canvas.clientWidth;
  if (!width) return;
  const context = prepareCanvas(canvas, width, layout.height);
  const [low, high] = layout.shown.rows;
  Object.assign(context, { font: font(), fillStyle: token("quiet"), strokeStyle: token("line-strong"), lineWidth: 1, textAlign: "right", textBaseline: "middle" });
  for (const row of axisTicks(first + low, first + high, layout.side, ROOM_UP)) {
    const { y } = layout.place(row - first, 0);
    context.fillRect(width - 4, Math.round(y), 4, 1);
    if (y > TEXT / 2 && y < layout.height - TEXT / 2) writeInto(context, written(row), width - 6, y);
  }
}

/** The columns below a picture. */
export function drawColumns(canvas, layout, first) {
  if (!canvas.clientHeight) return;
  const context = prepareCanvas(canvas, layout.width, canvas.clientHeight);
  const [low, high] = layout.shown.columns;
  Object.assign(context, { font: font(), fillStyle: token("quiet"), textAlign: "center", textBaseline: "top" });
  for (const column of axisTicks(first + low, first + high, layout.side, ROOM_ACROSS)) {
    const { x } = layout.place(0, column - first);
    context.fillRect(Math.round(x), 0, 1, 4);
    const half = context.measureText(written(column)).width / 2;
    if (x >= half && x <= layout.width - half) context.fillText(written(column), x, 6);
  }
}

function written(value) {
  return String(value).replace("-", "−");
}

/** The colours of a picture with the values that they stand for. */
export function drawBar(canvas, width, { scale, limits, stretch }) {
  const context = prepareCanvas(canvas, width, canvas.clientHeight);
  for (let x = 0; x < width; x += 1) {
    context.fillStyle = `rgb(${colourOf(scale, x / (width - 1)).join(" ")})`;
    context.fillRect(x, 0, 1, BAR);
  }
  Object.assign(context, { font: font(), fillStyle: token("quiet"), textBaseline: "top" });
  for (const { place, text } of barTicks(limits, stretch, Math.max(1, Math.round(width / 52)))) {
    const x = Math.min(width - 1, Math.round(place * width));
    const half = context.measureText(text).width / 2;
    context.fillRect(x, BAR, 1, 4);
    context.textAlign = x < half ? "left" : x > width - half ? "right" : "center";
    context.fillText(text, context.textAlign === "center" ? x : context.textAlign === "left" ? 0 : width, BAR + 6);
  }
}
