"""A set of frames as a location: what takes the path of a cube takes it, too."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.cubes.window_pixels import Planes
from tessera.errors import InvalidInputError
from tessera.framesets.boxes import Boxes, FixedBoxes, Watch, read_boxes, read_moving, read_pixels
from tessera.framesets.facts import FrameFacts
from tessera.io.locations import OpensItself, scheme_of, shown
from tessera.io.ranges import ByteRange
from tessera.io.sources import Location, ReplacedError, Source, open_source, version_of
from tessera.tess.ids import frames_text
from tessera.windows import Window

FRAMES_AT_ONCE = 128
"""Number of simultaneous range requests to remote frames."""


class FrameSet(OpensItself):
    """The frames of one CCD, which the functions for cubes take in place of a cube; see `tessera.read_frames`.

    Parameters
    ----------
    facts : FrameFacts
        What their headers say.
    locations : sequence of str or Path
        Their files, in order of time.
    kept : dict
        Cadence to the open file of a frame that is packed or remote. The others are opened when they are read.
    """

    facts: FrameFacts
    locations: tuple[Location, ...]
    kept: dict[int, Source]

    def __new__(cls, facts: FrameFacts, locations: Sequence[Location], kept: dict[int, Source]) -> Self:
        """Make the text that carries the frames."""
        folder = shown(locations[0]).rpartition("/")[0]
        made = super().__new__(cls, frames_text(facts.cube.obs_id, folder or "."))
        made.facts, made.locations, made.kept = facts, tuple(locations), kept
        return made

    @classmethod
    def of_facts(cls, location: Location) -> Self:
        """The frames of a file of facts, with which a service cuts a CCD that has no cube yet.

        Raises
        ------
        CubeFormatError
            When the file is something else.
        OSError
            When it cannot be read.
        """
        with closing(open_source(location)) as source:
            facts = FrameFacts.from_bytes(source.read(0, source.size))
        versions = (version_of({"size": place.size, "e_tag": f'"{place.version}"'}) for place in facts.places)
        places = tuple(place._replace(version=it) for place, it in zip(facts.places, versions, strict=True))
        return cls(replace(facts, places=places), [f"s3://{place.key}" for place in places], {})

    def __reduce__(self) -> Any:
        """Refuse to be sent to other processes, which do not have the open files."""
        raise TypeError("a set of frames cannot be copied or sent to another process; call tessera.read_frames there")

    @property
    def obs_id(self) -> str:
        """CCD and sector, such as ``tess-s0056-1-1``."""
        return self.facts.cube.obs_id

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.facts.layout.n_cadences

    def open_source(self) -> FrameSetSource:
        """Open the frames as if they were the file of their cube."""
        return FrameSetSource(self)


def check_no_frames(argument: str, location: object, reason: str) -> None:
    """Refuse frames where only a cube will do, for a reason."""
    if isinstance(location, FrameSet):
        raise InvalidInputError(argument, str(location), f"a cube, because {reason}; make a cube of the frames")


@lru_cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(FRAMES_AT_ONCE, "tessera-frames")


os.register_at_fork(after_in_child=_pool.cache_clear)  # threads stay in the parent


class FrameSetSource:
    """The file of a cube that was not made: see `tessera.io.sources.Source`.

    Windows are read with `read_window` and `read_track`, which ask each frame once. The other methods give the bytes
    that the file of the cube would have, but for the sums of its pixels and the card that marks it.

    Parameters
    ----------
    frames : FrameSet
        The frames.
    """

    def __init__(self, frames: FrameSet) -> None:
        self.frames, self.facts = frames, frames.facts
        self.name = self.facts.cube.name
        opened = scheme_of(os.fspath(frames.locations[0])) not in ("", "file")
        self.remote = opened or any(source.remote for source in frames.kept.values())
        self.key = None
        self.version = "-".join(place.version for place in self.facts.places)

    @property
    def _workers(self) -> Executor | None:
        return _pool() if self.remote else None

    @property
    def _layout(self) -> CubeLayout:
        return self.facts.layout

    @property
    def size(self) -> int:
        """See `Source.size`."""
        return self._table + len(self.facts.info_hdu)

    @property
    def _table(self) -> int:
        return self.facts.cube.data_offset + self._layout.data_bytes + self._layout.padding

    def _read_frame(self, cadence: int, start: int, length: int) -> Any:
        kept = self.frames.kept.get(cadence)
        if kept is not None:
            return kept.read_buffer(start, length)
        with closing(open_source(self.frames.locations[cadence], unpack=False)) as source:
            if source.version != self.facts.places[cadence].version:
                raise ReplacedError(os.fspath(self.frames.locations[cadence]), "replaced")
            return source.read_buffer(start, length)

    def read_window(
        self, window: Window, planes: Callable[[], Planes], cadences: NDArray[np.intp] | None = None
    ) -> None:
        """Read a window of some cadences into arrays; see `tessera.cutouts.open_cube.CubeFile.read_into`."""
        boxes = FixedBoxes.of(window, self._layout, cadences)
        read_boxes(self.facts, boxes, self._read_frame, planes, self._workers)

    def read_track(self, boxes: Boxes, fill_value: float, watch: Watch) -> NDArray[np.float32]:
        """Read the box of each cadence; see `tessera.framesets.boxes.read_moving`."""
        return read_moving(self.facts, boxes, self._read_frame, self._workers, fill_value=fill_value, watch=watch)

    def read(self, start: int, length: int) -> bytes:
        """See `Source.read`."""
        cube, stop = self.facts.cube, start + length
        begin, end = cube.data_offset, cube.data_offset + self._layout.data_bytes
        pieces = [self._start[start : min(stop, begin)]]
        if start < end and stop > begin:
            pieces.append(self._read_series(max(start, begin) - begin, min(stop, end) - begin))
        pieces.append(bytes(max(0, min(stop, self._table) - max(start, end))))
        pieces.append(self.facts.info_hdu[max(0, start - self._table) : max(0, stop - self._table)])
        return b"".join(pieces)

    @cached_property
    def _start(self) -> bytes:
        """The headers before the pixels."""
        from tessera.cubes.hdus import build_image_header  # noqa: PLC0415 - few callers read headers again

        return self.facts.cube.primary.text + build_image_header(self._layout, 0)

    def _read_series(self, start: int, stop: int) -> bytes:
        """Bytes of the array."""
        n_bytes = self._layout.pixel_bytes
        first, last = start // n_bytes, -(-stop // n_bytes)
        data = read_pixels(self.facts, range(first, last), self._read_frame, self._workers)
        return data[start - first * n_bytes : stop - first * n_bytes]

    def read_buffer(self, start: int, length: int) -> bytes:
        """See `Source.read_buffer`."""
        return self.read(start, length)

    def read_pieces(self, start: int, length: int, at_least: int) -> Iterator[bytes]:  # noqa: ARG002 - one piece
        """See `Source.read_pieces`."""
        yield self.read(start, length)

    def read_into(self, start: int, out: Any) -> None:
        """See `Source.read_into`."""
        view = memoryview(out).cast("B")
        view[:] = self.read(start, len(view))

    def expect(self, ranges: Iterable[ByteRange], pool: Executor) -> None:
        """See `Source.expect`. Nothing is known of the next reads that the plan of a window does not know better."""

    def check_unchanged(self) -> None:
        """See `Source.check_unchanged`. Local frames are compared with their headers whenever they are read."""
        for source in self.frames.kept.values():
            source.check_unchanged()

    def confirm(self) -> None:
        """See `Source.confirm`. The headers were read by this process."""

    def close(self) -> None:
        """See `Source.close`. The frames stay open as long as their set is used."""
