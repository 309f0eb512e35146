"""Finds what a product was made from among what a user names: files, folders with them, and frames."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from tessera.errors import InvalidInputError, MissingFileError
from tessera.framesets.find import product_of, read_frames
from tessera.framesets.folders import is_folder
from tessera.framesets.source import FrameSet
from tessera.io.locations import InFileSystem, file_name, local_path, location_text, scheme_of, shown
from tessera.io.sources import Location, check_locations
from tessera.provenance.record import Origin
from tessera.verify.origins import find_origin, is_of_frames


def listed(argument: str, value: Location | Sequence[Location] | None) -> list[Location]:
    """One path or several that a user names, as a list.

    Raises
    ------
    InvalidInputError
        When it is something else.
    """
    if value is None:
        return []
    return check_locations(argument, [value] if isinstance(value, (str, os.PathLike)) else value)


def listed_sources(source: Location | Sequence[Location] | None) -> list[Location]:
    """What a user names as sources, as a list.

    Raises
    ------
    InvalidInputError
        When it is no path or URL.
    MissingFileError
        When a path leads nowhere.
    """
    sources = listed("source", source)
    for one in sources:
        text = location_text(one)
        if not isinstance(text, InFileSystem) and scheme_of(text) in ("", "file") and not local_path(text).exists():
            raise MissingFileError(shown(text), "there is no such file or folder")
    return sources


def _vectors_beside(cube: Location, name: str) -> Path | None:
    """The file of that name beside a local cube; None if there is none."""
    text = location_text(cube) if isinstance(cube, (str, os.PathLike)) else "://"
    beside = Path(text).with_name(name) if name and scheme_of(str(text)) == "" else None
    return beside if beside is not None and beside.is_file() else None


class GivenSources:
    """What a user names.

    Parameters
    ----------
    given : list of str or Path
        Cubes, images, frames, and folders with them.
    """

    def __init__(self, given: list[Location]) -> None:
        self._given = given

    def find(
        self, origin: Origin, product: Location, *, only: bool = True, beside: Location | None = None
    ) -> Location | None:
        """Find the source of a product; None if nobody says where it is.

        Parameters
        ----------
        origin : Origin
            The source, as the record names it.
        product : str or Path
            The product; its source may be beside it.
        only : bool, optional
            Whether it is the only source of the product. Then it may have another name than in the record.
        beside : str or Path, optional
            The cube, for a file of cotrending vectors: it may be beside the cube, and no frames make it.

        Raises
        ------
        InvalidInputError
            When frames of several CCDs are given, and the record does not tell which are meant; when there are only
            frames and it was made of a cube, or the other way round.
        OSError, TesseraError
            When frames cannot be read.
        """
        name = file_name(origin.location)
        for one in self._given:
            if file_name(one) == name and not is_folder(one):
                return one
            if name and is_folder(one) and Path(one, name).is_file():
                return Path(one, name)
        if beside is not None:
            return _vectors_beside(beside, name) or find_origin(origin, product)
        if only and len(self._given) == 1 and _is_instead(self._given[0], origin):
            return self._given[0]
        return self._frames_of(origin, only=only) or find_origin(origin, product)

    def _frames_of(self, origin: Origin, *, only: bool) -> FrameSet | None:
        sets = self._sets
        named = [each for each in sets if each.obs_id in origin.location]
        chosen = named or (sets if only else [])
        if len(chosen) > 1 or (only and self._given and not chosen):
            what = f"frames of {len(chosen)} CCDs" if chosen else ", ".join(shown(one) for one in self._given[:3])
            raise InvalidInputError("source", what, _wanted(origin))
        if chosen and not is_of_frames(origin):
            raise InvalidInputError("source", chosen[0], _wanted(origin))
        return chosen[0] if chosen else None

    @cached_property
    def _sets(self) -> list[FrameSet]:
        """Sets of the frames that are given."""
        frames = [one for one in self._given if is_folder(one) or product_of(file_name(one))]
        try:
            return read_frames(frames) if frames else []
        except InvalidInputError:  # folders without frames
            return []


def _is_instead(one: Location, origin: Origin) -> bool:
    """Whether a file may be the source of a product under another name."""
    is_frame = bool(product_of(file_name(one))) and not product_of(file_name(origin.location))
    return not is_folder(one) and not is_frame and not is_of_frames(origin)


def _wanted(origin: Origin) -> str:
    """What may be given as the source of a product."""
    if is_of_frames(origin):
        return f"{origin.location} or a folder with them, because the product was made of frames and not of a cube"
    return f"{origin.location} or a folder that has it, because the product was made of this file"
