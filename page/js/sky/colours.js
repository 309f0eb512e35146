/** Colours of sectors: hues go around the circle in a year, as the telescope turns about the pole. */

import { token } from "../base/dom.js";

const SECTORS_OF_A_YEAR = 13;
/** Lightness, chroma and hue of each year, beside those of the first: a hundred sectors have a hundred colours. */
const YEARS = [[0, 0, 0], [-0.12, -0.03, 26], [0.07, 0.04, 14], [-0.17, -0.03, 22], [0.04, -0.05, 7], [-0.09, 0, 18], [0.08, -0.05, 19], [-0.05, 0.01, 16]];

/** Lightness and chroma of the first year; they are others in the other theme. */
export function shade() {
  return [Number(token("sector-lightness")), Number(token("sector-chroma"))];
}

/** Colour of a sector. The style sheet is asked once where `shade()` is given for many. */
export function sectorColour(sector, alpha = 1, [lightness, chroma] = shade()) {
  const year = Math.floor((sector - 1) / SECTORS_OF_A_YEAR) % YEARS.length;
  const [lighter, stronger, turned] = YEARS[year];
  const hue = Math.round((((sector - 1) % SECTORS_OF_A_YEAR) / SECTORS_OF_A_YEAR) * 360 + 20 + turned);
  return `oklch(${(lightness + lighter).toFixed(2)} ${(chroma + stronger).toFixed(2)} ${hue} / ${alpha})`;
}
