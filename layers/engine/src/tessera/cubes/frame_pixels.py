"""Find the pixels of sky positions on single frames of a cube, with the WCS of each frame.

The pointing changes within a sector, sometimes by some pixels at once. So a position that belongs to one cadence needs
the WCS of the frame of this cadence, which the info table contains. Frames with a TAN-SIP WCS are
converted all at once, and others together with the frames that have equal cards.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.cubes.info_rows import InfoRows
from tessera.cubes.reader import Cube
from tessera.errors import NoWcsError
from tessera.sky.positions import Floats, path_pixels
from tessera.sky.tan_sip import is_tan_sip, tan_sip_pixels
from tessera.sky.wcs import frame_wcs

_WCS_CARD = re.compile(
    r"(CTYPE|CUNIT|CRVAL|CRPIX|CDELT)[12]|(CD|PC)[12]_[12]|(A|B|AP|BP)_(ORDER|\d_\d)|LONPOLE|LATPOLE|RADESYS|EQUINOX"
)

_NEEDED = ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")


@dataclass(frozen=True)
class FramePixels:
    """Pixels of positions, each on the frame of one cadence.

    Parameters
    ----------
    row, column : ndarray, shape (n,)
        Rows and columns; the centre of the first pixel is 0. NaN where `tessera.sky.positions.path_pixels` returns NaN.
    borrowed : ndarray of bool, shape (n,)
        Whether the frame has no usable WCS. Then the WCS is that of the frame that is nearest in time.
    """

    row: Floats
    column: Floats
    borrowed: NDArray[np.bool_]


@dataclass(frozen=True)
class FrameWcs:
    """WCS of each frame of a cube.

    Parameters
    ----------
    cube : Cube
        The cube.
    info : InfoRows
        Its info table.
    """

    cube: Cube
    info: InfoRows
    _known: dict[bytes, WCS | None] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        names = [name for name in self.info.rows.dtype.names or () if _WCS_CARD.fullmatch(name)]
        rows = self.info.rows[names].astype([(name, self.info.rows.dtype[name]) for name in names])
        object.__setattr__(self, "info", InfoRows(rows, self.info.nulls))
        self._known[rows[self.cube.wcs_cadence].tobytes()] = self.cube.wcs

    def _at(self, cadence: int) -> tuple[bytes, WCS | None]:
        """Cards of a frame as a key, and its WCS; None if it has no usable WCS."""
        key = self.info.rows[cadence].tobytes()
        if key not in self._known:
            cards = self.info.cards(cadence)
            try:
                whole = all(math.isfinite(cards[keyword]) for keyword in _NEEDED)
                self._known[key] = frame_wcs(cards) if whole else None
            except (NoWcsError, LookupError, ValueError, TypeError):  # astropy's errors of a WCS are ValueErrors
                self._known[key] = None
        return key, self._known[key]

    def _nearest(self, cadence: int) -> bytes:
        days = self.cube.series["start"]
        order = np.argsort(np.abs(days - days[cadence]), kind="stable")
        return next(key for key, wcs in map(self._at, order.tolist()) if wcs is not None)

    def find(self, cadences: NDArray[np.intp], ra: Floats, dec: Floats) -> FramePixels:
        """Find the pixels of positions.

        Parameters
        ----------
        cadences : ndarray of int, shape (n,)
            Cadences, each the number of a frame from 0.
        ra, dec : ndarray, shape (n,)
            Position in each of these cadences, ICRS degrees; NaN for an unknown position.
        """
        row, column = np.full(len(cadences), np.nan), np.full(len(cadences), np.nan)
        borrowed = np.zeros(len(cadences), bool)
        rows = self.info.rows[cadences]
        reference = self.info.rows[self.cube.wcs_cadence].tobytes()
        alike = np.array([item.tobytes() == reference for item in rows], bool)
        own = is_tan_sip(rows) & ~alike
        if own.any():
            row[own], column[own] = tan_sip_pixels(rows[own], ra[own], dec[own])
        groups: dict[bytes, list[int]] = {}
        for number, cadence in zip(np.flatnonzero(~own).tolist(), cadences[~own].tolist(), strict=True):
            key, wcs = self._at(cadence)
            borrowed[number] = wcs is None
            groups.setdefault(self._nearest(cadence) if wcs is None else key, []).append(number)
        for key, numbers in groups.items():
            row[numbers], column[numbers] = path_pixels(self._known[key], ra[numbers], dec[numbers])
        return FramePixels(row, column, borrowed)
