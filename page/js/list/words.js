/** Numbers of plans and of running lists, in words. */

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

export function dollars(usd) {
  if (usd > 0 && usd < 0.01) return "less than $0.01";
  return `$${usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

export function duration(seconds) {
  if (seconds < 60) return seconds < 1 ? "less than a second" : count(Math.round(seconds), "second");
  if (seconds < 5400) return `about ${count(Math.round(seconds / 60), "minute")}`;
  return `about ${Number((seconds / 3600).toPrecision(2))} hours`;
}
