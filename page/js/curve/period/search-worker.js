/** The search of a period beside the page, so that the page stays alive; whoever wants it to end terminates the worker. */

import { related } from "./aliases.js";
import { searchBoxes, searchSines } from "./search.js";

const TELL_EVERY = 100;

self.onmessage = ({ data: points }) => {
  const sines = searchSines(points);
  let told = 0;
  const boxes = searchBoxes(points, (part) => {
    if (performance.now() - told < TELL_EVERY) return;
    told = performance.now();
    self.postMessage({ part });
  });
  for (const found of [sines, boxes]) found.best = related(found.best, points.time);
  self.postMessage({ sines, boxes });
};
