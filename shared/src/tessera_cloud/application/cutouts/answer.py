"""Answers to requests for cutouts: made while the client waits, found, or left to a job."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tessera_cloud import keys
from tessera_cloud.application import results
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.cutouts.claims import is_first, release
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.planned import Planned
from tessera_cloud.application.cutouts.target import TPF_BYTES
from tessera_cloud.application.results import ZIP64_FROM, ResultWriter, exists
from tessera_cloud.application.sidecar import known_cubes, read_info
from tessera_cloud.ports import RangeReader


@dataclass(frozen=True)
class CutoutAnswer:
    """An archive of target pixel files.

    Parameters
    ----------
    data : bytes or None
        The archive, when it is small.
    key : str
        Where it is in the bucket of results, when it is not; empty where there is nothing to cut.
    cubes : tuple of str
        Names of the cubes that were cut; empty when the archive was found.
    n_bytes : int
        Its size, where it was made.
    cached : bool
        Whether it had been made before.
    """

    data: bytes | None = None
    key: str = ""
    cubes: tuple[str, ...] = ()
    n_bytes: int = 0
    cached: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to cut."""
        return self.data is None and not self.key


def answer_now(order: CutoutOrder, backend: HasCubes, sleep: Callable[[float], None] | None = None) -> CutoutAnswer:
    """Make the archive of an order, unless it is there.

    Of many who want the same archive at once, the first makes it. The others find it: small ones in the memory of this
    process, large ones in the store, where they also wait for those of other processes.

    Parameters
    ----------
    order : CutoutOrder
        What is wanted.
    backend : HasCubes
        Ports and caches.
    sleep : callable, optional
        Waits for a number of seconds. Without it, nobody waits for other processes.

    Raises
    ------
    BusyError
        If another process makes the archive and takes too long.
    """
    with backend.answers.turn(order.id) as known:
        if known is not None:
            return replace(known, cached=True)
        if order.n_bytes > results.INLINE_LIMIT:
            return _answer_stored(order, backend, sleep)
        answer = _make(order, keys.result(order.id), backend)
        if answer.data is not None:
            backend.answers.keep(order.id, answer)
        return answer


def _answer_stored(order: CutoutOrder, backend: HasCubes, sleep: Callable[[float], None] | None) -> CutoutAnswer:
    """Make an archive that may be large, and store it, unless it is stored or another process makes it."""
    store, bucket, key = backend.store, backend.settings.result_bucket, keys.result(order.id)
    if exists(store, bucket, key):
        return CutoutAnswer(key=key, cached=True)
    if sleep is None:
        return _make(order, key, backend)
    if not is_first(order.id, backend, sleep):
        return CutoutAnswer(key=key, cached=True)
    stored = False
    try:
        answer = _make(order, key, backend)
        if answer.data is not None:
            store.write(bucket, key, answer.data)  # those who wait look for it
        stored = not answer.is_empty
        return answer
    finally:
        if not stored:
            release(order.id, backend)


def _make(order: CutoutOrder, key: str, backend: HasCubes) -> CutoutAnswer:
    store, settings = backend.store, backend.settings
    planned = _plan_cutouts(order, backend)
    if not planned:
        return CutoutAnswer()
    names = tuple(item.published.obs_id for item in planned)
    with ResultWriter(store, settings.result_bucket, key) as out:
        _write_zip(planned, out, store)
        data = out.finish()
        return CutoutAnswer(data, "" if data is not None else key, names, out.n_bytes)


def _plan_cutouts(order: CutoutOrder, backend: HasCubes) -> list[Planned]:
    """Cutouts of the cubes that an order really touches; empty when there are none."""
    target, options, most_pixels = order.request.target, order.request.options, backend.settings.max_job_pixels
    pairs = zip(order.cubes, known_cubes(order.cubes, backend), strict=True)
    found = (
        target.plan(published, cube, options, most_pixels, partial(read_info, published, cube, backend.store))
        for published, cube in pairs
    )
    return [planned for planned in found if planned is not None]


def _write_zip(planned: Sequence[Planned], out: io.RawIOBase, store: RangeReader) -> None:
    """Write a zip archive of the cutouts, flat and deflated; the same request gives the same bytes.

    One cutout is in memory at a time, and none of the files is ever whole.
    """
    # Members that are opened by name are dated 1980-01-01: no clock gets into the answer.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for item in planned:
            name, pieces = item.cut(store)
            with archive.open(name, "w", force_zip64=item.n_values * TPF_BYTES > ZIP64_FROM) as file:
                for piece in pieces:
                    file.write(piece)
