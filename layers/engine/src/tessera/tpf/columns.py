"""The columns of a target pixel file, the cards that describe them, and the aperture after them.

Files of fixed and of moving targets have the same twelve columns (docs/explanation/formats.md). Columns of a fixed
target have a WCS; columns of a moving target do not, and four more columns after the twelve give the position of the
target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.fits.hdus import CardTuple, format_hdu, image_cards
from tessera.tpf.cards import (
    COLUMN_COMMENTS,
    DISPLAY,
    IMAGE_KEYWORDS,
    PHYSICAL_COLUMN_CARDS,
    RESERVED_KEYWORDS,
    SKY_COLUMN_CARDS,
)
from tessera.windows import Window

_NO_COUNTS = -1
"""RAW_CNTS everywhere, and its TNULL: frames have no raw counts."""
_DTYPES = {"D": ">f8", "E": ">f4", "J": ">i4"}


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Parameters
    ----------
    name : str
        TTYPE.
    form : {'D', 'E', 'J', 'A'}
        Type of a value; 'A' is text, in bytes.
    unit : str
        TUNIT; empty for a column without a unit.
    values : ndarray or number
        One entry per cadence, or a number that stands for all.
    pixels : bool, optional
        Whether an entry is an array of pixels.
    display : str, optional
        TDISP; by default that of `tessera.tpf.cards.DISPLAY`.
    """

    name: str
    form: str
    unit: str
    values: Any
    pixels: bool = False
    display: str = ""

    @property
    def dtype(self) -> str:
        """Type of a value in numpy's words. Text is padded to whole words of four bytes, so that checksums add up."""
        if self.form != "A":
            return _DTYPES[self.form]
        return f"S{-(-max(self.values.dtype.itemsize, 1) // 4) * 4}"


def cube_columns(
    cube: Cube,
    planes: Sequence[NDArray[Any]] | NDArray[Any],
    cadences: slice | NDArray[np.intp] = slice(None),
    *,
    corrected: bool = False,
) -> list[Column]:
    """Build the twelve columns for cadences of one cube.

    A product without barycentric correction has no TIMECORR, and so eleven columns, unless its times are corrected.

    Parameters
    ----------
    cube : Cube
        Cube of the cadences.
    planes : sequence of ndarray, shape (n, n_rows, n_columns)
        Flux of the n cadences, and its error if the product has errors.
    cadences : ndarray of int, shape (n,), optional
        The cadences, in the order of the planes; by default all.
    corrected : bool, optional
        Whether times that are the spacecraft's are corrected. The caller replaces the values of TIME and TIMECORR.
    """
    product = cube.product
    series = {name: values[cadences] for name, values in cube.series.items()}
    error = planes[1] if product.has_errors and len(planes) > 1 else 0
    barycentric = product.barycentric or corrected
    return [
        Column(
            "TIME", "D", f"{'BJD' if barycentric else 'JD'} - 2457000, days", (series["start"] + series["stop"]) / 2
        ),
        *([Column("TIMECORR", "E", "d", series["barycorr"])] if barycentric else []),
        Column("CADENCENO", "J", "", series["cadence_number"]),
        Column("RAW_CNTS", "J", "count", _NO_COUNTS, pixels=True),
        Column("FLUX", "E", product.flux_unit, planes[0], pixels=True),
        Column("FLUX_ERR", "E", product.flux_unit, error, pixels=True),
        Column("FLUX_BKG", "E", product.flux_unit, 0, pixels=True),
        Column("FLUX_BKG_ERR", "E", product.flux_unit, 0, pixels=True),
        Column("QUALITY", "J", "", series["quality"]),
        Column("POS_CORR1", "E", "pixel", 0),
        Column("POS_CORR2", "E", "pixel", 0),
        Column("FFI_FILE", "A", "pixel", series["file"]),
    ]


def column_cards(number: int, column: Column, shape: tuple[int, int]) -> list[CardTuple]:
    """Cards of a column: name, form, unit, null value, display and dimensions.

    Parameters
    ----------
    number : int
        Number of the column, counted from 1.
    column : Column
        The column.
    shape : (int, int)
        Rows and columns of the pixels of an entry.
    """
    n_rows, n_columns = shape
    repeat = column.dtype[1:] if column.form == "A" else str(n_rows * n_columns) if column.pixels else ""
    cards: list[tuple[str, Any]] = [("TTYPE", column.name), ("TFORM", f"{repeat}{column.form}")]
    if column.unit:
        cards.append(("TUNIT", column.unit))
    if column.name == "RAW_CNTS":
        cards.append(("TNULL", _NO_COUNTS))
    if display := column.display or DISPLAY.get(column.name):
        cards.append(("TDISP", display))
    if column.pixels:
        cards.append(("TDIM", f"({n_columns}, {n_rows})"))
    return [(f"{keyword}{number}", value, COLUMN_COMMENTS[keyword]) for keyword, value in cards]


def window_wcs_cards(number: int, sky: Mapping[str, CardTuple], window: Window) -> list[CardTuple]:
    """Cards of the WCS of a column whose pixels are a window: its place on the sky and on the CCD.

    Parameters
    ----------
    number : int
        Number of the column, counted from 1.
    sky : mapping
        Cards of a linear WCS of the window, by keyword.
    window : Window
        Place of the pixels on the frame.
    """
    corner = {"column": window.first_column + 1, "row": window.first_row + 1}
    return [(form.format(number), sky[source][1], comment) for form, source, comment in SKY_COLUMN_CARDS] + [
        (form.format(number), corner.get(value, value), comment) for form, value, comment in PHYSICAL_COLUMN_CARDS
    ]


def frame_cards(cube: Cube) -> list[CardTuple]:
    """Cards of the frame that gave the WCS, which the table of pixels repeats; undefined where the frame lacks them."""
    return [(keyword, cube.wcs_cards.get(keyword), comment) for keyword, comment in IMAGE_KEYWORDS]


def with_inherited(cards: list[CardTuple], primary: Sequence[CardTuple]) -> list[CardTuple]:
    """Cards of an extension, followed by the cards of the primary header that the extension does not have."""
    known = {keyword for keyword, _, _ in cards} | RESERVED_KEYWORDS
    return [*cards, *(card for card in primary if card[0] not in known)]


def aperture_hdu(pixels: NDArray[np.int32], cards: Iterable[CardTuple], primary: Sequence[CardTuple] = ()) -> bytes:
    """Build the third HDU.

    Parameters
    ----------
    pixels : ndarray of int, shape (n_rows, n_columns)
        The aperture.
    cards : iterable of cards
        Cards of its header that do not describe the structure.
    primary : sequence of cards, optional
        Cards of the primary header, which the aperture inherits.
    """
    own: list[CardTuple] = [
        *image_cards(32, pixels.shape),
        ("EXTNAME", "APERTURE", ""),
        *cards,
        ("INHERIT", True, ""),
    ]
    return format_hdu(with_inherited(own, primary), pixels.astype(">i4").tobytes())
