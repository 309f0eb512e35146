/** What uPlot is told about a light curve: its axes and how they are labelled. */

import { token } from "../../base/dom.js";
import { utcLabels, utcTicks } from "./utc.js";

const TIMES = { BTJD: "Time, BTJD (BJD − 2 457 000), days", TJD: "Time, TJD (JD − 2 457 000) at the spacecraft, days" };
const PLACES = { BTJD: "UTC at the barycentre", TJD: "UTC at the spacecraft" };
/** Plots that are lower than this have no axis of UTC. */
const LOW = 220;
const LABEL_WIDTH = 110;

/** A tick as text, without separators of thousands, which a time has not. */
export function plain(tick) {
  return tick === null ? "" : String(Number(tick.toPrecision(8))).replace("-", "−");
}

/** Name of what is plotted upwards, with its unit. */
export function fluxLabel(unit, units) {
  return unit === "relative" ? "Relative flux" : `Flux, ${units.replace("e-", "e⁻")}`;
}

/** Whether a plot has room for the axis of UTC. */
export function hasUtc(fold, height) {
  return !fold && height >= LOW;
}

/** Options of uPlot; `axis` has the closed gaps, null where the light curve is folded. */
export function settingsOf({ size, fold, unit, axis, curve, yRange, hooks }) {
  const { units = "e-/s", time_system: system = "BTJD" } = curve ?? {};
  const common = (label) => ({ label, labelSize: 18, labelFont: `12px ${token("text-font")}`, font: `11px ${token("text-font")}`, stroke: token("quiet"),
    grid: { stroke: token("plot-grid"), width: 1 }, ticks: { stroke: token("plot-grid"), width: 1, size: 5 }, gap: 4 });
  const utc = { ...common(PLACES[system]), scale: "x", side: 0, size: 26, labelSize: 16, grid: { show: false },
    splits: (plot, _, low, high) => utcTicks(axis, low, high, Math.max(2, Math.floor(plot.width / LABEL_WIDTH))), values: (_, ticks) => utcLabels(axis, ticks) };
  return {
    ...size,
    legend: { show: false },
    cursor: { drag: { x: true, y: true, uni: 40, setScale: false }, points: { show: false }, y: false },
    scales: { x: { time: false }, y: { range: yRange } },
    axes: [
      { ...common(fold ? `Phase, period ${fold.period} d` : TIMES[system]), size: 34, values: (_, ticks) => ticks.map((tick) => plain(axis ? axis.from(tick) : tick)) },
      { ...common(fluxLabel(unit, units)), size: 62, values: (_, ticks) => ticks.map(plain) },
      ...(hasUtc(fold, size.height) ? [utc] : []),
    ],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks,
  };
}
