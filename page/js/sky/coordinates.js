/** Positions on the sky as people write them; all angles in degrees, ICRS. */

const NUMBER = String.raw`[+-]?\d+(?:\.\d*)?|[+-]?\.\d+`;
const PAIR = new RegExp(`^\\s*(?:ra\\s*[=:]?\\s*)?(${NUMBER})\\s*(?:d|deg|°)?\\s*(?:,|;|\\s)\\s*(?:dec\\s*[=:]?\\s*)?(${NUMBER})\\s*(?:d|deg|°)?\\s*$`, "i");
const COMPACT = /^\s*(?:\w{0,8}\s*J)?(\d{2})(\d{2})(\d{2}(?:\.\d*)?)([+-])(\d{2})(\d{2})(\d{2}(?:\.\d*)?)?\s*$/i;
const PART = String.raw`(\d{1,3})(?:\s*[hd°:]\s*|\s+)(\d{1,2})(?:\s*[m'′:]\s*|\s+|\s*$|(?=\s*[,+-]))(?:(\d{1,2}(?:\.\d*)?)\s*(?:s|"|″|'')?)?`;
const SEXAGESIMAL = new RegExp(`^\\s*${PART}\\s*,?\\s*([+-]?)\\s*${PART}\\s*$`, "i");

/** A position that cannot be, in words. */
export class PositionError extends Error {}

function check(ra, dec) {
  if (!(ra >= -360 && ra <= 360)) throw new PositionError(`right ascension is ${ra}; allowed: -360 to 360 degrees, or 0 to 24 hours`);
  if (!(dec >= -90 && dec <= 90)) throw new PositionError(`declination is ${dec}; allowed: -90 to 90 degrees`);
  return { ra: ((ra % 360) + 360) % 360, dec };
}

function sixty(whole, minutes, seconds, what) {
  if (Number(minutes) >= 60) throw new PositionError(`minutes of ${what} are ${minutes}; allowed: 0 to 59`);
  if (Number(seconds ?? 0) >= 60) throw new PositionError(`seconds of ${what} are ${seconds}; allowed: below 60`);
  return Number(whole) + Number(minutes) / 60 + Number(seconds ?? 0) / 3600;
}

function fromParts([, h, m, s, sign, d, dm, ds], inDegrees) {
  const ra = sixty(h, m, s, "right ascension");
  if (!inDegrees && ra > 24) throw new PositionError(`right ascension is ${h} hours; allowed: 0 to 24`);
  const dec = sixty(d, dm, ds, "declination");
  return check(inDegrees ? ra : ra * 15, sign === "-" ? -dec : dec);
}

/**
 * Read a position.
 *
 * Degrees (`98.2164 -75.9018`, with comma, `d` or `°`), or hours and degrees in parts of sixty (`6:32:51.9 -75:54:06`,
 * `06h32m51.9s -75d54m06s`, with spaces, or `J063251.9-755406`). Null where it is no position, such as a name.
 */
export function parsePosition(typed) {
  const text = typed.replaceAll("−", "-").replaceAll("–", "-").trim();
  const pair = PAIR.exec(text);
  if (pair) return check(Number(pair[1]), Number(pair[2]));
  const compact = COMPACT.exec(text);
  if (compact) return fromParts(compact, false);
  const parts = SEXAGESIMAL.exec(text);
  return parts ? fromParts(parts, /^\s*\d{1,3}\s*[d°]/i.test(text)) : null;
}

/** A position in degrees as text, precise to a few hundredths of an arcsecond. */
export function formatPosition({ ra, dec }) {
  return `${trim(ra, 5)} ${dec < 0 ? "−" : "+"}${trim(Math.abs(dec), 5)}`;
}

/** A number with at most so many decimals. */
export function trim(value, decimals) {
  return String(Number(value.toFixed(decimals)));
}

/** Parts of sixty, the last with decimals; what rounds up to the turn begins anew. */
function inSixties(value, decimals, turn) {
  const scale = 10 ** decimals;
  const seconds = (Math.round(value * 3600 * scale) / scale) % (turn * 3600);
  const [whole, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const rest = (seconds % 60).toFixed(decimals).padStart(decimals ? decimals + 3 : 2, "0");
  return [String(whole).padStart(2, "0"), String(minutes).padStart(2, "0"), rest];
}

/** A position in hours and degrees of sixty parts. */
export function formatSexagesimal({ ra, dec }) {
  const [h, m, s] = inSixties((((ra % 360) + 360) % 360) / 15, 2, 24);
  const [d, dm, ds] = inSixties(Math.abs(dec), 1, 360);
  return `${h}ʰ${m}ᵐ${s}ˢ ${dec < 0 ? "−" : "+"}${d}°${dm}′${ds}″`;
}

/** Unit vector of a position. */
export function toVector(ra, dec) {
  const [a, d] = [(ra * Math.PI) / 180, (dec * Math.PI) / 180];
  return [Math.cos(d) * Math.cos(a), Math.cos(d) * Math.sin(a), Math.sin(d)];
}

/** Position of a unit vector. */
export function fromVector([x, y, z]) {
  const ra = (Math.atan2(y, x) * 180) / Math.PI;
  return { ra: (ra + 360) % 360, dec: (Math.asin(Math.max(-1, Math.min(1, z))) * 180) / Math.PI };
}
