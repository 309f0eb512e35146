"""Read windows of frames: one range of each frame and plane, from the first row of the window to its last.

A window has a box in each cadence: always the same pixels for a fixed target, others for a moving one. The rows of a
box are read in one request with the pixels between them, because a request costs what a megabyte does, and the rows of
a frame lie 8.5 kB apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.builds.conversion import to_words
from tessera.cubes.layout import CubeLayout
from tessera.cubes.read_ahead import work_ahead
from tessera.cubes.window_pixels import Cutout, Planes, empty_cutout
from tessera.framesets.facts import FrameFacts
from tessera.io.ranges import ByteRange, Ints
from tessera.windows import Overlap, Window

ReadFrame: TypeAlias = "Callable[[int, int, int], Any]"
"""Function that reads a frame: ``read(cadence, start, length)`` returns a buffer."""

Watch: TypeAlias = "Callable[[Iterable[Any]], Iterator[Any]]"


class Boxes(Protocol):
    """Boxes of one shape, one for each of n cadences, such as a `tessera.moving.read_plan.Track`."""

    @property
    def cadences(self) -> Ints:
        """Cadences, shape (n,)."""

    @property
    def first_row(self) -> Ints:
        """First row of each box, shape (n,)."""

    @property
    def first_column(self) -> Ints:
        """First column of each box, shape (n,)."""

    @property
    def n_rows(self) -> int:
        """Rows of a box."""

    @property
    def n_columns(self) -> int:
        """Columns of a box."""


@dataclass(frozen=True)
class FixedBoxes:
    """The same window in some cadences; see `Boxes`."""

    cadences: Ints
    first_row: Ints
    first_column: Ints
    n_rows: int
    n_columns: int

    @classmethod
    def of(cls, window: Window, layout: CubeLayout, cadences: NDArray[np.intp] | None = None) -> FixedBoxes:
        """Boxes of a window in all cadences, or in some."""
        chosen = np.arange(layout.n_cadences) if cadences is None else np.asarray(cadences)
        rows, columns = (np.full(len(chosen), side, np.int64) for side in (window.first_row, window.first_column))
        return cls(chosen.astype(np.int64), rows, columns, window.n_rows, window.n_columns)


@dataclass(frozen=True, slots=True)
class BoxRead:
    """One range request: the rows of one box in one plane of one frame.

    Parameters
    ----------
    number : int
        Number of the box.
    cadence, plane : int
        Frame, and its plane.
    overlap : Overlap
        Pixels of the box that are on the frame.
    data : ByteRange
        Bytes of the frame.
    """

    number: int
    cadence: int
    plane: int
    overlap: Overlap
    data: ByteRange


def plan_box_reads(facts: FrameFacts, boxes: Boxes) -> Iterator[BoxRead]:
    """Plan the range requests for boxes, in order of time.

    Parameters
    ----------
    facts : FrameFacts
        The frames.
    boxes : Boxes
        Pixels to read. Each box touches the frame.
    """
    layout = facts.layout
    find = lru_cache(1)(lambda row, column: Window(row, column, boxes.n_rows, boxes.n_columns).overlap(*shape))
    shape = layout.n_rows, layout.n_columns
    places = (values.tolist() for values in (boxes.cadences, boxes.first_row, boxes.first_column))
    for number, (cadence, row, column) in enumerate(zip(*places, strict=True)):
        overlap = find(row, column)
        begin = overlap.rows.start * layout.n_columns + overlap.columns.start
        n_pixels = (overlap.shape[0] - 1) * layout.n_columns + overlap.shape[1]
        for plane, offset in enumerate(facts.offsets[cadence].tolist()):
            word = facts.form(cadence, plane).word
            yield BoxRead(number, cadence, plane, overlap, ByteRange(offset + begin * word, n_pixels * word))


def place_box(facts: FrameFacts, read: BoxRead, data: Any, planes: Planes) -> None:
    """Place the pixels of a request.

    Parameters
    ----------
    facts : FrameFacts
        The frames.
    read : BoxRead
        The request.
    data : buffer
        Its bytes.
    planes : sequence of ndarray, shape (n, n_rows, n_columns)
        Arrays for the planes of the n boxes.
    """
    words = to_words(data, facts.form(read.cadence, read.plane))
    steps = (facts.layout.n_columns * words.itemsize, words.itemsize)
    box = np.lib.stride_tricks.as_strided(words, read.overlap.shape, steps, writeable=False)
    planes[read.plane][read.number][read.overlap.inside] = box.view(">f4")


def read_boxes(
    facts: FrameFacts,
    boxes: Boxes,
    read: ReadFrame,
    planes: Callable[[], Planes],
    pool: Executor | None = None,
    *,
    watch: Watch = iter,
) -> None:
    """Read the pixels of boxes into arrays.

    Parameters
    ----------
    facts : FrameFacts
        The frames.
    boxes : Boxes
        Pixels to read. Those beyond the frame are left as they are.
    read : callable
        See `ReadFrame`.
    planes : callable
        Function without arguments that returns the arrays; see `place_box`. It is called when pixels have arrived.
    pool : Executor, optional
        Threads that read at the same time.
    watch : callable, optional
        Function that passes on the answers one by one, such as `tessera.progress.Counter.watch`.
    """

    def work(item: BoxRead) -> None:
        data = read(item.cadence, item.data.start, item.data.length)
        place_box(facts, item, data, planes())

    reads = plan_box_reads(facts, boxes)
    for _ in watch(map(work, reads) if pool is None else work_ahead(pool, work, reads)):
        pass


def read_fixed(
    facts: FrameFacts, window: Window, read: ReadFrame, pool: Executor | None = None, fill_value: float = np.nan
) -> Cutout:
    """Read a window of all frames; the same as the window of their cube."""
    cutout = empty_cutout(facts.layout, window, fill_value)
    read_boxes(facts, FixedBoxes.of(window, facts.layout), read, lambda: cutout.planes, pool)
    return cutout


def read_moving(
    facts: FrameFacts,
    boxes: Boxes,
    read: ReadFrame,
    pool: Executor | None = None,
    *,
    fill_value: float = np.nan,
    watch: Watch = iter,
) -> NDArray[np.float32]:
    """Read the box of each cadence, as `tessera.moving.track_pixels.assemble_track` gives it.

    Returns
    -------
    ndarray of big-endian float32, shape (n_planes, n, n_rows, n_columns)
    """
    shape = (facts.layout.n_planes, len(boxes.cadences), boxes.n_rows, boxes.n_columns)
    planes = np.full(shape, fill_value, ">f4")
    read_boxes(facts, boxes, read, lambda: planes, pool, watch=watch)
    return planes


def read_pixels(facts: FrameFacts, pixels: range, read: ReadFrame, pool: Executor | None = None) -> bytes:
    """Read a run of pixels of all frames as their cube has them: the time series of one pixel after the other."""
    layout = facts.layout
    words = np.empty((len(pixels), layout.n_cadences, layout.n_planes), np.uint32)

    def work(place: tuple[int, int]) -> None:
        cadence, plane = place
        form = facts.form(cadence, plane)
        start = int(facts.offsets[cadence, plane]) + pixels.start * form.word
        words[:, cadence, plane] = to_words(read(cadence, start, len(pixels) * form.word), form)

    places = [(cadence, plane) for cadence in range(layout.n_cadences) for plane in range(layout.n_planes)]
    for _ in (map if pool is None else pool.map)(work, places):
        pass
    return words.tobytes()
