"""Check the arguments of builds."""

from __future__ import annotations

import math
import os
from contextlib import closing
from pathlib import Path

from tessera.checks import check_integer
from tessera.cube_sources import is_growing
from tessera.cubes.reader import read_cube_layout
from tessera.errors import CubeFormatError, InvalidInputError
from tessera.io.sources import open_source

MAX_THREADS = 1024


def check_positive(argument: str, value: float) -> float:
    """Return a number greater than 0 as a float, or raise `InvalidInputError`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise InvalidInputError(argument, value, "a number greater than 0")
    return float(value)


def check_threads(threads: object) -> int:
    """Return a number of threads; None and 'auto' are one per processor."""
    if threads is None or threads == "auto":
        return os.cpu_count() or 1
    return check_integer("threads", threads, 1, MAX_THREADS, ", or 'auto'")


def check_cube_path(path: Path) -> Path:
    """Return the path of a cube in one file. A name that ends with ``.json`` is that of a growing cube."""
    if is_growing(os.path.realpath(path)):
        allowed = (
            "the path of a cube in one file; grow_cube (`tessera cube grow`) adds frames to a segment table (.json)"
        )
        raise InvalidInputError("cube_file", str(path), allowed)
    return path


def check_replaced(path: Path) -> None:
    """Refuse to replace a file that is not a cube, such as a frame that a pattern of the shell put after ``-o``."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with closing(open_source(path)) as source:
        try:
            read_cube_layout(source.name, source.size, source.read)
        except CubeFormatError as reason:
            allowed = f"a new path, or that of a cube to replace (this file is none: {reason})"
            raise InvalidInputError("cube_file", str(path), allowed) from reason
