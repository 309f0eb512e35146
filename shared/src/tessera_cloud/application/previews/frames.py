"""All pixels of a window, cadence by cadence, as a NumPy file that is answered in pieces."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.cutouts.cadences import cadence_numbers, mid_times
from tessera.windows import Window
from tessera_cloud import keys
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.previews.windows import WindowRequest, place_on, read_window
from tessera_cloud.application.results import INLINE_LIMIT
from tessera_cloud.application.sidecar import known_cube
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError, TooLargeError, UsageError

_HEADER_BYTES = 1024
"""Room for the header of a NumPy file."""


@dataclass(frozen=True)
class Frames:
    """Some cadences of a window.

    Parameters
    ----------
    data : bytes
        NumPy file with a record for each cadence, see `record_type`.
    next_first : int or None
        First cadence after these; None if these are the last ones.
    cached : bool
        Whether the pixels were stored.
    """

    data: bytes
    next_first: int | None
    cached: bool


def record_type(rows: int, columns: int) -> np.dtype[np.void]:
    """Type of a cadence: time, number of the cadence, quality, and the flux of all pixels."""
    return np.dtype([("time", "<f8"), ("cadence", "<i4"), ("quality", "<i4"), ("flux", "<f4", (rows, columns))])


def _read_records(published: PublishedCube, cube: Cube, window: Window, backend: HasCubes) -> NDArray[np.void]:
    flux = read_window(published, cube, window, backend).flux
    records = np.empty(cube.layout.n_cadences, record_type(window.n_rows, window.n_columns))
    records["time"], records["cadence"] = mid_times(cube), cadence_numbers(cube)
    records["quality"] = cube.series["quality"]
    records["flux"] = np.moveaxis(flux, -1, 0)
    return records


def _stored(request: WindowRequest, published: PublishedCube, first: int, stop: int, backend: HasCubes) -> bytes | None:
    size = record_type(request.rows, request.columns).itemsize
    key = keys.preview_frames(request.id_of(published))
    try:
        data = backend.store.read_range(backend.settings.result_bucket, key, first * size, (stop - first) * size)
    except ObjectMissingError:
        return None
    return bytes(data)


def find_frames(
    request: WindowRequest, first: int, count: int | None, published: PublishedCube, backend: HasCubes
) -> Frames:
    """Read some cadences of a window.

    A cube keeps the cadences of a pixel together, so that all of them are read for any. If they need several answers,
    they are stored for a day.

    Parameters
    ----------
    request : WindowRequest
        The window.
    first : int
        First cadence, counted from 0.
    count : int or None
        Number of cadences, fewer at the end of the cube; by default as many as an answer may have.
    published : PublishedCube
        The cube.
    backend : HasCubes
        Where cubes and results are.

    Raises
    ------
    NotFoundError
        If the window is not on the cube.
    TooLargeError
        If the window is too large for a preview, or the cadences are too many for an answer.
    UsageError
        If the cube ends before the first cadence.
    """
    cube = known_cube(published, backend)
    _, window = place_on(request, cube)
    dtype, n_cadences = record_type(request.rows, request.columns), cube.layout.n_cadences
    most = (INLINE_LIMIT - _HEADER_BYTES) // dtype.itemsize
    if first >= n_cadences:
        raise UsageError.about("first", first, f"0 to {n_cadences - 1}")
    if count is not None and count > most:
        raise TooLargeError.about("count", count, f"1 to {most} cadences of {request.rows} x {request.columns} pixels")
    stop = min(first + (count or most), n_cadences)

    data = _stored(request, published, first, stop, backend) if n_cadences > most else None
    if data is None:
        records = _read_records(published, cube, window, backend)
        if n_cadences > most:
            key = keys.preview_frames(request.id_of(published))
            backend.store.write(backend.settings.result_bucket, key, records.view(np.uint8))
        found, cached = records[first:stop], False
    else:
        found, cached = np.frombuffer(data, dtype), True
    content = io.BytesIO()
    np.save(content, found)
    return Frames(content.getvalue(), stop if stop < n_cadences else None, cached)
