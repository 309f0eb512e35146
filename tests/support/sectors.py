"""A star in several sectors, in one of them on two CCDs, on small frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from astropy.io import fits

from tessera.sky.wcs import frame_wcs
from tessera_cloud.contracts import BuildRequest
from tests.support.frames import NamedFrame, centred_wcs, spoc_frame

SHAPE = (40, 30)
ROW, COLUMN = 22, 13
"""Pixel of the star in sector 1."""
N = 24
_DAYS = 1 / 48
_GAP = 1.0
"""Days without frames in the middle of each sector."""


@dataclass(frozen=True)
class OnFrames:
    """A CCD that sees the star: its pixel, its brightness in e-/s, and the time of the first frame."""

    sector: int
    ccd: int
    row: int
    column: int
    brightness: float
    start: float

    @property
    def request(self) -> BuildRequest:
        """The build of its cube."""
        return BuildRequest(sector=self.sector, camera=4, ccd=self.ccd)

    @property
    def cube(self) -> str:
        """Name of its cube."""
        return f"tess-s{self.sector:04d}-4-{self.ccd}"


SEEN = (
    OnFrames(1, 2, ROW, COLUMN, 2000.0, 1325.0),
    OnFrames(2, 3, 20, 8, 1500.0, 1354.0),
    OnFrames(2, 2, 20, 14, 1600.0, 1354.0),
    OnFrames(5, 2, 15, 12, 2400.0, 1437.0),
)
"""In sector 2, CCD 2 has the star farther from the edge than CCD 3."""


def _header(seen: OnFrames) -> fits.Header:
    header = centred_wcs(SHAPE)
    header["CRPIX1"] += seen.column - COLUMN
    header["CRPIX2"] += seen.row - ROW
    return header


def star_place() -> tuple[float, float]:
    """Right ascension and declination of the star."""
    ra, dec = frame_wcs(dict(centred_wcs(SHAPE))).all_pix2world([[COLUMN, ROW]], 0)[0]
    return float(ra), float(dec)


def frames_of(seen: OnFrames) -> Iterator[NamedFrame]:
    """Frames of a CCD. The star varies by a tenth; the sixth exposure was taken during a desaturation."""
    rows, columns = np.indices(SHAPE)
    profile = np.exp(-((rows - seen.row) ** 2 + (columns - seen.column) ** 2) / (2 * 0.8**2))
    profile /= profile.sum()
    rng = np.random.default_rng(seen.sector)
    for cadence in range(N):
        start = seen.start + cadence * _DAYS + (_GAP if cadence >= N // 2 else 0.0)
        flux = seen.brightness * (1 + 0.1 * np.sin(cadence)) * profile + 100 + rng.normal(0, 1, SHAPE)
        yield spoc_frame(
            sector=seen.sector,
            ccd=seen.ccd,
            cadence_index=1000 * seen.sector + cadence,
            flux=flux.astype(np.float32),
            error=np.sqrt(np.abs(flux) / 1000).astype(np.float32),
            wcs_cards=_header(seen),
            tstart=start,
            tstop=start + _DAYS,
            dquality=32 if cadence == 5 else 0,
        )
