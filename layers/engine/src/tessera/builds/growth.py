"""Add frames to a growing cube: they become a segment of their own, and no pixel of the cube is read or written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tessera.builds.update import OldCube
from tessera.cubes.frames import Frame, sort_by_time
from tessera.cubes.hdus import build_info_hdu, build_primary_header
from tessera.cubes.layout import CubeLayout
from tessera.cubes.segments.joining import Segment, find_runs
from tessera.cubes.segments.table import SegmentTable

Runs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Growth:
    """A growing cube with a new segment, before the file of the segment is known.

    Parameters
    ----------
    primary, info : bytes
        First and last HDU of the whole cube.
    layout : CubeLayout
        Shape of the whole cube.
    segments : tuple of Segment
        Earlier segments, with their cadences in the whole cube.
    runs : tuple of (int, int)
        Cadences of the new segment; see `Segment`.
    """

    primary: bytes
    info: bytes
    layout: CubeLayout
    segments: tuple[Segment, ...]
    runs: Runs

    def table(self, new: Segment) -> SegmentTable:
        """Segment table, once the new segment is known."""
        return SegmentTable(self.primary, self.layout, self.info, (*self.segments, new))


def plan_growth(
    old: OldCube, segments: Sequence[Segment], frames: Sequence[Frame], sector: int | None, date: str
) -> Growth:
    """Plan a growing cube with more frames. Headers and info table are those of the cube of all its frames.

    Parameters
    ----------
    old : OldCube
        The cube before: the growing cube, or a cube that becomes its first segment.
    segments : sequence of Segment
        Its segments.
    frames : sequence of Frame
        New frames in order of time, which `OldCube.check` has checked.
    sector : int or None
        Value of the SECTOR card.
    date : str
        Day of the update, YYYY-MM-DD.
    """
    n_old = old.layout.n_cadences
    starts = [*old.starts, *(frame.start for frame in frames)]
    order = sorted(range(len(starts)), key=starts.__getitem__)
    place = {index: cadence for cadence, index in enumerate(order)}
    return Growth(
        old.primary_header(frames, sector, date, history=False),
        old.info.append(frames).take(order).to_bytes(),
        replace(old.layout, n_cadences=len(order)),
        tuple(replace(item, runs=find_runs([place[cadence] for cadence in item.cadences])) for item in segments),
        find_runs([place[n_old + index] for index in range(len(frames))]),
    )


def begin_growth(frames: Sequence[Frame], sector: int | None, date: str) -> Growth:
    """Plan a growing cube whose first segment has some frames, in any order; see `plan_growth`."""
    ordered = sort_by_time(frames)
    layout = CubeLayout(*ordered[0].shape, len(ordered), ordered[0].product.n_planes)
    primary = build_primary_header(ordered, sector, date)
    return Growth(primary, build_info_hdu(ordered, frames), layout, (), ((0, len(ordered)),))
