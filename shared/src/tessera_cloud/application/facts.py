"""Reads windows of CCDs that have no cube yet, straight from their frames; see `tessera.framesets`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tessera.builds.estimate import GB_SECOND_USD, GET_USD, GETS_PER_SECOND, LINK_BYTES_PER_SECOND
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectChangedError
from tessera_cloud.ports import ObjectReader

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import numpy as np
    from numpy.typing import NDArray

    from tessera.cubes.window_pixels import Cutout
    from tessera.framesets.boxes import ReadFrame
    from tessera.framesets.facts import FrameFacts
    from tessera.moving.read_plan import Track
    from tessera.windows import Window

_ROW_BYTES = 2136 * 4
"""Bytes of a row of a plane of a frame."""
_TASK_GB = 2
_KNOWN = 4
"""Facts that a process keeps. Those of 11,775 frames take 20 MB."""


class FactsPlace(Protocol):
    """Place and version of facts."""

    @property
    def bucket(self) -> str:
        """Bucket of the facts."""

    @property
    def key(self) -> str:
        """Key of the facts."""

    @property
    def etag(self) -> str:
        """ETag without quotes."""


def read_facts(place: FactsPlace, store: ObjectReader) -> FrameFacts:
    """Read the facts of frames.

    Raises
    ------
    CubeFormatError
        If the object is something else.
    ObjectChangedError, ObjectMissingError
        If it was replaced or removed.
    """
    from tessera.framesets.facts import FrameFacts  # noqa: PLC0415 - few CCDs have no cube

    data, info = store.read(place.bucket, place.key)
    if info.etag != place.etag:
        raise ObjectChangedError(f"s3://{place.bucket}/{place.key} has the ETag {info.etag}, not {place.etag}")
    return FrameFacts.from_bytes(data)


def known_facts(place: FactsPlace, backend: HasCubes) -> FrameFacts:
    """The facts of frames: remembered, or read; see `read_facts`."""
    cache = backend.cubes.facts
    known = cache.get(place.etag)
    if known is None:
        known = read_facts(place, backend.store)
        while len(cache) >= _KNOWN:
            cache.pop(next(iter(cache)), None)
        cache[place.etag] = known
    return known


@dataclass(frozen=True)
class FramePixels:
    """Reads windows of the frames of one CCD.

    Parameters
    ----------
    facts : FrameFacts
        What their headers say.
    read : callable
        Reads a frame; see `tessera.framesets.boxes.ReadFrame`.
    """

    facts: FrameFacts
    read: ReadFrame

    def cutout(self, window: Window, pool: Executor) -> Cutout:
        """Pixels of a window, as the cube of the frames would give them."""
        from tessera.framesets.boxes import read_fixed  # noqa: PLC0415 - few CCDs have no cube

        return read_fixed(self.facts, window, self.read, pool)

    def boxes(self, track: Track, pool: Executor) -> NDArray[np.float32]:
        """Pixels of the boxes of a moving target."""
        from tessera.framesets.boxes import read_moving  # noqa: PLC0415 - few CCDs have no cube

        return read_moving(self.facts, track, self.read, pool)


def frame_pixels(published: PublishedCube, backend: HasCubes) -> FramePixels | None:
    """What reads the windows of a CCD that has no cube yet, at the pace of a build; None for a cube.

    A frame that was replaced since its headers were read raises ObjectChangedError.
    """
    if not published.from_frames:
        return None
    facts, store = known_facts(published, backend), backend.store
    pace = backend.pace_of(backend.settings.max_gets_per_second)

    def read(cadence: int, start: int, length: int) -> Any:
        place = facts.places[cadence]
        bucket, _, key = place.key.partition("/")
        return store.read_range(bucket, key, start, length, place.version, pace=pace)

    return FramePixels(facts, read)


@dataclass(frozen=True, slots=True)
class FrameReads:
    """Reads of a window: one range of each plane of each frame, with all rows of the window.

    Parameters
    ----------
    requests : int
        Number of range requests.
    """

    requests: int

    @classmethod
    def of(cls, published: PublishedCube) -> FrameReads:
        """Reads of any window on the frames of a CCD."""
        return cls(published.n_cadences * published.cube_id.kind.n_planes)

    def bytes_of(self, n_rows: int) -> int:
        """Bytes that are read for a window of so many rows."""
        return self.requests * n_rows * _ROW_BYTES

    def seconds_of(self, n_rows: int) -> float:
        """Time of reading: that of the pace, or that of the network."""
        return max(self.requests / GETS_PER_SECOND, self.bytes_of(n_rows) / LINK_BYTES_PER_SECOND)

    def usd_of(self, n_rows: int) -> float:
        """Price of reading in dollars: of the requests, which the owner of the frames pays, and of the task."""
        return self.requests * GET_USD + self.seconds_of(n_rows) * _TASK_GB * GB_SECOND_USD
