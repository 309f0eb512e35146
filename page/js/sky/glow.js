/** A picture of the whole sky, seen in the projection of the map. */

/** Pixels of the screen a side that have one brightness; the browser makes it smooth. */
const CELL = 4;
/** Opacity where the sky is brightest. */
const STRONGEST = 0.9;

export class Glow {
  /** Parameters: brightness from 0 to 255 by rows from the north down, right ascension from 0 to 360 degrees, and its size. */
  constructor(brightness, columns, rows) {
    Object.assign(this, { brightness, columns, rows, key: "" });
  }

  /** Brightness at a unit vector, between the pixels around it. */
  at(x, y, z) {
    const { brightness, columns, rows } = this;
    const column = ((Math.atan2(y, x) / (2 * Math.PI)) * columns - 0.5 + columns) % columns;
    const row = Math.max(0, Math.min(rows - 1, (0.5 - Math.asin(Math.max(-1, Math.min(1, z))) / Math.PI) * rows - 0.5));
    const [left, top] = [Math.floor(column), Math.floor(row)];
    const [right, below] = [(left + 1) % columns, Math.min(rows - 1, top + 1)];
    const [across, down] = [column - left, row - top];
    const [upper, lower] = [top * columns, below * columns];
    const north = brightness[upper + left] * (1 - across) + brightness[upper + right] * across;
    const south = brightness[lower + left] * (1 - across) + brightness[lower + right] * across;
    return north * (1 - down) + south * down;
  }

  /** Brightness in the cells of a view, row by row; 0 outside of the sky. */
  seen(view) {
    const { forward: f, east: e, north: n } = view;
    const directions = this.#directions(view);
    const values = new Uint8Array(directions.length / 3);
    for (let i = 0, k = 0; i < values.length; i += 1, k += 3) {
      const [a, b, c] = [directions[k], directions[k + 1], directions[k + 2]];
      if (a || b || c) values[i] = this.at(a * f[0] + b * e[0] + c * n[0], a * f[1] + b * e[1] + c * n[1], a * f[2] + b * e[2] + c * n[2]);
    }
    return values;
  }

  /** Directions of the cells, which are the same wherever the view is turned to. */
  #directions(view) {
    const [columns, rows] = cellsOf(view);
    const key = [view.scale, ...view.middle].join();
    if (this.key === key) return this.directions;
    this.directions = new Float32Array(3 * columns * rows);
    for (let i = 0; i < columns * rows; i += 1) {
      const direction = view.directionAt((Math.floor(i % columns) + 0.5) * CELL, (Math.floor(i / columns) + 0.5) * CELL);
      if (direction) this.directions.set(direction, 3 * i);
    }
    this.key = key;
    return this.directions;
  }

  /** Paint on the map. */
  paint(context, view, colour) {
    const [columns, rows] = cellsOf(view);
    const sheet = new OffscreenCanvas(columns, rows);
    const sheetContext = sheet.getContext("2d", { willReadFrequently: true });
    const image = sheetContext.createImageData(columns, rows);
    this.seen(view).forEach((value, i) => { image.data[4 * i + 3] = value * STRONGEST; });
    sheetContext.putImageData(image, 0, 0);
    sheetContext.globalCompositeOperation = "source-in";
    sheetContext.fillStyle = colour;
    sheetContext.fillRect(0, 0, columns, rows);
    context.drawImage(sheet, 0, 0, columns * CELL, rows * CELL);
  }
}

function cellsOf({ middle }) {
  return middle.map((half) => Math.ceil((2 * half) / CELL));
}
