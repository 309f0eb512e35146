/** The wheel scrolls the page; it zooms with a key that is held, and pinching a touchpad says the same. */

export const WHEEL_HINT = "Ctrl or ⌘ and the wheel zoom.";
/** Milliseconds without a turn of the wheel before the hint is shown: what scrolls under the pointer has words too. */
export const HINT_PAUSE = 200;

/** Whether a turn of the wheel is meant to zoom. */
export function isZoom(event) {
  return event.ctrlKey || event.metaKey;
}

/** How many times larger a turn of the wheel makes a picture; some browsers count turns in lines, not in pixels. */
export function zoomOf(event) {
  return Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015));
}
