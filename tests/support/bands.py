"""Bands of a list with made-up targets and light curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.products.band import open_band
from tessera.bulk.products.folder import ProductFile
from tessera.bulk.products.local import LocalFolder
from tessera.bulk.status import BulkStatus
from tessera.bulk.target_rows import RowProblem, TargetRows
from tessera.bulk.work.made import BulkCurve, Made
from tessera.cubes.reader import Cube
from tests.support import lists

N_CADENCES = 12


def some_band(
    ra: Sequence[float], dec: Sequence[float], *, number: int = 3, sector: int = 1, ccd: int = 2, **given: Any
) -> StoredBand:
    """A band of cube ``tess-s0001-4-2`` (or of another sector or CCD) with targets at these positions."""
    n = len(ra)
    zeros, pixels, unknown = np.zeros(n, np.int64), np.zeros(n, np.int32), np.full(n, np.nan)
    values: dict[str, Any] = {
        "number": number,
        "cube": f"tess-s{sector:04d}-4-{ccd}",
        "sector": sector,
        "camera": 4,
        "ccd": ccd,
        "union_bytes": 0,
        "scan": False,
        "pace": np.inf,
        "hats_order": 3,
        "starts": zeros[:0],
        "stops": zeros[:0],
        "row": np.arange(1, n + 1),
        "name": tuple(f"star {place}" for place in range(n)),
        "tic": np.arange(n) * 11,
        "ra": np.array(ra),
        "dec": np.array(dec),
        "pm_ra": unknown,
        "pm_dec": unknown,
        "epoch": unknown,
        "moved_ra": np.array(ra),
        "moved_dec": np.array(dec),
        "pixel_row": np.linspace(20, 30, n),
        "pixel_column": np.linspace(10, 20, n),
        "first_row": pixels + 19,
        "first_column": pixels + 9,
        "n_rows": pixels + 3,
        "n_columns": pixels + 5,
        "edge": np.linspace(5, 9, n),
        "best": zeros == 0,
        "aperture": pixels,
        "apertures": ("default",),
    }
    return StoredBand(**(values | given))


def target_rows(ra: Sequence[float], dec: Sequence[float], problems: Sequence[RowProblem] = ()) -> TargetRows:
    """The targets of `some_band` as rows of a list. Rows of problems are left free."""
    n, bad = len(ra), {each.row for each in problems}
    return lists.target_rows(
        ra,
        dec,
        (3, 5),
        row=np.array([row for row in range(1, n + len(bad) + 1) if row not in bad], np.int64),
        name=tuple(f"star {place}" for place in range(n)),
        tic=np.arange(n, dtype=np.int64) * 11,
        problems=tuple(problems),
    )


def some_curve(place: int, start: float = 1325.0, n_cadences: int = N_CADENCES, level: float = 500.0) -> BulkCurve:
    """A light curve that differs from that of every other place."""
    rng = np.random.default_rng(place)
    mask = np.zeros((3, 5), np.bool_)
    mask[1, 1 : 4 - place % 2] = True
    flux, error, background, row, column = rng.normal(level, 1, (5, n_cadences))
    quality = np.zeros(n_cadences, np.int32)
    quality[3] = 1 << 5
    time = start + np.arange(n_cadences) / 48 + place * 1e-6
    return BulkCurve(time, flux, error, background, row, column, quality, None, mask)


def write_band(
    folder: Path, band: StoredBand, cube: Cube, options: BulkOptions, *, start: float = 1325.0, level: float = 500.0
) -> tuple[tuple[ProductFile, ...], tuple[BulkStatus, ...]]:
    """Write the light curves of a band; gives the files and the statuses."""
    with open_band(LocalFolder(folder), band, cube, options) as writer:
        for place in range(len(band)):
            writer.add(Made(place, some_curve(place, start, level=level)))
    return writer.files, writer.statuses
