"""Target pixel files of moving targets: the twelve columns of any other, and where the target is.

TGT_X and TGT_Y count columns and rows of the box from the centre of its first pixel, 0; TGT_RA and TGT_DEC are ICRS
degrees. The aperture is the path on the whole frame. As the boxes move, columns have no WCS. Source: astrocut 1.4 and
the products of the live TESSCut service (docs/formats.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.time import Time
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.fits.hdus import CardTuple, format_hdu, format_header, table_cards
from tessera.fits.headers import padded
from tessera.tpf.cards import BJDREFI, COLUMN_COMMENTS, DISPLAY, IMAGE_KEYWORDS
from tessera.tpf.primary import CREATOR, primary_cards
from tessera.tpf.rows import data_sum, row_pieces, with_inherited

_NO_FITS = re.compile("[^ -~]")
_DTYPES = {"D": ">f8", "E": ">f4", "J": ">i4"}


@dataclass(frozen=True)
class MovingColumn:
    """A column of the table.

    Parameters
    ----------
    name : str
        TTYPE.
    form : {'D', 'E', 'J', 'A'}
        Type of a value; 'A' are bytes.
    unit : str
        TUNIT, or nothing.
    values : ndarray or number
        One entry per cadence, or a number that stands for all.
    pixels : bool, optional
        Whether an entry is a box.
    """

    name: str
    form: str
    unit: str
    values: Any
    pixels: bool = False

    @property
    def dtype(self) -> str:
        """Type of a value, as numpy knows it; text has whole words, so that the columns' checksums add up."""
        if self.form != "A":
            return _DTYPES[self.form]
        return f"S{-(-max(self.values.dtype.itemsize, 1) // 4) * 4}"


@dataclass(frozen=True)
class Boxes:
    """The moving part of a file; n is the number of cadences.

    Parameters
    ----------
    planes : ndarray, shape (n_planes, n, n_rows, n_columns)
        Flux, and its error where there is one.
    x, y : ndarray, shape (n,)
        The target in its box: column and row from the centre of the first pixel.
    ra, dec : ndarray, shape (n,)
        The target, ICRS degrees.
    n_filled : int
        Cadences whose box has pixels that no frame has.
    """

    planes: NDArray[Any]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    n_filled: int


@dataclass(frozen=True)
class MovingTpf:
    """What a file is made of.

    Parameters
    ----------
    primary, image : list of cards
        Of the first header, and those of the second that describe no column.
    columns : list of MovingColumn
        The table.
    shape : (int, int)
        Rows and columns of the boxes.
    aperture : (WCS, ndarray of int32), optional
        WCS of the frame, and the path on it; without it there is no third HDU.
    """

    primary: list[CardTuple]
    image: list[CardTuple]
    columns: list[MovingColumn]
    shape: tuple[int, int]
    aperture: tuple[WCS, NDArray[np.int32]] | None = None


def target_columns(boxes: Boxes) -> list[MovingColumn]:
    """The four columns that other files do not have."""
    return [
        MovingColumn("TGT_X", "D", "pixel", boxes.x),
        MovingColumn("TGT_Y", "D", "pixel", boxes.y),
        MovingColumn("TGT_RA", "D", "deg", boxes.ra),
        MovingColumn("TGT_DEC", "D", "deg", boxes.dec),
    ]


def cube_columns(cube: Cube, cadences: NDArray[np.int64], boxes: Boxes) -> list[MovingColumn]:
    """All columns of a file whose cadences are of one cube."""
    series, unit = cube.series, cube.product.flux_unit
    spoc = cube.product.name == "SPOC"
    error = boxes.planes[1] if spoc and len(boxes.planes) > 1 else 0
    middle = (series["start"] + series["stop"]) / 2
    return [
        MovingColumn("TIME", "D", "BJD - 2457000, days", middle[cadences]),
        *([MovingColumn("TIMECORR", "E", "d", series["barycorr"][cadences])] if spoc else []),
        MovingColumn("CADENCENO", "J", "", series["cadence_number"][cadences]),
        MovingColumn("RAW_CNTS", "J", "count", -1, pixels=True),
        MovingColumn("FLUX", "E", unit, boxes.planes[0], pixels=True),
        MovingColumn("FLUX_ERR", "E", unit, error, pixels=True),
        MovingColumn("FLUX_BKG", "E", unit, 0, pixels=True),
        MovingColumn("FLUX_BKG_ERR", "E", unit, 0, pixels=True),
        MovingColumn("QUALITY", "J", "", series["quality"][cadences]),
        MovingColumn("POS_CORR1", "E", "pixel", 0),
        MovingColumn("POS_CORR2", "E", "pixel", 0),
        MovingColumn("FFI_FILE", "A", "pixel", series["file"][cadences]),
        *target_columns(boxes),
    ]


def moving_cards(cards: Iterable[CardTuple], target: str, start: float, stop: float) -> list[CardTuple]:
    """Cards of a first header without a place, and with name and times of the target.

    Parameters
    ----------
    cards : iterable of cards
        Of a file of a target that stands still.
    target : str
        Its name; empty for none. Letters that FITS does not know become question marks.
    start, stop : float
        First and last TIME.
    """
    new: dict[str, CardTuple] = {
        "OBJECT": ("OBJECT", _NO_FITS.sub("?", target), "Moving target object name/identifier"),
        "TSTART": ("TSTART", start, "TIME of the first cadence"),
        "TSTOP": ("TSTOP", stop, "TIME of the last cadence"),
        "TELAPSE": ("TELAPSE", stop - start, "[d] TSTOP - TSTART"),
        "DATE-OBS": ("DATE-OBS", _utc(start), "TSTART as UTC calendar date"),
        "DATE-END": ("DATE-END", _utc(stop), "TSTOP as UTC calendar date"),
    }
    if not target:
        del new["OBJECT"]
    kept = [card for card in cards if card[0] not in ("RA_OBJ", "DEC_OBJ")]
    known = {card[0] for card in kept}
    kept = [new.get(card[0], card) for card in kept]
    return kept + [card for keyword, card in new.items() if keyword not in known and keyword in ("TSTART", "TSTOP")]


def _utc(day: float) -> str:
    text: str = Time(BJDREFI, day, format="jd", scale="tdb").utc.isot
    return f"{text}Z"


def filled_card(n_filled: int) -> CardTuple:
    """Card that says how many cadences are not whole."""
    return ("NPARTIAL", n_filled, "cadences with pixels that no frame has")


def cube_tpf(
    cube: Cube,
    cadences: NDArray[np.int64],
    boxes: Boxes,
    path: NDArray[np.int32],
    *,
    target: str = "",
    version: str = "",
    creator: str = CREATOR,
) -> MovingTpf:
    """What the file of a moving target on one cube is made of.

    Parameters
    ----------
    cube : Cube
        Where the pixels come from.
    cadences : ndarray of int, shape (n,)
        Which cadences.
    boxes : Boxes
        Pixels and places in them.
    path : ndarray of int32, shape (n_rows, n_columns) of the frame
        1 where a box was.
    target, version, creator : str, optional
        For OBJECT, PROCVER and CREATOR.
    """
    columns = cube_columns(cube, cadences, boxes)
    time = columns[0].values
    primary = primary_cards(cube, 0.0, 0.0, version, creator)
    primary = moving_cards(primary, target, float(time.min()), float(time.max()))
    frame = cube.wcs_cards
    image = [(keyword, frame.get(keyword), comment) for keyword, comment in IMAGE_KEYWORDS]
    image.append(filled_card(boxes.n_filled))
    return MovingTpf(primary, image, columns, boxes.planes.shape[2:], (cube.wcs, path))


def _column_cards(number: int, column: MovingColumn, shape: tuple[int, int]) -> list[CardTuple]:
    repeat = str(shape[0] * shape[1]) if column.pixels else ""
    if column.form == "A":
        repeat = column.dtype[1:]
    cards: list[tuple[str, Any]] = [("TTYPE", column.name), ("TFORM", f"{repeat}{column.form}")]
    if column.unit:
        cards.append(("TUNIT", column.unit))
    if column.name == "RAW_CNTS":
        cards.append(("TNULL", -1))
    if column.name in DISPLAY:
        cards.append(("TDISP", DISPLAY[column.name]))
    if column.pixels:
        cards.append(("TDIM", f"({shape[1]}, {shape[0]})"))
    return [(f"{keyword}{number}", value, COLUMN_COMMENTS[keyword]) for keyword, value in cards]


def moving_pieces(tpf: MovingTpf) -> Iterator[bytes]:
    """Make a target pixel file, piece by piece.

    Yields
    ------
    bytes
        Which one after the other are a FITS file with the HDUs PRIMARY, PIXELS and APERTURE, each with checksums.
    """
    columns, n_rows = tpf.columns, len(tpf.columns[0].values)
    dtype = np.dtype([(item.name, item.dtype, tpf.shape if item.pixels else ()) for item in columns])
    cards = table_cards(dtype.itemsize, n_rows, len(columns))
    for number, column in enumerate(columns, 1):
        cards += _column_cards(number, column, tpf.shape)
    cards += [("EXTNAME", "PIXELS", ""), ("INHERIT", True, ""), *tpf.image]
    yield format_hdu(tpf.primary)
    yield format_header(with_inherited(cards, tpf.primary), data_sum(columns, dtype, n_rows))
    yield from row_pieces(columns, dtype, n_rows)
    size = dtype.itemsize * n_rows
    yield bytes(padded(size) - size)
    if tpf.aperture is not None:
        yield _aperture_hdu(*tpf.aperture)


def _aperture_hdu(wcs: WCS, path: NDArray[np.int32]) -> bytes:
    cards: list[CardTuple] = [
        ("XTENSION", "IMAGE", "Image extension"),
        ("BITPIX", 32, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", path.shape[1], ""),
        ("NAXIS2", path.shape[0], ""),
        ("PCOUNT", 0, "number of parameters"),
        ("GCOUNT", 1, "number of groups"),
        ("EXTNAME", "APERTURE", ""),
        *((card.keyword, card.value, card.comment) for card in wcs.to_header(relax=True).cards),
        ("INHERIT", True, ""),
    ]
    return format_hdu(cards, path.astype(">i4").tobytes())
