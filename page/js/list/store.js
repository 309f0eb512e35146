/** Lists that this browser began: their names, and the tokens that cancel them. Only this browser has the tokens. */

const KEY = "tessera-lists";
const MOST = 20;

/** Lists, newest first. */
export function remembered() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((each) => typeof each?.id === "string") : [];
  } catch {
    return [];
  }
}

/** Keep a list. The same list again keeps the token that it has. */
export function remember(list) {
  const others = remembered().filter(({ id }) => id !== list.id);
  const token = list.token || tokenOf(list.id);
  try {
    localStorage.setItem(KEY, JSON.stringify([{ ...list, token }, ...others].slice(0, MOST)));
  } catch { /* a browser that keeps nothing: the list runs, and cannot be cancelled from here after a reload */ }
}

export function forget(id) {
  try {
    localStorage.setItem(KEY, JSON.stringify(remembered().filter((each) => each.id !== id)));
  } catch { /* a browser that keeps nothing */ }
}

export function tokenOf(id) {
  return remembered().find((each) => each.id === id)?.token ?? "";
}
