"""The files of a growing cube on a disk: the segment table, and its segments beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tessera.builds.arguments import check_replaced
from tessera.builds.growth import Growth, begin_growth, plan_growth
from tessera.builds.update import OldCube
from tessera.cube_sources import JoinedSource, is_growing, open_segments
from tessera.cubes.frames import Frame, sort_by_time
from tessera.cubes.hashes.reading import record_of
from tessera.cubes.segments.signed import table_text
from tessera.cubes.segments.table import SUFFIX, describe_segment
from tessera.errors import InvalidInputError
from tessera.io.files import write_pieces
from tessera.io.outputs import check_output
from tessera.io.sources import open_source


def check_table_path(argument: str, location: object) -> Path:
    """Return the path of a segment table that will be written; see `tessera.io.outputs.check_output`."""
    path = check_output(argument, location)
    if not is_growing(os.path.realpath(path)):
        allowed = f"the path of a segment table, which ends with {SUFFIX}, such as tess-s0056-1-1-cube{SUFFIX}"
        raise InvalidInputError(argument, str(path), allowed)
    return path


def open_known(path: Path) -> JoinedSource | None:
    """Open the growing cube at a path; None if there is none yet."""
    return open_segments(path) if path.exists() else None


def has_records(known: JoinedSource | None) -> bool:
    """Whether every segment of a growing cube has a record with hashes of its frames."""
    return known is not None and all(map(record_of, known.files))


def segment_path(argument: str, table: Path, known: JoinedSource | None) -> Path:
    """Path of the next segment, beside the table. A file that is there must be a cube, such as that of a killed run."""
    number = len(known.files) + 1 if known else 1
    path = check_output(argument, table.with_name(f"{table.name[: -len(SUFFIX)]}-segment-{number}.fits"))
    check_replaced(path)
    return path


def plan_segment(
    known: JoinedSource | None, old: OldCube | None, frames: Sequence[Frame], sector: int | None, date: str
) -> Growth:
    """Plan a growing cube with more frames, or a new one; see `tessera.builds.growth`."""
    if known is None or old is None:
        return begin_growth(frames, sector, date)
    return plan_growth(old, known.table.segments, sort_by_time(frames), sector, date)


def write_table(table: Path, known: JoinedSource | None, segment: Path, growth: Growth) -> None:
    """Write the table with a segment that has just been made. It replaces the table before when it is complete."""
    with closing(open_source(segment)) as file:
        new = describe_segment(segment.name, file.size, file.read, growth.runs, growth.layout)
        files = [*(known.files if known else ()), file]
        content = table_text(growth.table(new), lambda: map(record_of, files))
    write_pieces(table, [content])
