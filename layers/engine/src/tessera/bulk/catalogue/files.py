"""Find the Parquet files of a catalogue, in a folder of this machine or behind a URL."""

from __future__ import annotations

import json
import os
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tessera.bulk.products.finish import MANIFEST
from tessera.bulk.products.sky import CATALOGUE, PARTITION_FILE
from tessera.errors import InvalidInputError, MissingFileError
from tessera.io.locations import local_path, location_text, scheme_of
from tessera.io.sources import open_source

_ALLOWED = f"a folder or URL with the results of a list that has Parquet files, or its folder {CATALOGUE}"
_EMPTY = "dataset/_common_metadata"
"""A file of every catalogue of a list that is finished, also of one without light curves."""
_PART = re.compile(f"(?:{CATALOGUE}/)?({PARTITION_FILE})")


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """A Parquet file of a catalogue.

    Parameters
    ----------
    location : str
        Path or URL.
    order, pixel : int
        HEALPix pixel of its partition, nested scheme.
    """

    location: str
    order: int
    pixel: int


def find_files(path: object) -> list[CatalogueFile]:
    """Find the Parquet files of a catalogue, in the order of their names.

    Parameters
    ----------
    path : str or Path
        Folder of the results of a list, or the catalogue in it. In a folder of this machine, all files that are there
        belong to the catalogue, so that it can be read before the list is finished. Behind a URL, ``manifest.json``
        says which files there are.

    Raises
    ------
    InvalidInputError
        When there is no catalogue.
    """
    if not isinstance(path, (str, os.PathLike)) or not str(path).strip():
        raise InvalidInputError("path", path, _ALLOWED)
    text = location_text(path)
    found = _local(local_path(text)) if scheme_of(text) in ("", "file") else _remote(text)
    if found is None:
        raise InvalidInputError("path", text, _ALLOWED)
    return found


def _local(folder: Path) -> list[CatalogueFile] | None:
    try:
        root = folder / CATALOGUE if (folder / CATALOGUE).is_dir() else folder
    except OSError as error:  # such as a name that is too long
        raise InvalidInputError("path", str(folder), f"{_ALLOWED}; {error.strerror}") from error
    names = sorted(each.relative_to(root).as_posix() for each in root.glob("dataset/Norder=*/Dir=*/Npix=*/*.parquet"))
    return _files(f"{root}/", names) if names or (root / _EMPTY).is_file() else None


def _remote(url: str) -> list[CatalogueFile] | None:
    base = url.rstrip("/").removesuffix(f"/{CATALOGUE}")
    try:
        with closing(open_source(f"{base}/{MANIFEST}")) as source:
            manifest = json.loads(source.read(0, source.size))
        names = sorted(each["name"] for each in manifest["files"])
    except (MissingFileError, ValueError, TypeError, KeyError) as error:
        raise InvalidInputError("path", url, f"{_ALLOWED}; {base}/{MANIFEST} is none ({error})") from error
    return _files(f"{base}/{CATALOGUE}/", names) if f"{CATALOGUE}/{_EMPTY}" in names else None


def _files(base: str, names: list[str]) -> list[CatalogueFile]:
    matches = [match for name in names if (match := _PART.fullmatch(name))]
    return [CatalogueFile(f"{base}{match[1]}", int(match[2]), int(match[3])) for match in matches]
