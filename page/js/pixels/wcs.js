/** Where pixels are on the sky: the tangential projection that a preview has. Rows and columns are those of the frame. Pure. */

const DEGREE = Math.PI / 180;
/** Degrees to the north, and to the east, by which directions are found. */
const STEP = 1e-5;

/** Position of a place on the frame. */
export function skyAt({ ra, dec, row, column, matrix }, atRow, atColumn) {
  const [x, y] = [atColumn - column, atRow - row];
  const [xi, eta] = matrix.map(([perColumn, perRow]) => (perColumn * x + perRow * y) * DEGREE);
  const [sin, cos] = [Math.sin(dec * DEGREE), Math.cos(dec * DEGREE)];
  const across = cos - eta * sin;
  return {
    ra: ((((ra + Math.atan2(xi, across) / DEGREE) % 360) + 360) % 360),
    dec: Math.atan2(sin + eta * cos, Math.hypot(xi, across)) / DEGREE,
  };
}

/** Place of a position on the frame; null for what is more than a quarter of the sky away. */
export function pixelAt({ ra, dec, row, column, matrix }, atRa, atDec) {
  const [sin0, cos0] = [Math.sin(dec * DEGREE), Math.cos(dec * DEGREE)];
  const [sin, cos, away] = [Math.sin(atDec * DEGREE), Math.cos(atDec * DEGREE), (atRa - ra) * DEGREE];
  const depth = sin0 * sin + cos0 * cos * Math.cos(away);
  if (depth <= 0) return null;
  const xi = (cos * Math.sin(away)) / depth / DEGREE;
  const eta = (cos0 * sin - sin0 * cos * Math.cos(away)) / depth / DEGREE;
  const [[a, b], [c, d]] = matrix;
  const area = a * d - b * c;
  return { row: row + (a * eta - c * xi) / area, column: column + (d * xi - b * eta) / area };
}

/** Arcseconds that a pixel is wide, the mean of both sides. */
export function pixelArcseconds({ matrix: [[a, b], [c, d]] }) {
  return Math.sqrt(Math.abs(a * d - b * c)) * 3600;
}

/** Directions to the north and to the east at a place, as columns and rows of length 1. */
export function directions(wcs, row, column) {
  const { ra, dec } = skyAt(wcs, row, column);
  const from = (place) => {
    const [x, y] = [place.column - column, place.row - row];
    const length = Math.hypot(x, y);
    return [x / length, y / length];
  };
  return { north: from(pixelAt(wcs, ra, dec + STEP)), east: from(pixelAt(wcs, ra + STEP / Math.cos(dec * DEGREE), dec)) };
}
