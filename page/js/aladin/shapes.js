/** Outlines on the sky. Pure: no document, no network. */

import { pixelAt, skyAt } from "../pixels/wcs.js";

/** Numbers of a header as one line of text, 80 characters a card. */
function numbersOf(header, names) {
  const cards = header.match(/.{1,80}/gs) ?? [];
  const value = (name) => Number(cards.find((card) => card.startsWith(`${name.padEnd(8)}=`))?.slice(10, 30) ?? Number.NaN);
  return names.map(value);
}

/** The linear part of a WCS: its reference position, which is at row and column 0 here, and degrees on the sky for a step along columns and rows. */
function linearOf(header) {
  const [ra, dec, one, two] = numbersOf(header, ["CRVAL1", "CRVAL2", "CDELT1", "CDELT2"]);
  const scale = [one, two].map((step) => (Number.isFinite(step) ? step : 1));
  const [cd, pc] = ["CD", "PC"].map((kind) => numbersOf(header, ["1_1", "1_2", "2_1", "2_2"].map((place) => kind + place)));
  const matrix = Number.isFinite(cd[0]) ? cd : pc.map((value, i) => (Number.isFinite(value) ? value : Number(i % 3 === 0)) * scale[i < 2 ? 0 : 1]);
  return { ra, dec, row: 0, column: 0, matrix: [matrix.slice(0, 2), matrix.slice(2)] };
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
  const middle = pixelAt(wcs, ra, dec);
  const [low, left] = [firstPixel(row, size[0], placement) - 0.5 - row, firstPixel(column, size[1], placement) - 0.5 - column];
  const corner = (x, y) => {
    const place = skyAt(wcs, middle.row + y, middle.column + x);
    return [place.ra, place.dec];
  };
  return [corner(left, low), corner(left + size[1], low), corner(left + size[1], low + size[0]), corner(left, low + size[0])];
}

/** Degrees of sky that show a window with room around it. */
export function fieldOf(size) {
  return Math.min(60, Math.max(...size) * (21 / 3600) * 4);
}
