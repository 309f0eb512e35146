/**
 * Hammer's equal-area projection of the whole sky, turned so that any place is its centre; east is left, north is up.
 *
 * Formulae: Snyder, Map Projections - A Working Manual (USGS 1987), Lambert's azimuthal projection with half the longitude
 * and twice the width. The plane is 4 sqrt(2) wide and 2 sqrt(2) high.
 */

import { fromVector, toVector } from "./coordinates.js";

export const HALF_WIDTH = 2 * Math.SQRT2;
export const HALF_HEIGHT = Math.SQRT2;

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/** Longitude and latitude, in radians, to the plane. */
export function hammer(longitude, latitude) {
  const c = Math.cos(latitude);
  const k = Math.sqrt(1 + c * Math.cos(longitude / 2));
  return [(HALF_WIDTH * c * Math.sin(longitude / 2)) / k, (HALF_HEIGHT * Math.sin(latitude)) / k];
}

/** The plane to longitude and latitude; null beyond the sky's edge. */
export function inverseHammer(x, y) {
  if (x * x / 8 + y * y / 2 > 1) return null;
  const z = Math.sqrt(1 - (x / 4) ** 2 - (y / 2) ** 2);
  return [2 * Math.atan2(z * x, 2 * (2 * z * z - 1)), Math.asin(Math.max(-1, Math.min(1, z * y)))];
}

/** A view of the sky: its centre, its scale in pixels per unit of the plane, and the middle of the picture. */
export class View {
  constructor(centre, scale, width, height) {
    this.scale = scale;
    this.middle = [width / 2, height / 2];
    const a = (centre.ra * Math.PI) / 180;
    this.forward = toVector(centre.ra, centre.dec);
    this.east = [-Math.sin(a), Math.cos(a), 0];
    this.north = cross(this.forward, this.east);
  }

  /** Longitude and latitude about the centre. */
  turn(vector) {
    const latitude = Math.asin(Math.max(-1, Math.min(1, dot(vector, this.north))));
    return [Math.atan2(dot(vector, this.east), dot(vector, this.forward)), latitude];
  }

  place(longitude, latitude) {
    const [x, y] = hammer(longitude, latitude);
    return [this.middle[0] - x * this.scale, this.middle[1] - y * this.scale];
  }

  /** Unit vector under a place of the picture, to the front, to the east and to the north; null outside. */
  directionAt(x, y) {
    const found = inverseHammer((this.middle[0] - x) / this.scale, (this.middle[1] - y) / this.scale);
    return found && toVector((found[0] * 180) / Math.PI, (found[1] * 180) / Math.PI);
  }

  /** Position on the sky under a place of the picture; null outside. */
  unproject(x, y) {
    const direction = this.directionAt(x, y);
    return direction && fromVector([0, 1, 2].map((i) => direction[0] * this.forward[i] + direction[1] * this.east[i] + direction[2] * this.north[i]));
  }

  project(vector) {
    return this.place(...this.turn(vector));
  }
}

/** A great-circle arc from a to b as `count` vectors, without b. */
export function arc(a, b, count) {
  const angle = Math.acos(Math.max(-1, Math.min(1, dot(a, b))));
  const sine = Math.sin(angle) || 1;
  return Array.from({ length: count }, (_, i) => {
    const [p, q] = [Math.sin((1 - i / count) * angle) / sine, Math.sin((i / count) * angle) / sine];
    return i === 0 ? a : [0, 1, 2].map((k) => p * a[k] + q * b[k]);
  });
}

/** Whether a polygon smaller than a hemisphere, given by its corners in either order, holds a vector of its hemisphere. */
export function holds(corners, vector) {
  const turns = corners.map((corner, i) => {
    const next = corners[(i + 1) % corners.length];
    return Math.atan2(dot(cross(corner, next), vector), dot(corner, next) - dot(corner, vector) * dot(next, vector));
  });
  return Math.abs(turns.reduce((sum, turn) => sum + turn, 0)) > Math.PI;
}

/** Sum of vectors, made one long. */
export function middleOf(corners) {
  const sum = corners.reduce((total, corner) => total.map((value, i) => value + corner[i]), [0, 0, 0]);
  const length = Math.hypot(...sum);
  return sum.map((value) => value / length);
}

export const cosineBetween = dot;

const EDGE_STEPS = 8;

function alongEdge(edge, from, to) {
  return Array.from({ length: EDGE_STEPS + 1 }, (_, i) => [edge, from + ((to - from) * i) / EDGE_STEPS]);
}

/**
 * Cut an outline where the picture's left and right edges meet.
 *
 * Parameters: longitudes and latitudes about the centre. Gives one outline, or two that end at the edges, or one that
 * goes along them where the outline is around a pole of the view.
 */
export function splitAtEdge(points) {
  const crossings = points.map((point, i) => Math.abs(point[0] - points[(i + 1) % points.length][0]) > Math.PI);
  const count = crossings.filter(Boolean).length;
  if (count === 0) return [points];
  if (count % 2) {
    const after = (crossings.indexOf(true) + 1) % points.length;
    const turned = [...points.slice(after), ...points.slice(0, after)];
    const [first, last] = [turned[0], turned.at(-1)];
    const edges = [Math.sign(first[0]) * Math.PI, Math.sign(last[0]) * Math.PI];
    const latitude = (first[1] + last[1]) / 2;
    const pole = (Math.sign(latitude) * Math.PI) / 2;
    return [[...turned, ...alongEdge(edges[1], latitude, pole), ...alongEdge(edges[0], pole, latitude)]];
  }
  return [1, -1].map((side) => points.map(([lon, lat]) => [Math.sign(lon) === side ? lon : side * Math.PI, lat]));
}
