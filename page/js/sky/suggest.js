/** What to search: suggestions while somebody types, and what to try when a name is not known. */

import { formatPosition, PositionError, trim } from "./coordinates.js";
import { readPosition } from "./frames.js";

const NUMBER = /^\s*[+-]?\d+(\.\d*)?\s*°?\s*$/;
/** Letters that may differ between what was typed and a name, for each three letters of the name. */
const LETTERS_A_SLIP = 3;

/** Most suggestions at once. */
const SUGGESTED = 8;
/** Shortest text that may have a slip. */
const SHORTEST = 4;

const plain = (text) => text.toLowerCase().replace(/[\s_-]/g, "");

/** A position that was typed, as a suggestion; null where it is none. */
function positionOf(typed) {
  try {
    const found = readPosition(typed);
    if (!found) return null;
    const about = found.frame ? `${found.frame} ${trim(found.lon, 5)} ${trim(found.lat, 5)}` : "position, ICRS";
    return { text: formatPosition(found), about, query: typed };
  } catch (error) {
    if (!(error instanceof PositionError)) throw error;
    return null; // said when it is searched
  }
}

/** Where a name begins with what was typed, or one of its words does; the number is lower for what is likelier. */
function rank(name, wanted) {
  if (plain(name).startsWith(wanted)) return 0;
  return name.split(/[\s-]/).some((word) => plain(word).startsWith(wanted)) ? 1 : 2;
}

/**
 * What was perhaps meant while it is being typed, the likeliest first.
 *
 * Parameters: what was typed, and known names as `{ name, about }`. Gives `{ text, about }`: a position, with the text to
 * search in `query`, because `text` is rounded; the number of a star in the TIC; or names. Nothing typed gives the first names.
 */
export function suggest(typed, known) {
  const position = positionOf(typed);
  if (position) return [position];
  if (/^\s*\d{4,}\s*$/.test(typed)) return [{ text: `TIC ${typed.trim()}`, about: "TESS Input Catalog" }];
  const wanted = plain(typed);
  const names = new Set();
  const different = known.filter(({ name }) => !names.has(plain(name)) && names.add(plain(name)));
  const ranked = different.map((each) => [rank(each.name, wanted), each]).filter(([place]) => place < 2);
  ranked.sort((a, b) => a[0] - b[0]);
  const found = ranked.map(([, each]) => each);
  const near = found.length || wanted.length < SHORTEST ? [] : nearest(typed, different.map((each) => each.name)).map((name) => different.find((each) => each.name === name));
  return [...found, ...near].slice(0, SUGGESTED).map(({ name, about }) => ({ text: name, about }));
}

/** Letters to change, add or take away to make one text of the other, in any case and without spaces. */
export function distance(one, other) {
  const [a, b] = [one, other].map(plain);
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

/** Names that were perhaps meant, the likeliest first. */
export function nearest(typed, names) {
  const near = names.map((name) => [distance(typed, name), name]).filter(([letters, name]) => letters <= Math.floor(name.length / LETTERS_A_SLIP));
  return near.sort((a, b) => a[0] - b[0]).slice(0, 3).map(([, name]) => name);
}

/** Why a text is not known, in a sentence, and what to search instead. */
export function adviseOn(typed, names) {
  if (NUMBER.test(typed) && !/^\s*\d{4,}\s*$/.test(typed)) {
    return { words: `${typed.trim()} is one number; a position has two, such as 98.2164 −75.9018.`, instead: [] };
  }
  const words = `No star is known here as “${typed}”.`;
  if (NUMBER.test(typed)) return { words, instead: [`TIC ${typed.trim()}`] };
  return { words, instead: nearest(typed, names) };
}
