/** A light curve as SVG: the same axes and points as on the screen, as shapes. */

/* global uPlot */

import { token } from "../../base/dom.js";
import { pixelOf } from "../draw/dots.js";
import { within } from "../table.js";

const XMLNS = "http://www.w3.org/2000/svg";
const SIDE = 3;
/** A colour of the page as all programs understand it. */
const hex = (colour) => `#${[0, 8, 16].map((shift) => ((pixelOf(colour) >> shift) & 255).toString(16).padStart(2, "0")).join("")}`;
const two = (value) => Number(value.toFixed(2));

function make(name, attributes = {}, text = "") {
  const node = document.createElementNS(XMLNS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
}

/** The area of the plot and the places of values in it, in CSS pixels. */
function areaOf({ bbox }) {
  const ratio = uPlot.pxRatio;
  return { left: bbox.left / ratio, top: bbox.top / ratio, width: bbox.width / ratio, height: bbox.height / ratio };
}

function axisNodes(plot, axis, area) {
  const isAcross = axis.side % 2 === 0;
  const texts = (axis._splits ?? []).map((split, k) => {
    const at = two(plot.valToPos(split, axis.scale) + (isAcross ? area.left : area.top));
    const place = isAcross ? { x: at, y: axis.side ? area.top + area.height + 18 : area.top - 8, "text-anchor": "middle" } : { x: area.left - 8, y: at + 4, "text-anchor": "end" };
    const line = isAcross ? { x1: at, x2: at, y1: area.top, y2: area.top + area.height } : { x1: area.left, x2: area.left + area.width, y1: at, y2: at };
    const grid = axis.side === 0 ? [] : [make("line", { ...line, stroke: hex(token("plot-grid")) })];
    return [...grid, make("text", place, String(axis._values?.[k] ?? ""))];
  });
  const middle = isAcross ? { x: area.left + area.width / 2, y: axis.side ? area.top + area.height + 36 : area.top - 24 } : { x: 14, y: area.top + area.height / 2 };
  const label = make("text", { ...middle, "text-anchor": "middle", ...(isAcross ? {} : { transform: `rotate(-90 ${middle.x} ${middle.y})` }) }, axis.label);
  return [...texts.flat(), label];
}

/** One path for the good points of each curve, and one for all crosses. */
function pointNodes({ plot, table, curves, options }, area) {
  const [first, last] = within(table.x, plot.scales.x.min, plot.scales.x.max);
  const paths = new Map();
  for (let k = first; k < last; k += 1) {
    const isFlagged = Boolean(table.flagged[k]);
    const y = plot.valToPos(table.y[k], "y");
    if ((isFlagged && !options.flagged) || y < 0 || y > area.height) continue;
    const [left, top] = [two(area.left + plot.valToPos(table.x[k], "x")), two(area.top + y)];
    const key = isFlagged ? -1 : table.curve[k];
    if (!paths.has(key)) paths.set(key, []);
    paths.get(key).push(isFlagged ? `M${left - SIDE} ${top - SIDE}l6 6m-6 0l6 -6` : `M${left - 1.5} ${top - 1.5}h3v3h-3z`);
  }
  return [...paths].map(([key, d]) => make("path", key < 0 ? { d: d.join(""), stroke: hex(token("flag")), fill: "none" } : { d: d.join(""), fill: hex(curves[key].colour ?? token("ink")) }));
}

/** The text of the file. */
export function svgOf(curve) {
  const { plot } = curve;
  const area = areaOf(plot);
  const { width, height } = plot;
  const picture = make("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": "sans-serif", "font-size": 11, fill: hex(token("quiet")) });
  picture.append(make("title", {}, curve.title), make("rect", { width, height, fill: hex(token("panel")) }), ...plot.axes.filter((axis) => axis.show).flatMap((axis) => axisNodes(plot, axis, area)),
    make("rect", { x: area.left, y: area.top, width: area.width, height: area.height, fill: "none", stroke: hex(token("line-strong")) }), ...pointNodes(curve, area));
  return new XMLSerializer().serializeToString(picture);
}
