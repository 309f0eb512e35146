"""Make what is behind the page's map of the sky from the npm package d3-celestial: Milky Way, constellations, stars.

Usage: python make_sky.py PACKAGE

PACKAGE is the unpacked package: `npm pack d3-celestial@0.7.35` gives it. The files are written to page/data/sky.
"""

import json
import shutil
import sys
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter  # type: ignore[import-untyped]

FOLDER = Path(__file__).resolve().parents[1] / "page" / "data" / "sky"
WIDTH, HEIGHT = 720, 360
"""Pixels of the picture of the Milky Way; right ascension from 0 to 360, declination from -90 to 90 degrees."""
BLURS = (3.0, 2.0, 1.2, 1.0, 1.0)
"""For each step of brightness, sigma in pixels."""
FAINTEST, FAINTEST_WITH_A_NAME = 4.5, 3.6
"""Magnitudes of the faintest stars on the map, and among the suggestions of the search."""

Features = list[dict[str, Any]]


def features_of(package: Path, name: str) -> Features:
    """Features of a file of the package."""
    found: Features = json.loads((package / "data" / f"{name}.json").read_text(encoding="utf-8"))["features"]
    return found


def inside(rings: list[list[list[float]]]) -> NDArray[np.bool_]:
    """Pixels inside rings: their way north along the meridian crosses the rings an odd number of times."""
    parallels = (np.arange(HEIGHT) + 0.5) * 180 / HEIGHT - 90
    odd = np.zeros((HEIGHT, WIDTH), dtype=bool)
    for ring in rings:
        columns = [ra % 360 * WIDTH / 360 - 0.5 for ra, _ in ring]
        for here, (_, dec), there, (_, next_dec) in zip(columns, ring, _turned(columns), _turned(ring), strict=True):
            first, last = ceil(here), ceil(there)
            around = WIDTH * round((last - first) / WIDTH)  # the way over 0 hours is the shorter one
            last, width = last - around, there - around - here
            for column in range(min(first, last), max(first, last)):
                odd[:, column % WIDTH] ^= parallels < dec + (column - here) / width * (next_dec - dec)
    return odd


def _turned(values: list[Any]) -> list[Any]:
    return values[1:] + values[:1]


def milky_way(package: Path) -> NDArray[np.uint8]:
    """Brightness of the Milky Way, from the north down: the catalogue's five steps, made smooth."""
    levels = features_of(package, "mw")
    total = np.zeros((HEIGHT, WIDTH))
    for level, blur in zip(levels, BLURS, strict=True):
        rings = [ring for part in level["geometry"]["coordinates"] for ring in part]
        total += gaussian_filter(inside(rings).astype(float), blur, mode=("nearest", "wrap"))
    return np.round(total[::-1] * 255 / len(levels)).astype(np.uint8)


def figures(package: Path) -> dict[str, list[Any]]:
    """Stars with magnitudes, lines of constellations, and their names; angles in hundredths of a degree."""

    def place(point: list[float]) -> list[int]:
        return [round(point[0] % 360 * 100), round(point[1] * 100)]

    stars = [
        [*place(star["geometry"]["coordinates"]), round(star["properties"]["mag"] * 10)]
        for star in features_of(package, "stars.6")
        if star["properties"]["mag"] <= FAINTEST
    ]
    lines = [
        [value for point in line for value in place(point)]
        for figure in features_of(package, "constellations.lines")
        for line in figure["geometry"]["coordinates"]
    ]
    names = [
        [each["properties"]["name"], *place(each["geometry"]["coordinates"]), int(each["properties"]["rank"])]
        for each in features_of(package, "constellations")
    ]
    return {"stars": sorted(stars, key=lambda star: star[2]), "lines": lines, "names": names}


def star_names(package: Path) -> dict[str, list[str]]:
    """Names of bright stars, under what is said about them."""
    known = json.loads((package / "data" / "starnames.json").read_text(encoding="utf-8"))
    bright = [star for star in features_of(package, "stars.6") if star["properties"]["mag"] <= FAINTEST_WITH_A_NAME]
    return {"bright star": sorted({name for star in bright if (name := known.get(str(star["id"]), {}).get("name"))})}


def write(path: Path, document: Any) -> None:
    """Write JSON without spaces."""
    path.write_text(json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")


def main(package: Path) -> None:
    """Make all files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(package / "LICENSE", FOLDER / "LICENSE")
    Image.fromarray(milky_way(package)).save(FOLDER / "milky-way.jpg", quality=75, optimize=True, progressive=True)
    write(FOLDER / "figures.json", figures(package))
    write(FOLDER / "star-names.json", star_names(package))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
