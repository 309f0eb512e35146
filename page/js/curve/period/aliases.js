/** What the other periods have to do with the best one: multiples of it, and aliases that the times of the cadences make. */

const MULTIPLES = [[1 / 2, "½ of the best"], [1 / 3, "⅓ of the best"], [2 / 3, "⅔ of the best"], [3 / 2, "1½ × the best"], [2, "2 × the best"], [3, "3 × the best"], [4, "4 × the best"], [1 / 4, "¼ of the best"]];
/** The part of a wave's power that is also at the other frequency, from which on that is called an alias. */
const STRONG = 0.2;
/** Where it is looked at, in parts of the width of a peak: peaks are not exactly where they should be. */
const BESIDE = [-0.4, -0.2, 0, 0.2, 0.4];

/** The part of the power of a wave that the times of the cadences move by a frequency: 1 at 0, and 0 where nothing is moved. */
export function windowAt(time, frequency) {
  let [real, imaginary] = [0, 0];
  for (const value of time) {
    const angle = 2 * Math.PI * frequency * (value - time[0]);
    real += Math.cos(angle);
    imaginary += Math.sin(angle);
  }
  return (real * real + imaginary * imaginary) / time.length ** 2;
}

/** What a period is, beside the best one, in words; empty if it is neither a multiple nor an alias. */
export function relationOf(period, best, time) {
  const width = 1 / (time.at(-1) - time[0]);
  const multiple = MULTIPLES.find(([factor]) => Math.abs(1 / period - 1 / (factor * best)) < width / 2);
  if (multiple) return multiple[1];
  const moves = [Math.abs(1 / period - 1 / best), 1 / period + 1 / best];
  const strength = moves.map((move) => Math.max(...BESIDE.map((part) => windowAt(time, move + part * width))));
  const found = strength[0] >= strength[1] ? 0 : 1;
  const days = (1 / moves[found]).toPrecision(3);
  return strength[found] < STRONG ? "" : `alias, ${found ? `mirrored at ${days} d` : `one cycle off in ${days} d`}`;
}

/** The periods with their relations to the first. */
export function related(best, time) {
  return best.map((each, i) => ({ ...each, relation: i ? relationOf(each.period, best[0].period, time) : "" }));
}
