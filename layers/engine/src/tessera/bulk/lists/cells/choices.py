"""Read the cells of sizes, sectors and apertures. Each different value is read once."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tessera.bulk.lists.batch import Column, Role
from tessera.bulk.lists.cells.numbers import Reasons, plain_text
from tessera.bulk.options import LARGEST_SECTOR, LARGEST_SIDE, BulkOptions, check_options
from tessera.errors import InvalidInputError, InvalidValueError
from tessera.lightcurves.photometry import parse_aperture

Value = TypeVar("Value", bound=Hashable)
Places = NDArray[np.int32]

MOST_SECTOR_SETS = 10_000
"""Largest number of different choices of sectors in a list."""
_MOST_SECTORS = 1000
"""Largest number of sectors of one choice."""
_LONGEST = 10_000
"""Largest number of characters of a cell."""
_SIZE = f"whole pixels from 1 to {LARGEST_SIDE}: one number, or ROWSxCOLUMNS such as 11x13"
_SECTORS = f"at most {_MOST_SECTORS} sectors from 1 to {LARGEST_SECTOR}, such as 5, 1,4 or 27-39; all for all"
_SIZE_TEXT = re.compile(
    r"[\[(]?\s*(\d{1,9})(?:\.0*)?(?:\s*[x\u00d7*,;\s]\s*(\d{1,9})(?:\.0*)?)?\s*[\])]?", re.IGNORECASE | re.ASCII
)
_RANGE = re.compile(r"(\d{1,9})(?:\.0*)?(?:-(\d{1,9}))?", re.ASCII)
_HEX = re.compile(r"[0-9a-f]+")


class Choices:
    """The different sizes, sectors and apertures of a list. The first ones are those of the options.

    Parameters
    ----------
    options : BulkOptions
        What rows have that do not say otherwise.
    """

    def __init__(self, options: BulkOptions) -> None:
        self.epoch = options.epoch
        self._sizes = _Distinct(options.size, _read_size)
        self._sectors = _Distinct(options.sectors, _read_sectors, MOST_SECTOR_SETS)
        self._apertures = _Distinct(options.aperture, _read_aperture)

    @property
    def sector_sets(self) -> tuple[tuple[int, ...] | None, ...]:
        """The different choices of sectors."""
        return tuple(self._sectors.values)

    @property
    def apertures(self) -> tuple[str, ...]:
        """The different apertures."""
        return tuple(self._apertures.values)

    def read(
        self, columns: Mapping[Role, Column], n_rows: int, argument: str, reasons: Reasons
    ) -> tuple[Places, Places, Places, Places]:
        """Read the columns of a batch.

        Parameters
        ----------
        columns : mapping
            The columns.
        n_rows : int
            Number of rows of the batch.
        argument : str
            Name of the caller's argument, for errors.
        reasons : dict
            Gets the reasons of the rows that are wrong.

        Returns
        -------
        tuple of ndarray of int32, shape (n_rows,)
            Rows and columns of the windows, and places in `sector_sets` and `apertures`.

        Raises
        ------
        InvalidInputError
            When the sizes have another unit than pixels.
        """
        if (column := columns.get("size")) and column.unit.lower() not in ("", "pix", "pixel", "pixels"):
            raise InvalidInputError(f"{argument}: unit of the column {column.label}", column.unit, "pixels")
        size = self._sizes.read(columns.get("size"), n_rows, reasons)
        sectors = self._sectors.read(columns.get("sectors"), n_rows, reasons)
        aperture = self._apertures.read(columns.get("aperture"), n_rows, reasons)
        self._check_fit(size, aperture, reasons)
        sides = np.array(self._sizes.values, np.int32)[size]
        return sides[:, 0], sides[:, 1], sectors, aperture

    def _check_fit(self, size: Places, aperture: Places, reasons: Reasons) -> None:
        """Find the rows whose aperture has another number of pixels than their window."""
        n_apertures = len(self._apertures.values)
        pairs, of_rows = np.unique(size.astype(np.int64) * n_apertures + aperture, return_inverse=True)
        for number, pair in enumerate(pairs.tolist()):
            key = divmod(pair, n_apertures)
            text = self._apertures.values[key[1]]
            if not _HEX.fullmatch(text):
                continue
            try:
                parse_aperture(text, *self._sizes.values[key[0]])
            except InvalidValueError as error:
                for place in np.flatnonzero(of_rows == number).tolist():
                    reasons.setdefault(place, str(error))


class _Distinct(Generic[Value]):
    """The different values of a column.

    Parameters
    ----------
    default : object
        Value of an empty cell; the first of `values`.
    parse : callable
        Value of a cell; raises an `InvalidInputError`. Its arguments are the cell and the name of the column.
    most : int, optional
        Largest number of values.
    """

    def __init__(self, default: Value, parse: Callable[[Any, str], Value], most: int = 2**31) -> None:
        self.values = [default]
        self._parse, self._most = parse, most
        self._places = {default: 0}
        self._known: dict[Hashable, int | str] = {}

    def read(self, column: Column | None, n_rows: int, reasons: Reasons) -> Places:
        """Places of the values of a column's cells in `values`; 0 where there is a reason."""
        if column is None:
            return np.zeros(n_rows, np.int32)
        cells: Any = column.values
        if isinstance(cells, np.ndarray):
            cells, of_rows = np.unique(cells, return_inverse=True)
            found = [self._place(cell, column.label) for cell in cells.tolist()]
            return _checked([found[number] for number in of_rows.tolist()], reasons)
        with suppress(TypeError):
            if len("".join(cells)) <= _LONGEST * len(cells):  # all are texts
                places = {cell: self._place(cell, column.label) for cell in {*cells}}
                return _checked([places[cell] for cell in cells], reasons)
        return _checked([self._place(cell, column.label) for cell in cells], reasons)

    def _place(self, cell: Any, label: str) -> int | str:
        """Place of a cell's value, or the reason why it has none."""
        if isinstance(cell, (str, bytes)) and len(cell) > _LONGEST:
            return str(InvalidInputError(label, cell, f"at most {_LONGEST:,} characters"))
        key = cell if type(cell) is str else (type(cell).__name__, repr(cell))
        if key not in self._known:
            self._known[key] = self._find(cell, label)
        return self._known[key]

    def _find(self, cell: Any, label: str) -> int | str:
        if (isinstance(cell, (str, bytes)) or cell is None or cell is np.ma.masked) and not plain_text(cell):
            return 0
        if _items(cell) == []:
            return 0
        if isinstance(cell, float) and cell != cell:  # noqa: PLR0124 - NaN
            return 0
        try:
            value = self._parse(cell, label)
        except InvalidInputError as error:
            return str(error)
        if value not in self._places:
            if len(self.values) >= self._most:
                return f"the list has more than {self._most:,} different {label}; allowed: as many, or fewer"
            self._places[value] = len(self.values)
            self.values.append(value)
        return self._places[value]


def _checked(found: list[int | str], reasons: Reasons) -> Places:
    try:
        return np.array(found, np.int32)
    except ValueError:
        for place, one in enumerate(found):
            if isinstance(one, str):
                reasons.setdefault(place, one)
        return np.array([0 if isinstance(one, str) else one for one in found], np.int32)


def _items(cell: Any) -> list[Any] | None:
    """Items of a cell that is a list; None of another one."""
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    return list(cell) if isinstance(cell, (list, tuple)) else None


def _read_size(cell: Any, label: str) -> tuple[int, int]:
    items = _items(cell)
    text = "x".join(map(plain_text, items[:3])) if items is not None else plain_text(cell)
    match = None if isinstance(cell, bool) else _SIZE_TEXT.fullmatch(text)
    if match is None:
        raise InvalidInputError(label, cell, _SIZE)
    sides = int(match[1]), int(match[2] or match[1])
    if not all(1 <= side <= LARGEST_SIDE for side in sides):
        raise InvalidInputError(label, cell, _SIZE)
    return sides


def _read_sectors(cell: Any, label: str) -> tuple[int, ...] | None:
    items = _items(cell)
    text = " ".join(map(plain_text, items)) if items is not None else plain_text(cell)
    text = text.strip("[]() ").lower()
    if text in ("all", "any"):
        return None
    pieces = re.split(r"[,;\s]+", re.sub(r"\s*-\s*", "-", text))
    if isinstance(cell, bool) or len(pieces) > _MOST_SECTORS:
        raise InvalidInputError(label, cell, _SECTORS)
    found: set[int] = set()
    for piece in pieces:
        match = _RANGE.fullmatch(piece)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= LARGEST_SECTOR or last - first >= _MOST_SECTORS:
            raise InvalidInputError(label, cell, _SECTORS)
        found.update(range(first, last + 1))
    if len(found) > _MOST_SECTORS:
        raise InvalidInputError(label, cell, _SECTORS)
    return tuple(sorted(found))


def _read_aperture(cell: Any, label: str) -> str:
    try:
        text = str(cell) if isinstance(cell, int) and not isinstance(cell, bool) else cell
        return check_options(aperture=plain_text(text) if isinstance(text, (str, bytes)) else text).aperture
    except InvalidInputError as error:
        raise InvalidInputError(label, cell, error.allowed) from error
