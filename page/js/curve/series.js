/** Light curves as numbers: stitched, folded, put in order. */

/** The middle of the finite values; NaN where there is none. */
export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
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

/**
 * A time axis without the years in between: gaps of more than some days are shortened by whole tens of days, so that
 * round numbers stay round.
 *
 * Gives `to`, from time to place; `from`, from place to time; and `breaks`, the places of the gaps.
 */
export function closeGaps(curves) {
  const spans = curves.map(({ time }) => time.filter((value) => value !== null)).filter((time) => time.length)
    .map((time) => [time[0], time.at(-1)]).sort((a, b) => a[0] - b[0]);
  const pieces = [];
  let end = -Infinity;
  let taken = 0;
  for (const [first, last] of spans) {
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

/**
 * Columns for the plot, in the order of their first one.
 *
 * Gives `x`, and for each curve one column of good and one of flagged values; what belongs to another curve is null.
 * `source` says for each row which curve it is of and where in it.
 */
export function columns(curves, { fold = null, unit = "flux", axis = null } = {}) {
  const rows = [];
  curves.forEach((curve, index) => {
    const scaled = unit === "relative" ? relative(curve) : curve;
    curve.time.forEach((time, i) => {
      if (time === null || scaled.flux[i] === null) return;
      const x = fold ? phaseOf(time, fold.period, fold.epoch) : axis ? axis.to(time) : time;
      rows.push({ x, y: scaled.flux[i], error: scaled.error[i], index, i, flagged: Boolean(curve.quality[i]) });
    });
  });
  rows.sort((a, b) => a.x - b.x);
  const series = curves.flatMap((_, index) =>
    [false, true].map((flagged) => rows.map((row) => (row.index === index && row.flagged === flagged ? row.y : null))),
  );
  return { x: rows.map((row) => row.x), series, rows };
}

/** First and last place of sorted values that lie between two. */
export function within(sorted, low, high) {
  const search = (goal) => {
    let [from, to] = [0, sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (sorted[middle] < goal) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  return [search(low), search(high + Number.EPSILON * Math.abs(high))];
}
