"""Lists of targets, and cubes that see them, without files."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tessera.bulk.plan.sightings import SightCube
from tessera.bulk.target_rows import TargetRows
from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import Cube
from tessera.fits.headers import parse_header
from tessera.tess.products import SPOC
from tests.support.wcs import FRAME_SHAPE, ffi_wcs_header


def target_rows(ra: ArrayLike, dec: ArrayLike, size: Any = 11, **columns: Any) -> TargetRows:
    """Targets at positions in degrees, with windows of `size` pixels or (rows, columns), and other columns."""
    places = np.atleast_1d(np.asarray(ra, np.float64))
    n, (n_rows, n_columns) = len(places), size if isinstance(size, tuple) else (size, size)
    known: dict[str, Any] = {
        "row": np.arange(1, n + 1),
        "name": tuple(f"star {number}" for number in range(1, n + 1)),
        "tic": np.zeros(n, np.int64),
        "pm_ra": np.full(n, np.nan),
        "pm_dec": np.full(n, np.nan),
        "epoch": np.full(n, np.nan),
        "n_rows": np.broadcast_to(np.asarray(n_rows, np.int32), (n,)),
        "n_columns": np.broadcast_to(np.asarray(n_columns, np.int32), (n,)),
        "sector_set": np.zeros(n, np.int32),
        "aperture": np.zeros(n, np.int32),
    }
    return TargetRows(ra=places, dec=np.atleast_1d(np.asarray(dec, np.float64)), **(known | columns))


def full_cube(sector: int, camera: int, ccd: int, n_cadences: int = 5) -> Cube:
    """A cube of whole frames with the real WCS of a CCD, without pixels. Its times are of about the sector's."""
    start = 1325.0 + 27.0 * (sector - 1) + np.arange(n_cadences) / 48
    text = b"".join(
        card.ljust(80)
        for card in (b"SIMPLE  =                    T", b"SECTOR  = %20d" % sector, b"CAMERA  = %20d" % camera)
    )
    header = ffi_wcs_header(sector, camera, ccd)
    name = f"tess-s{sector:04d}-{camera}-{ccd}-cube.fits"
    primary = parse_header((text + (b"CCD     = %20d" % ccd).ljust(80) + b"END".ljust(80)).ljust(2880))
    layout = CubeLayout(*FRAME_SHAPE, n_cadences, 2)
    return Cube(name, SPOC, primary, layout, 5760, {"start": start, "stop": start + 1 / 48}, 0, dict(header))


def sight_cube(sector: int = 1, camera: int = 4, ccd: int = 2, n_cadences: int = 1282) -> SightCube:
    """What a plan knows of `full_cube`."""
    return SightCube.of(full_cube(sector, camera, ccd, n_cadences))
