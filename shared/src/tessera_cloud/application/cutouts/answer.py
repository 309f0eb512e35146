"""Answers to requests for cutouts: made while the client waits, found, or left to a job."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from tessera.io.deflate import zip_pieces
from tessera.provenance.crate import Crate
from tessera_cloud import keys
from tessera_cloud.application import results
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.cutouts.claims import is_first, release
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.planned import Planned
from tessera_cloud.application.cutouts.target import TPF_BYTES
from tessera_cloud.application.facts import frame_pixels
from tessera_cloud.application.results import ResultWriter, exists, order_id
from tessera_cloud.application.sidecar import known_cube, known_cubes, read_info
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.ports import RangeStore


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


@dataclass(frozen=True)
class Making:
    """A file that answers a request, and how it is made.

    Parameters
    ----------
    id : str
        The same for the same content.
    key : str
        Where it is stored in the bucket of results if it is large.
    n_bytes : int
        Its size before compression, about.
    write : callable
        Writes it, and returns the names of the cubes in it. Without any, there is nothing to cut.
    """

    id: str
    key: str
    n_bytes: int
    write: Callable[[io.RawIOBase], tuple[str, ...]]


def answer_now(order: CutoutOrder, backend: HasCubes, sleep: Callable[[float], None] | None = None) -> CutoutAnswer:
    """Make the archive of an order, unless it is there; see `answer_once`."""

    def write(out: io.RawIOBase) -> tuple[str, ...]:
        planned = plan_cutouts(order, backend)
        if planned:
            write_zip(planned, out, backend.store, crate=Crate(backend.now().date()) if order.options.crate else None)
        return tuple(item.published.obs_id for item in planned)

    return answer_once(Making(order.id, keys.result(order.id), order.n_bytes, write), backend, sleep)


def answer_file(
    order: CutoutOrder, item: Planned, backend: HasCubes, sleep: Callable[[float], None] | None = None
) -> CutoutAnswer:
    """Make one file of an order as it is, unless it is there; see `answer_once`."""

    def write(out: io.RawIOBase) -> tuple[str, ...]:
        out.writelines(item.cut(backend.store)[1])
        return (item.published.obs_id,)

    made_of = order_id("file", order.id, item.published.obs_id)
    making = Making(made_of, keys.image_result(made_of, ".fits"), item.n_values * TPF_BYTES, write)
    return answer_once(making, backend, sleep)


def answer_once(making: Making, backend: HasCubes, sleep: Callable[[float], None] | None = None) -> CutoutAnswer:
    """Make an answer, unless it is there.

    Of many who want the same answer at once, the first makes it. The others find it: small ones in the memory of this
    process, large ones in the store, where they also wait for those of other processes.

    Parameters
    ----------
    making : Making
        What is wanted.
    backend : HasCubes
        Ports and caches.
    sleep : callable, optional
        Waits for a number of seconds. Without it, nobody waits for other processes.

    Raises
    ------
    BusyError
        If another process makes the answer and takes too long.
    """
    with backend.answers.turn(making.id) as known:
        if known is not None:
            return replace(known, cached=True)
        if making.n_bytes > results.INLINE_LIMIT:
            return _answer_stored(making, backend, sleep)
        answer = _make(making, backend)
        if answer.data is not None:
            backend.answers.keep(making.id, answer)
        return answer


def _answer_stored(making: Making, backend: HasCubes, sleep: Callable[[float], None] | None) -> CutoutAnswer:
    """Make an answer that may be large, and store it, unless it is stored or another process makes it."""
    store, bucket, key = backend.store, backend.settings.result_bucket, making.key
    if sleep is None:
        return CutoutAnswer(key=key, cached=True) if exists(store, bucket, key) else _make(making, backend)
    if not is_first(making.id, key, backend, sleep):
        return CutoutAnswer(key=key, cached=True)
    stored = False
    try:
        answer = _make(making, backend)
        if answer.data is not None:
            store.write(bucket, key, answer.data)  # those who wait look for it
        stored = not answer.is_empty
        return answer
    finally:
        if not stored:
            release(making.id, backend)


def _make(making: Making, backend: HasCubes) -> CutoutAnswer:
    with ResultWriter(backend.store, backend.settings.result_bucket, making.key) as out:
        names = making.write(out)
        if not names:
            return CutoutAnswer()
        data = out.finish()
        return CutoutAnswer(data, "" if data is not None else making.key, names, out.n_bytes)


def plan_cutouts(order: CutoutOrder, backend: HasCubes) -> list[Planned]:
    """Cutouts of the cubes that an order really touches; empty when there are none."""
    known_cubes(order.cubes, backend)  # reads them side by side
    found = (plan_cutout(published, order, backend) for published in order.cubes)
    return [planned for planned in found if planned is not None]


def plan_cutout(published: PublishedCube, order: CutoutOrder, backend: HasCubes) -> Planned | None:
    """Cutout of one cube of an order; None where it has no pixels."""
    cube = known_cube(published, backend)
    info = partial(read_info, published, cube, backend.store)
    target, options = order.request.target, order.options
    planned = target.plan(published, cube, options, backend.settings.max_job_pixels, info)
    return None if planned is None else planned.at(frame_pixels(published, backend), backend.settings.cube_bucket)


def write_zip(
    planned: Sequence[Planned],
    out: io.RawIOBase,
    store: RangeStore,
    others: Sequence[tuple[str, bytes]] = (),
    crate: Crate | None = None,
) -> None:
    """Write a zip archive of the cutouts, flat and deflated; the same request gives the same bytes.

    One cutout is in memory at a time, and none of the files is ever whole. The second and later files of the same name
    get a number.

    Parameters
    ----------
    planned : sequence of Planned
        Cutouts of cubes.
    out : RawIOBase
        The archive.
    store : RangeStore
        Store of the cubes.
    others : sequence of (str, bytes), optional
        Names and contents of further files.
    crate : Crate, optional
        Describes the files in a last member.
    """
    taken: set[str] = set()

    def members() -> Iterator[tuple[str, Iterable[bytes], int]]:
        for item in planned:
            name, pieces = item.cut(store)
            yield _free(name, taken), pieces, item.n_values * TPF_BYTES
        for name, data in others:
            yield _free(name, taken), [data], len(data)

    out.writelines(zip_pieces(members() if crate is None else crate.describe(members())))


def _free(name: str, taken: set[str]) -> str:
    """Take a name, with a number before its suffix if it is taken already."""
    stem, dot, suffix = name.rpartition(".")
    names = (f"{stem}-{number}{dot}{suffix}" for number in count(2))
    free = name if name not in taken else next(each for each in names if each not in taken)
    taken.add(free)
    return free
