/** How much of the light in an aperture is that of which star. Pure. */

/** Standard deviation of the round Gaussian that stands for the image of a star, in pixels. docs/guide/service/page.md says why. */
export const SIGMA = 1;
/** The target is the brightest star so close to its place, in pixels; without one the nearest star within a pixel. */
const SAME = 0.25;
const NEAR = 1;

/** The complementary error function to 1.2e-7 of its value: Press et al., Numerical Recipes (1992), 6.2. */
function erfc(x) {
  const t = 1 / (1 + 0.5 * Math.abs(x));
  const terms = [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223];
  const value = t * Math.exp(-x * x + terms.reduce((sum, term) => sum * t + term, 0));
  return x >= 0 ? value : 2 - value;
}

/** Part of the light between two places on one axis, in pixels from the centre of the star. */
function between(low, high) {
  if (low + high < 0) return between(-high, -low); // what is in the tails keeps its digits
  const root = SIGMA * Math.SQRT2;
  return (erfc(low / root) - erfc(high / root)) / 2;
}

/** Part of the light of a star at a row and column that falls into an aperture, 0 to 1. */
export function shareInside(mask, { row, column }) {
  const across = mask[0].map((_, x) => between(x - 0.5 - column, x + 0.5 - column));
  return mask.reduce((sum, line, y) => {
    if (!line.some(Boolean)) return sum;
    return sum + between(y - 0.5 - row, y + 0.5 - row) * line.reduce((part, bit, x) => (bit ? part + across[x] : part), 0);
  }, 0);
}

/** Light of a star of a magnitude, that of magnitude 10 is 1. */
export function lightOf(magnitude) {
  return 10 ** (-0.4 * (magnitude - 10));
}

/** The star that is the target: its place among the stars, or −1. */
export function findTarget(stars, target) {
  const distances = stars.map(({ row, column }) => Math.hypot(row - target.row, column - target.column));
  const same = stars.map((_, n) => n).filter((n) => distances[n] <= SAME);
  if (same.length) return same.reduce((best, n) => (stars[n].magnitude < stars[best].magnitude ? n : best));
  const nearest = distances.indexOf(Math.min(...distances));
  return distances[nearest] <= NEAR ? nearest : -1;
}

/**
 * What stars put into an aperture. `stars` have magnitude, row and column of the window, `target` is its place there. Gives each star with `own`, the part of its light
 * that is inside, and `share`, its part of all light inside, the largest first; and `contamination`, the light of the others over that of the target, null without one.
 */
export function shares(stars, mask, target) {
  const place = findTarget(stars, target);
  const each = stars.map((star, n) => {
    const own = shareInside(mask, star);
    return { ...star, own, inside: own * lightOf(star.magnitude), isTarget: n === place };
  });
  const all = each.reduce((sum, star) => sum + star.inside, 0);
  const ofTarget = each[place]?.inside ?? 0;
  const list = each.map((star) => ({ ...star, share: all ? star.inside / all : 0 })).toSorted((a, b) => b.inside - a.inside || a.magnitude - b.magnitude);
  return { list, contamination: ofTarget ? (all - ofTarget) / ofTarget : null };
}
