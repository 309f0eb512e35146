/** What is behind the map: the Milky Way, bright stars and constellations. Loaded when the page is ready. */

import { toVector } from "./coordinates.js";
import { element, token } from "../base/dom.js";
import { ApiError, getJson } from "../base/api.js";
import { Glow } from "./glow.js";
import { arc, cosineBetween } from "./projection.js";

const FOLDER = "data/sky/";
/** The files have angles in hundredths of a degree, and magnitudes in tenths. */
const PARTS = 100;
const RADIANS_A_STEP = 0.1;
/** Width of the whole sky in pixels from which on constellations of each rank are named. */
const ROOM = [700, 1100, 1800];
/** Width of the whole sky in pixels from which on it has all stars. */
const ALL_STARS = 800;

function roomOf({ middle }, zoom) {
  return 2 * middle[0] * zoom;
}

function vectorAt(ra, dec) {
  return toVector(ra / PARTS, dec / PARTS);
}

/** A line through places as unit vectors that are close together. */
function lineOf(numbers) {
  const corners = [];
  for (let i = 0; i < numbers.length; i += 2) corners.push(vectorAt(numbers[i], numbers[i + 1]));
  const sides = corners.slice(1).map((end, i) => {
    const angle = Math.acos(Math.min(1, cosineBetween(corners[i], end)));
    return arc(corners[i], end, Math.max(1, Math.ceil(angle / RADIANS_A_STEP)));
  });
  return [...sides.flat(), corners.at(-1)];
}

/** Brightness of the Milky Way from its picture: right ascension to the right, from the north down. */
async function glowOf(address) {
  const image = element("img", { src: address });
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return new Glow(Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]), canvas.width, canvas.height);
}

export class Behind {
  /** Parameters: the glow of the Milky Way, and the document of figures. */
  constructor(glow, { stars, lines, names }) {
    this.glow = glow;
    this.stars = stars.map(([ra, dec, tenths]) => ({ vector: vectorAt(ra, dec), magnitude: tenths / 10 }));
    this.lines = lines.map(lineOf);
    this.names = names.map(([text, ra, dec, rank]) => ({ text, vector: vectorAt(ra, dec), rank }));
  }

  paint(context, view, zoom) {
    this.glow.paint(context, view, token("map-glow"));
    const near = Math.cos(Math.min(Math.PI, (Math.PI * 1.2) / zoom + 0.1));
    const visible = (vector) => zoom < 1.5 || cosineBetween(vector, view.forward) > near;
    if (roomOf(view, zoom) >= ROOM[0]) this.#lines(context, view, visible);
    this.#stars(context, view, zoom, visible);
  }

  /** Stars; fewer and smaller where the sky is small. */
  #stars(context, view, zoom, visible) {
    const faintest = 5.4 * Math.min(1, roomOf(view, zoom) / ALL_STARS);
    const size = Math.min(1, roomOf(view, 1) / ALL_STARS);
    context.beginPath();
    for (const { vector, magnitude } of this.stars) {
      if (magnitude > faintest) break; // the brightest are first
      if (!visible(vector)) continue;
      const [x, y] = view.project(vector);
      const radius = size * Math.max(0.45, (2.1 - 0.36 * magnitude) * Math.min(1.8, zoom ** 0.3));
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    context.fillStyle = token("map-star");
    context.fill();
  }

  #lines(context, view, visible) {
    context.beginPath();
    for (const line of this.lines) {
      if (!line.some(visible)) continue;
      let before = null;
      for (const vector of line) {
        const [lon, lat] = view.turn(vector);
        context[before !== null && Math.abs(lon - before) < Math.PI / 2 ? "lineTo" : "moveTo"](...view.place(lon, lat));
        before = lon;
      }
    }
    Object.assign(context, { strokeStyle: token("map-figure"), lineWidth: 1 });
    context.stroke();
  }

  /** Names of large constellations, and of all where they have room: text and unit vector. */
  named(view, zoom) {
    const lowest = ROOM.filter((each) => roomOf(view, zoom) >= each).length;
    return this.names.filter(({ rank }) => rank <= lowest);
  }
}

/** Load it; null where it cannot be had, because the map has the same data without it. */
export async function loadBehind() {
  try {
    const [glow, figures] = await Promise.all([glowOf(`${FOLDER}milky-way.jpg`), getJson(`${FOLDER}figures.json`)]);
    return new Behind(glow, figures);
  } catch (error) {
    if (error instanceof ApiError || error.name === "EncodingError") return null;
    throw error;
  }
}
