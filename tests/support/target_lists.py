"""Lists of targets whose rows were understood, for tests of what comes after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tessera.bulk.target_rows import RowProblem, TargetRows
from tessera.cutouts.open_cube import open_cube
from tests.support.lists import target_rows


def rows_of(
    ra: Any,
    dec: Any,
    *,
    name: Sequence[str] | None = None,
    tic: Any = 0,
    pm: tuple[Any, Any] = (np.nan, np.nan),
    epoch: Any = np.nan,
    size: Any = (5, 5),
    aperture: Sequence[str] = (),
    problems: Sequence[RowProblem] = (),
) -> TargetRows:
    """Rows at positions in degrees. `size` and the others are one value, or one for each row."""
    n = len(ra)

    def column(values: Any, dtype: Any) -> Any:
        return np.array(np.broadcast_to(np.asarray(values, dtype), (n,)))

    sides = np.array(np.broadcast_to(np.asarray(size, np.int32), (n, 2)))
    apertures = tuple(dict.fromkeys(aperture)) or ("default",)
    return target_rows(
        ra,
        dec,
        (sides[:, 0], sides[:, 1]),
        name=tuple(f"{a:.6f} {d:+.6f}" for a, d in zip(ra, dec, strict=True)) if name is None else tuple(name),
        tic=column(tic, np.int64),
        pm_ra=column(pm[0], np.float64),
        pm_dec=column(pm[1], np.float64),
        epoch=column(epoch, np.float64),
        aperture=np.array([apertures.index(text) for text in aperture] or [0] * n, np.int32),
        apertures=apertures,
        problems=tuple(problems),
    )


def sky_of(cube: Path, pixels: Any) -> tuple[Any, Any]:
    """Right ascension and declination of (row, column) pairs of a cube, counted from 0."""
    with open_cube(cube) as file:
        sky = file.cube.wcs.all_pix2world(np.asarray(pixels, float)[:, ::-1], 0)
    return sky[:, 0].copy(), sky[:, 1].copy()
