"""File names of a batch's products: all different, and no file of another kind is replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event, Lock
from zipfile import is_zipfile

from tessera.cubes.reader import Cube
from tessera.errors import KeptFileError
from tessera.fits.headers import read_header
from tessera.io.sources import LocalFile
from tessera.tpf.primary import CREATOR, primary_cards

_CCD = ("FFI_TYPE", "SECTOR", "CAMERA", "CCD")


class OutputNames:
    """File names of several cubes that are cut at the same time.

    Of equal names, the first one in the order of the cubes stays, and the others get ``-2``, ``-3`` and so on after the
    name of the cube, whichever cube is ready first.

    Parameters
    ----------
    n_cubes : int
        Number of cubes.
    """

    def __init__(self, n_cubes: int) -> None:
        self._offered = [Event() for _ in range(n_cubes)]
        self._wanted: list[Sequence[str]] = [()] * n_cubes
        self._given: list[list[str]] = []
        self._taken: set[str] = set()
        self._lock = Lock()

    def offer(self, number: int, wanted: Sequence[str]) -> None:
        """Say which names a cube wants. Every cube must do this, also one that has no products."""
        with self._lock:
            self._wanted[number] = wanted
            if number < len(self._given):  # the cube was replaced and is cut again
                self._taken.difference_update(self._given[number])
                self._given[number] = list(map(self._different, wanted))
        self._offered[number].set()

    def take(self, number: int) -> list[str]:
        """Names of a cube. Waits until the cubes before it have said which names they want."""
        for earlier in self._offered[: number + 1]:
            earlier.wait()
        with self._lock:
            while len(self._given) <= number:
                self._given.append(list(map(self._different, self._wanted[len(self._given)])))
            return self._given[number]

    def _different(self, wanted: str) -> str:
        cube, _, rest = wanted.partition("_")
        name, number = wanted, 2
        while name in self._taken:
            name = f"{cube}-{number}_{rest}"
            number += 1
        self._taken.add(name)
        return name


def check_replaceable(path: Path, cube: Cube | None = None, creator: str = CREATOR, target: str | None = None) -> None:
    """Check that a target pixel file may be written to a path.

    It may if the path has no file, an empty file (a power cut leaves them), or a target pixel file of the same creator.

    Parameters
    ----------
    path : Path
        Path of the target pixel file.
    cube : Cube, optional
        Cube of the target pixel file. With it, the existing file must be of the same CCD, sector and kind of frames.
    creator : str, optional
        CREATOR of the target pixel file.
    target : str, optional
        OBJECT of the target pixel file. With it, the existing file must have the same, because targets of different
        names may have one file name.

    Raises
    ------
    KeptFileError
        When the path has something else.
    """
    if not path.exists():
        return
    what = f"a target pixel file by {creator}" + (f" of {cube.obs_id}" if cube else "")
    what += f" and the target {target!r}" if target else ""
    if not path.is_file() or (path.stat().st_size > 0 and not _is_product(path, cube, creator, target)):
        raise KeptFileError(f"{path} is kept, because it is not {what}; move it away, or write to another folder")


def check_replaceable_by(path: Path, content: bytes) -> None:
    """Check that a target pixel file of a service may be written to a path.

    It may if the path has no file, an empty file, or a target pixel file of the same creator, target, CCD, sector and
    kind of frames.

    Parameters
    ----------
    path : Path
        Path of the target pixel file.
    content : bytes
        The target pixel file; its primary header is enough.

    Raises
    ------
    KeptFileError
        When the path has something else.
    """
    if path.exists() and not (path.is_file() and (path.stat().st_size == 0 or _is_same_product(path, content))):
        what = "a target pixel file of the same target and CCD by the same creator"
        raise KeptFileError(f"{path} is kept, because it is not {what}; move it away, or write to another folder")


def _is_same_product(path: Path, content: bytes) -> bool:
    try:
        with closing(LocalFile(path)) as file:
            old = _cards(file.read, file.size)
        new = _cards(lambda start, length: content[start : start + length], len(content))
    except (OSError, ValueError):
        return False
    return "FFI_TYPE" in new and all(old.get(name) == new.get(name) for name in ("CREATOR", "OBJECT", *_CCD))


def _cards(read: Callable[[int, int], bytes], size: int) -> dict[str, object]:
    """Primary header of a file: keyword to value."""
    return {card.keyword: card.value for card in read_header(read, 0, size).cards}


def check_replaceable_archive(path: Path) -> None:
    """Check that an archive may be written to a path: it has no file, an empty file, or an archive.

    Raises
    ------
    KeptFileError
        When the path has something else.
    """
    if path.exists() and not (path.is_file() and (path.stat().st_size == 0 or is_zipfile(path))):
        raise KeptFileError(f"{path} is kept, because it is not a zip archive; move it away, or choose another name")


def _is_product(path: Path, cube: Cube | None, creator: str, target: str | None) -> bool:
    try:
        with closing(LocalFile(path)) as file:
            cards = _cards(file.read, file.size)
    except (OSError, ValueError):
        return False
    if cards.get("CREATOR") != creator or "FFI_TYPE" not in cards:
        return False
    if target is not None and (cards.get("OBJECT") or "") != target:
        return False
    if cube is None:
        return True
    wanted = {keyword: value for keyword, value, _ in primary_cards(cube, 0.0, 0.0, "")}
    return all(cards.get(keyword) == wanted.get(keyword) for keyword in _CCD)
