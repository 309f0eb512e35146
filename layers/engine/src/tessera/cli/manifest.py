"""The table ``manifest.ecsv`` of `tessera cut`: one row per target and cube, with its file or why there is none.

It is replaced as a whole, so a run that is killed at any moment leaves a table that can be read, and the next run goes
on from it.
"""

from __future__ import annotations

import io
import math
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import MaskedColumn, Table

from tessera import __version__
from tessera.cli.terminal import printable
from tessera.errors import InvalidInputError, UnreadableFileError
from tessera.io.files import write_pieces

NAME = "manifest.ecsv"
"""Name of the table in the folder of the cutouts."""
_MADE_BY = "tessera cut"
_SECONDS = 1.0
"""Shortest time between two writes. Writing takes at most a twentieth of the time, however long the table is."""
_TYPES = {"str": ("U", ""), "float": ("f8", math.nan), "int": ("i8", -1)}
_UNITS = {"ra": u.deg, "dec": u.deg, "bytes": u.byte}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the manifest.

    Parameters
    ----------
    target : str
        Name or position of the target, as it was given.
    ra, dec : float
        Its position, ICRS degrees; NaN if it is not known.
    product : str
        Kind of the cube's frames; empty if there is no cube.
    sector, camera, ccd : int
        Where the cube is from; -1 if it is not known or there is no cube.
    size : str
        Size of the cutout, as it was given.
    status : {'ok', 'no overlap', 'error'}
        Outcome.
    reason : str
        Why there is no file, or a remark.
    file : str
        Name of the file in the folder; empty if there is none.
    bytes : int
        Size of the file; -1 if there is none.
    cube : str
        Path or address of the cube, or its name at a service; empty if there is none.
    """

    target: str
    ra: float
    dec: float
    product: str
    sector: int
    camera: int
    ccd: int
    size: str
    status: str
    reason: str = ""
    file: str = ""
    bytes: int = -1
    cube: str = ""

    def __post_init__(self) -> None:
        for name in ("target", "size", "reason", "cube"):
            object.__setattr__(self, name, printable(getattr(self, name)))

    @property
    def order(self) -> tuple[str, str, str, str]:
        """What was asked for: the target, its position and the size. Equal orders have equal cutouts."""
        return self.target, f"{self.ra:.7f}", f"{self.dec:.7f}", self.size


class Manifest:
    """Rows of a folder, in the order in which they were added.

    Parameters
    ----------
    folder : Path
        Folder of the cutouts.
    options : mapping of str to str
        Options of the run, as text. They are written into the table.
    """

    def __init__(self, folder: Path, options: Mapping[str, str]) -> None:
        self.folder, self.path = folder, folder / NAME
        self.options = dict(options)
        self._rows: dict[tuple[str, ...], Row] = {}
        self._next = 0.0
        self._changed = False
        self._lock = Lock()

    @classmethod
    def open(cls, folder: Path, options: Mapping[str, str]) -> Manifest:
        """Read the manifest of a folder, or begin one.

        Raises
        ------
        UnreadableFileError
            When the file there is not a manifest of `tessera cut`.
        InvalidInputError
            When it is of a run with other options that made files. The message says which.
        """
        manifest = cls(folder, options)
        if manifest.path.exists() and manifest.path.stat().st_size > 0:
            rows, before = _read(manifest.path)
            if any(row.status == "ok" for row in rows):
                _check_same(manifest.path, before, manifest.options)
            elif before != manifest.options:
                rows = []  # of a run that made no file, such as one with a size that no cube has
            manifest._rows = {(*row.order, row.cube): row for row in rows}
        return manifest

    @property
    def rows(self) -> list[Row]:
        """All rows."""
        return list(self._rows.values())

    def get(self, row: Row) -> Row | None:
        """The row of the same order and cube, if its file is whole or there can be none; otherwise None.

        A file that has become shorter is removed, because only target pixel files are replaced.
        """
        known = self._rows.get((*row.order, row.cube))
        if known is None or self._is_done(known):
            return known
        if known.status == "ok" and 0 <= self._size(known) < known.bytes:
            (self.folder / known.file).unlink(missing_ok=True)
        return None

    def finished(self, row: Row) -> list[Row]:
        """Rows of an order on all cubes, if each of them is done; otherwise none."""
        rows = [known for known in self._rows.values() if known.order == row.order]
        return rows if all(map(self._is_done, rows)) else []

    def _is_done(self, row: Row) -> bool:
        if row.status != "ok":
            return row.status == "no overlap" and bool(row.cube)
        return self._size(row) == row.bytes >= 0

    def _sized(self, row: Row) -> Row:
        return replace(row, bytes=self._size(row)) if row.status == "ok" else row

    def _size(self, row: Row) -> int:
        try:
            status = (self.folder / row.file).stat()
        except OSError:
            return -1
        return status.st_size if stat.S_ISREG(status.st_mode) else -1

    def add(self, row: Row) -> None:
        """Add a row, or replace the row of the same order and cube. A row of an order without cube is removed."""
        with self._lock:
            if row.cube:
                self._rows.pop((*row.order, ""), None)
                self._rows.pop((*replace(row, ra=math.nan, dec=math.nan).order, ""), None)
            self._rows[*row.order, row.cube] = row
            self._changed = True

    def save(self, *, now: bool = False) -> None:
        """Write the table, if it is time to do so or `now`.

        Rows whose files have not appeared yet are left out. The folder is created.

        Raises
        ------
        OSError
            When the table cannot be written.
        """
        with self._lock:
            if self._changed and (now or monotonic() >= self._next):
                self._write()
                self._changed = not now

    def _write(self) -> None:
        began = monotonic()
        rows = list(map(self._sized, self._rows.values()))
        self.folder.mkdir(parents=True, exist_ok=True)
        text = _to_ecsv([row for row in rows if row.status != "ok" or row.bytes >= 0], self.options)
        write_pieces(self.path, [text.encode()])
        ended = monotonic()
        self._next = ended + max(_SECONDS, 20 * (ended - began))

    def arrange(self, rows: Iterable[Row]) -> None:
        """Put rows of this run behind those of earlier runs, in the order that is given."""
        for row in rows:
            key = (*row.order, row.cube)
            self._rows[key] = self._rows.pop(key)

    def close(self) -> None:
        """Write the table with the final sizes of all files, if it has changed."""
        self._rows = {key: self._sized(row) for key, row in self._rows.items()}
        self.save(now=True)


def _to_ecsv(rows: Iterable[Row], options: Mapping[str, str]) -> str:
    listed = list(rows)
    table = Table(meta={_MADE_BY: dict(options), "version": __version__})
    for field in fields(Row):
        kind, nothing = _TYPES[str(field.type)]
        values = [getattr(row, field.name) for row in listed]
        mask = [value == nothing or value != value for value in values]  # noqa: PLR0124 - NaN
        unit = _UNITS.get(field.name)
        table[field.name] = MaskedColumn(np.array(values, kind), mask=mask, unit=unit)
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    return text.getvalue()


def _read(path: Path) -> tuple[list[Row], dict[str, str]]:
    try:
        table = Table.read(path, format="ascii.ecsv")
        options = {str(name): str(value) for name, value in table.meta[_MADE_BY].items()}
        columns = [_values(table[field.name], *_TYPES[str(field.type)]) for field in fields(Row)]
    except OSError as error:
        raise UnreadableFileError(str(path), str(error.strerror or error).lower(), error.errno) from error
    except Exception as error:  # astropy raises errors of any kind for files that are no tables
        reason = "it is not a manifest of tessera cut; move it away, or choose another folder with -o"
        raise UnreadableFileError(str(path), reason) from error
    return [Row(*values) for values in zip(*columns, strict=True)], options


def _values(column: Any, kind: str, nothing: object) -> list[Any]:
    convert = {"U": str, "f8": float, "i8": int}[kind]
    return [nothing if value is None else convert(value) for value in np.ma.asarray(column).tolist()]


def _check_same(path: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if names:
        was = ", ".join(f"{name} {before.get(name) or 'not given'}" for name in names)
        wanted = ", ".join(f"{name} {now.get(name) or 'not given'}" for name in names)
        allowed = f"the options of the run that began {path} ({was}), or another folder with -o"
        raise InvalidInputError("options", wanted, allowed)
