/** Targets of the page as rows of a list. Pure. */

import { LARGEST_SIDE } from "../list/options.js";

/** Why a view cannot become rows of a list; empty if it can. */
export function whyNoRows({ size }) {
  return Math.max(...size) > LARGEST_SIDE ? `Windows in lists have at most ${LARGEST_SIDE} pixels a side.` : "";
}

/** Rows for the ticked CCDs: one for all with the default aperture, and one for each other aperture. */
export function rowsOf({ name, ra, dec, size }, cubes, apertures) {
  const sectors = new Map();
  for (const { cube, sector } of cubes) {
    const aperture = apertures[cube] ?? "";
    if (!sectors.has(aperture)) sectors.set(aperture, new Set());
    sectors.get(aperture).add(sector);
  }
  return [...sectors].map(([aperture, numbers]) => ({
    name, ra, dec, size: size.join("x"), sectors: [...numbers].sort((a, b) => a - b).join(","), aperture,
  }));
}
