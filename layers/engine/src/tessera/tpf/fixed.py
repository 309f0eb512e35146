"""Target pixel files of fixed targets, in the layout of the live TESSCut service.

docs/explanation/formats.md lists where these files differ from the service's.

A file on disk is built in pieces, headers first, so that it may be larger than memory. The checksum of the rows stands
in front of them. It is the sum of the checksums of the columns, which are known before any row is built.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from tessera.checks import check_choice
from tessera.cubes.reader import Cube
from tessera.cubes.reference.frame import ReferenceFacts
from tessera.cubes.window_pixels import Cutout
from tessera.fits.buffers import new_bytearray
from tessera.fits.hdus import CardTuple
from tessera.fits.headers import CARD, padded, parse_card
from tessera.sky.wcs import LinearWcs, fit_linear_wcs
from tessera.tess.star import Star
from tessera.tpf.cards import APERTURE_CARDS, IN_APERTURE, NOT_SCIENCE, WIDE_QUALITY
from tessera.tpf.columns import Column, aperture_hdu, cube_columns, frame_cards, window_wcs_cards
from tessera.tpf.flags import Flags
from tessera.tpf.primary import CREATOR, corrected_cards, primary_cards
from tessera.tpf.rows import PixelTable, TpfFront

TpfLayout: TypeAlias = Literal["full", "slim"]
"""``full`` is the service's; ``slim`` leaves out RAW_CNTS, FLUX_BKG and FLUX_BKG_ERR, which are constant."""

_CONSTANT_PIXELS = frozenset({"RAW_CNTS", "FLUX_BKG", "FLUX_BKG_ERR"})


@dataclass(frozen=True)
class TpfRequest:
    """Input of the target pixel file of a fixed target.

    Parameters
    ----------
    cube : Cube
        Cube of the cutout.
    cutout : Cutout
        Pixels of the cutout.
    ra, dec : float
        Position of the target for RA_OBJ and DEC_OBJ, ICRS degrees; see `tessera.sky.motion.Targets.catalogued`.
    version : str
        Version of this software; value of the PROCVER card.
    layout : {'full', 'slim'}, optional
        Columns of the file; see `TpfLayout`.
    cadences : ndarray of int, optional
        Cadences to keep, in order; by default all.
    columns : mapping, optional
        Values of shape (n_cadences,) in place of the cube's, by column: TIME, TIMECORR, QUALITY, POS_CORR1, POS_CORR2.
    creator : str, optional
        Value of the CREATOR card.
    time_error : float, optional
        Largest error of TIME in seconds, if the times of the spacecraft were corrected for the target. Then `columns`
        has TIME and TIMECORR.
    star : Star, optional
        What is known about the target.
    aperture : ndarray of bool, shape (n_rows, n_columns), optional
        Pixels of the optimal aperture, which APERTURE marks.
    reference : ReferenceFacts, optional
        Reference frame, if the pixels are differences from it. The caller subtracts it.
    flags : bool, optional
        Whether collateral pixels and cadences without a new picture are marked; see `tessera.tpf.flags`.
    fill_value : float, optional
        Value of collateral pixels, if they are marked.
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
    time_error: float | None = None
    star: Star | None = None
    aperture: NDArray[np.bool_] | None = None
    reference: ReferenceFacts | None = None
    flags: bool = False
    fill_value: float = np.nan

    def __post_init__(self) -> None:
        check_choice("layout", self.layout, get_args(TpfLayout))

    @property
    def planes(self) -> NDArray[np.float32]:
        """Pixels of the cutout; see `tessera.cubes.window_pixels.Cutout`."""
        return self.cutout.planes

    @cached_property
    def found_flags(self) -> Flags | None:
        """What the flags follow from; None if nothing is marked."""
        window = self.cutout.window
        return Flags.of(self.cube, window.first_row, window.first_column, window.shape) if self.flags else None


def tpf_name(cube: Cube, ra: float, dec: float, shape: tuple[int, int], *, difference: bool = False) -> str:
    """File name as the service has it, with columns x rows of the window; clients look for it in their caches.

    A file of differences has another end, so that it never takes the place of the cutout.
    """
    end = "difference" if difference else "astrocut"
    return f"{cube.obs_id}_{ra:.6f}_{dec:.6f}_{shape[1]}x{shape[0]}_{end}.fits"


def _columns(request: TpfRequest, planes: Sequence[Any] | NDArray[Any]) -> list[Column]:
    """The columns, given the planes of the chosen cadences: arrays, or one number for every pixel."""
    cadences = _chosen(request)
    given = {name: values[cadences] for name, values in (request.columns or {}).items()}
    columns = cube_columns(request.cube, planes, cadences, corrected=request.time_error is not None)
    shown = {"QUALITY": WIDE_QUALITY} if request.flags else {}
    return [
        replace(column, values=given.get(column.name, column.values), display=shown.get(column.name, ""))
        for column in columns
        if request.layout == "full" or column.name not in _CONSTANT_PIXELS
    ]


def _chosen(request: TpfRequest) -> slice | NDArray[np.intp]:
    return slice(None) if request.cadences is None else request.cadences


def _aperture(request: TpfRequest, linear: LinearWcs, sky: Mapping[str, CardTuple], primary: list[CardTuple]) -> bytes:
    pixels, counts, flags = request.cutout.aperture, APERTURE_CARDS, request.found_flags
    there = pixels > 0
    if flags is not None:
        pixels = np.where(there & ~flags.science, np.int32(NOT_SCIENCE), pixels)
        there &= flags.science
    if request.aperture is not None:
        counted = (int((request.aperture & ~there).sum()), int((request.aperture & there).sum()))
        counts = tuple((card[0], count, card[2]) for card, count in zip(APERTURE_CARDS, counted, strict=True))
        pixels = np.where(request.aperture & there, pixels | IN_APERTURE, pixels)
    cards: list[CardTuple] = [
        *sky.values(),
        *counts,
        ("WCS_MSEP", linear.max_separation, "[deg] Max offset between cutout WCS and FFI WCS"),
        ("WCS_SIG", linear.sigma, "[deg] Error measurement of cutout WCS fit"),
    ]
    return aperture_hdu(pixels, cards, primary)


_MATRIX: dict[str, CardTuple] = {
    f"PC{row}_{column}": (f"PC{row}_{column}", float(row == column), "Coordinate transformation matrix element")
    for row in (1, 2)
    for column in (1, 2)
}
"""Terms of the matrix that astropy leaves out, because they are those of no rotation."""


def _sky_cards(linear: LinearWcs) -> dict[str, CardTuple]:
    """Cards of the WCS of the window, by keyword. `parse_card` takes a third of astropy's time."""
    text = linear.wcs.to_header().tostring(endcard=False, padding=False)
    cards = (parse_card(text[start : start + CARD]) for start in range(0, len(text), CARD))
    sky: dict[str, CardTuple] = {card.keyword: (card.keyword, card.value, card.comment) for card in cards}
    return sky | {keyword: card for keyword, card in _MATRIX.items() if keyword not in sky}


@dataclass(frozen=True)
class _Parts:
    """What is in front of the rows of the table, the table, and the bytes behind it."""

    front: TpfFront
    table: PixelTable
    back: bytes

    @property
    def n_bytes(self) -> int:
        return self.front.n_bytes + padded(self.table.n_bytes) + len(self.back)


def _parts(request: TpfRequest, planes: Sequence[Any] | NDArray[Any]) -> _Parts:
    cube, window = request.cube, request.cutout.window
    linear = fit_linear_wcs(cube.wcs, window)
    sky = _sky_cards(linear)
    table = PixelTable(_columns(request, planes), window.shape)
    primary = primary_cards(cube, request.ra, request.dec, request.version, request.creator, star=request.star)
    if request.time_error is not None:
        primary = corrected_cards(primary, (request.columns or {})["TIMECORR"], request.time_error)
    if request.reference is not None:
        primary += request.reference.cards()
    if request.found_flags is not None:
        primary += request.found_flags.cards(int(request.found_flags.science.sum()))
    image = [*frame_cards(cube), ("WCS_FFI", cube.wcs_cards["FFI_FILE"], "FFI used for cutout WCS")]
    front = table.front(primary, image, lambda number: window_wcs_cards(number, sky, window))
    return _Parts(front, table, _aperture(request, linear, sky, primary))


def tpf_pieces(request: TpfRequest) -> Iterator[bytes]:
    """Build a target pixel file, piece by piece.

    Parameters
    ----------
    request : TpfRequest
        Input of the file.

    Yields
    ------
    bytes
        Pieces of a FITS file, in order. The file has the HDUs PRIMARY, PIXELS and APERTURE, each with checksums. Pieces
        of rows are at most 4 MB; a row that is larger is a piece of its own.
    """
    chosen, flags = _chosen(request), request.found_flags
    planes, quality = [plane[chosen] for plane in request.cutout.planes], request.cube.series["quality"]
    if flags is not None:
        quality = quality.copy()
        quality[chosen] |= flags.cadences(planes[0])
        planes = [flags.blanked(plane, request.fill_value) for plane in planes]
        request = replace(request, columns={**(request.columns or {}), "QUALITY": quality})
    parts = _parts(request, planes)
    yield parts.front.sealed(parts.table.data_sum())
    yield from parts.table.pieces()
    yield parts.back


class TpfInMemory:
    """A target pixel file that is complete but for its pixels, which are then placed in it.

    So a file can be made while its pixels are under way, and they are in memory only once.

    Parameters
    ----------
    request : TpfRequest
        Input of the file. Its cutout is blank; see `tessera.cubes.window_pixels.blank_cutout`.
    n_more : int, optional
        Number of bytes behind the file that the caller fills.

    Attributes
    ----------
    n_bytes : int
        Size of the file in bytes.
    planes : list of ndarray of float32, shape (n, n_rows, n_columns)
        Place of the flux in the file, and of its errors if the product has errors, in the n chosen cadences.
    """

    def __init__(self, request: TpfRequest, n_more: int = 0) -> None:
        self._parts = parts = _parts(request, request.cutout.planes[:, 0, 0, 0])
        self._file = new_bytearray(parts.n_bytes + n_more)
        self.n_bytes = parts.n_bytes
        start, stop = parts.front.n_bytes, parts.front.n_bytes + parts.table.n_bytes
        rows = np.frombuffer(self._file, parts.table.dtype, parts.table.n_rows, start)
        parts.table.fill(rows)
        behind = padded(parts.table.n_bytes) - parts.table.n_bytes
        self._file[stop : parts.n_bytes] = bytes(behind) + parts.back
        n_planes = 2 if request.cube.product.has_errors and len(request.cutout.planes) > 1 else 1
        self._placed = {name: rows[name] for name in ("FLUX", "FLUX_ERR")[:n_planes]}
        self.planes = [*self._placed.values()]
        self._request, self._quality = request, rows["QUALITY"]

    def finish(self) -> bytearray:
        """Write flags, and the headers with the checksums, after all pixels are placed, and return the file."""
        flags = self._request.found_flags
        if flags is not None:
            self._quality |= flags.cadences(self.planes[0])
            for plane in self.planes:
                plane[:, ~flags.science] = self._request.fill_value
            self._placed["QUALITY"] = self._quality
        front = self._parts.front.sealed(self._parts.table.data_sum(self._placed))
        self._file[: len(front)] = front
        return self._file


def build_tpf(request: TpfRequest) -> bytearray:
    """Build a target pixel file in memory; see `tpf_pieces`."""
    file = TpfInMemory(request)
    for place, plane in zip(file.planes, request.cutout.planes, strict=False):
        place[:] = plane[_chosen(request)]
    return file.finish()
