/** Points of a light curve as text: CSV, and ECSV as astropy writes it. */

const ZERO = 2_457_000;
const PLACES = { BTJD: "at the barycentre of the solar system", TJD: "at the spacecraft" };

/** A text as a value of CSV. */
function quoted(text) {
  return /[",\s]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A text as YAML in one line: JSON is that. */
const yaml = (value) => JSON.stringify(value);
const known = (value) => (Number.isFinite(value) ? String(value) : "");

function columnsOf(points) {
  const { phase, flux, error, quality, name } = points;
  return [
    ...(phase ? [["phase", phase.map(known)]] : []), ["flux", flux.map(known)], ["flux_err", error.map(known)], ["quality", quality.map(String)], ["light_curve", name.map(quoted)],
  ];
}

function lines(columns) {
  const [[, first]] = columns;
  return [columns.map(([name]) => name).join(","), ...first.map((_, k) => columns.map(([, values]) => values[k]).join(","))].join("\n");
}

/** The columns time_btjd or time_tjd, phase if folded, flux, flux_err, quality and light_curve. */
export function csvOf(points) {
  return `${lines([[`time_${points.system.toLowerCase()}`, points.time.map(String)], ...columnsOf(points)])}\n`;
}

/** The same for astropy, which reads the column `time` as Time and gives flux its unit. */
export function ecsvOf(points, about = {}) {
  const { unit, fold, system, time } = points;
  const units = unit ? `unit: ${unit.replace("e-", "electron").replace(/\/s$/, " / s")}, ` : "";
  const kinds = { phase: "datatype: float64", flux: `${units}datatype: float64`, flux_err: `${units}datatype: float64`, quality: "datatype: int64", light_curve: "datatype: string" };
  const columns = columnsOf(points);
  const meta = { times: `middle of each exposure, TDB, ${PLACES[system]}`, ...(about.name ? { target: about.name } : {}), ...(about.ra === null || about.ra === undefined ? {} : { ra: about.ra, dec: about.dec }),
    ...(fold ? { period: fold.period, epoch: fold.epoch } : {}) };
  const header = [
    "%ECSV 1.0", "---", "datatype:", "- {name: time.jd1, unit: d, datatype: float64}", "- {name: time.jd2, unit: d, datatype: float64}",
    ...columns.map(([name]) => `- {name: ${name}, ${kinds[name]}}`), "delimiter: ','", "meta: !!omap",
    ...Object.entries(meta).map(([key, value]) => `- {${key}: ${yaml(value)}}`),
    "- __serialized_columns__:", "    time:", "      __class__: astropy.time.core.Time", "      format: jd", "      in_subfmt: '*'",
    "      jd1: !astropy.table.SerializedColumn {name: time.jd1}", "      jd2: !astropy.table.SerializedColumn {name: time.jd2}", "      out_subfmt: '*'", "      precision: 3", "      scale: tdb",
    "schema: astropy-2.0",
  ];
  const times = [["time.jd1", time.map(() => `${ZERO}.0`)], ["time.jd2", time.map(String)]];
  return `${header.map((line) => `# ${line}`).join("\n")}\n${lines([...times, ...columns])}\n`;
}
