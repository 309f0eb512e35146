/** Which part of a picture is shown, and where its pixels are on the screen. Pure. */

/** Pixels a side that are shown at least. */
const FEWEST = 3;

const within = (value, low, high) => Math.max(low, Math.min(high, value));

/** A part of a window. `left` and `bottom` are edges, in pixels from the first edge of the window. Pictures of one CCD share it. */
export class View {
  constructor() {
    Object.assign(this, { factor: 1, left: 0, bottom: 0 });
  }

  /** Show all. */
  reset() {
    Object.assign(this, { factor: 1, left: 0, bottom: 0 });
  }

  /** Enlarge by a factor; the place stays where it is on the screen. */
  zoomBy(by, place, { rows, columns }) {
    const factor = within(this.factor * by, 1, Math.max(1, Math.min(rows, columns) / FEWEST));
    const moved = (edge, first) => edge - ((edge - first) * this.factor) / factor;
    Object.assign(this, { left: moved(place.column + 0.5, this.left), bottom: moved(place.row + 0.5, this.bottom), factor });
    this.#clamp(rows, columns);
  }

  /** Move by columns and rows. */
  panBy(column, row, { rows, columns }) {
    this.left += column;
    this.bottom += row;
    this.#clamp(rows, columns);
  }

  /** Move just as far as needed to show all of a pixel. */
  follow(row, column, { rows, columns }) {
    this.left = within(this.left, column + 1 - columns / this.factor, column);
    this.bottom = within(this.bottom, row + 1 - rows / this.factor, row);
    this.#clamp(rows, columns);
  }

  #clamp(rows, columns) {
    this.left = within(this.left, 0, columns - columns / this.factor);
    this.bottom = within(this.bottom, 0, rows - rows / this.factor);
  }
}

/** A picture on the screen: `side` of a pixel, `width` and `height` of all, in pixels of the style sheet. */
export class Layout {
  /** Parameters: rows and columns of the window, the room across in pixels of the style sheet, pixels of the screen in each of them, and the view. */
  constructor(rows, columns, room, ratio, view) {
    const whole = Math.max(1, Math.floor((room / Math.max(rows, columns)) * ratio)) / ratio;
    Object.assign(this, { rows, columns, view, width: whole * columns, height: whole * rows, side: whole * view.factor });
  }

  /** Where the centre of a pixel is. */
  place(row, column) {
    return { x: (column + 0.5 - this.view.left) * this.side, y: this.height - (row + 0.5 - this.view.bottom) * this.side };
  }

  /** Row and column, with fractions, of a point. */
  at(x, y) {
    return { row: (this.height - y) / this.side + this.view.bottom - 0.5, column: x / this.side + this.view.left - 0.5 };
  }

  /** Row and column of the pixel that a point is on; null beside the window. */
  pixelAt(x, y) {
    const { row, column } = this.at(x, y);
    const pixel = [Math.ceil(row - 0.5) + 0, Math.floor(column + 0.5)]; // the upper and the left edge are of the pixel
    return pixel[0] >= 0 && pixel[0] < this.rows && pixel[1] >= 0 && pixel[1] < this.columns ? pixel : null;
  }

  /** The first and the last row and column that are shown, with fractions. */
  get shown() {
    const { left, bottom, factor } = this.view;
    return { rows: [bottom - 0.5, bottom + this.rows / factor - 0.5], columns: [left - 0.5, left + this.columns / factor - 0.5] };
  }
}
