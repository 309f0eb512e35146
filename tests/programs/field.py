"""A field of stars at the edge of the science pixels, of which everything is known, and its target pixel files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord

from tessera import CutoutOptions, make_cutouts
from tessera.cutouts.open_cube import open_cube
from tests.support.sparse import sparse_cube

N, SIDE, SMALL_SIDE = 60, 51, 31
ROWS, COLUMNS = (0, 52), (26, 98)
"""Rows and columns of the frame that have pixels. Columns below 44 are collateral."""
FIRST_SCIENCE = 44
INNER, OUTER = (25, 70), (25, 52)
"""Row and column of the star whose window is all science pixels, and of the one whose window is not."""
DEPTH, TRANSIT = 0.02, range(30, 40)
"""Both stars lose this share of their light in these cadences."""
BLANK, REPEATED = 22, 26
FEW = 20, 35
"""First and last cadence of the small files: TGLC takes two seconds for each cadence of a large one."""
SKY, NOISE, ZERO_POINT, SIGMA = 120.0, 0.5, 20.44, 0.75
"""Background and noise of a pixel in e-/s, magnitude of 1 e-/s, and width of a star in pixels."""


def stars() -> list[dict[str, Any]]:
    """Places and magnitudes; the first two are those of `INNER` and `OUTER`."""
    rng = np.random.default_rng(7)
    placed: list[tuple[float, float, float]] = [(*INNER, 9.5), (*OUTER, 9.6)]
    while len(placed) < 40:
        row, column = rng.uniform(1, 50), rng.uniform(FIRST_SCIENCE + 1, COLUMNS[1] - 2)
        if all((row - other[0]) ** 2 + (column - other[1]) ** 2 > 25 for other in placed):
            placed.append((row, column, float(rng.uniform(11, 14.5))))
    names = ("row", "column", "tmag")
    return [{"id": 1000 + number, **dict(zip(names, one, strict=True))} for number, one in enumerate(placed)]


def pixels(known: list[dict[str, Any]]) -> np.ndarray:
    """Flux, cadences first. A collateral pixel has some electrons of bias; it sees no star."""
    rng = np.random.default_rng(8)
    rows, columns = np.arange(*ROWS)[:, None], np.arange(*COLUMNS)
    flux = np.full((N, len(rows), len(columns)), SKY)
    for number, star in enumerate(known):
        shape = np.exp(-((rows - star["row"]) ** 2 + (columns - star["column"]) ** 2) / (2 * SIGMA**2))
        level = np.where(np.isin(np.arange(N), TRANSIT) & (number < 2), 1 - DEPTH, 1.0)
        total = 10 ** ((ZERO_POINT - star["tmag"]) / 2.5)
        flux += level[:, None, None] * total * shape / (2 * np.pi * SIGMA**2)
    flux[:, :, columns < FIRST_SCIENCE] = 3.0
    flux += rng.normal(0, NOISE, flux.shape)
    flux[BLANK] = 0
    flux[REPEATED] = flux[REPEATED - 1]
    return flux.astype(">f4")


def write_cube(folder: Path, known: list[dict[str, Any]]) -> Path:
    """Write the cube, and the positions of the stars beside their pixels."""
    path = sparse_cube(folder, N)
    flux = pixels(known)
    planes = np.stack([flux, np.full_like(flux, NOISE)], axis=-1).astype(">f4")
    with open_cube(path) as cube:
        wcs, layout, offset = cube.cube.wcs, cube.cube.layout, cube.cube.data_offset
    with path.open("r+b") as file:
        for number, row in enumerate(range(*ROWS)):
            file.seek(offset + (row * layout.n_columns + COLUMNS[0]) * layout.pixel_bytes)
            file.write(planes[:, number].transpose(1, 0, 2).tobytes())
    for star in known:
        star["ra"], star["dec"] = (float(value) for value in wcs.all_pix2world(star["column"], star["row"], 0))
    return path


def write_field(folder: Path) -> dict[str, Any]:
    """Write the files, and ``truth.json``, which is returned.

    ``inner.fits`` and ``edge.fits`` are as TESSCut has them, ``*-flags.fits`` have flags, and ``*-small.fits`` have
    flags, few pixels and few cadences.
    """
    known = stars()
    path = write_cube(folder, known)
    small = CutoutOptions(flags=True, cadences=FEW)
    kinds = {"": (SIDE, None), "-flags": (SIDE, CutoutOptions(flags=True)), "-small": (SMALL_SIDE, small)}
    for name, star in (("inner", known[0]), ("edge", known[1])):
        for kind, (side, options) in kinds.items():
            (result,) = make_cutouts(path, SkyCoord(star["ra"], star["dec"], unit="deg"), side, options=options)
            assert result.data is not None, result.reason
            (folder / f"{name}{kind}.fits").write_bytes(result.data)
    truth = {"stars": known, "depth": DEPTH, "transit": list(TRANSIT), "sky": SKY}
    (folder / "truth.json").write_text(json.dumps(truth))
    return truth
