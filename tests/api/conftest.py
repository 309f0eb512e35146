"""The one-machine stack with small frames in it, shared by all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tessera.sky.wcs import frame_wcs
from tessera.tess.ids import CcdId
from tessera_cloud import keys
from tessera_local.stack import Stack
from tests.support.frames import NamedFrame, centred_wcs, frames_around_tpf, spoc_frame, tiny_sector
from tests.support.paths import TPF_6X6

REAL = CcdId(1, 4, 2)
"""Frames around the pixels of a real target pixel file."""
SMALL = CcdId(2, 1, 1)
"""Small frames of which every pixel is known."""
NOISE = CcdId(3, 3, 3)
"""Frames that do not compress."""
SMALL_SHAPE = (60, 50)
N_REAL = 50
N_SMALL = 6
N_NOISE = 64


@dataclass(frozen=True)
class Service:
    """A running stack with published cubes."""

    stack: Stack

    @property
    def url(self) -> str:
        return f"{self.stack.url}/tesscut/api/v0.1"


def put_frames(stack: Stack, frames: list[NamedFrame]) -> None:
    for name, data in frames:
        key = keys.frame("tess/public/ffi/", name)
        stack.s3.put_object(Bucket=stack.bucket("FfiBucket"), Key=key, Body=data)


def noise_frames() -> list[NamedFrame]:
    rng = np.random.default_rng(1)
    shape = (120, 120)
    return [
        spoc_frame(
            sector=NOISE.sector,
            camera=NOISE.camera,
            ccd=NOISE.ccd,
            cadence_index=cadence,
            flux=rng.normal(size=shape).astype(np.float32),
            error=rng.normal(size=shape).astype(np.float32),
            wcs_cards=centred_wcs(shape, 3, 3, 3),
            tstart=1385.0 + cadence / 48,
            tstop=1385.0 + (cadence + 1) / 48,
        )
        for cadence in range(N_NOISE)
    ]


def sky(ccd_id: CcdId, shape: tuple[int, int], row: float, column: float) -> tuple[float, float]:
    """Position of a pixel of a small frame."""
    wcs = frame_wcs(dict(centred_wcs(shape, ccd_id.sector, ccd_id.camera, ccd_id.ccd)))
    ra, dec = wcs.all_pix2world([[column, row]], 0)[0]
    return float(ra), float(dec)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home: Path = tmp_path_factory.mktemp("tessera-home")
    with Stack(home) as stack:
        put_frames(stack, frames_around_tpf(TPF_6X6, n_frames=None, shape=(264, 1640)))
        put_frames(
            stack,
            tiny_sector(N_SMALL, SMALL_SHAPE, sector=SMALL.sector, camera=SMALL.camera, ccd=SMALL.ccd, without_wcs=[0]),
        )
        put_frames(stack, noise_frames())
        for ccd_id in (REAL, SMALL, NOISE):
            ended = stack.wait(stack.start_build(ccd_id.sector, ccd_id.camera, ccd_id.ccd), timeout=120)
            assert ended.status == "SUCCEEDED", ended
        yield Service(stack)
