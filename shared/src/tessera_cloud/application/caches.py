"""Caches of an execution environment. They are apart from the use cases, so that they load quickly."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tessera_cloud.ports import ObjectInfo

if TYPE_CHECKING:
    from tessera.bulk.plan.sightings import SightCube
    from tessera.cubes.reader import Cube
    from tessera.framesets.facts import FrameFacts
    from tessera_cloud.application.bulk.order import BandFile, BandRecord
    from tessera_cloud.application.cutouts.answer import CutoutAnswer
    from tessera_cloud.application.images.index import ServedDataset
    from tessera_cloud.application.index.footprint_index import FootprintIndex
    from tessera_cloud.application.switch import Switch
    from tessera_cloud.application.vo.obscore.rows import Observations


@dataclass
class IndexCache:
    """Cache of the footprint index. Times are in seconds since 1970.

    Parameters
    ----------
    served : FootprintIndex or None
        Index that answers requests; None before the first request.
    own : FootprintIndex or None
        Content of the index object alone.
    etag : str or None
        ETag of the index object; None if there is no such object.
    checked : float
        Time of the last check of the index object.
    published : FootprintIndex or None
        Rows of MAST's footprint file.
    published_read : float
        Time at which MAST's footprint file was read.
    sightings : dict
        (bucket, key) of a cube of a public source to the answer of the last HEAD request, None if the cube was gone,
        and the time of that request.
    doubted : float
        Time at which a cube was last found to be another one than the index says, or gone.
    hidden : frozenset of str or None
        Withdrawn cubes by their obs_id.
    hidden_read : float
        Time at which the list of withdrawn cubes was read.
    with_frames : tuple of FootprintIndex, or None
        Index that answered the last request that takes frames, too: the served one, the one of frames, and both
        together.
    frames_etag : str or None
        ETag of the index of frames; None if there is no such object.
    frames_checked : float
        Time of the last check of the index of frames.
    observed : dict
        Name of a dataset of images, or an empty text for the cubes, to the index and its observations as ObsCore has
        them.
    """

    served: FootprintIndex | None = None
    own: FootprintIndex | None = None
    etag: str | None = None
    checked: float = 0.0
    published: FootprintIndex | None = None
    published_read: float = 0.0
    sightings: dict[tuple[str, str], tuple[ObjectInfo | None, float]] = field(default_factory=dict)
    doubted: float = -math.inf
    hidden: frozenset[str] | None = None
    hidden_read: float = 0.0
    with_frames: tuple[FootprintIndex, FootprintIndex, FootprintIndex] | None = None
    frames_etag: str | None = None
    frames_checked: float = 0.0
    observed: dict[str, tuple[object, Observations]] = field(default_factory=dict)


@dataclass
class CubeCache:
    """Cache of cubes that were opened before.

    Parameters
    ----------
    cubes : dict
        ETag to cube.
    sights : dict
        ETag to what the plan of a list knows of a cube.
    facts : dict
        ETag to the facts of frames that have no cube yet.
    """

    cubes: dict[str, Cube] = field(default_factory=dict)
    sights: dict[str, SightCube] = field(default_factory=dict)
    facts: dict[str, FrameFacts] = field(default_factory=dict)


@dataclass
class ListCache:
    """What a process has read of lists of targets.

    Parameters
    ----------
    records : dict
        Id of a list to the keys of its records, each with the ETag and the record.
    manifests : dict
        Id of a list to the ETag of its manifest, and the products that the manifest names.
    """

    records: dict[str, dict[str, tuple[str, BandRecord | None]]] = field(default_factory=dict)
    manifests: dict[str, tuple[str, tuple[BandFile, ...]]] = field(default_factory=dict)

    def of(self, job_id: str, most: int) -> dict[str, tuple[str, BandRecord | None]]:
        """Records of a list. Those of the oldest lists are dropped, so that at most `most` lists are kept."""
        for kept in (self.records, self.manifests):
            while len(kept) >= most and job_id not in kept:
                del kept[next(iter(kept))]
        return self.records.setdefault(job_id, {})


class AnswerCache:
    """Small answers that were made before, and the answers that are being made.

    Parameters
    ----------
    most_bytes : int, optional
        Largest size of all answers together.
    """

    def __init__(self, most_bytes: int = 32_000_000) -> None:
        self._most_bytes = most_bytes
        self._kept: dict[str, CutoutAnswer] = {}
        self._making: dict[str, _Waiting] = {}
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, key: str) -> Iterator[CutoutAnswer | None]:
        """Wait for others that make the same answer; gives their answer, or None if the caller must make it."""
        with self._lock:
            waiting = self._making.setdefault(key, _Waiting())
            waiting.n += 1
        try:
            with waiting.lock:
                yield self._kept.get(key)
        finally:
            with self._lock:
                waiting.n -= 1
                if not waiting.n:
                    del self._making[key]

    def keep(self, key: str, answer: CutoutAnswer) -> None:
        """Keep an answer, and drop the oldest ones if there are too many bytes."""
        with self._lock:
            self._kept[key] = answer
            while sum(len(kept.data or b"") for kept in self._kept.values()) > self._most_bytes:
                del self._kept[next(iter(self._kept))]


@dataclass
class _Waiting:
    """A lock, and the number of those who hold it or wait for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    n: int = 0


@dataclass
class ImageCache:
    """Cache of the datasets of images.

    Parameters
    ----------
    served : tuple of ServedDataset
        Datasets in the order of the document that lists them.
    etags : dict
        Name of a dataset to the ETag of its index, None if it has no index.
    checked : float
        Time of the last check, in seconds since 1970; 0 before the first.
    """

    served: tuple[ServedDataset, ...] = ()
    etags: dict[str, str | None] = field(default_factory=dict)
    checked: float = 0.0


@dataclass
class SwitchCache:
    """What this process has read last of the switch that stops paid work.

    Parameters
    ----------
    switch : Switch or None
        State of the switch; None before it was read.
    checked : float
        Time at which it was read, in seconds since 1970; 0 before the first time.
    error : str
        Error of the last attempt to read it; empty if there was none.
    """

    switch: Switch | None = None
    checked: float = 0.0
    error: str = ""


class ShareCache:
    """What this process has counted last for each client, by the name of the counter.

    Parameters
    ----------
    most : int, optional
        Largest number of counters.
    """

    def __init__(self, most: int = 1_000) -> None:
        self._most = most
        self._totals: dict[str, int] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> int | None:
        """Bytes that a counter had; None if it is not known."""
        return self._totals.get(name)

    def keep(self, name: str, total: int) -> None:
        """Remember a counter, and forget the oldest ones if there are too many."""
        with self._lock:
            self._totals[name] = max(total, self._totals.pop(name, 0))
            while len(self._totals) > self._most:
                del self._totals[next(iter(self._totals))]
