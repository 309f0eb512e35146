/** Dark or light: as the system has it, until somebody chooses. */

import { byId } from "./dom.js";

const KEY = "tessera-theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function chosen() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function isDark() {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : dark.matches;
}

/** Begin, and call `changed` whenever the colours are others. */
export function startTheme(changed) {
  const button = byId("theme");
  const name = () => button.setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
  if (["dark", "light"].includes(chosen())) document.documentElement.dataset.theme = chosen();
  name();
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem(KEY, document.documentElement.dataset.theme);
    } catch { /* a browser that keeps nothing */ }
    name();
    changed();
  });
  dark.addEventListener("change", () => {
    name();
    changed();
  });
}
