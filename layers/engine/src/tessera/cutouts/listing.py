"""The cubes that a user names: files, URLs, and folders of cubes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

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


def _in_folder(location: Location) -> Iterable[Location]:
    if scheme_of(os.fspath(location)) or not Path(location).is_dir():
        return [location]
    found = sorted(path for path in Path(location).glob("*cube*") if _CUBE.search(path.name) and path.is_file())
    if not found:
        raise InvalidInputError("cubes", os.fspath(location), "a folder with files whose names are like *cube*.fits")
    return found
