"""Read the target pixel files that a path crosses, and find their places on the frames."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.errors import InvalidInputError
from tessera.fits.hdus import CardTuple
from tessera.io.locations import shown
from tessera.io.sources import LocalFile, Location, Source, open_source

_NOT_SHARED = frozenset({"S_REGION", "CHECKSUM", "DATASUM"})
_STRUCTURE = re.compile(
    r"XTENSION|SIMPLE|EXTEND|BITPIX|NAXIS\d*|[PG]COUNT|TFIELDS|T(TYPE|FORM|UNIT|NULL|DISP|DIM|SCAL|ZERO)\d+|EXTNAME|INHERIT"
)
_COLUMN_WCS = re.compile(r"WCS_FFI|(WCAX|WCSN|[12][12]PC|[12]C[A-Z]{2,3})\d+P?")
_AGREE = 3.0
"""Largest distance in pixels between the place of a cutout in its file and its place in the WCS of the image."""


@dataclass(frozen=True)
class PathFile:
    """A target pixel file.

    Parameters
    ----------
    name : str
        Path or address of the file, as it was given.
    primary, header : Header
        Headers of the first and the second HDU.
    table : structured array
        Rows of the second HDU.
    aperture : ndarray of bool, shape (n_rows, n_columns)
        True for pixels that are on the frame.
    wcs : WCS
        Linear WCS of the cutout.
    corner : (int, int) or None
        Row and column of the cutout's first pixel on the frame; None when the file does not contain them.
    source : Source
        The file, to see whether it is changed while its pixels are read.
    """

    name: str
    primary: fits.Header
    header: fits.Header
    table: NDArray[Any]
    aperture: NDArray[np.bool_]
    wcs: WCS
    corner: tuple[int, int] | None
    source: Source

    def on_image(self, img_wcs: WCS) -> tuple[int, int] | None:
        """Row and column of the first pixel on the image of a WCS; None when the cutout is not from this image."""
        local = self.wcs.wcs.crpix - 1
        try:
            place = img_wcs.all_world2pix([self.wcs.wcs.crval], 0)[0] - local
        except RuntimeError:  # NoConvergence: far away
            return None
        shape = img_wcs.array_shape
        if not np.isfinite(place).all() or shape is None:
            return None
        column, row = np.rint(place).astype(int).tolist()
        if self.corner is None:
            touches = -self.aperture.shape[0] < row < shape[0] and -self.aperture.shape[1] < column < shape[1]
            return (row, column) if touches else None
        near = abs(self.corner[0] - row) < _AGREE and abs(self.corner[1] - column) < _AGREE
        return self.corner if near else None


def read_path_file(location: Location) -> PathFile:
    """Read a target pixel file.

    Raises
    ------
    InvalidInputError
        When the file is not a target pixel file.
    OSError
        When a remote file cannot be read, or a local one does not exist.
    """
    source = open_source(location)
    plain = isinstance(source, LocalFile) and source.on_disk
    content = source.path if plain else io.BytesIO(source.read(0, source.size))  # type: ignore[attr-defined]
    try:
        with fits.open(content, memmap=True) as hdus:  # only a few pixels of a large file are read
            table, header = np.asarray(hdus[1].data).view(np.ndarray), hdus[1].header.copy()
            aperture = np.asarray(hdus[2].data) != 0
            primary, wcs, corner = hdus[0].header.copy(), WCS(hdus[2].header), _corner(header)
            cutout = PathFile(str(location), primary, header, table, aperture, wcs, corner, source)
    except (OSError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError("cutout_fles", shown(location), "target pixel files", f"{error}.") from error
    missing = {"TIME", "FLUX"} - set(table.dtype.names or ())
    if missing or table["FLUX"].shape[1:] != aperture.shape:
        raise InvalidInputError(
            "cutout_fles", shown(location), "target pixel files whose aperture has the shape of FLUX"
        )
    return cutout


def _corner(header: fits.Header) -> tuple[int, int] | None:
    for number in range(1, header["TFIELDS"] + 1):
        if header.get(f"TTYPE{number}") == "FLUX" and f"1CRV{number}P" in header:
            return int(header[f"2CRV{number}P"]) - 1, int(header[f"1CRV{number}P"]) - 1
    return None


def shared_cards(headers: Sequence[fits.Header]) -> list[CardTuple]:
    """Cards that all headers have with the same value, without checksums and S_REGION."""

    def same(card: fits.Card) -> bool:
        return all(card.keyword in other and other[card.keyword] == card.value for other in headers[1:])

    return [
        (card.keyword, None if isinstance(card.value, fits.card.Undefined) else card.value, card.comment)
        for card in headers[0].cards
        if card.keyword not in _NOT_SHARED and same(card)
    ]


def image_cards(headers: Sequence[fits.Header]) -> list[CardTuple]:
    """Shared cards of the headers of tables, without cards that describe the structure or a column."""
    return [
        card
        for card in shared_cards(headers)
        if not _STRUCTURE.fullmatch(card[0]) and not _COLUMN_WCS.fullmatch(card[0])
    ]
