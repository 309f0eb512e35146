/** Dates in UTC for times of TESS, and where they go on an axis of time. */

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
/** TDB minus UTC in seconds, since 2017. */
const TDB_UTC = 69.184;
const [ZERO, UNIX] = [2_457_000, 2_440_587.5];
const STEPS = [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE).concat([1, 2, 3, 6, 12].map((n) => n * HOUR), [1, 2, 5, 10].map((n) => n * DAY));
const MONTHS = [1, 2, 3, 6, 12, 24, 60];
const MONTH_DAYS = 30.4;
const NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const TINY = 1e-6;

/** Milliseconds of UTC since 1970 of days since JD 2457000 in TDB. */
export function utcOf(time) {
  return (time + ZERO - UNIX) * DAY - TDB_UTC * 1000;
}

/** Days since JD 2457000 in TDB of milliseconds of UTC since 1970. */
export function timeOf(utc) {
  return (utc + TDB_UTC * 1000) / DAY + UNIX - ZERO;
}

const two = (value) => String(value).padStart(2, "0");

/** A time as a date in UTC, to the second: 2018-07-25 19:10:05. */
export function formatUtc(time) {
  return new Date(Math.round(utcOf(time) / 1000) * 1000).toISOString().replace("T", " ").slice(0, 19);
}

/** Moments that are round, from one to another: whole steps, or whole months. */
function* moments(from, to, days) {
  const step = STEPS.find((each) => each >= days * DAY);
  if (step) {
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) yield at;
    return;
  }
  const months = MONTHS.find((each) => each * MONTH_DAYS >= days) ?? MONTHS.at(-1);
  const first = new Date(from);
  for (let month = Math.floor(first.getUTCMonth() / months) * months; ; month += months) {
    const at = Date.UTC(first.getUTCFullYear(), month);
    if (at > to) return;
    if (at >= from) yield at;
  }
}

/** Places of round dates between two places, at most so many. `axis` has the gaps that were closed. */
export function utcTicks(axis, low, high, most) {
  const apart = (high - low) / Math.max(1, most);
  const ticks = [];
  for (const moment of moments(utcOf(axis.from(low)), utcOf(axis.from(high)), apart)) {
    const place = axis.to(timeOf(moment));
    const isThere = Math.abs(timeOf(moment) - axis.from(place)) < TINY;
    if (isThere && place >= low && place <= high && (!ticks.length || place - ticks.at(-1) > apart * 0.8)) ticks.push(place);
  }
  return ticks;
}

/** Labels of ticks: the day or the hour, with the year or the day where it is another than before. */
export function utcLabels(axis, ticks) {
  const dates = ticks.map((tick) => new Date(Math.round(utcOf(axis.from(tick)) / 1000) * 1000));
  const hasHours = dates.some((date) => date.getTime() % DAY);
  return dates.map((date, k) => {
    const before = dates[k - 1];
    const isNewYear = before?.getUTCFullYear() !== date.getUTCFullYear();
    const day = `${isNewYear ? `${date.getUTCFullYear()} ` : ""}${NAMES[date.getUTCMonth()]} ${date.getUTCDate()}`;
    if (!hasHours) return day;
    const hour = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
    return before && before.getUTCDate() === date.getUTCDate() && before.getUTCMonth() === date.getUTCMonth() ? hour : `${day} ${hour}`;
  });
}
