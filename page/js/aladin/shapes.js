/** Outlines on the sky. Pure: no document, no network. */

const RADIANS = Math.PI / 180;

/** Numbers of a header as one line of text, 80 characters a card. */
function numbersOf(header, names) {
  const cards = header.match(/.{1,80}/gs) ?? [];
  const value = (name) => Number(cards.find((card) => card.startsWith(`${name.padEnd(8)}=`))?.slice(10, 30) ?? Number.NaN);
  return names.map(value);
}

/** The linear part of a WCS: its reference position, and degrees on the sky for a step along columns and rows. */
export function linearOf(header) {
  const [ra, dec, one, two] = numbersOf(header, ["CRVAL1", "CRVAL2", "CDELT1", "CDELT2"]);
  const scale = [one, two].map((step) => (Number.isFinite(step) ? step : 1));
  const [cd, pc] = ["CD", "PC"].map((kind) => numbersOf(header, ["1_1", "1_2", "2_1", "2_2"].map((place) => kind + place)));
  const matrix = Number.isFinite(cd[0]) ? cd : pc.map((value, i) => (Number.isFinite(value) ? value : Number(i % 3 === 0)) * scale[i < 2 ? 0 : 1]);
  return { ra, dec, matrix };
}

/** Place of a position on the plane that touches the sky at a reference position, in degrees. */
function toPlane({ ra, dec }, at) {
  const [d, d0, turn] = [dec * RADIANS, at.dec * RADIANS, (ra - at.ra) * RADIANS];
  const cosine = Math.sin(d0) * Math.sin(d) + Math.cos(d0) * Math.cos(d) * Math.cos(turn);
  return [(Math.cos(d) * Math.sin(turn)) / cosine / RADIANS, (Math.cos(d0) * Math.sin(d) - Math.sin(d0) * Math.cos(d) * Math.cos(turn)) / cosine / RADIANS];
}

function fromPlane([x, y], at) {
  const [xi, eta, d0] = [x * RADIANS, y * RADIANS, at.dec * RADIANS];
  const depth = Math.cos(d0) - eta * Math.sin(d0);
  const ra = at.ra + Math.atan2(xi, depth) / RADIANS;
  return [(ra + 360) % 360, Math.atan2(Math.sin(d0) + eta * Math.cos(d0), Math.hypot(xi, depth)) / RADIANS];
}

/** First pixel of a window along an axis, as the service places it. */
export function firstPixel(position, count, placement) {
  if (placement === "tesscut") return Math.floor(position - count / 2 + 0.5);
  return (count % 2 ? Math.floor(position + 0.5) : Math.floor(position) + 1) - Math.floor(count / 2);
}

/**
 * Corners of the window around a target, in degrees. `cube` has the target's row and column, and `header` the WCS of its
 * frames. The distortion is left out, because the target's own place is known: it changes the corners by less than 5 % of
 * the window.
 */
export function windowCorners({ ra, dec, size, placement }, { row, column }, header) {
  const wcs = linearOf(header);
  const middle = toPlane({ ra, dec }, wcs);
  const [low, left] = [firstPixel(row, size[0], placement) - 0.5 - row, firstPixel(column, size[1], placement) - 0.5 - column];
  const [a, b, c, d] = wcs.matrix;
  const corner = (x, y) => fromPlane([middle[0] + a * x + b * y, middle[1] + c * x + d * y], wcs);
  return [corner(left, low), corner(left + size[1], low), corner(left + size[1], low + size[0]), corner(left, low + size[0])];
}

/** Degrees of sky that show a window with room around it. */
export function fieldOf(size) {
  return Math.min(60, Math.max(...size) * (21 / 3600) * 4);
}
