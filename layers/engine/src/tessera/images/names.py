"""File names of image cutouts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from astropy.coordinates import SkyCoord

from tessera.errors import InvalidInputError, KeptFileError
from tessera.io.locations import file_name
from tessera.windows import Side

_PACKED = (".gz", ".bz2", ".xz", ".fz")
_START = 2880
_LONGEST_PREFIX = 120
_CUTOUT = b"PROCVER ="


def file_stem(file: Any) -> str:
    """Name of a file without its folders and its suffix, and without a suffix of packing such as ``.gz``."""
    path = Path(file_name(file))
    return Path(path.stem).stem if path.suffix.lower() in _PACKED else path.stem


def size_text(size: tuple[Side, Side]) -> str:
    """Text of a size as the user gave it: columns-x-rows."""
    return "-x-".join(str(side).replace(" ", "") for side in size)


def cutout_stem(stem: str, sky: SkyCoord, size: tuple[Side, Side]) -> str:
    """File name of a cutout without its suffix."""
    sky = sky.icrs
    return f"{stem}_{sky.ra.deg:.7f}_{sky.dec.deg:.7f}_{size_text(size)}_astrocut"


def check_prefix(prefix: object) -> str:
    """Return the first part of file names, or raise `InvalidInputError` if no name of a file can begin with it."""
    if not isinstance(prefix, str) or not prefix or "/" in prefix or "\0" in prefix or len(prefix) > _LONGEST_PREFIX:
        allowed = f"text of 1 to {_LONGEST_PREFIX} characters without '/'; output_dir is the folder"
        raise InvalidInputError("cutout_prefix", prefix, allowed)
    return prefix


def zip_file_name(coordinates: Sequence[SkyCoord], size: tuple[Side, Side]) -> str:
    """File name of an archive of FITS cutouts."""
    if len(coordinates) > 1:
        return "astrocut_fits_cutouts.zip"
    sky = coordinates[0].icrs
    return f"astrocut_{sky.ra.deg:.7f}_{sky.dec.deg:.7f}_{size_text(size)}.zip"


def different_names(names: Sequence[str]) -> list[str]:
    """Make names different: the second and later ones of the same name get a number before their suffix."""
    taken: dict[str, None] = {}
    for wanted in names:
        path, name, number = Path(wanted), wanted, 2
        while name in taken:
            name = f"{path.stem}-{number}{path.suffix}"
            number += 1
        taken[name] = None
    return list(taken)


def replaceable(path: Path, content: bytes | memoryview) -> Path:
    """Return a path if a cutout may be written there.

    It may if the path has no file, an empty file, or a file of the same kind: both begin with the same bytes, and both
    or neither are FITS files that say with PROCVER that they are cutouts.

    Raises
    ------
    KeptFileError
        When the path has something else.
    """
    if not path.exists():
        return path
    if path.is_file():
        with path.open("rb") as file:
            old, new = file.read(_START), bytes(content[:_START])
        if not old or (old[:4] == new[:4] and (_CUTOUT in old) == (_CUTOUT in new)):
            return path
    raise KeptFileError(f"{path} is kept, because it is not such a cutout; move it away, or write to another folder")
