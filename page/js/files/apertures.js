/** Apertures of the page as the service and programs take them: hexadecimal digits in the window of a preview. Pure. */

import { toHex } from "../pixels/aperture.js";

/** What /v1/cutouts and /v1/jobs take: the default aperture, and the ones that somebody chose. */
export function apertureText(apertures, cubes) {
  const own = cubes.filter(({ cube }) => apertures[cube]).map(({ cube }) => `${cube}:${apertures[cube]}`);
  return ["default", ...own].join(",");
}

/** Digits, first row and first column of the apertures that are shown, by cube. */
export function shownApertures(apertures, previews) {
  const shown = previews.map(({ cube, window, aperture }) => [cube, [apertures[cube] ?? toHex(aperture), window.first_row, window.first_column]]);
  return Object.fromEntries(shown);
}
