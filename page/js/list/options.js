/** What to make of a list of targets: fields become options, and wrong fields are told. */

export const LARGEST_SIDE = 101;
export const DEFAULTS = {
  outputs: ["parquet"], product: "SPOC", rows: "11", columns: "11", sectors: "", epoch: "", aperture: "default", digits: "",
  background: true, layout: "full", packing: "zip", best: false,
};
const MOST_SECTORS = 1000;
const [FIRST_YEAR, LAST_YEAR] = [1800, 2200];

function sideProblem(name, text) {
  const side = Number(text);
  if (text.trim() !== "" && Number.isInteger(side) && side >= 1 && side <= LARGEST_SIDE) return "";
  return `${name} of a window is a whole number of pixels from 1 to ${LARGEST_SIDE}; ${text.trim() === "" ? "the field is empty" : `"${text.slice(0, 40)}" is not`}.`;
}

/** Sectors of a text such as "1, 14-16"; null for all of them, and an Error for what is not a sector. */
export function parseSectors(text) {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  if (!words.length || text.trim().toLowerCase() === "all") return null;
  const found = new Set();
  for (const word of words) {
    const [, first, last] = /^(\d{1,5})(?:[-–](\d{1,5}))?$/.exec(word) ?? [];
    const [low, high] = [Number(first), Number(last ?? first)];
    if (!(low >= 1 && high >= low && high - low < MOST_SECTORS)) throw new Error(`Sectors are whole numbers from 1, such as 1, 14-16; "${word.slice(0, 40)}" is not.`);
    for (let sector = low; sector <= high; sector += 1) found.add(sector);
  }
  return [...found].sort((a, b) => a - b);
}

function sectorsProblem(text) {
  try {
    parseSectors(text);
    return "";
  } catch (error) {
    return error.message;
  }
}

function epochProblem(text) {
  const year = Number(text);
  if (text.trim() === "" || (year >= FIRST_YEAR && year <= LAST_YEAR)) return "";
  return `The epoch is a Julian year from ${FIRST_YEAR} to ${LAST_YEAR}, such as 2016.0; "${text.slice(0, 40)}" is not.`;
}

/** What is wrong, by field; nothing if all is right. */
export function problemsOf(fields) {
  const found = {
    outputs: fields.outputs.length ? "" : "Tick at least one product.",
    rows: sideProblem("The height", fields.rows),
    columns: sideProblem("The width", fields.columns),
    sectors: sectorsProblem(fields.sectors),
    epoch: epochProblem(fields.epoch),
    digits: fields.aperture !== "own" || /^[0-9a-f]+$/i.test(fields.digits.trim()) ? "" : `The aperture is written in hexadecimal digits, as previews write it; ${fields.digits.trim() ? `"${fields.digits.slice(0, 40)}" is not` : "the field is empty"}.`,
  };
  return Object.fromEntries(Object.entries(found).filter(([, text]) => text));
}

/** Options of the service. Those at their defaults are left out. */
export function optionsOf(fields) {
  const aperture = fields.aperture === "own" ? fields.digits.trim().toLowerCase() : fields.aperture;
  const hasFiles = fields.outputs.some((each) => each !== "parquet");
  const options = {
    outputs: fields.outputs, size: [Number(fields.rows), Number(fields.columns)], sectors: parseSectors(fields.sectors),
    aperture: aperture === "default" ? null : aperture, background: fields.background ? null : false, product: fields.product === "SPOC" ? null : fields.product,
    layout: fields.outputs.includes("tpf") && fields.layout !== "full" ? fields.layout : null, packing: hasFiles && fields.packing !== "zip" ? fields.packing : null,
    best_only: fields.best ? true : null, epoch: fields.epoch.trim() ? Number(fields.epoch) : null,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null));
}
