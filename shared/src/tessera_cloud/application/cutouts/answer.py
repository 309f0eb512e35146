"""Answers to requests for cutouts: made while the client waits, found, or left to a job."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tessera_cloud import keys
from tessera_cloud.application import results
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.planned import Planned
from tessera_cloud.application.cutouts.request import TPF_BYTES
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


def answer_now(order: CutoutOrder, backend: HasCubes) -> CutoutAnswer:
    """Make the archive of an order, unless it is there."""
    store, settings = backend.store, backend.settings
    key = keys.result(order.id)
    if order.n_bytes > results.INLINE_LIMIT and exists(store, settings.result_bucket, key):
        return CutoutAnswer(key=key, cached=True)
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
