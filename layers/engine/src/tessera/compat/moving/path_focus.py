"""Follow a target through target pixel files.

The place of a pixel on the frame decides which file it comes from. Several files of the same frame may contribute to a
box. Pixels that are in no file are filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.checks import check_choice
from tessera.compat.moving.path_files import PathFile, read_path_file
from tessera.compat.moving.path_places import CubeFrames, find_places, read_frames
from tessera.compat.moving.path_to_footprints import box_shape, pixels_of
from tessera.cutouts.barycentre import earth_positions
from tessera.errors import InvalidInputError, InvalidQueryError
from tessera.inputs import check_cube_fill
from tessera.io.sources import Location, check_locations
from tessera.moving.ephemeris import Ephemeris, Interpolation, check_interpolation
from tessera.moving.read_plan import Track
from tessera.tpf.columns import Column
from tessera.tpf.moving import Boxes, target_columns
from tessera.windows import MovingPlacement, Placement, check_placement, place_axes

Rows: TypeAlias = Literal["path", "whole", "points"]
"""Cadences of the result; see `FocusOptions`."""

_FORMS = {"f8": "D", "f4": "E", "i4": "J"}
_NO_COUNTS = -1


@dataclass(frozen=True)
class FocusOptions:
    """Options of `center_on_path`.

    Parameters
    ----------
    placement : {'round_lower', 'centre', 'tesscut'}, optional
        Rule that places the boxes; see `tessera.windows.Placement`. The default is that of `path_to_footprints`.
    interpolation : {'cubic', 'linear'} or callable, optional
        See `tessera.moving.ephemeris.Interpolation`.
    rows : {'path', 'whole', 'points'}, optional
        Cadences of the result. 'path': cadences of the path whose boxes have pixels. 'whole': cadences whose boxes are
        whole. 'points': as in astrocut, cadences between the first and the last position of the path whose box is whole
        in a file.
    fill_value : float, optional
        Value of pixels that are in no file.

    Raises
    ------
    InvalidInputError
        When `placement` or `rows` has a value that is not allowed.
    """

    placement: MovingPlacement = "round_lower"
    interpolation: Interpolation = "cubic"
    rows: Rows = "path"
    fill_value: float = np.nan

    def __post_init__(self) -> None:
        check_placement(self.placement, get_args(MovingPlacement))
        check_interpolation(self.interpolation)
        check_choice("rows", self.rows, get_args(Rows))
        object.__setattr__(self, "fill_value", check_cube_fill(self.fill_value))


@dataclass(frozen=True)
class _Piece:
    """The cadences of one file in which the path is on the file's pixels, or near them."""

    file: PathFile
    corner: tuple[int, int]
    on_image: bool
    indices: NDArray[np.intp]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    borrowed: NDArray[np.bool_]


@dataclass(frozen=True)
class Focused:
    """The result of `follow_path`, in order of time.

    Parameters
    ----------
    columns : list of Column
        Columns of the files, and columns with the positions of the target.
    image_boxes : Track
        Boxes that are on the image of the WCS.
    n_filled : int
        Number of cadences whose boxes have filled pixels.
    n_borrowed : int
        Number of cadences whose frame has no WCS, so that the WCS of another frame gives the position.
    """

    columns: list[Column]
    image_boxes: Track
    n_filled: int
    n_borrowed: int


def _days(file: PathFile, ephemeris: Ephemeris) -> NDArray[np.float64]:
    """Times of the rows in the clock of an ephemeris. Times of a file without TIMECORR are the spacecraft's."""
    corrected = "TIMECORR" in (file.table.dtype.names or ())
    time = file.table["TIME"].astype(np.float64)
    if not corrected and ephemeris.clock == "barycentre":
        return ephemeris.to_barycentre(time, earth_positions(time))
    if not corrected or ephemeris.clock == "barycentre":
        return time
    return np.asarray(time - file.table["TIMECORR"].astype(np.float64), np.float64)


def _piece(
    file: PathFile,
    ephemeris: Ephemeris,
    shape: tuple[int, int],
    img_wcs: WCS | None,
    *,
    frames: CubeFrames | None,
    options: FocusOptions,
) -> _Piece | None:
    ra, dec = ephemeris.at(_days(file, ephemeris), options.interpolation)
    corner = None if img_wcs is None else file.on_image(img_wcs)
    on_image = corner is not None
    corner = corner or file.corner or (0, 0)
    at = np.flatnonzero(np.isfinite(ra))
    if len(at) == 0:
        return None
    sky = SkyCoord(ra[at], dec[at], unit="deg")
    if frames is not None and not on_image and file.corner is None:
        raise InvalidInputError("img_wcs", img_wcs, f"the WCS of the frames; {file.name} does not say where it was cut")
    if frames is None:
        places = find_places(file, at, sky, img_wcs if on_image else None, corner)
    else:
        places = frames.find(file, at, sky)
    row, column = places.row, places.column
    found = np.isfinite(row)
    if options.rows == "points":
        first, last = _points_inside(file, ephemeris, shape)
        days = _days(file, ephemeris)[at]
        found &= (days >= first) & (days <= last)
    for position, first, length, n in zip((row, column), corner, file.aperture.shape, shape[::-1], strict=True):
        found &= (position > first - n - 1) & (position < first + length + n + 1)
    at, row, column = at[found], row[found], column[found]
    return _Piece(file, corner, on_image, at, ra[at], dec[at], row, column, places.borrowed[found])


def _points_inside(file: PathFile, ephemeris: Ephemeris, shape: tuple[int, int]) -> tuple[float, float]:
    """First and last time of the given positions whose boxes are whole in a file."""
    days, ra, dec = ephemeris.places
    row, column = pixels_of(SkyCoord(ra, dec, unit="deg"), file.wcs)
    inside = np.ones(len(days), bool)
    for position, n, length in zip((column, row), shape, file.aperture.shape[::-1], strict=True):
        inside &= (position - n / 2 >= 0) & (position + n / 2 < length)
    return (float(days[inside][0]), float(days[inside][-1])) if inside.any() else (np.inf, -np.inf)


def _group_frames(pieces: Sequence[_Piece]) -> list[list[tuple[_Piece, int]]]:
    """Group pieces by cadence, in order of time. Files whose place on the frame is unknown are not combined."""
    groups: dict[Any, list[tuple[_Piece, int]]] = {}
    for number, piece in enumerate(pieces):
        table = piece.file.table
        known = (piece.on_image or piece.file.corner is not None) and "FFI_FILE" in (table.dtype.names or ())
        frames = zip(
            *(table[name][piece.indices].tolist() for name in ("FFI_FILE" if known else "TIME", "TIME")), strict=True
        )
        for index, frame in enumerate(frames):
            key = frame if known else (number, index)
            groups.setdefault(key, []).append((piece, index))
    return sorted(groups.values(), key=lambda items: float(_row_of(*items[0])["TIME"]))


def _row_of(piece: _Piece, index: int) -> Any:
    return piece.file.table[piece.indices[index]]


def _slices(first: int, n: int, corner: int, length: int) -> tuple[slice, slice]:
    """Part of a box that a file contains: its pixels in the box, and in the file."""
    start, stop = max(first, corner), max(min(first + n, corner + length), corner, first)
    start = min(start, stop)
    return slice(start - first, stop - first), slice(start - corner, stop - corner)


def _box_pixels(
    group: Sequence[tuple[_Piece, int]], first: tuple[int, int], values: dict[str, NDArray[Any]]
) -> NDArray[np.int8]:
    """Copy the pixels of one cadence's box from the files to `values`.

    Returns
    -------
    ndarray of int8
        0 for pixels that are in no file, 1 for pixels beyond the frame, 2 for pixels that were copied.
    """
    shape = next(iter(values.values())).shape
    known = np.zeros(shape, np.int8)
    for piece, index in group:
        box, there = zip(
            *(_slices(*side) for side in zip(first, shape, piece.corner, piece.file.aperture.shape, strict=True)),
            strict=True,
        )
        new = piece.file.aperture[there] & (known[box] < 2)
        known[box] = np.maximum(known[box], 1 + new)
        row = _row_of(piece, index)
        for name, pixels in values.items():
            pixels[box][new] = row[name][there][new]
    return known


def _column_names(pieces: Sequence[_Piece]) -> tuple[list[str], list[str]]:
    """Names of the columns that all files have: first the columns of pixels, then all columns."""
    first = pieces[0].file
    shared = set.intersection(*(set(piece.file.table.dtype.names or ()) for piece in pieces))
    names = [name for name in first.table.dtype.names or () if name in shared]
    return [name for name in names if first.table[name].shape[1:] == first.aperture.shape], names


def _fill_boxes(
    groups: Sequence[Sequence[tuple[_Piece, int]]], boxes: Track, names: list[str], fill_value: float
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int8]]:
    """Pixels of all boxes by column, and the state of each pixel; see `_box_pixels`."""
    table = groups[0][0][0].file.table
    shape = (len(groups), boxes.n_rows, boxes.n_columns)
    pixels = {
        name: np.full(shape, fill_value if table[name].dtype.kind == "f" else _NO_COUNTS, table[name].dtype)
        for name in names
    }
    known = np.zeros(shape, np.int8)
    for number, group in enumerate(groups):
        first = int(boxes.first_row[number]), int(boxes.first_column[number])
        known[number] = _box_pixels(group, first, {name: values[number] for name, values in pixels.items()})
    return pixels, known


def _gather(groups: Sequence[Sequence[tuple[_Piece, int]]], name: str) -> NDArray[np.float64]:
    return np.array([getattr(group[0][0], name)[group[0][1]] for group in groups])


def _table_columns(
    pieces: Sequence[_Piece], groups: Sequence[Sequence[tuple[_Piece, int]]], pixels: dict[str, NDArray[Any]]
) -> list[Column]:
    columns = []
    header = pieces[0].file.header
    units = {header[f"TTYPE{n}"]: header.get(f"TUNIT{n}", "") for n in range(1, header["TFIELDS"] + 1)}
    for name in _column_names(pieces)[1]:
        values = pixels[name] if name in pixels else np.array([_row_of(*group[0])[name] for group in groups])
        form = "A" if values.dtype.kind in "SU" else _FORMS.get(values.dtype.str[1:], "")
        if form:
            values = values.astype("S") if form == "A" else values
            columns.append(Column(name, form, units[name], values, name in pixels))
    return columns


def follow_path(
    ephemeris: Ephemeris,
    size: Any,
    files: Sequence[Location],
    img_wcs: WCS | None = None,
    options: FocusOptions | None = None,
    *,
    cubes: Sequence[Location] | None = None,
) -> tuple[Focused, list[PathFile]]:
    """Follow a target through target pixel files.

    Parameters
    ----------
    ephemeris : Ephemeris
        Positions of the target.
    size : int, or (int, int)
        Size of a box in pixels: one number for both axes, or (columns, rows).
    files : sequence of str or Path
        Target pixel files.
    img_wcs : WCS, optional
        WCS of the frames from which the files were cut.
    options : FocusOptions, optional
        Options of the result.
    cubes : sequence of str or Path, optional
        Cubes from which the files were cut; see `center_on_path`.

    Returns
    -------
    (Focused, list of PathFile)
        The result, and the files.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    InvalidQueryError
        When no file contains the target.
    """
    options, shape = options or FocusOptions(), box_shape(size)
    opened = [read_path_file(location) for location in check_locations("cutout_fles", files)]
    frames = read_frames(cubes)
    found = [_piece(file, ephemeris, shape, img_wcs, frames=frames, options=options) for file in opened]
    pieces = [piece for piece in found if piece is not None and len(piece.indices)]
    groups = _group_frames(pieces)
    if not groups:
        raise InvalidQueryError("No cutout contains the path at the times of its cadences.")
    row, column = _gather(groups, "row"), _gather(groups, "column")
    columns, rows = shape
    rule = Placement(options.placement)
    (first_row, _), (first_column, _) = place_axes(row, rows, rule), place_axes(column, columns, rule)
    boxes = Track(np.arange(len(groups)), first_row, first_column, rows, columns)
    names = _column_names(pieces)[0]
    pixels, known = _fill_boxes(groups, boxes, names, options.fill_value)
    keep = np.asarray((known > 0).all(axis=(1, 2)) if options.rows == "whole" else (known > 0).any(axis=(1, 2)))
    if not keep.any():
        raise InvalidQueryError("No cutout contains the path at the times of its cadences.")
    kept = [group for group, good in zip(groups, keep, strict=True) if good]
    boxes = boxes.take(keep)
    place = (column[keep] - boxes.first_column, row[keep] - boxes.first_row)
    n_filled = int((known[keep] < 2).any(axis=(1, 2)).sum())
    moving = Boxes(np.empty(0), *place, _gather(kept, "ra"), _gather(kept, "dec"), n_filled)
    table = _table_columns(pieces, kept, {name: values[keep] for name, values in pixels.items()})
    image = boxes.take(np.array([group[0][0].on_image for group in kept]))
    n_borrowed = sum(bool(group[0][0].borrowed[group[0][1]]) for group in kept)
    return Focused([*table, *target_columns(moving)], image, n_filled, n_borrowed), opened
