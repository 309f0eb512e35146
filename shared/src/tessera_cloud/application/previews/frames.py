"""All pixels of a window, cadence by cadence, as a NumPy file that is answered in pieces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tessera.lightcurves.previews.frames import FramesRecipe, build_frames, frames_file, frames_type
from tessera_cloud import keys
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.cutouts.planned import published_origin
from tessera_cloud.application.previews.windows import WindowRequest, place_on, read_window
from tessera_cloud.application.results import INLINE_LIMIT
from tessera_cloud.application.sidecar import known_cube
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError, TooLargeError, UsageError

OTHER_BYTES = 4096
"""Room for what an answer has beside the cadences: headers, and the record."""


@dataclass(frozen=True)
class Frames:
    """Some cadences of a window.

    Parameters
    ----------
    data : bytes
        NumPy file of `tessera.lightcurves.previews.frames.frames_file`.
    next_first : int or None
        First cadence after these; None if these are the last ones.
    cached : bool
        Whether the pixels were stored.
    """

    data: bytes
    next_first: int | None
    cached: bool


def _stored(request: WindowRequest, published: PublishedCube, first: int, stop: int, backend: HasCubes) -> bytes | None:
    size = frames_type(request.rows, request.columns).itemsize
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
    dtype, n_cadences = frames_type(request.rows, request.columns), cube.layout.n_cadences
    most = (INLINE_LIMIT - OTHER_BYTES) // dtype.itemsize
    if first >= n_cadences:
        raise UsageError.about("first", first, f"0 to {n_cadences - 1}")
    if count is not None and count > most:
        raise TooLargeError.about("count", count, f"1 to {most} cadences of {request.rows} x {request.columns} pixels")
    stop = min(first + (count or most), n_cadences)

    data = _stored(request, published, first, stop, backend) if n_cadences > most else None
    if data is None:
        frames = build_frames(cube, read_window(published, cube, window, backend).flux)
        if n_cadences > most:
            key = keys.preview_frames(request.id_of(published))
            backend.store.write(backend.settings.result_bucket, key, frames.view(np.uint8))
        found, cached = frames[first:stop], False
    else:
        found, cached = np.frombuffer(data, dtype), True
    recipe = FramesRecipe(window, first, stop - first)
    content = frames_file(found, recipe, published_origin(published, cube))
    return Frames(content, stop if stop < n_cadences else None, cached)
