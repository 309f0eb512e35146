"""The cubes that a user names: files, URLs, and folders of cubes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tessera.cube_sources import is_growing
from tessera.cubes.segments.table import listed_names
from tessera.errors import InvalidInputError
from tessera.io.filesystems import in_filesystem
from tessera.io.locations import scheme_of
from tessera.io.sources import Location, check_locations

_CUBE = re.compile(r"cube.*\.fits(\.gz|\.bz2|\.xz)?$")


def list_cubes(cubes: Any, filesystem: Any = None) -> list[Location]:
    """Check the cubes that a user gave, and list the cubes of local folders among them.

    Parameters
    ----------
    cubes : str, Path, or several of them
        Paths and URLs of cubes, and local folders of cubes.
    filesystem : fsspec file system, optional
        File system of the cubes. Its folders are not listed.

    Raises
    ------
    InvalidInputError
        When there is no cube, or an item is neither a path nor a URL.
    """
    listed = check_locations("cubes", [cubes] if isinstance(cubes, (str, os.PathLike)) else cubes)
    if filesystem is None:
        listed = [cube for location in listed for cube in _in_folder(location)]
    once = {os.fspath(cube): cube for cube in listed}
    return in_filesystem(filesystem, list(once.values()))


def _in_folder(location: Location) -> Sequence[Location]:
    """The cubes of a folder. A growing cube takes the place of its segments, which are cubes too."""
    if scheme_of(os.fspath(location)) or not Path(location).is_dir():
        return [location]
    files = sorted(path for path in Path(location).glob("*cube*") if path.is_file())
    tables = {path: names for path in files if (names := _listed(path)) is not None}
    segments = {Path(location, name) for names in tables.values() for name in names}
    found = [path for path in files if path in tables or (_CUBE.search(path.name) and path not in segments)]
    if not found:
        raise InvalidInputError("cubes", os.fspath(location), "a folder with files whose names are like *cube*.fits")
    return found


def _listed(path: Path) -> list[str] | None:
    """Names of the segments of a growing cube; None if a file is none."""
    if not is_growing(path):
        return None
    with path.open("rb") as file:
        return listed_names(file)
