"""The reference frame of a cube: the median of its good cadences, in a file beside the cube.

The file has a primary HDU with what the frame was made of, and four images, each with the WCS of the cube: REFERENCE,
REFERENCE_ERR, RMS and NGOOD (docs/guide/differences.md). A difference is the flux of a cadence minus REFERENCE.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.frames import ReadBytes
from tessera.cubes.reader import Cube
from tessera.errors import CubeFormatError
from tessera.fits.hdus import CardTuple, format_hdu, image_cards
from tessera.fits.headers import HeaderSyntaxError, padded, read_header
from tessera.tess.ids import cube_stem
from tessera.windows import Window

REFERENCE_END = "-reference.fits"
"""End of the name of a file with a reference frame."""
_IMAGES = ("REFERENCE", "REFERENCE_ERR", "RMS", "NGOOD")
_TYPES = {-32: ">f4", 32: ">i4"}


@dataclass(frozen=True)
class ReferenceFrame:
    """What the good cadences of a cube have in common; arrays of shape (n_rows, n_columns).

    Parameters
    ----------
    flux : ndarray of float32
        Median of the flux; NaN where no cadence is good.
    error : ndarray of float32
        Uncertainty of the median.
    rms : ndarray of float32
        Scatter of a single cadence: 1.4826 times the median distance from the median.
    n_good : ndarray of int32
        Number of good cadences.
    """

    flux: NDArray[np.float32]
    error: NDArray[np.float32]
    rms: NDArray[np.float32]
    n_good: NDArray[np.int32]


@dataclass(frozen=True)
class ReferenceFacts:
    """What a file of differences says of its reference frame.

    Parameters
    ----------
    name : str
        Name of the file.
    n_good : int
        Number of cadences that the frame was made of.
    """

    name: str
    n_good: int

    def cards(self) -> list[CardTuple]:
        """Cards that a file of differences has beside those of another target pixel file."""
        return [
            ("DIFFIMG", True, "FLUX is the difference from a reference frame"),
            ("REFFILE", self.name, "file of the reference frame"),
            ("REFNGOOD", self.n_good, "cadences that the reference frame is of"),
        ]


@dataclass(frozen=True)
class ReferenceWindow:
    """The reference frame in a window.

    Parameters
    ----------
    flux, error : ndarray of float32, shape (n_rows, n_columns)
        See `ReferenceFrame`; NaN beyond the frame.
    """

    flux: NDArray[np.float32]
    error: NDArray[np.float32]

    def subtract(self, planes: Sequence[NDArray[np.float32]] | NDArray[np.float32]) -> None:
        """Turn flux into differences, in place, and its error into that of the difference.

        Parameters
        ----------
        planes : sequence of ndarray, shape (n, n_rows, n_columns)
            Flux of n cadences, and its error if there are errors.
        """
        planes[0][:] = planes[0] - self.flux
        if len(planes) > 1:
            planes[1][:] = np.hypot(planes[1], self.error)


def reference_name(cube_name: str) -> str:
    """Name or location of the reference frame of a cube, given that of the cube: both are in one folder."""
    return cube_stem(cube_name) + REFERENCE_END


def cube_hash(cube: Cube) -> str:
    """Text that tells a cube from others, of its primary header and the names of its frames."""
    digest = hashlib.sha256(cube.primary.text)
    digest.update(b"\n".join(cube.series["file"].tolist()))
    return digest.hexdigest()[:16]


def format_reference(cube: Cube, frame: ReferenceFrame, about: Sequence[CardTuple]) -> bytes:
    """Format the file of a reference frame.

    Parameters
    ----------
    cube : Cube
        The cube that was measured.
    frame : ReferenceFrame
        Its reference frame.
    about : sequence of cards
        Cards of the primary header that say what the frame was made of, with NGOOD.
    """
    primary: list[CardTuple] = [
        ("SIMPLE", True, "conforms to FITS standard"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 0, "number of array dimensions"),
        ("EXTEND", True, ""),
        ("NEXTEND", len(_IMAGES), "number of standard extensions"),
        *about,
    ]
    sky = [(card.keyword, card.value, card.comment) for card in cube.wcs.to_header(relax=True).cards]
    unit = cube.product.flux_unit.replace("e-", "electron")
    arrays = (frame.flux, frame.error, frame.rms, frame.n_good)
    hdus = [format_hdu(primary)]
    for name, values, of_pixels in zip(_IMAGES, arrays, (unit, unit, unit, ""), strict=True):
        bitpix = 32 if values.dtype.kind == "i" else -32
        cards = [*image_cards(bitpix, values.shape), ("EXTNAME", name, "extension name")]
        cards += [("BUNIT", of_pixels, "unit of the pixels")] if of_pixels else []
        hdus.append(format_hdu([*cards, *sky], values.astype(_TYPES[bitpix]).tobytes()))
    return b"".join(hdus)


@dataclass(frozen=True)
class ReferenceLayout:
    """Where the images of a reference frame are in its file.

    Parameters
    ----------
    facts : ReferenceFacts
        What files of differences say of it.
    shape : (int, int)
        Rows and columns of an image.
    offsets : tuple of int
        First byte of REFERENCE and of REFERENCE_ERR.
    """

    facts: ReferenceFacts
    shape: tuple[int, int]
    offsets: tuple[int, int]


def read_reference_layout(name: str, size: int, read: ReadBytes, cube: Cube) -> ReferenceLayout:
    """Read the headers of a reference frame, and check that it is the frame of a cube.

    Parameters
    ----------
    name : str
        Name of the file, for errors.
    size : int
        Size of the file in bytes.
    read : callable
        ``read(start, length)`` returns those bytes of the file.
    cube : Cube
        The cube.

    Raises
    ------
    CubeFormatError
        When the file is not a reference frame, or is that of another cube.
    """
    try:
        primary = read_header(read, 0, size)
        at, offsets = primary.n_bytes, []
        for wanted in _IMAGES[:2]:
            header = read_header(read, at, size)
            if header.get("EXTNAME") != wanted or header.get("BITPIX") != -32 or header.integer("NAXIS") != 2:
                raise CubeFormatError(f"{name}: there is no image {wanted} at byte {at:,}; not a reference frame")
            offsets.append(at + header.n_bytes)
            shape = header.integer("NAXIS2"), header.integer("NAXIS1")
            at = offsets[-1] + padded(4 * shape[0] * shape[1])
    except HeaderSyntaxError as reason:
        raise CubeFormatError(f"{name} is not a reference frame: {reason}") from reason
    if primary.get("CUBEHASH") != cube_hash(cube) or shape != (cube.layout.n_rows, cube.layout.n_columns):
        raise CubeFormatError(
            f"{name} is the reference frame of another cube than {cube.name} is now; measure the cube again"
        )
    if at > size:
        raise CubeFormatError(f"{name} has {size:,} bytes; {at:,} or more are needed")
    n_good = primary.get("NGOOD")
    facts = ReferenceFacts(name, n_good if isinstance(n_good, int) else 0)
    return ReferenceLayout(facts, shape, (offsets[0], offsets[1]))


def read_reference_window(layout: ReferenceLayout, read: ReadBytes, window: Window) -> ReferenceWindow:
    """Read a window of a reference frame: whole rows, in one request for each of the two images.

    Parameters
    ----------
    layout : ReferenceLayout
        Where its images are.
    read : callable
        ``read(start, length)`` returns those bytes of the file.
    window : Window
        Window that touches the frame.
    """
    overlap, row_bytes = window.overlap(*layout.shape), 4 * layout.shape[1]

    def image(offset: int) -> NDArray[Any]:
        data = read(offset + overlap.rows.start * row_bytes, overlap.shape[0] * row_bytes)
        rows = np.frombuffer(data, ">f4").reshape(overlap.shape[0], layout.shape[1]).astype(np.float32)
        return overlap.fill(rows[:, overlap.columns], np.nan)

    flux, error = (image(offset) for offset in layout.offsets)
    return ReferenceWindow(flux, error)
