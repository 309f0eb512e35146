"""Flags of pixels and cadences that the frames do not have: collateral pixels, and cadences without a new picture.

They are made on request (the option `flags`); docs/explanation/formats.md lists them. The flags of cadences are found
in the pixels of the file, because nobody reads whole frames for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.fits.hdus import CardTuple
from tessera.tess.detector import saturation_level, science_pixels
from tessera.tess.quality import BLANK, COLLATERAL, REPEATED, SATURATED

_BLOCK_VALUES = 250_000
"""Pixels times cadences that are looked at together."""
_FEWEST_REPEATED = 4
"""Fewer pixels than this may have the same values in two cadences by chance."""


@dataclass(frozen=True)
class Flags:
    """What the flags of a file follow from.

    Parameters
    ----------
    science : ndarray of bool, shape (n_rows, n_columns) or (n, n_rows, n_columns)
        Science pixels of the window, or of the boxes in the n cadences of the file.
    level : float or None
        Flux of a saturated pixel; None if it is not known.
    unit : str
        Unit of the flux.
    corners : ndarray of int, shape (n, 2), optional
        Row and column of the first pixel of each box. By default all cadences have the same window.
    """

    science: NDArray[np.bool_]
    level: float | None
    unit: str
    corners: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, cube: Cube, first_row: Any, first_column: Any, shape: tuple[int, int]) -> Flags:
        """Flags of a window (its first pixel is two numbers), or of boxes (two arrays), of a cube."""
        frame = cube.layout.n_rows, cube.layout.n_columns
        science = science_pixels(frame, first_row, first_column, shape)
        corners = np.stack([first_row, first_column], axis=1) if np.ndim(first_row) else None
        return cls(science, saturation_level(cube.product, cube.wcs_cards), cube.product.flux_unit, corners)

    def cards(self, n_science: int) -> list[CardTuple]:
        """Cards that tell of the flags, given the number of science pixels."""
        return [
            ("NPIXSCI", n_science, "Number of science pixels, which see the sky"),
            ("SATLEVEL", self.level, f"[{self.unit}] Flux of a saturated pixel"),
        ]

    def cadences(self, flux: NDArray[Any]) -> NDArray[np.int32]:
        """Find the flags of cadences.

        Parameters
        ----------
        flux : ndarray of big-endian float32, shape (n, n_rows, n_columns)
            Pixels.

        Returns
        -------
        ndarray of int32, shape (n,)
            Sums of bits of `tessera.tess.quality`.
        """
        flags = np.zeros(len(flux), np.int32)
        step = max(1, _BLOCK_VALUES // max(1, flux[0].size)) if len(flux) else 1
        for start in range(0, len(flux), step):
            some = slice(start, start + step)
            science = self.science if self.science.ndim == 2 else self.science[some]
            flags[some] = _lone_flags(flux[some], science, self.level)
            if self.corners is not None:
                flags[some] |= np.where(science.all(axis=(1, 2)), 0, COLLATERAL).astype(np.int32)
            before = max(start - 1, 0)
            flags[before + 1 : start + step] |= np.where(self._repeated(flux, before, start + step), REPEATED, 0)
        blank = (flags & BLANK) > 0
        flags[blank] &= ~REPEATED
        return flags

    def _repeated(self, flux: NDArray[Any], start: int, stop: int) -> NDArray[np.bool_]:
        """Whether cadences, without the first one, have the same science pixels as the ones before them."""
        new, old = flux[start + 1 : stop], flux[start : stop - 1][: len(flux[start + 1 : stop])]
        if self.corners is None:
            return _same(new, old, np.broadcast_to(self.science, new.shape))
        corners, repeated = self.corners[start:stop], np.zeros(len(new), np.bool_)
        moves = np.diff(corners, axis=0)
        science = self.science[start + 1 : stop]
        for move in np.unique(moves, axis=0) if len(moves) else ():
            at = np.flatnonzero((moves == move).all(axis=1))
            now, then = (tuple(slice(max(by, 0), by if by < 0 else None) for by in way) for way in (-move, move))
            repeated[at] = _same(new[at][:, *now], old[at][:, *then], science[at][:, *now])
        return repeated

    def blanked(self, plane: NDArray[Any], fill_value: float) -> NDArray[Any]:
        """Return pixels with the fill value where they are not science pixels; the same array if all are."""
        return plane if self.science.all() else np.where(self.science, plane, np.array(fill_value, ">f4"))


def _lone_flags(flux: NDArray[Any], science: NDArray[np.bool_], level: float | None) -> NDArray[np.int32]:
    """Flags that follow from each cadence alone; none where there is no science pixel."""
    pixels = (1, 2)
    count = np.broadcast_to(science, flux.shape).sum(axis=pixels)
    lit = ((flux != 0) & ~np.isnan(flux) & science).any(axis=pixels)
    flags = np.where(lit | (count == 0), 0, BLANK).astype(np.int32)
    if level is not None:
        full = ((flux >= level) & science).sum(axis=pixels)
        flags |= np.where((full > 0) & (2 * full >= count), SATURATED, 0).astype(np.int32)
    return flags


def _same(new: NDArray[Any], old: NDArray[Any], science: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether cadences have the same values as others in the science pixels, and enough of these."""
    words = (np.ascontiguousarray(plane, ">f4").view(">u4") for plane in (new, old))
    differs = np.not_equal(*words) & science
    return np.asarray(~differs.any(axis=(1, 2)) & (science.sum(axis=(1, 2)) >= _FEWEST_REPEATED))
