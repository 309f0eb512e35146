/** Elements are made by calls, never out of text: whatever a user or a server says stays text. */

/**
 * Make an element.
 *
 * `properties` are attributes; `class` and `text` are what they say, `on` holds listeners, and true, false and null
 * switch an attribute on and off.
 */
export function element(tag, properties = {}, ...children) {
  const made = tag === "svg" || tag === "path" ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "text") made.textContent = value;
    else if (name === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** The element of an id; a page that lacks it is broken, and says so. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found;
}

/** Tell people who hear the page what has changed. */
export function announce(text) {
  byId("announcements").textContent = text;
}

/** Show a message under what it is about, with a button where `again` is what tries again; an empty text takes it away. */
export function report(place, text, kind = "error", again = null) {
  place.replaceChildren();
  if (text) place.append(element("p", { class: `message ${kind}`, role: kind === "error" ? "alert" : "status", text }));
  if (text && again) place.append(element("button", { type: "button", class: "small", text: "Try again", on: { click: () => again() } }));
}

/** Let Escape close a menu, and give the focus to what opens it. */
export function closeByEscape(menu) {
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

/** Wait until calls have stopped for a while. */
export function debounce(run, milliseconds) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...values), milliseconds);
  };
}

/** Run soon after a call, and at most once in a while however many calls there are. */
export function throttle(run, milliseconds) {
  let timer = 0;
  return () => {
    timer ||= setTimeout(() => {
      timer = 0;
      run();
    }, milliseconds);
  };
}

/** Run at most once per painted frame. */
export function oncePerFrame(run) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      run();
    });
  };
}

/** A colour or number of the style sheet, as it is in this theme. */
export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Size a canvas for the screen's pixels; its context, in CSS pixels. */
export function prepareCanvas(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 3);
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
