"""Images for tests: real ones, and copies that get pixels or a WCS because the files lack them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import pixel_to_skycoord

from tessera.io.file_objects import MemorySource
from tests.support.paths import DATA

FITS_IMAGES = DATA / "fits_images"
ROMAN = DATA / "roman_asdf"
DISTORTION_MAP = FITS_IMAGES / "image_with_distortion_map.fits"


def sky_of(source: fits.HDUList, number: int, column: float, row: float) -> SkyCoord:
    """Position of a pixel of an image, with distortion."""
    wcs = WCS(source[number].header, source).celestial
    return pixel_to_skycoord(column, row, wcs, origin=0, mode="all").icrs


def coded(shape: tuple[int, int], dtype: str = "f4") -> np.ndarray:
    """Pixels that all differ: 1 + 10,000 x row + column, as far as the type allows."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    code = rows * 10_000 + columns + 1
    limited: np.ndarray = code % np.iinfo(dtype).max if np.dtype(dtype).kind in "iu" else code
    return limited.astype(dtype)


def with_sky(path: Path, target: Path, shift: float = 0.0) -> Path:
    """Write a copy of an image that has no WCS, with a WCS and with pixels that differ."""
    with fits.open(path) as hdus:
        header = hdus[0].header
        for axis, kind in ((1, "RA---TAN"), (2, "DEC--TAN")):
            header[f"CTYPE{axis}"], header[f"CUNIT{axis}"] = kind, "deg"
            header[f"CRPIX{axis}"] = 50.0 + shift
            header[f"CDELT{axis}"] = 1e-4
        header["CRVAL1"], header["CRVAL2"] = 40.0, 20.0
        hdus[0].data = coded(hdus[0].shape, "f8")
        hdus.writeto(target)
    return target


def with_pixels(path: Path, target: Path, shape: tuple[int, int]) -> Path:
    """Write a copy of a file that has only headers, with pixels in its primary HDU."""
    with fits.open(path) as hdus:
        hdus[0].data = coded(shape, "u1")
        hdus.writeto(target)
    return target


def tan_header(n_rows: int, n_columns: int, scale: float = 1e-4, ra: float = 150.0, dec: float = 2.2) -> fits.Header:
    """Header of a plain WCS whose reference point is the middle of the image."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [n_columns / 2, n_rows / 2]
    wcs.wcs.cdelt = [-scale, scale]
    return wcs.to_header()


def plain_image(path: Path, data: np.ndarray, *, cards: dict[str, Any] | None = None, **wcs: Any) -> Path:
    """Write a file of one image with a plain WCS and further cards."""
    header = tan_header(*data.shape[-2:], **wcs)
    header.update(cards or {})
    fits.PrimaryHDU(data, header).writeto(path)
    return path


def sky_at(path: Path, column: float, row: float, number: int = 0) -> SkyCoord:
    """Position of a pixel of an image in a file."""
    with fits.open(path) as hdus:
        return sky_of(hdus, number, column, row)


class RemoteSource(MemorySource):
    """A remote file that records its requests."""

    remote = True

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(name, data)
        self.requests: list[tuple[int, int]] = []
        self.closed = False

    def read(self, start: int, length: int) -> bytes:
        self.requests.append((start, length))
        return super().read(start, length)

    def close(self) -> None:
        self.closed = True

    @property
    def n_bytes(self) -> int:
        return sum(length for _, length in self.requests)
