/** A request for files: as a query, as a body, as a line for a terminal; and how large its files are. */

import { address } from "../base/api.js";
import { ALL_BITS } from "../curve/ranges.js";
import { modelsOf } from "../state.js";

/** What is asked for, as the query of /v1/cutouts. */
export function cutoutQuery(order) {
  return {
    ra: order.ra, dec: order.dec, size: order.size.join(","), sectors: order.sectors.join(","), time: order.time?.join(","),
    layout: order.layout === "full" ? null : order.layout, placement: order.placement === "centre" ? null : order.placement,
    quality_mask: order.good ? ALL_BITS : null, product: order.product === "TICA" ? "TICA" : null,
    aperture: order.aperture,
  };
}

/** The light curve of a cube that the page shows, as the query of /v1/preview.csv; `view` has apertures, and the models of background and trend. */
export function curveQuery(order, cube, view) {
  return { cube, ra: order.ra, dec: order.dec, size: order.size.join(","), ...modelsOf(view), aperture: view.apertures[cube] };
}

/** What is asked for, as the body of /v1/jobs. */
export function jobBody(order) {
  const body = order.moving ? { target: { name: order.name } } : { position: { ra: order.ra, dec: order.dec } };
  Object.assign(body, { size: order.size, placement: order.placement });
  if (order.product === "TICA") body.product = "TICA";
  if (order.layout !== "full") body.layout = order.layout;
  if (order.sectors.length) body.sectors = order.sectors;
  if (order.time) body.time = order.time;
  if (order.good) body.quality_mask = ALL_BITS;
  if (order.aperture) body.aperture = order.aperture;
  return body;
}

/** For a shell: single quotes hold everything but themselves. */
export function shellQuote(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Pixels in a window whose files the service makes while a client waits, and characters of an address that all servers take. */
const [AT_ONCE, LONGEST] = [10_000, 6000];

/** Whether a request is one for an address, or else begins a job. */
export function isAtOnce(order) {
  return !order.moving && order.size[0] * order.size[1] <= AT_ONCE && address("/v1/cutouts", cutoutQuery(order)).length <= LONGEST;
}

/** A line for a shell. */
export function curl(order, origin) {
  if (isAtOnce(order)) return `curl -L -OJ ${shellQuote(origin + address("/v1/cutouts", cutoutQuery(order)))}`;
  const json = shellQuote(JSON.stringify(jobBody(order)));
  return `curl -s -H 'Content-Type: application/json' -d ${json} ${shellQuote(`${origin}/v1/jobs`)}\n# then, with the id from the answer:\n# curl -L -OJ '${origin}/v1/jobs/<id>/wait'`;
}

/** A guess of the bytes of the files before compression: five columns of pixels, or two, and what stands beside them. */
export function guessBytes(order, cubes) {
  const images = order.layout === "slim" ? 2 : 5;
  return cubes.reduce((sum, cube) => {
    const inTime = order.time ? overlap(order.time, cube) : 1;
    return sum + 60_000 + cube.n_cadences * inTime * (order.size[0] * order.size[1] * 4 * images + 80);
  }, 0);
}

/** First and last BTJD of a cube: of its preview where there is one, else of its days. */
export function spanOf(cube, times) {
  if (times) return { first_time: times[0], last_time: times[1] };
  const [start, stop] = [cube.start, cube.stop].map((day) => Date.parse(day ?? "") / 86_400_000 + 40_587 - 56_999.5);
  return Number.isFinite(start) && Number.isFinite(stop) ? { first_time: start, last_time: stop + 1 } : {};
}

/** Whether a cube may have frames in a range of times; null is all times. */
export function isInTime(time, { first_time: from, last_time: to }) {
  return !time || from === undefined || (time[0] <= to && time[1] >= from);
}

function overlap([first, last], { first_time: from, last_time: to }) {
  if (from === undefined || !(to > from)) return 1;
  return Math.max(0, Math.min(last, to) - Math.max(first, from)) / (to - from);
}

/** Bytes for people. */
export function formatBytes(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
