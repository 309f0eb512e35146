/** The price of a list of targets, before anything is read. */

import { element } from "../base/dom.js";
import { formatBytes } from "../files/snippets.js";
import { count, dollars, duration } from "./words.js";

const PARTS = { compute: "computing", requests: "reading", results: "writing", workflow: "workflow", storage: "storage" };
/** Limits in words, and how their numbers are written. */
const LIMITS = {
  usd: ["The price", dollars], bands: ["The number of parts of the work", (number) => number.toLocaleString("en")],
  result_files: ["The number of files", (number) => number.toLocaleString("en")], minutes: ["The time", (minutes) => duration(minutes * 60)],
  window_bytes: ["The memory for the largest window", formatBytes], task_seconds: ["The time of the longest part of the work", duration],
};

function limitWords({ limit, value, allowed }) {
  const [name, write] = LIMITS[limit] ?? [`The limit ${limit}`, String];
  return `${name} is ${write(value)}; at most ${write(allowed)} is allowed.`;
}

function fact(name, ...values) {
  return [element("dt", { text: name }), element("dd", {}, values)];
}

function parts(usd) {
  const said = Object.entries(usd ?? {}).filter(([, value]) => value > 0).map(([name, value]) => `${PARTS[name] ?? name.replaceAll("_", " ")} ${dollars(value)}`);
  return said.length ? ` (${said.join(", ")})` : "";
}

/** Rows that were not understood, as a table; null if there are none. */
export function problemTable(problems, total) {
  if (!total) return null;
  const rows = problems.map(({ row, name, reason }) => element("tr", {}, element("th", { scope: "row", class: "number", text: row }), element("td", { text: name }), element("td", { class: "reason", text: reason })));
  const more = total > problems.length ? element("p", { class: "quiet", text: `The first ${problems.length} of ${count(total, "row")} are shown; status.csv has all of them.` }) : null;
  return element("details", { class: "problems", open: total <= 10 }, element("summary", { text: `${count(total, "row")} cannot be understood` }),
    element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Rows that cannot be understood" },
      element("table", {}, element("thead", {}, element("tr", {}, element("th", { scope: "col", class: "number", text: "Row" }), element("th", { scope: "col", text: "Target" }), element("th", { scope: "col", text: "Reason" }))), element("tbody", {}, rows))), more);
}

/** What the service says a list costs. */
export function planNodes(plan) {
  const onNone = plan.n_on_no_cube ? `; ${plan.n_on_no_cube.toLocaleString("en")} on no cube of this service` : "";
  const twice = plan.duplicates ? `, ${plan.duplicates.toLocaleString("en")} of them of stars that another CCD of the sector sees better` : "";
  const facts = element("dl", { class: "facts-list" },
    fact("Targets", `${plan.targets.toLocaleString("en")} of ${count(plan.rows, "row")}${onNone}`),
    fact("Cutouts", `${plan.cutouts.toLocaleString("en")} from ${count(plan.cubes, "cube")}${twice}`),
    fact("Reads", `${formatBytes(plan.bytes)} in ${count(plan.requests, "request")}, up to ${count(plan.tasks, "task")} at the same time`),
    fact("Time", duration(60 * plan.minutes), " of work, after the list’s turn has come"),
    fact("Results", `about ${formatBytes(plan.result_bytes)} in ${count(plan.result_files, "file")}`),
    fact("Price", element("strong", { text: dollars(plan.usd) }), parts(plan.usd_parts)));
  const limits = (plan.limits ?? []).map((each) => element("p", { class: "message error", role: "alert", text: limitWords(each) }));
  const nothing = plan.cutouts ? null : element("p", { class: "message error", role: "alert", text: "No target is on a cube of this service, so there is nothing to make." });
  return [facts, ...limits, nothing, problemTable(plan.problems ?? [], plan.n_problems ?? 0)].filter(Boolean);
}
