"""Refuse VOTable files that say more rows than a list may have, or refer to other files, before astropy reads them."""

from __future__ import annotations

import re
from typing import NoReturn
from xml.parsers import expat

from tessera.errors import UnreadableFileError

_LARGEST_CELL = 100_000
"""Largest number of elements that a field may declare for a cell."""
_PIECE = 1 << 20
_NUMBER = re.compile(r"\d+")


def check_votable(data: bytes, name: str, most_rows: int) -> None:
    """Check the elements of a VOTable file.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        Its name, for errors.
    most_rows : int
        Largest number of rows.

    Raises
    ------
    UnreadableFileError
        When the file is no XML, defines entities, has its data in another file, or says sizes that are too large.
    """

    def refuse(reason: str) -> NoReturn:
        raise UnreadableFileError(name, reason)

    def start(element: str, attributes: dict[str, str]) -> None:
        kind = element.rpartition(":")[2].upper()
        if kind == "STREAM" and any(key.lower().endswith("href") for key in attributes):
            refuse("its data are in another file; allowed: a VOTable with its data")
        if kind == "TABLE" and int(_digits(attributes.get("nrows", "0"))) > most_rows:
            refuse(f"its header says {attributes['nrows'][:20]} rows; allowed: at most {most_rows:,}")
        if kind in ("FIELD", "PARAM"):
            size = 1
            for number in _NUMBER.findall(attributes.get("arraysize", "")):
                size *= int(number[:12])
            if size > _LARGEST_CELL:
                refuse(f"a field has cells of {size} elements; allowed: at most {_LARGEST_CELL:,}")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = lambda *_: refuse("it defines entities; allowed: a VOTable without a DTD")
    view = memoryview(data)
    try:
        for first in range(0, len(view), _PIECE):
            parser.Parse(bytes(view[first : first + _PIECE]), False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise UnreadableFileError(name, f"it is not a table: {error}") from error


def _digits(text: str) -> str:
    return text.strip()[:18] if text.strip().isdecimal() else "0"
