"""Target pixel files in the layout of the live TESSCut service (docs/formats.md).

The column WCS cards, which lightkurve and eleanor need and which astrocut 1.x lost, are there; FFI_FILE has its full
length; WCS_MSEP and WCS_SIG are true. Nothing else differs but CREATOR and PROCVER.

A file is made in pieces, so that one that is larger than memory can be written: headers and rows are yielded as they
are ready. The checksum of the rows, which stands in front of them, is the sum of the checksums of the columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.cubes.window_pixels import Cutout
from tessera.errors import InvalidValueError
from tessera.fits.hdus import CardTuple, format_hdu, format_header, table_cards
from tessera.fits.headers import padded
from tessera.sky.wcs import LinearWcs, fit_linear_wcs
from tessera.tpf.cards import (
    APERTURE_CARDS,
    COLUMN_COMMENTS,
    DISPLAY,
    IMAGE_KEYWORDS,
    PHYSICAL_COLUMN_CARDS,
    SKY_COLUMN_CARDS,
)
from tessera.tpf.primary import CREATOR, primary_cards
from tessera.tpf.rows import data_sum, fill_rows, row_pieces, with_inherited

TpfLayout: TypeAlias = Literal["full", "slim"]
"""``full`` is the service's; ``slim`` leaves out RAW_CNTS, FLUX_BKG and FLUX_BKG_ERR, which are constant."""
LAYOUTS = ("full", "slim")

_DTYPES = {"D": ">f8", "E": ">f4", "J": ">i4"}
_CONSTANT_PIXELS = {"RAW_CNTS": -1, "FLUX_BKG": 0, "FLUX_BKG_ERR": 0}
_PIXEL_COLUMNS = frozenset({"FLUX", "FLUX_ERR", *_CONSTANT_PIXELS})


@dataclass(frozen=True)
class TpfRequest:
    """What a target pixel file is made of.

    Parameters
    ----------
    cube : Cube
        Where the cutout comes from.
    cutout : Cutout
        Its pixels.
    ra, dec : float
        Target, ICRS degrees.
    version : str
        Version of this software, for PROCVER.
    layout : {'full', 'slim'}, optional
        Which columns.
    cadences : ndarray of int, optional
        Cadences to keep, in order; by default all.
    columns : mapping, optional
        Values of shape (n_cadences,) in place of the cube's, by column: TIME, TIMECORR, POS_CORR1, POS_CORR2.
    creator : str, optional
        For CREATOR.
    """

    cube: Cube
    cutout: Cutout
    ra: float
    dec: float
    version: str
    layout: TpfLayout = "full"
    cadences: NDArray[np.intp] | None = None
    columns: Mapping[str, NDArray[Any]] | None = None
    creator: str = CREATOR

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise InvalidValueError("layout", self.layout, "'full', 'slim'")


@dataclass(frozen=True)
class _Column:
    name: str
    form: str
    unit: str
    values: Any
    """Array with one entry per cadence, or a number that stands for all."""

    @property
    def dtype(self) -> str:
        return f"S{self.form[:-1]}" if self.form.endswith("A") else _DTYPES[self.form[-1]]


def tpf_name(cube: Cube, ra: float, dec: float, cutout: Cutout) -> str:
    """File name as the service gives it: columns x rows of the window; clients search their caches for it."""
    window = cutout.window
    return f"{cube.obs_id}_{ra:.6f}_{dec:.6f}_{window.n_columns}x{window.n_rows}_astrocut.fits"


def _file_column(names: NDArray[np.bytes_]) -> _Column:
    width = -(-max(names.dtype.itemsize, 1) // 4) * 4  # whole words, so that the columns' checksums add up
    return _Column("FFI_FILE", f"{width}A", "pixel", names.astype(f"S{width}"))


def _columns(request: TpfRequest) -> list[_Column]:
    cube, n = request.cube, request.cutout.window.n_rows * request.cutout.window.n_columns
    series, unit, spoc = cube.series, cube.product.flux_unit, cube.product.name == "SPOC"
    planes = request.cutout.planes
    error = planes[1] if spoc and len(planes) > 1 else 0
    columns = [
        _Column("TIME", "D", "BJD - 2457000, days", (series["start"] + series["stop"]) / 2),
        *([_Column("TIMECORR", "E", "d", series["barycorr"])] if spoc else []),
        _Column("CADENCENO", "J", "", series["cadence_number"]),
        _Column("RAW_CNTS", f"{n}J", "count", -1),
        _Column("FLUX", f"{n}E", unit, planes[0]),
        _Column("FLUX_ERR", f"{n}E", unit, error),
        _Column("FLUX_BKG", f"{n}E", unit, 0),
        _Column("FLUX_BKG_ERR", f"{n}E", unit, 0),
        _Column("QUALITY", "J", "", series["quality"]),
        _Column("POS_CORR1", "E", "pixel", 0),
        _Column("POS_CORR2", "E", "pixel", 0),
        _file_column(series["file"]),
    ]
    if request.layout == "slim":
        columns = [column for column in columns if column.name not in _CONSTANT_PIXELS]
    given = request.columns or {}
    columns = [
        _Column(column.name, column.form, column.unit, given.get(column.name, column.values)) for column in columns
    ]
    if request.cadences is None:
        return columns
    return [
        _Column(column.name, column.form, column.unit, column.values[request.cadences])
        if np.ndim(column.values)
        else column
        for column in columns
    ]


def _column_cards(number: int, column: _Column, cutout: Cutout) -> list[CardTuple]:
    cards: list[tuple[str, Any]] = [("TTYPE", column.name), ("TFORM", column.form)]
    if column.unit:
        cards.append(("TUNIT", column.unit))
    if column.name == "RAW_CNTS":
        cards.append(("TNULL", -1))
    if column.name in DISPLAY:
        cards.append(("TDISP", DISPLAY[column.name]))
    if column.name in _PIXEL_COLUMNS:
        cards.append(("TDIM", f"({cutout.window.n_columns}, {cutout.window.n_rows})"))
    return [(f"{keyword}{number}", value, COLUMN_COMMENTS[keyword]) for keyword, value in cards]


def _column_wcs_cards(number: int, linear: Mapping[str, CardTuple], cutout: Cutout) -> list[CardTuple]:
    sky: list[CardTuple] = [(form.format(number), linear[source][1], text) for form, source, text in SKY_COLUMN_CARDS]
    corner = {"column": cutout.window.first_column + 1, "row": cutout.window.first_row + 1}
    return sky + [
        (form.format(number), corner[value] if value in ("column", "row") else value, text)
        for form, value, text in PHYSICAL_COLUMN_CARDS
    ]


def _row_dtype(columns: list[_Column], cutout: Cutout) -> np.dtype[Any]:
    shape = (cutout.window.n_rows, cutout.window.n_columns)
    return np.dtype([(item.name, item.dtype, shape if item.name in _PIXEL_COLUMNS else ()) for item in columns])


def _pixels_header(request: TpfRequest, columns: list[_Column], linear: Mapping[str, CardTuple]) -> list[CardTuple]:
    cards: list[CardTuple] = []
    for number, column in enumerate(columns, 1):
        cards += _column_cards(number, column, request.cutout)
        if column.name in _PIXEL_COLUMNS:
            cards += _column_wcs_cards(number, linear, request.cutout)
    frame = request.cube.wcs_cards
    cards += [("EXTNAME", "PIXELS", ""), ("INHERIT", True, "")]
    cards += [(keyword, frame.get(keyword), comment) for keyword, comment in IMAGE_KEYWORDS]
    cards.append(("WCS_FFI", frame["FFI_FILE"], "FFI used for cutout WCS"))
    return cards


def _aperture_cards(cutout: Cutout, linear: LinearWcs, sky: Mapping[str, CardTuple]) -> list[CardTuple]:
    return [
        ("XTENSION", "IMAGE", "Image extension"),
        ("BITPIX", 32, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", cutout.window.n_columns, ""),
        ("NAXIS2", cutout.window.n_rows, ""),
        ("PCOUNT", 0, "number of parameters"),
        ("GCOUNT", 1, "number of groups"),
        ("EXTNAME", "APERTURE", ""),
        *sky.values(),
        *APERTURE_CARDS,
        ("WCS_MSEP", linear.max_separation, "[deg] Max offset between cutout WCS and FFI WCS"),
        ("WCS_SIG", linear.sigma, "[deg] Error measurement of cutout WCS fit"),
        ("INHERIT", True, ""),
    ]


@dataclass(frozen=True)
class _Parts:
    """A file up to its rows, and behind them."""

    front: bytes
    columns: list[_Column]
    dtype: np.dtype[Any]
    n_rows: int
    back: bytes


def _prepare(request: TpfRequest) -> _Parts:
    cutout = request.cutout
    columns = _columns(request)
    n_rows = cutout.planes.shape[1] if request.cadences is None else len(request.cadences)
    linear = fit_linear_wcs(request.cube.wcs, cutout.window)
    sky = {card.keyword: (card.keyword, card.value, card.comment) for card in linear.wcs.to_header().cards}
    primary = primary_cards(request.cube, request.ra, request.dec, request.version, request.creator)
    dtype = _row_dtype(columns, cutout)
    pixels = with_inherited(
        table_cards(dtype.itemsize, n_rows, len(columns)) + _pixels_header(request, columns, sky), primary
    )
    front = format_hdu(primary) + format_header(pixels, data_sum(columns, dtype, n_rows))
    size = dtype.itemsize * n_rows
    aperture = with_inherited(_aperture_cards(cutout, linear, sky), primary)
    back = bytes(padded(size) - size) + format_hdu(aperture, cutout.aperture.astype(">i4").tobytes())
    return _Parts(front, columns, dtype, n_rows, back)


def tpf_pieces(request: TpfRequest) -> Iterator[bytes]:
    """Make a target pixel file, piece by piece.

    Parameters
    ----------
    request : TpfRequest
        What it is made of.

    Yields
    ------
    bytes
        Which one after the other are a FITS file with the HDUs PRIMARY, PIXELS and APERTURE, each with checksums.
        No piece of rows is much larger than 4 MB, or one row.
    """
    parts = _prepare(request)
    yield parts.front
    yield from row_pieces(parts.columns, parts.dtype, parts.n_rows)
    yield parts.back


def build_tpf(request: TpfRequest) -> bytearray:
    """Make a target pixel file in memory; see `tpf_pieces`."""
    parts = _prepare(request)
    n_front, n_bytes = len(parts.front), parts.dtype.itemsize * parts.n_rows
    file = bytearray(n_front + n_bytes + len(parts.back))
    file[:n_front] = parts.front
    fill_rows(parts.columns, np.frombuffer(file, parts.dtype, parts.n_rows, n_front), 0)
    file[n_front + n_bytes :] = parts.back
    return file
