/** Quality bits of TESS full-frame images (TESS Science Data Products Description, EXP-TESS-ARC-ICD-0014). */

import { EXCLUDED } from "./ranges.js";

/** Name of each bit, from the lowest on. */
export const NAMES = [
  "attitude tweak", "safe mode", "coarse pointing", "Earth point", "argabrightening", "momentum dump", "cosmic ray in the aperture",
  "excluded by hand", "discontinuity", "impulsive outlier", "collateral cosmic ray", "stray light (predicted)",
  "scattered light", "planet search excluded", "bad calibration", "too few targets for a correction",
];

/** A bit of our own, which detrended light curves have. */
const SCATTERED = 1 << 28;

/** What a number of the column QUALITY means, in words. */
export function explain(quality) {
  const found = NAMES.filter((_, bit) => quality & (1 << bit));
  if (quality & SCATTERED) found.push("scattered light at the target");
  if (quality & EXCLUDED) found.push("excluded here");
  return found.length ? found.join(", ") : `unknown bits ${quality}`;
}
