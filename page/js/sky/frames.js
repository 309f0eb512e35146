/** Galactic and ecliptic positions; all angles in degrees. */

import { fromVector, parsePosition, PositionError, toVector } from "./coordinates.js";

/** Unit vectors of a frame to those of ICRS: astropy's `galactic` and `barycentricmeanecliptic` of J2000. */
const TO_ICRS = {
  galactic: [
    [-0.0548756577126, 0.4941094371927, -0.8676661375597],
    [-0.8734370519556, -0.4448297212233, -0.198076337273],
    [-0.4838350736167, 0.7469821839867, 0.4559838136873],
  ],
  ecliptic: [
    [1, 0.000000032897, -0.0000001020704],
    [-0.0000000707837, 0.917482129915, -0.397776999444],
    [0.0000000805621, 0.397776999444, 0.917482129915],
  ],
};

/** Unit vector in ICRS of a position in a frame. */
export function vectorOf(frame, lon, lat) {
  const vector = toVector(lon, lat);
  return TO_ICRS[frame].map((row) => row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2]);
}

/** Right ascension and declination of a position in a frame. */
export function toIcrs(frame, lon, lat) {
  return fromVector(vectorOf(frame, lon, lat));
}

/** Longitude and latitude in a frame of a position in ICRS. */
export function fromIcrs(frame, { ra, dec }) {
  const vector = toVector(ra, dec);
  const turned = [0, 1, 2].map((k) => TO_ICRS[frame].reduce((sum, row, i) => sum + row[k] * vector[i], 0));
  const { ra: lon, dec: lat } = fromVector(turned);
  return { lon, lat };
}

/** A position in the other frames, as text. */
export function formatFrames(position) {
  return ["galactic", "ecliptic"].map((frame) => {
    const { lon, lat } = fromIcrs(frame, position);
    return `${frame} ${lon.toFixed(2)} ${lat < 0 ? "−" : "+"}${Math.abs(lat).toFixed(2)}`;
  }).join(" · ");
}

const NUMBER = String.raw`([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*(?:d|deg|°)?`;
const ANGLES = new RegExp(String.raw`^(?:(g?l(?:on)?|lambda)\s*[=:]?\s*)?${NUMBER}(?:\s*[,;]\s*|\s+|(?=[+-]))(?:(g?b|g?lat|beta)\s*[=:]?\s*)?${NUMBER}$`, "i");
const BEFORE = /^\(?(gal(?:actic)?|ecl(?:iptic)?)\)?(?:\s*[:,]\s*|\s+)(.+)$/i;
const AFTER = /^(.+?)[\s,]+\(?(gal(?:actic)?|ecl(?:iptic)?)\)?$/i;
const frameNamed = (word) => (/^gal/i.test(word) ? "galactic" : "ecliptic");
/** Labels that only galactic coordinates have. */
const GALACTIC = /^g?l(?:on)?[=: ]*[^a-z]+(?:b|glat)/i;

/** The frame that a text names or implies, and the rest; null if there is none. */
function frameOf(text) {
  const [before, after] = [BEFORE.exec(text), AFTER.exec(text)];
  if (before) return [frameNamed(before[1]), before[2]];
  if (after) return [frameNamed(after[2]), after[1]];
  return GALACTIC.test(text) ? ["galactic", text] : null;
}

/**
 * Read a position in any frame: `gal 120 -30`, `l=120 b=-30`, `ecliptic 120 -30`, or what `parsePosition` reads.
 *
 * Gives `ra` and `dec`, and `frame`, `lon` and `lat` where it is not in ICRS. Null where it is no position.
 */
export function readPosition(typed) {
  const text = typed.replaceAll("−", "-").replaceAll("–", "-").trim();
  const named = frameOf(text);
  if (!named) return parsePosition(typed);
  const [frame, rest] = named;
  const angles = ANGLES.exec(rest.trim());
  if (!angles) return null; // the service reads more spellings
  const [lon, lat] = [Number(angles[2]), Number(angles[4])];
  if (!(lon >= -360 && lon <= 360)) throw new PositionError(`${frame} longitude is ${lon}; allowed: -360 to 360 degrees`);
  if (!(lat >= -90 && lat <= 90)) throw new PositionError(`${frame} latitude is ${lat}; allowed: -90 to 90 degrees`);
  return { ...toIcrs(frame, lon, lat), frame, lon, lat };
}
