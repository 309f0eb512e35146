"""The pixels of a growing cube: segments of time, each a cube file of its own, that are read together as one array."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import WORD, CubeLayout
from tessera.errors import CubeFormatError
from tessera.io.ranges import ByteRange

ReadSegment: TypeAlias = "Callable[[int, ByteRange], Any]"
"""``read(number, range)`` returns those bytes of the file of a segment, which is counted from 0."""
RunAll: TypeAlias = "Callable[[Callable[[_Piece], Any], Sequence[_Piece]], Iterable[Any]]"
"""``run(function, pieces)`` calls a function for each piece, perhaps in threads, and gives the results in order."""


@dataclass(frozen=True)
class Segment:
    """Some cadences of a growing cube, in a cube file of their own.

    Parameters
    ----------
    name : str
        Path of the file, from the folder of the segment table.
    size : int
        Size of the file in bytes.
    etag : str
        ETag of the file; empty if it is on a disk.
    data_offset : int
        Position of the first byte of its array in the file.
    data_sum : int
        DATASUM of its pixels.
    runs : tuple of (int, int)
        Where its cadences are in the growing cube: first cadence and number of each run, in the order of the file.
    """

    name: str
    size: int
    etag: str
    data_offset: int
    data_sum: int
    runs: tuple[tuple[int, int], ...]

    @cached_property
    def cadences(self) -> list[int]:
        """Cadence in the growing cube of each cadence of the file."""
        return [cadence for first, n in self.runs for cadence in range(first, first + n)]

    def to_fields(self) -> dict[str, Any]:
        """Fields of JSON."""
        return {**asdict(self), "runs": [list(run) for run in self.runs]}

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Segment:
        """Segment from what `to_fields` gave."""
        return cls(**{**fields, "runs": tuple((first, n) for first, n in fields["runs"])})

    def layout(self, whole: CubeLayout) -> CubeLayout:
        """Shape of its array, from that of the growing cube."""
        return CubeLayout(whole.n_rows, whole.n_columns, len(self.cadences), whole.n_planes)


def find_runs(cadences: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Runs of adjacent cadences, each as its first one and their number."""
    runs: list[tuple[int, int]] = []
    for cadence in cadences:
        if runs and cadence == sum(runs[-1]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((cadence, 1))
    return tuple(runs)


def check_segments(name: str, layout: CubeLayout, segments: Sequence[Segment]) -> None:
    """Check that segments have every cadence of a growing cube once, and that their files are large enough.

    Raises
    ------
    CubeFormatError
        When they do not. The message names the cube.
    """
    have = sorted(cadence for segment in segments for cadence in segment.cadences)
    if have != list(range(layout.n_cadences)):
        raise CubeFormatError(f"{name}: its segments do not have each of the {layout.n_cadences} cadences once")
    for segment in segments:
        needed = segment.data_offset + segment.layout(layout).data_bytes
        if segment.size < needed:
            raise CubeFormatError(
                f"{name}: the segment {segment.name} has {segment.size:,} bytes; {needed:,} are needed"
            )


@dataclass(frozen=True)
class _Piece:
    """What one segment gives to a read.

    Parameters
    ----------
    number : int
        Number of the segment.
    data : ByteRange
        Bytes of its file.
    places : tuple of (slice, slice)
        Cadences of the read, and the cadences of these bytes that belong there.
    """

    number: int
    data: ByteRange
    places: tuple[tuple[slice, slice], ...]


def _plan_piece(
    number: int, segment: Segment, cell: int, pixels: tuple[int, int], wanted: tuple[int, int]
) -> _Piece | None:
    """Plan the range of one segment: whole pixels, or some cadences of a single pixel. None if it has none of them."""
    places, before = [], 0
    for first, n in segment.runs:
        low, high = max(first, wanted[0]), min(first + n, wanted[1])
        if low < high:
            here = before + low - first
            places.append((slice(low - wanted[0], high - wanted[0]), (here, here + high - low)))
        before += n
    if not places:
        return None
    start, stop = (0, before) if pixels[1] - pixels[0] > 1 else (places[0][1][0], places[-1][1][1])
    begin = pixels[0] * before + start
    end = (pixels[1] - 1) * before + stop
    there = tuple((target, slice(low - start, high - start)) for target, (low, high) in places)
    return _Piece(number, ByteRange(segment.data_offset + begin * cell, (end - begin) * cell), there)


def read_joined(
    layout: CubeLayout, segments: Sequence[Segment], wanted: ByteRange, read: ReadSegment, run: RunAll = map
) -> memoryview:
    """Read bytes of the array of a growing cube, as if it were in one file.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the growing cube.
    segments : sequence of Segment
        Its segments, which `check_segments` has checked.
    wanted : ByteRange
        Bytes, counted from the first byte of the array.
    read : callable
        Reads a range of a segment: one call for each segment that has some of the cadences.
    run : callable, optional
        Calls a function for each segment; by default one after the other.

    Returns
    -------
    memoryview
        The bytes.
    """
    cell = layout.n_planes * WORD
    first, stop = wanted.start // cell, -(-wanted.stop // cell)
    n = layout.n_cadences
    pixels = first // n, -(-stop // n)
    cadences = (first - pixels[0] * n, stop - pixels[0] * n) if pixels[1] - pixels[0] == 1 else (0, n)
    planned = (_plan_piece(number, item, cell, pixels, cadences) for number, item in enumerate(segments))
    pieces = [piece for piece in planned if piece is not None]
    cells: NDArray[Any] = np.empty((pixels[1] - pixels[0], cadences[1] - cadences[0]), f"u{cell}")

    def place(piece: _Piece) -> None:
        found = np.frombuffer(read(piece.number, piece.data), cells.dtype).reshape(len(cells), -1)
        for target, source in piece.places:
            cells[:, target] = found[:, source]

    for _ in run(place, pieces):
        pass
    before = wanted.start - (pixels[0] * n + cadences[0]) * cell
    return cells.data.cast("B")[before : before + wanted.length]
