/** Light curves as numbers: relative, folded, with the years without frames left out. */

/** The middle of the finite values; NaN where there is none. */
export function median(values) {
  const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
  const half = sorted.length >> 1;
  if (!sorted.length) return NaN;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Flux in units of its median over the cadences without flags. */
export function relative({ flux, error, quality }) {
  const good = flux.filter((value, i) => value !== null && !quality[i]);
  const middle = median(good.length ? good : flux.filter((value) => value !== null));
  const scale = (value) => (value === null || !middle ? null : value / middle);
  return { flux: flux.map(scale), error: error.map((value) => (value === null || !middle ? null : Math.abs(value / middle))) };
}

/** Phase of a time, from -0.5 to 0.5 around the epoch. */
export function phaseOf(time, period, epoch) {
  const turns = (time - epoch) / period;
  return turns - Math.round(turns);
}

/** Time of the least flux without flags: a fair first guess of the middle of an eclipse. */
export function faintest({ time, flux, quality }) {
  let best = null;
  flux.forEach((value, i) => {
    if (value !== null && time[i] !== null && !quality[i] && (best === null || value < flux[best])) best = i;
  });
  return best === null ? null : time[best];
}

const GAP_DAYS = 6;
const ROUND_DAYS = 10;
const isTime = (value) => value !== null;

/** First and last time of each curve that has times, in order. */
function spansOf(curves) {
  return curves.map(({ time }) => [time.find(isTime), time.findLast(isTime)]).filter(([first]) => first !== undefined).sort((a, b) => a[0] - b[0]);
}

/**
 * A time axis without the years in between: gaps of more than some days are shortened by whole tens of days, so that
 * round numbers stay round.
 *
 * Gives `to`, from time to place; `from`, from place to time; and `breaks`, the places of the gaps.
 */
export function closeGaps(curves) {
  const pieces = [];
  let end = -Infinity;
  let taken = 0;
  for (const [first, last] of spansOf(curves)) {
    if (first - end > GAP_DAYS) {
      const room = Math.floor((first - end - 1) / ROUND_DAYS) * ROUND_DAYS;
      taken += Number.isFinite(room) ? room : 0;
      pieces.push({ time: first, taken, end });
    }
    end = Math.max(end, last);
  }
  const shift = (isIn) => pieces.findLast(isIn)?.taken ?? 0;
  return {
    to: (time) => time - shift((piece) => piece.time <= time),
    from: (place) => place + shift((piece) => piece.time - piece.taken <= place),
    breaks: pieces.slice(1).map((piece, i) => (piece.time - piece.taken + piece.end - pieces[i].taken) / 2),
  };
}
