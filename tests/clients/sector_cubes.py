"""Small cubes in the place of MAST's: whole frames with the real WCS of their CCDs, and two cadences each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from tessera import CubeFactory
from tessera.tess.ids import CcdId
from tessera_local.stack import Stack
from tests.support.frames import spoc_frame
from tests.support.wcs import FRAME_SHAPE, ffi_wcs_header

BUCKET, PREFIX = "stpubdata", "tess/public/mast/"
"""MAST's public bucket, played by the local S3."""
PARAMETERS = {"CubeSources": f"{BUCKET}/{PREFIX}"}
N_CADENCES = 2


def write_frames(ccd_id: CcdId, first_day: float, folder: Path, n_cadences: int = N_CADENCES) -> Iterator[Path]:
    """Write frames of noise half an hour apart."""
    rng = np.random.default_rng(ccd_id.sector)
    wcs = ffi_wcs_header(ccd_id.sector, ccd_id.camera, ccd_id.ccd)
    for cadence in range(n_cadences):
        name, data = spoc_frame(
            sector=ccd_id.sector,
            camera=ccd_id.camera,
            ccd=ccd_id.ccd,
            cadence_index=cadence,
            flux=rng.standard_normal(FRAME_SHAPE, dtype=np.float32),
            error=np.ones(FRAME_SHAPE, np.float32),
            wcs_cards=wcs,
            tstart=first_day + cadence / 48,
            tstop=first_day + (cadence + 1) / 48,
        )
        path = folder / name
        path.write_bytes(data)
        yield path


def publish_cubes(stack: Stack, cubes: Iterable[tuple[CcdId, float]]) -> None:
    """Put cubes where the stack looks for MAST's, and have the FootprintIndex state machine find them."""
    stack.s3.create_bucket(Bucket=BUCKET)
    for ccd_id, first_day in cubes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            cube = folder / f"tess-{ccd_id}-cube.fits"
            frames = list(write_frames(ccd_id, first_day, folder))
            CubeFactory().make_cube(frames, cube, sector=ccd_id.sector, verbose=False)
            stack.s3.upload_file(str(cube), BUCKET, PREFIX + cube.name)
    ended = stack.wait(stack.start_execution("FootprintIndexStateMachine", {}), timeout=600)
    if ended.status != "SUCCEEDED":
        raise RuntimeError(f"FootprintIndex: {ended}")
