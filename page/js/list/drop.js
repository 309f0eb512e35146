/** Files that are dropped anywhere on the page. */

const CLASS = "dropping";

function hasFiles(event) {
  return [...event.dataTransfer?.types ?? []].includes("Files");
}

/** Call `onFiles(files)` where nothing else takes the files. A browser would go to them, and leave the page. */
export function takeDrops(onFiles) {
  const mark = (on) => document.body.classList.toggle(CLASS, on);
  window.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  window.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) mark(false);
  });
  window.addEventListener("drop", (event) => {
    mark(false);
    if (event.defaultPrevented || !hasFiles(event)) return;
    event.preventDefault();
    onFiles([...event.dataTransfer.files]);
  });
}
