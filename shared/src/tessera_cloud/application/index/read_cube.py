"""Reads one cube for the index: its headers and its table, and no pixels."""

from __future__ import annotations

import numpy as np

from tessera.cubes.reader import Cube
from tessera.errors import CubeFormatError, TesseraError
from tessera.sky.footprint import frame_footprint
from tessera.tess.times import to_mast_mjd
from tessera_cloud import keys
from tessera_cloud.application.index.messages import CubeOutcome, CubeTask, FoundCube
from tessera_cloud.application.sidecar import CubeStore, open_cube
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import FatalError, ObjectChangedError, TransientError

_ATTEMPTS = 3
_REASON_LENGTH = 300


def build_row(found: FoundCube, cube: Cube) -> PublishedCube:
    """Build the row of the index for a cube of a source.

    Raises
    ------
    CubeFormatError
        If the cube has no times, or no WCS that gives positions.
    """
    start, stop = cube.series["start"], cube.series["stop"]
    if not (np.isfinite(start).any() and np.isfinite(stop).any()):
        raise CubeFormatError(f"{cube.name}: no cadence has a time")
    footprint = frame_footprint(cube.wcs, cube.layout.n_rows, cube.layout.n_columns)
    if not np.isfinite(footprint.vertices).all():
        raise CubeFormatError(f"{cube.name}: the WCS gives no positions for the corners of the frame")
    return PublishedCube(
        obs_id=found.obs_id,
        sequence_number=found.cube_id.ccd_id.sector,
        s_region=footprint.format_s_region(),
        t_min=to_mast_mjd(cube.product, float(np.nanmin(start))),
        t_max=to_mast_mjd(cube.product, float(np.nanmax(stop))),
        n_cadences=cube.layout.n_cadences,
        build_id="",
        bucket=found.bucket,
        key=found.key,
        size=found.size,
        etag=found.etag,
    )


def _read(found: FoundCube, store: CubeStore, cube_bucket: str) -> CubeOutcome:
    """Read a cube. If it was replaced after it was listed, read the new one."""
    for _ in range(_ATTEMPTS):
        try:
            cube = open_cube(found, store=store, cube_bucket=cube_bucket)
            return CubeOutcome(found=found, row=build_row(found, cube))
        except ObjectChangedError:
            info = store.head(found.bucket, found.key)
            found = found.model_copy(update={"size": info.size, "etag": info.etag})
    raise TransientError(f"s3://{found.bucket}/{found.key} changed {_ATTEMPTS} times while it was read")


def read_cube_row(task: CubeTask, *, store: CubeStore, cube_bucket: str) -> CubeOutcome:
    """Read a cube, and write its sidecar and the outcome: a row of the index, or the reason why there is none.

    Raises
    ------
    TransientError
        If the same call may succeed later. No outcome is written then.
    """
    try:
        outcome = _read(task.cube, store, cube_bucket)
    except (TesseraError, FatalError, ValueError) as error:
        outcome = CubeOutcome(found=task.cube, reason=f"{type(error).__name__}: {error}"[:_REASON_LENGTH])
    key = keys.cube_outcome(task.run, task.cube.obs_id)
    store.write(cube_bucket, key, outcome.model_dump_json().encode())
    return outcome
