"""Check a cube against its frames. A cube has no record: its info table names its frames and has their cards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tessera.builds.report import verify_cube
from tessera.cubes.reader import read_cube_layout
from tessera.errors import CubeFormatError
from tessera.framesets.find import product_of
from tessera.framesets.folders import is_folder, list_folder
from tessera.io.locations import file_name
from tessera.io.sources import Location, Source
from tessera.verify.report import Problem, Status, Verification

_LEAST = 4 * 2880
"""Size of the smallest cube: three headers, and data."""
_NO_FRAMES = "its frames are not given: only its checksums were checked; name the frames with --from"


def is_cube(source: Source) -> bool:
    """Whether a file is a cube. Little more than its headers is read."""
    if source.size < _LEAST:
        return False
    try:
        read_cube_layout(source.name, source.size, source.read, check=False)
    except CubeFormatError:
        return False
    return True


def verify_cube_file(name: str, cube: Location, given: Sequence[Location]) -> Verification:
    """Check the checksums of a cube, and every pixel if its frames are given.

    Parameters
    ----------
    name : str
        The cube, as it was given.
    cube : str or Path
        The cube.
    given : sequence of str or Path
        Its frames, and folders with them.
    """
    frames: list[Location] = []
    for location in given:
        listed = list_folder(location) if is_folder(location) else [location]
        frames += [each for each in listed if not is_folder(location) or product_of(file_name(each))]
    problems = [Problem(_kind(text), text) for text in verify_cube(cube, frames)]
    status: Status = "different" if problems else "same" if frames else "unknown"
    return Verification(name, status, problems, [] if frames else [_NO_FRAMES])


def _kind(problem: str) -> Literal["source", "checksum", "pixel"]:
    """Kind of a problem of `tessera.builds.report.verify_cube`."""
    if "was not given" in problem or "is not in" in problem:
        return "source"
    return "pixel" if "pixels differ" in problem else "checksum"
