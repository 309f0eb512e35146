/** Apertures: rows of 0 and 1, and the hexadecimal text that the service takes. */

/** Row by row, the first pixel the most significant bit of the first digit, filled up with zeros to whole digits. */
export function toHex(mask) {
  const bits = mask.flat().map((bit) => (bit ? "1" : "0")).join("");
  const filled = bits.padEnd(Math.ceil(bits.length / 4) * 4, "0");
  return (filled.match(/.{4}/g) ?? []).map((four) => parseInt(four, 2).toString(16)).join("");
}

/** The same mask with one pixel the other way; the last pixel stays, for an empty aperture has no light. */
export function toggled(mask, row, column) {
  const changed = mask.map((line) => [...line]);
  changed[row][column] = changed[row][column] ? 0 : 1;
  return countPixels(changed) ? changed : mask;
}

/** Pixels inside. */
export function countPixels(mask) {
  return mask.flat().filter(Boolean).length;
}

/** Edges between what is in and what is out, as [x1, y1, x2, y2] in pixels. */
export function outline(mask) {
  const at = (row, column) => Boolean(mask[row]?.[column]);
  const edges = [];
  for (let row = 0; row <= mask.length; row += 1) {
    for (let column = 0; column <= mask[0].length; column += 1) {
      if (at(row, column) !== at(row - 1, column)) edges.push([column, row, column + 1, row]);
      if (at(row, column) !== at(row, column - 1)) edges.push([column, row, column, row + 1]);
    }
  }
  return edges;
}
