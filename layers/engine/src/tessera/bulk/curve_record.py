"""Records of the light curves of a list, in Parquet and FITS files. They have all that decides them but the cube."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.motion import with_motion
from tessera.bulk.plan.runs import Windows, find_runs
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.products.columns import PURPOSE
from tessera.cubes.reader import Cube
from tessera.cutouts.cadences import middle_time
from tessera.extras import import_extra
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.provenance.record import Kind, Origin, Record, canonical_json, from_number, to_number

KIND: Kind = "light curves"
FILE_KIND: Kind = "light curve of a list"
"""Kinds of Parquet and FITS files."""
_PLACE = ("cube", "sector", "camera", "ccd")
_WHOLE = {"tic": np.int64} | dict.fromkeys(("first_row", "first_column", "n_rows", "n_columns"), np.int32)
_REAL = ("ra", "dec", "pm_ra", "pm_dec", "epoch", "pixel_row", "pixel_column", "edge")


def curves_record(
    origin: Origin,
    band: StoredBand,
    places: Sequence[int],
    options: BulkOptions,
    table: Any,
    *,
    vectors: AlignedVectors | None = None,
) -> Record:
    """The record of a Parquet file.

    Parameters
    ----------
    origin : Origin
        The cube.
    band : StoredBand
        Targets of the band.
    places : sequence of int
        Those in the file, in its order.
    options : BulkOptions
        What was asked for.
    table : arro3.core.Table
        Rows of the file.
    vectors : AlignedVectors, optional
        Cotrending vectors of the cube, if they were used.
    """
    request = {**_request(band, places, options, vectors), "writer": writer_version()}
    data = {"columns_sha256": {name: digest_column(flat_column(table, name)[0]) for name in table.column_names}}
    return Record(KIND, __version__, asdict(origin), request, data)


def curve_record(
    origin: Origin,
    band: StoredBand,
    place: int,
    options: BulkOptions,
    data: dict[str, Any],
    *,
    vectors: AlignedVectors | None = None,
) -> Record:
    """The record of a FITS file.

    Parameters
    ----------
    origin, band, options, vectors
        See `curves_record`.
    place : int
        Place of the target in the band.
    data : dict
        What it says of the file.
    """
    return Record(FILE_KIND, __version__, asdict(origin), _request(band, [place], options, vectors), data)


def _request(
    band: StoredBand, places: Sequence[int], options: BulkOptions, vectors: AlignedVectors | None
) -> dict[str, Any]:
    return {
        "options": asdict(options),
        "rows": band.row[list(places)].tolist(),
        "targets": _targets(band, places),
        "vectors": None if vectors is None else dict(vectors.origin),
        **{name: getattr(band, name) for name in _PLACE},
    }


def writer_version() -> str:
    """Version of the package that writes Parquet: the same one gives the same bytes."""
    return f"arro3-io {import_extra('arro3.io', PURPOSE).__version__}"


def _targets(band: StoredBand, places: Sequence[int]) -> dict[str, Any]:
    """Columns of the targets. A value that all of them have stands once."""
    some = list(places)
    columns: dict[str, list[Any]] = {
        "name": [band.name[place] for place in some],
        "aperture": [band.aperture_of(place) for place in some],
        "best": band.best[some].tolist(),
        **{name: getattr(band, name)[some].tolist() for name in _WHOLE},
        **{name: [to_number(value) for value in getattr(band, name)[some]] for name in _REAL},
    }
    return {name: values[0] if len(set(values)) == 1 else values for name, values in columns.items()}


def options_of(request: Mapping[str, Any]) -> BulkOptions:
    """The options that a record has."""
    given: dict[str, Any] = dict(request["options"])
    for name in ("outputs", "size", "sectors"):
        given[name] = None if given[name] is None else tuple(given[name])
    return BulkOptions(**given)


def band_of(request: Mapping[str, Any], cube: Cube) -> StoredBand:
    """The band with the targets of a file, which reads each of their pixels once."""
    rows = np.array(request["rows"], np.int64)
    columns = {
        name: value if isinstance(value, list) else [value] * len(rows) for name, value in request["targets"].items()
    }
    real: dict[str, Any] = {
        name: np.array([from_number(value) for value in columns[name]], np.float64) for name in _REAL
    }
    whole: dict[str, Any] = {name: np.array(columns[name], kind) for name, kind in _WHOLE.items()}
    moved_ra, moved_dec = with_motion(*(real[name] for name in _REAL[:5])).at(middle_time(cube))
    apertures, aperture = np.unique(np.array(columns["aperture"]), return_inverse=True)
    starts, stops = _requests(whole, cube)
    return StoredBand(
        number=0,
        **{name: request[name] for name in _PLACE},
        union_bytes=int((stops - starts).sum()),
        scan=False,
        pace=np.inf,
        hats_order=0,
        starts=starts,
        stops=stops,
        row=rows,
        name=tuple(columns["name"]),
        moved_ra=moved_ra,
        moved_dec=moved_dec,
        best=np.array(columns["best"], np.bool_),
        aperture=aperture.astype(np.int32),
        apertures=tuple(apertures.tolist()),
        **real,
        **whole,
    )


def _requests(windows: Mapping[str, NDArray[Any]], cube: Cube) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First byte of each run of pixels, and the byte after its last one."""
    layout = cube.layout
    sides = (windows[name].astype(np.int64) for name in ("first_row", "n_rows", "first_column", "n_columns"))
    row, n_rows, column, n_columns = sides
    on_frame = Windows(
        np.maximum(row, 0),
        np.minimum(row + n_rows, layout.n_rows),
        np.maximum(column, 0),
        np.minimum(column + n_columns, layout.n_columns),
    )
    runs = find_runs(on_frame, layout)
    begin = cube.data_offset + runs.row * layout.row_bytes
    return begin + runs.first * layout.pixel_bytes, begin + runs.stop * layout.pixel_bytes


# ---------------------------------------------------------------- checksums


def flat_column(table: Any, name: str) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Values of a column of a table of Arrow, and of lists their bounds: where each begins, and the end."""
    arrow = import_extra("arro3.core", PURPOSE)
    array, bounds = table[name].combine_chunks(), None
    if arrow.DataType.is_list(array.type):
        bounds = np.asarray(arrow.list_offsets(array).to_numpy(), np.int64)
        array, bounds = arrow.list_flatten(array), bounds - bounds[0]
    if arrow.DataType.is_integer(array.type) or arrow.DataType.is_floating(array.type):
        return np.asarray(array.to_numpy()), bounds
    values = np.empty(len(array), object)
    values[:] = array.to_pylist()
    return values, bounds


def digest_column(values: NDArray[Any]) -> str:
    """SHA-256 of the values of a column: of numbers as little-endian bytes, of others as canonical JSON."""
    if values.dtype == object:
        return hashlib.sha256(canonical_json(values.tolist()).encode()).hexdigest()
    plain = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(np.ascontiguousarray(plain).data).hexdigest()
