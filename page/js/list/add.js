/** Rows that are added to a pasted table. Pure. */

const SEPARATORS = [",", "\t", ";", "|"];

/** Cells of a line; quotes hold separators. */
function cellsOf(line, separator) {
  const cells = [""];
  let isQuoted = false;
  for (const letter of line) {
    if (letter === '"') isQuoted = !isQuoted;
    else if (letter === separator && !isQuoted) cells.push("");
    else cells[cells.length - 1] += letter;
  }
  return cells.map((cell) => cell.trim());
}

function quoted(value, separator) {
  const text = String(value ?? "");
  return text.includes(separator) || text.includes('"') ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The separator of a table whose first line is headings of a position; null if it has none. */
function separatorOf(line) {
  return SEPARATORS.find((separator) => {
    const names = cellsOf(line, separator).map((name) => name.toLowerCase());
    return names.includes("ra") && names.includes("dec");
  }) ?? null;
}

/**
 * A table with more rows, objects by heading. Columns that it lacks are added behind, and lines that are in it already are
 * left out. Gives `text`, the table; `added`, how many lines are new; and `rows`, how many there are now. Null for a table
 * without the headings `ra` and `dec`.
 */
export function withRows(text, rows) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim());
  if (!lines.length) lines.push(Object.keys(rows[0]).join(","));
  const separator = separatorOf(lines[0]);
  if (!separator) return null;
  const names = cellsOf(lines[0], separator);
  const known = names.map((name) => name.toLowerCase());
  const missing = Object.keys(rows[0]).filter((name) => !known.includes(name) && rows.some((row) => row[name] !== ""));
  const wider = lines.map((line, i) => line + (i ? separator.repeat(missing.length) : missing.map((name) => separator + name).join("")));
  const fresh = rows.map((row) => [...known, ...missing].map((name) => quoted(row[name], separator)).join(separator)).filter((line) => !wider.includes(line));
  return { text: [...wider, ...fresh, ""].join("\n"), added: fresh.length, rows: wider.length + fresh.length - 1 };
}
