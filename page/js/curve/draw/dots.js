/** Points of a light curve: squares for what is good, crosses for what is flagged; larger where there are few. */

/* global uPlot */

import { within } from "../table.js";

/** More points than this are put into a picture pixel by pixel, which takes a tenth of the time. */
const MANY = 2500;
const SIZES = [[3000, 1], [600, 1.5], [150, 2.2], [0, 3]];
const ERROR_BARS_UP_TO = 400;
const colours = new Map();
const paper = { image: null, canvas: null };

/** A colour of the style sheet as the number that a picture has. */
export function pixelOf(colour) {
  if (colours.has(colour)) return colours.get(colour);
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [pixel] = new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer);
  colours.set(colour, pixel);
  return pixel;
}

/** From values to pixels of the plot's area. */
function scalesOf({ bbox, scales: { x, y } }) {
  const [perX, perY] = [bbox.width / (x.max - x.min), bbox.height / (y.max - y.min)];
  return { toX: (value) => (value - x.min) * perX, toY: (value) => (y.max - value) * perY, width: Math.round(bbox.width), height: Math.round(bbox.height) };
}

function clip(plot) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.translate(bbox.left, bbox.top);
  return ctx;
}

/** `style` has the colours of the curves, that of flags, and whether flagged points are shown. */
function drawFew(plot, table, [first, last], half, style) {
  const [context, { toX, toY }] = [clip(plot), scalesOf(plot)];
  const crosses = new Path2D();
  const arm = half + uPlot.pxRatio;
  for (let k = first; k < last; k += 1) {
    const [x, y] = [toX(table.x[k]), toY(table.y[k])];
    if (!table.flagged[k]) {
      context.fillStyle = style.colours[table.curve[k]];
      context.fillRect(x - half, y - half, 2 * half, 2 * half);
    } else if (style.flagged) {
      for (const side of [-1, 1]) {
        crosses.moveTo(x - arm, y - side * arm);
        crosses.lineTo(x + arm, y + side * arm);
      }
    }
  }
  Object.assign(context, { strokeStyle: style.flag, lineWidth: 1.4 * uPlot.pxRatio });
  context.stroke(crosses);
  context.restore();
}

/** Places of the pixels of a square and of a cross, beside the middle. */
function stampsOf(side) {
  const [square, cross, arm] = [[], [], side];
  const before = Math.floor(side / 2);
  for (let dy = 0; dy < side; dy += 1) for (let dx = 0; dx < side; dx += 1) square.push([dx - before, dy - before]);
  for (let d = -arm; d <= arm; d += 1) cross.push([d, d], [d, -d]);
  return [square, cross];
}

function paperOf(width, height) {
  if (paper.image?.width !== width || paper.image.height !== height) {
    paper.image = new ImageData(width, height);
    paper.canvas = Object.assign(document.createElement("canvas"), { width, height });
  }
  return paper;
}

function drawMany(plot, table, [first, last], half, style) {
  const { toX, toY, width, height } = scalesOf(plot);
  if (width < 1 || height < 1) return;
  const { image, canvas } = paperOf(width, height);
  const pixels = new Uint32Array(image.data.buffer).fill(0);
  const side = Math.max(1, Math.round(2 * half));
  const [square, cross] = stampsOf(side);
  const inks = style.colours.map(pixelOf);
  const flag = pixelOf(style.flag);
  for (const flagged of style.flagged ? [0, 1] : [0]) {
    const stamp = flagged ? cross : square;
    for (let k = first; k < last; k += 1) {
      if (table.flagged[k] !== flagged) continue;
      const [x, y] = [Math.round(toX(table.x[k])), Math.round(toY(table.y[k]))];
      if (x < side || y < side || x >= width - side || y >= height - side) continue;
      const ink = flagged ? flag : inks[table.curve[k]];
      for (const [dx, dy] of stamp) pixels[(y + dy) * width + x + dx] = ink;
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  plot.ctx.drawImage(canvas, Math.round(plot.bbox.left), Math.round(plot.bbox.top));
}

/** Draw the points in view. */
export function drawDots(plot, table, style) {
  const { min, max } = plot.scales.x;
  const [first, last] = within(table.x, min, max);
  const half = SIZES.find(([most]) => last - first > most || !most)[1] * uPlot.pxRatio;
  (last - first > MANY ? drawMany : drawFew)(plot, table, [first, last], half, style);
}

/** Draw the errors of the points in view, if there are few. */
export function drawErrors(plot, table, style) {
  const { min, max } = plot.scales.x;
  const [first, last] = within(table.x, min, max);
  if (last - first > ERROR_BARS_UP_TO || last <= first) return;
  const [context, { toX, toY }] = [clip(plot), scalesOf(plot)];
  Object.assign(context, { globalAlpha: 0.45, lineWidth: uPlot.pxRatio });
  for (let k = first; k < last; k += 1) {
    if (!(table.error[k] > 0) || (table.flagged[k] && !style.flagged)) continue;
    context.beginPath();
    context.moveTo(toX(table.x[k]), toY(table.y[k] - table.error[k]));
    context.lineTo(toX(table.x[k]), toY(table.y[k] + table.error[k]));
    context.strokeStyle = table.flagged[k] ? style.flag : style.colours[table.curve[k]];
    context.stroke();
  }
  context.restore();
}

/** Lines where days without frames were left out. */
export function drawBreaks(plot, breaks, colour) {
  const [context, { toX, height }] = [clip(plot), scalesOf(plot)];
  context.setLineDash([2 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
  Object.assign(context, { strokeStyle: colour, lineWidth: uPlot.pxRatio });
  for (const place of breaks) {
    context.beginPath();
    context.moveTo(toX(place), 0);
    context.lineTo(toX(place), height);
    context.stroke();
  }
  context.restore();
}
