"""Choose extensions of a FITS file by number, by name, or by name and version, as astropy names them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import numpy as np
from astropy.io import fits

from tessera.errors import InvalidInputError

Extension: TypeAlias = "int | str | tuple[str, int]"
"""One choice: a number (from the end if negative), a name (all extensions of that name), or (name, EXTVER).

Text may also be 'NAME,EXTVER', a number, or several of these separated by commas, unless an extension has it as name.
"""
Choice: TypeAlias = "Literal['all'] | list[Extension] | None"
"""Choice of extensions; None for the first image."""

TABLES = frozenset({"WCSDVARR", "D2IMARR"})
"""Names of extensions that are lookup tables of another image's WCS."""
_ALLOWED = "None, 'all', a number, a name, (name, EXTVER), or a list of them"
_NUMBER = re.compile(r"[+-]?\d+")


def _is_number(item: object) -> bool:
    return isinstance(item, (int, np.integer)) and not isinstance(item, bool)


def _is_pair(item: object) -> bool:
    """Whether an item is (name, EXTVER). A list of a name and a number is two extensions."""
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) and _is_number(item[1])


def check_extension(extension: Any) -> Choice:
    """Convert a user's choice of extensions to None (the first image), 'all' or a list.

    Raises
    ------
    InvalidInputError
        When `extension` is not a choice of extensions.
    """
    if extension is None:
        return None
    if isinstance(extension, str) and extension.strip().lower() == "all":
        return "all"
    several = isinstance(extension, (list, tuple, set, frozenset, range, np.ndarray)) and not _is_pair(extension)
    listed = (
        list(np.atleast_1d(extension) if isinstance(extension, np.ndarray) else extension) if several else [extension]
    )
    checked: list[Extension] = []
    for item in listed:
        if _is_pair(item):
            checked.append((str(item[0]), int(item[1])))
        elif _is_number(item):
            checked.append(int(item))
        elif isinstance(item, str) and item.strip():
            checked.append(str(item))
        else:
            raise InvalidInputError("extension", extension, _ALLOWED)
    if not checked:
        raise InvalidInputError("extension", extension, _ALLOWED)
    return checked


def is_image(hdu: Any) -> bool:
    """Whether an HDU is an image with pixels, and not a lookup table of another image's WCS."""
    return bool(hdu.is_image and hdu.size > 0 and hdu.header.get("EXTNAME") not in TABLES)


class Extensions:
    """The extensions of a file, which are read as far as they are needed.

    Parameters
    ----------
    hdus : HDUList
        HDUs of the file; astropy may load them later.
    """

    def __init__(self, hdus: fits.HDUList) -> None:
        self.hdus = hdus

    def has(self, number: int) -> bool:
        """Whether the file has an extension of this number, from 0."""
        try:
            self.hdus[number]
        except IndexError:
            return False
        return number >= 0

    def numbers(self) -> Iterator[int]:
        """Numbers of all extensions."""
        number = 0
        while self.has(number):
            yield number
            number += 1

    def is_image(self, number: int) -> bool:
        """Whether an extension is an image; see `is_image`."""
        return is_image(self.hdus[number])

    def images(self) -> Iterator[int]:
        """Numbers of all images with pixels."""
        return (number for number in self.numbers() if self.is_image(number))

    def choose(self, choice: Choice) -> tuple[list[int], list[Extension]]:
        """Choose the extensions to cut.

        Parameters
        ----------
        choice : None, 'all' or list
            Choice of extensions, from `check_extension`. With None, reading stops at the first image.

        Returns
        -------
        (list of int, list)
            Numbers of the extensions to cut, and the requested extensions that are not images.
        """
        if choice is None:
            return next(([number] for number in self.images()), []), []
        if choice == "all":
            return list(self.images()), []
        chosen: set[int] = set()
        missing: list[Extension] = []
        for item in choice:
            found, lost = self._find(item)
            chosen |= set(found)
            missing += lost
        return sorted(chosen), missing

    def _find(self, item: Extension) -> tuple[list[int], list[Extension]]:
        """Images that an item names, and what of it names no image."""
        found = [number for number in self._matches(item) if self.is_image(number)]
        if found or not isinstance(item, str):
            return found, [] if found else [item]
        words = [word.strip() for word in item.split(",")]
        parsed: list[Extension]
        if len(words) == 2 and not _NUMBER.fullmatch(words[0]) and _NUMBER.fullmatch(words[1]):
            parsed = [(words[0], int(words[1]))]
        elif len(words) > 1 and all(words):
            parsed = list(words)
        elif _NUMBER.fullmatch(words[0]):
            parsed = [int(words[0])]
        else:
            return [], [item]
        pairs = [self._find(each) for each in parsed]
        return [number for numbers, _ in pairs for number in numbers], [each for _, lost in pairs for each in lost]

    def _matches(self, item: Extension) -> list[int]:
        """Numbers of the extensions that an item names."""
        if isinstance(item, int):
            number = item if item >= 0 else len(list(self.numbers())) + item
            return [number] if number >= 0 and self.has(number) else []
        name, version = item if isinstance(item, tuple) else (item, None)
        named = [number for number in self.numbers() if self.hdus[number].name == name.strip().upper()]
        return [number for number in named if version is None or self.hdus[number].ver == version]
