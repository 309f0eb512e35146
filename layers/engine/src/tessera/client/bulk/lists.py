"""Lists of targets as a service takes them: a file as it is, or what is in memory as CSV or JSON."""

from __future__ import annotations

import io
import json
import math
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from astropy.coordinates import BaseCoordinateFrame, SkyCoord
from astropy.table import Row, Table

from tessera.bulk.lists.formats.values import WRAPPERS, has_cells, is_one_target, plain_cell
from tessera.bulk.options import BODY_ROWS
from tessera.client.wire.steps import Body
from tessera.errors import InvalidInputError, MissingFileError, UnreadableFileError
from tessera.io.locations import local_path, scheme_of, shown
from tessera.sky.motion import Targets, read_targets
from tessera.targets.table import as_table
from tessera.tess.clock import Time

BulkTargets: TypeAlias = "str | os.PathLike[str] | Table | SkyCoord | Iterable[Any] | Mapping[str, Any] | Any"
"""A list of targets: the path of a file, a table of astropy or pandas, columns, a SkyCoord, or a list of targets."""
BODY_BYTES = 4_000_000
"""Largest list in bytes that is sent in the body of a request. API Gateway and Lambda take no more than 4.5 MB."""
CSV, JSON = "text/csv", "application/json"
_KINDS = {
    ".csv": CSV,
    ".tsv": CSV,
    ".ecsv": "text/plain",
    ".txt": "text/plain",
    ".dat": "text/plain",
    ".vot": "application/x-votable+xml",
    ".xml": "application/x-votable+xml",
    ".json": JSON,
    ".parquet": "application/vnd.apache.parquet",
    ".fits": "application/fits",
    ".fit": "application/fits",
}
"""End of a file's name to the type that is sent. The service looks at the content, too."""
_PACKED = (".gz", ".bz2", ".xz")
_ALLOWED = (
    "the path of a file (CSV, ECSV, VOTable, FITS, Parquet or JSON), a table, a SkyCoord, or a list "
    "such as ['pi Men', (88.95, -75.39)]"
)
_J2000 = 2451545.0
_MAS_PER_YEAR = u.mas / u.yr


@dataclass(frozen=True)
class GivenList:
    """A list of targets that can be sent.

    Parameters
    ----------
    content : bytes or Path
        The list, or its file.
    kind : str
        Type of the content.
    size : int
        Number of bytes.
    """

    content: bytes | Path
    kind: str
    size: int

    @property
    def fits_a_body(self) -> bool:
        """Whether the list may be in the body of a request. Of some formats, only the service knows how many rows."""
        return self.size <= BODY_BYTES and (self.kind != CSV or self._lines() <= BODY_ROWS + 1)

    def _lines(self) -> int:
        """Number of lines of a text; a comment or a line end in a cell counts, too."""
        content = self.content.read_bytes() if isinstance(self.content, Path) else self.content
        return content.count(b"\n") + bool(content and not content.endswith(b"\n"))

    def body(self, show: Any = None) -> Body:
        """The list as the body of a request."""
        return Body(self.content, self.kind, show)


def read_given_list(targets: BulkTargets) -> GivenList:
    """Read a list that a user gave. A file is not read. A text that is no path of a file is one target.

    Raises
    ------
    InvalidInputError
        When it is no list of targets, or has no target.
    MissingFileError
        When there is no such file.
    UnreadableFileError
        When the file cannot be opened.
    """
    if isinstance(targets, (str, os.PathLike)):
        return _of_file(os.fspath(targets), targets)
    if isinstance(targets, (SkyCoord, BaseCoordinateFrame)):
        targets = _sky_table(targets)
    elif isinstance(targets, Mapping):
        below = next((word for word in WRAPPERS if word in targets), None)
        if below is not None:
            return read_given_list(targets[below])
        targets = _of_columns(targets)
    if (table := as_table(targets)) is not None:
        if not len(table):
            raise InvalidInputError("targets", targets, "a table with at least one row")
        return _of_bytes(_csv(table), CSV)
    if isinstance(targets, Iterable) and not isinstance(targets, (bytes, bytearray)):
        items = list(targets)
        if items and not _is_one(items):
            return _of_bytes(json.dumps(list(map(_item, items)), allow_nan=False).encode(), JSON)
    raise InvalidInputError("targets", targets, _ALLOWED)


def _of_bytes(content: bytes, kind: str) -> GivenList:
    return GivenList(content, kind, len(content))


def _of_file(text: object, given: object) -> GivenList:
    if not isinstance(text, str) or not text or "\0" in text or scheme_of(text) not in ("", "file"):
        raise InvalidInputError("targets", given, _ALLOWED)
    path = Path(local_path(text))
    suffixes = [suffix.lower() for suffix in path.suffixes]
    known = [suffix for suffix in suffixes if suffix not in _PACKED][-1:]
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InvalidInputError("targets", given, "the path of a file, not of a folder, a pipe or a device")
        path.open("rb").close()
    except FileNotFoundError as error:
        if isinstance(given, str) and text.strip() and "/" not in text and not (known and known[0] in _KINDS):
            return _of_bytes(json.dumps([_item(given)]).encode(), JSON)  # a name, such as 'pi Men'
        raise MissingFileError(shown(text), "there is no such file") from error
    except OSError as error:
        raise UnreadableFileError(shown(text), str(error.strerror).lower(), error.errno) from error
    if not status.st_size:
        raise UnreadableFileError(shown(text), "it is empty")
    packed = bool(suffixes) and suffixes[-1] in _PACKED
    kind = "application/octet-stream" if packed else _KINDS.get(known[0] if known else "", "text/plain")
    bare = _below(path) if kind == JSON and status.st_size <= BODY_BYTES else None
    return GivenList(path, kind, status.st_size) if bare is None else _of_bytes(bare, JSON)


def _below(path: Path) -> bytes | None:
    """The list of a JSON document that has it below a name, because a request has its options there; None without."""
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None  # the service says what is wrong
    name = next((name for name in WRAPPERS if isinstance(document, dict) and name in document), None)
    return None if name is None else json.dumps(document[name]).encode()


def _is_one(items: list[Any]) -> bool:
    """Whether a list is one position: (88.95, -75.39)."""
    return all(isinstance(item, (int, float, np.number)) for item in items)


def _of_columns(columns: Mapping[str, Any]) -> Table | list[Mapping[str, Any]]:
    """Table of columns, of which those that are one cell are for all rows; or a single target."""
    if is_one_target(columns, "targets"):
        return [columns]
    n_rows = max((len(values) for values in columns.values() if has_cells(values)), default=1)
    try:
        whole = {name: values if has_cells(values) else [values] * n_rows for name, values in columns.items()}
        return Table({str(name): values for name, values in whole.items()})
    except Exception as error:  # astropy raises errors of any kind for what are no columns
        raise InvalidInputError("targets", columns, f"columns of the same length, or {_ALLOWED}") from error


def _sky_table(sky: SkyCoord | BaseCoordinateFrame) -> Table:
    if not getattr(sky, "has_data", True):
        raise InvalidInputError("targets", sky, _ALLOWED)
    return Table(_columns_of(read_targets(sky)))


def _columns_of(found: Targets) -> dict[str, Any]:
    columns = {"ra": found.ra, "dec": found.dec}
    moves = np.isfinite(found.epoch)
    if not moves.any():
        return columns
    years = 2000.0 + (found.epoch - _J2000) / 365.25
    pairs = {"pmra": found.pm_ra, "pmdec": found.pm_dec, "epoch": years}
    return columns | {name: np.where(moves, values, np.nan) for name, values in pairs.items()}


def _item(item: Any) -> Any:
    """One target as JSON. What is no target is sent as text, so that the service says why."""
    if isinstance(item, Row):
        item = {name: item[name] for name in item.colnames}
    if isinstance(item, Mapping):
        return {str(name): _value(value) for name, value in item.items()}
    if isinstance(item, (SkyCoord, BaseCoordinateFrame)) and getattr(item, "has_data", True) and item.isscalar:
        found = _columns_of(read_targets(item))
        return {name: _value(values[0]) for name, values in found.items()}
    if (isinstance(item, (tuple, list)) or (isinstance(item, np.ndarray) and item.ndim)) and len(item) == 2:
        pair = [value.to_value(u.deg) if _is_angle(value) else value for value in item]
        if all(isinstance(value, (int, float, np.number)) for value in pair):
            return dict(zip(("ra", "dec"), map(_value, pair), strict=True))
    if hasattr(item, "name") and hasattr(item, "ra") and hasattr(item, "dec"):  # a target of a search
        return {"name": str(item.name), "ra": _value(item.ra), "dec": _value(item.dec)}
    return {"name": str(item)}


def _is_angle(value: Any) -> bool:
    return isinstance(value, u.Quantity) and value.isscalar and value.unit.physical_type == "angle"


def _value(value: Any) -> Any:
    """A value that JSON has."""
    value = plain_cell(value)
    if isinstance(value, (list, tuple, np.ndarray)):
        return list(map(_value, value.tolist() if isinstance(value, np.ndarray) else value))
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is np.ma.masked or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _csv(table: Table) -> bytes:
    """A table as CSV: angles in degrees, proper motions in mas a year, times as Julian years."""
    plain: dict[str, Any] = {}
    for name in map(str, table.colnames):
        column = table[name]
        if isinstance(column, (SkyCoord, BaseCoordinateFrame)):
            plain |= _columns_of(read_targets(column))
        else:
            plain[_label(name, column)] = _cells(column)
    text = io.StringIO()
    Table(plain).write(text, format="ascii.csv")
    return text.getvalue().encode()


def _label(name: str, column: Any) -> str:
    """Name of a column with the unit of its cells: the service says whether it is right."""
    unit = getattr(column, "unit", None)
    if not unit or name.endswith(("]", ")")):
        return name
    standard = _standard(u.Unit(unit, parse_strict="silent"))
    is_number = np.ma.asarray(getattr(column, "value", column)).dtype.kind in "iuf"
    return f"{name} [{standard if standard is not None and is_number else unit}]"


def _cells(column: Any) -> Any:
    if isinstance(column, Time):
        column = column.jyear
    if (unit := getattr(column, "unit", None)) is not None:
        column = _converted(column, u.Unit(unit, parse_strict="silent"))
    cells = np.ma.asarray(column)
    if cells.dtype.kind in "biufU" and cells.ndim == 1:
        return cells
    return [_text(cell) for cell in cells.tolist()]


def _converted(column: Any, unit: Any) -> Any:
    values = np.ma.asarray(column.value if isinstance(column, u.Quantity) else column)
    standard = _standard(unit)
    return values * unit.to(standard) if standard is not None and values.dtype.kind in "iuf" else values


def _standard(unit: Any) -> Any:
    """Unit in which the service takes the numbers of a column; None for those that are no angles and no motions."""
    wanted = (one for one in (u.deg, _MAS_PER_YEAR) if unit.is_equivalent(one) and unit != u.dimensionless_unscaled)
    return next(wanted, None)


def _text(cell: Any) -> str:
    if isinstance(cell, (list, tuple)):
        return " ".join(map(_text, cell))
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    return "" if cell is None or cell is np.ma.masked or (isinstance(cell, float) and math.isnan(cell)) else str(cell)
