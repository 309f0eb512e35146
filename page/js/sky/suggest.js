/** What to try when a name is not known. */

const NUMBER = /^\s*[+-]?\d+(\.\d*)?\s*°?\s*$/;
/** Letters that may differ between what was typed and a name, for each three letters of the name. */
const LETTERS_A_SLIP = 3;

/** Letters to change, add or take away to make one text of the other, in any case and without spaces. */
export function distance(one, other) {
  const [a, b] = [one, other].map((text) => text.toLowerCase().replace(/[\s_-]/g, ""));
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
