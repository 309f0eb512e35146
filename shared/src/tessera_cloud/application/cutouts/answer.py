"""Answers to requests for cutouts: made while the client waits, found, or left to a job."""

from __future__ import annotations

from dataclasses import dataclass

from tessera_cloud import keys
from tessera_cloud.application import results
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.planned import plan_cutouts, write_zip
from tessera_cloud.application.results import ResultWriter, exists


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


def answer_now(order: CutoutOrder, backend: Backend) -> CutoutAnswer:
    """Make the archive of an order, unless it is there."""
    store, settings = backend.store, backend.settings
    key = keys.result(order.id)
    if order.n_bytes > results.INLINE_LIMIT and exists(store, settings.result_bucket, key):
        return CutoutAnswer(key=key, cached=True)
    planned = plan_cutouts(
        order.request,
        order.cubes,
        store=store,
        settings=settings,
        cache=backend.cubes,
        most_pixels=settings.max_job_pixels,
    )
    if not planned:
        return CutoutAnswer()
    names = tuple(item.published.obs_id for item in planned)
    with ResultWriter(store, settings.result_bucket, key) as out:
        write_zip(planned, order.request, out, store)
        data = out.finish()
        return CutoutAnswer(data, "" if data is not None else key, names, out.n_bytes)
