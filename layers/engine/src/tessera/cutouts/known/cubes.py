"""What the process knows of cubes that it opened: everything but their pixels.

The key of a cube contains its version, and a file is opened with the version of its last answer, which its next read
confirms (`tessera.io.sources.Source.confirm`). So a cube that was replaced is noticed and read anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tessera.cubes.info_rows import InfoRows
from tessera.cubes.reader import Cube
from tessera.cutouts.known.folder import CubeFolder
from tessera.cutouts.known.memory import Memory
from tessera.io.sources import FIRST_BYTES, FirstAnswer, version_of

MAX_CUBES = 64
"""Largest number of cubes that are kept."""
MAX_BYTES = 64_000_000
"""Largest size of all of them, in bytes."""
MAX_INFO_BYTES = 4_000_000
"""Largest info table in bytes that is kept with its cube. Only some options need it."""
_OTHER_BYTES = 64_000
"""Size in bytes of the cards of a cube, roughly."""


@dataclass(frozen=True)
class KnownCube:
    """A cube and, if it is small, its info table.

    Parameters
    ----------
    cube : Cube
        Headers, times and layout.
    info : InfoRows, optional
        The info table.
    """

    cube: Cube
    info: InfoRows | None = None

    def copy(self) -> KnownCube:
        """A copy whose arrays, cards and WCS are its own: callers may change them, and threads must not share a WCS."""
        series = {name: values.copy() for name, values in self.cube.series.items()}
        return replace(self, cube=replace(self.cube, series=series, wcs_cards=dict(self.cube.wcs_cards)))

    @property
    def n_bytes(self) -> int:
        """Size in memory, in bytes."""
        info = 0 if self.info is None else self.info.rows.nbytes
        return sum(values.nbytes for values in self.cube.series.values()) + info + _OTHER_BYTES


_ANSWERS = Memory[FirstAnswer](MAX_CUBES, 2 * MAX_CUBES * FIRST_BYTES)
_CUBES = Memory[KnownCube](MAX_CUBES, MAX_BYTES)


class FirstAnswers:
    """First answers for remote files, of this process and of a folder; see `tessera.io.sources.Answers`.

    Parameters
    ----------
    folder : Path, optional
        See `tessera.cutouts.known.folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = None if folder is None else CubeFolder(folder)

    def get(self, place: tuple[Any, ...]) -> FirstAnswer | None:
        """See `tessera.io.sources.Answers.get`."""
        answer = _ANSWERS.get(place)
        if answer is None and self._folder is not None and (found := self._folder.read(place)):
            answer, cube = found
            self.put(place, answer)
            known = KnownCube(cube)
            _CUBES.put(((*place, version_of(answer.about)), True), known, known.n_bytes)
        return answer

    def put(self, place: tuple[Any, ...], answer: FirstAnswer) -> None:
        """See `tessera.io.sources.Answers.put`."""
        _ANSWERS.put(place, answer, len(answer.start))

    def forget(self, place: tuple[Any, ...]) -> None:
        """See `tessera.io.sources.Answers.forget`."""
        _ANSWERS.forget(place)
        if self._folder is not None:
            self._folder.forget(place)

    def save(self, key: tuple[Any, ...] | None) -> None:
        """Write what the process knows of a remote cube to the folder, if it is not there; `key` is that of its source.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        if self._folder is None or key is None:
            return
        place = key[:-1]
        answer, known = _ANSWERS.get(place), _CUBES.get((key, True))
        if answer and known and (*place, version_of(answer.about)) == key and not self._folder.has(place):
            self._folder.write(place, answer, known.cube)


def find_known(key: tuple[Any, ...] | None, *, check: bool) -> KnownCube | None:
    """What is known of a cube; None if nothing is.

    Parameters
    ----------
    key : tuple or None
        See `tessera.io.sources.Source.key`.
    check : bool
        Whether only a cube will do that was checked when it was read.
    """
    if key is None:
        return None
    found = _CUBES.get((key, True))
    if found is None and not check:
        found = _CUBES.get((key, False))
    return None if found is None else found.copy()


def keep_known(key: tuple[Any, ...] | None, known: KnownCube, *, check: bool) -> KnownCube:
    """Keep a cube that was read, and return a copy for the caller.

    Parameters
    ----------
    key : tuple or None
        See `tessera.io.sources.Source.key`. With None, nothing is kept.
    known : KnownCube
        The cube.
    check : bool
        Whether it was checked.
    """
    if known.info is not None and known.info.rows.nbytes > MAX_INFO_BYTES:
        known = replace(known, info=None)
    if key is None:
        return known
    _CUBES.put((key, check), known, known.n_bytes)
    return known.copy()


def forget_cubes() -> None:
    """Forget all that the process knows of cubes."""
    _ANSWERS.clear()
    _CUBES.clear()
