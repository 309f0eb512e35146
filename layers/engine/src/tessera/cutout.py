"""From a cube's bytes to the pixels around a position."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera.errors import CubeFormatError, NoWcsError
from tessera.fits_layout import Header, HeaderSyntaxError, padded, read_header
from tessera.frames import ReadBytes
from tessera.ids import CcdId
from tessera.layout import CubeLayout
from tessera.windows import RowRead, Window

_TAN_SIP = "DEC--TAN-SIP"


@dataclass(frozen=True)
class Cube:
    """What a reader knows of a cube without its pixels.

    Parameters
    ----------
    name : str
        File name, such as ``tess-s0001-1-1-cube.fits``.
    primary : Header
        Header of the primary HDU.
    layout : CubeLayout
        Shape of the array.
    data_offset : int
        First byte of the array.
    info : numpy structured array, shape (n_cadences,)
        The info table, FITS byte order.
    nulls : dict
        Column to the integer that marks a missing value in it.
    """

    name: str
    primary: Header
    layout: CubeLayout
    data_offset: int
    info: Any
    nulls: dict[str, int]

    @property
    def obs_id(self) -> str:
        """Stem of the name without ``-cube``: ``tess-s0001-1-1``."""
        return self.name.removesuffix(".fits").removesuffix("-cube")

    @property
    def ccd_id(self) -> CcdId:
        """Sector, camera and CCD, from the name."""
        return CcdId.parse(self.obs_id)

    def column(self, keyword: str) -> NDArray[Any]:
        """A column of the info table, native byte order, shape (n_cadences,)."""
        if keyword not in self.info.names:
            raise CubeFormatError(f"{self.name}: the info table has no column {keyword}")
        return np.asarray(self.info[keyword])

    def wcs_cadence(self) -> int:
        """Cadence whose WCS stands for all: the middle one, or else the next one (wrapping) that has a WCS.

        Raises
        ------
        NoWcsError
            When no cadence has.
        """
        n = self.layout.n_cadences
        ctype = self.column("CTYPE2")
        for step in range(n):
            cadence = (n // 2 + step) % n
            if str(ctype[cadence]).strip() == _TAN_SIP:
                return cadence
        raise NoWcsError(f"{self.name}: no cadence of the info table has CTYPE2 = {_TAN_SIP}")

    def cards(self, cadence: int) -> dict[str, object]:
        """Cards of one frame as the info table keeps them; missing ones are left out."""
        cards: dict[str, object] = {}
        for name in self.info.names:
            value = self.info[name][cadence]
            item = value.item() if isinstance(value, np.generic) else value
            if not (isinstance(item, float) and math.isnan(item)) and item != self.nulls.get(name):
                cards[name] = item
        return cards


def read_cube_layout(name: str, file_size: int, read: ReadBytes) -> tuple[Header, CubeLayout, int]:
    """Read the two headers in front of a cube's array, in one request.

    Returns
    -------
    tuple
        Primary header, shape, and the first byte of the array.

    Raises
    ------
    CubeFormatError
        When the file is not a cube.
    """
    start = read(0, min(file_size, 12 * 2880))

    def read_again(offset: int, length: int) -> bytes:
        known = start[offset : offset + length]
        return known if len(known) == length else read(offset, length)

    try:
        primary = read_header(read_again, 0, file_size, 2880)
        image = read_header(read_again, primary.n_bytes, file_size, 2880)
        axes = [image.integer(f"NAXIS{axis}") for axis in range(1, image.integer("NAXIS") + 1)]
    except HeaderSyntaxError as reason:
        raise CubeFormatError(f"{name}: {reason}") from reason
    if len(axes) != 4 or axes[0] not in (1, 2) or image.get("BITPIX") != -32:
        raise CubeFormatError(f"{name}: the image has axes {axes}, BITPIX {image.get('BITPIX')}; not a cube")
    return primary, CubeLayout(axes[3], axes[2], axes[1], axes[0]), primary.n_bytes + image.n_bytes


def read_cube(name: str, file_size: int, read: ReadBytes) -> Cube:
    """Read everything of a cube but its pixels, in two requests.

    Parameters
    ----------
    name : str
        File name of the cube.
    file_size : int
        Size in bytes.
    read : callable
        ``read(start, length)`` returns those bytes of the file.

    Raises
    ------
    CubeFormatError
        When the file is not a cube.
    """
    primary, layout, data_offset = read_cube_layout(name, file_size, read)
    table_offset = data_offset + padded(layout.data_bytes)
    if file_size <= table_offset:
        raise CubeFormatError(f"{name}: {file_size:,} bytes, the info table would begin at {table_offset:,}")
    table = fits.BinTableHDU.fromstring(read(table_offset, file_size - table_offset))
    if len(table.data) != layout.n_cadences:
        raise CubeFormatError(f"{name}: {len(table.data)} rows in the info table for {layout.n_cadences} cadences")
    nulls = {column.name: column.null for column in table.columns if column.null is not None}
    return Cube(name, primary, layout, data_offset, table.data, nulls)


@dataclass(frozen=True)
class Cutout:
    """Pixels of a window, for every cadence.

    Parameters
    ----------
    window : Window
        May reach beyond the frame.
    planes : ndarray of big-endian float32, shape (n_planes, n_cadences, n_rows, n_columns)
        NaN where the window has no pixels.
    aperture : ndarray of int32, shape (n_rows, n_columns)
        1 where the window has pixels, 0 elsewhere.
    """

    window: Window
    planes: NDArray[np.float32]
    aperture: NDArray[np.int32]


def assemble_cutout(layout: CubeLayout, window: Window, rows: Iterable[tuple[RowRead, Any]]) -> Cutout:
    """Put the answers to the range requests of `plan_reads` in their places.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    window : Window
        What was asked for.
    rows : iterable of (RowRead, buffer)
        In any order.
    """
    overlap = window.overlap(layout.n_rows, layout.n_columns)
    shape = (layout.n_planes, layout.n_cadences, window.n_rows, window.n_columns)
    planes = np.full(shape, np.nan, dtype=">f4")
    top, left = overlap.first_row - window.first_row, overlap.first_column - window.first_column
    columns = slice(left, left + overlap.n_columns)
    for read, data in rows:
        pixels = np.frombuffer(data, dtype=">f4")
        pixels = pixels.reshape(read.n_rows, overlap.n_columns, layout.n_cadences, layout.n_planes)
        first = top + read.first_row
        planes[:, :, first : first + read.n_rows, columns] = pixels.transpose(3, 2, 0, 1)
    aperture = np.zeros((window.n_rows, window.n_columns), dtype=np.int32)
    aperture[top : top + overlap.n_rows, columns] = 1
    return Cutout(window, planes, aperture)


def open_cube_file(name: str, data: bytes) -> Cube:
    """Read a cube that is already in memory."""
    stream = io.BytesIO(data)

    def read(start: int, length: int) -> bytes:
        stream.seek(start)
        return stream.read(length)

    return read_cube(name, len(data), read)
