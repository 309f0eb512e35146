"""Parquet files with light curves of a list of targets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.bulk.catalogue.parts import ParquetParts
from tessera.bulk.curve_record import digest_column, flat_column, options_of, writer_version
from tessera.bulk.lists.formats.parquet_limits import rows_at_once
from tessera.bulk.lists.formats.parquet_trial import try_parquet
from tessera.bulk.options import BulkOptions
from tessera.bulk.parquet_files import arrow_errors
from tessera.bulk.products.columns import PURPOSE, file_facts
from tessera.bulk.products.parquet import RECORD_KEYS
from tessera.bulk.products.tables import FACTS_KEY
from tessera.errors import ProvenanceError, UnreadableFileError
from tessera.extras import import_extra
from tessera.io.file_objects import MemorySource
from tessera.provenance.record import Record
from tessera.verify.compare import MOST_NAMED
from tessera.verify.products.product import MadeAgain, Product
from tessera.verify.report import Problem

START = b"PAR1"
"""First bytes of a Parquet file, and its last ones."""
_ROUNDING, _FITTED = 1e-11, 1e-6
"""Part of the largest value of a light curve by which processors round differently, and of a fit."""
_FILE = "the file"


# ---------------------------------------------------------------- what is in a file


@dataclass(frozen=True)
class _Column:
    """A column. Of one with lists, `bounds` has where the list of each row begins in the values, and the end."""

    values: NDArray[Any]
    bounds: NDArray[np.int64] | None
    about: dict[str, str]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Values in each row."""
        return np.ones(len(self.values), np.int64) if self.bounds is None else np.diff(self.bounds)


def _read_columns(content: bytes) -> dict[str, _Column]:
    with arrow_errors(_FILE):
        reader = import_extra("arro3.io", PURPOSE).read_parquet(content)
        table = reader.read_all()
        about = {name: dict(table.schema.field(name).metadata_str) for name in table.column_names}
        return {name: _Column(*flat_column(table, name), about[name]) for name in table.column_names}


def read_curves(content: bytes) -> Product:
    """Read a Parquet file. Of one without a record, only the metadata are read.

    Raises
    ------
    ProvenanceError
        When its record is damaged.
    UnreadableFileError
        When it is damaged, or needs too much memory.
    MissingPackageError
        When Arrow is not installed.
    """
    if not content.endswith(START):
        raise UnreadableFileError(_FILE, "its end is missing, or was changed")
    facts, record = _read_facts(content)
    if record is None:
        return Product(None, content, [], lambda _: ([], []))
    try_parquet(content, rows_at_once(content, _FILE), _FILE)
    columns = _read_columns(content)
    changed = _changed_columns(columns, record)
    problems = [
        Problem("record", f"the record is of another file: the SHA-256 of the column {name} differs", {"field": name})
        for name in changed
    ]

    def compare(again: MadeAgain) -> tuple[list[Problem], list[str]]:
        if content == again.content:
            return [], []
        options = options_of(record.request)
        comparison = _Comparison(columns, _read_columns(again.content), options, changed)
        differing = [*_compare_texts("the metadata", facts, file_facts(options, record.engine)), *comparison.problems()]
        if not differing and not comparison.rounded:
            differing += _other_bytes(record, again)
        return differing, comparison.rounded

    return Product(record, content, problems, compare)


def _other_bytes(record: Record, again: MadeAgain) -> list[Problem]:
    """What it means that only bytes differ, such as those of the limits by which programs search columns."""
    found, here = record.request.get("writer"), writer_version()
    if record.engine == __version__ and found == here:
        return [
            Problem("structure", "its bytes differ, though no value does: it was written again, or its footer changed")
        ]
    again.problems.append(
        Problem("structure", f"but for bytes without values, because {found} wrote it, and this is {here}")
    )
    return []


def _read_facts(content: bytes) -> tuple[dict[str, str], Record | None]:
    """What the metadata of a file say of the whole, and its record, if it has one."""
    metadata = ParquetParts(MemorySource(_FILE, content)).key_values
    try:
        facts = json.loads(metadata.get(FACTS_KEY, "{}"))
        parts = [facts.pop(key, None) for key in RECORD_KEYS.values()]
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ProvenanceError(f"the metadata {FACTS_KEY}, where its record is, cannot be read: {error}") from error
    return facts, None if parts[:2] == [None, None] else Record.read(*parts)


def _changed_columns(columns: dict[str, _Column], record: Record) -> list[str]:
    """Columns whose SHA-256 is not the one in the record."""
    said = record.data.get("columns_sha256")
    if not isinstance(said, dict):
        raise ProvenanceError("the record has no SHA-256 of the columns")
    with arrow_errors(_FILE):  # such as values that no column of a list has
        found = {name: digest_column(column.values) for name, column in columns.items()}
    return [name for name in dict.fromkeys([*said, *found]) if said.get(name) != found.get(name)]


# ---------------------------------------------------------------- comparing


def _compare_texts(what: str, found: dict[str, str], wanted: dict[str, str]) -> Iterator[Problem]:
    for name in dict.fromkeys([*wanted, *found]):
        ours, theirs = (repr(texts[name]) if name in texts else "missing" for texts in (found, wanted))
        if ours != theirs:
            text = f"{name} of {what} is {ours:.200}, not {theirs:.200}"
            yield Problem("value", text, {"field": what, "keyword": name})


class _Comparison:
    """Compares the columns of a file with those that were made again."""

    def __init__(
        self, found: dict[str, _Column], wanted: dict[str, _Column], options: BulkOptions, changed: list[str]
    ) -> None:
        self._found, self._wanted, self._changed = found, wanted, changed
        self._fitted = ("flux", "trend") if options.detrend != "none" else ()
        names, rows = wanted["target"].values, wanted["row"].values
        self._targets = [(str(name), int(row)) for name, row in zip(names, rows, strict=True)]
        self.rounded: list[str] = []

    def problems(self) -> Iterator[Problem]:
        """What differs."""
        if list(self._found) != list(self._wanted):
            text = f"it has the columns {', '.join(self._found)}, not {', '.join(self._wanted)}"
            yield Problem("structure", text)
            return
        n_found, n_wanted = (len(columns["row"].counts) for columns in (self._found, self._wanted))
        if n_found != n_wanted:
            yield Problem("structure", f"it has {n_found:,} light curves, not {n_wanted:,}")
            return
        for name, wanted in self._wanted.items():
            found = self._found[name]
            yield from _compare_texts(f"the column {name}", found.about, wanted.about)
            if found.values.dtype != wanted.values.dtype or (found.bounds is None) != (wanted.bounds is None):
                yield Problem("structure", f"the column {name} has another type", {"field": name})
            elif (found.counts != wanted.counts).any():
                yield from self._lengths(name, found.counts, wanted.counts)
            else:
                yield from self._values(name, found.values, wanted)

    def _lengths(self, name: str, found: NDArray[np.int64], wanted: NDArray[np.int64]) -> Iterator[Problem]:
        places = np.flatnonzero(found != wanted).tolist()
        for place in places[:MOST_NAMED]:
            target, row = self._targets[place]
            text = f"{name} of {target} (row {row} of the list) has {found[place]:,} values, not {wanted[place]:,}"
            yield Problem("structure", text, {"field": name, "target": target, "list_row": row})
        yield from _more(name, places)

    def _values(self, name: str, found: NDArray[Any], wanted: _Column) -> Iterator[Problem]:
        right = wanted.values
        differs = found != right if found.dtype == object else _different_bytes(found, right)
        if name not in self._changed and right.dtype.kind == "f" and differs.any():
            far = ~self._near(name, found, wanted)
            self.rounded += [name] if (differs & ~far).any() else []
            differs &= far
        places = np.flatnonzero(differs).tolist()
        for place in places[:MOST_NAMED]:
            at, where = self._place(wanted, place)
            text = f"{name} of {at}: it is {found[place]!s:.200}, not {right[place]!s:.200}"
            yield Problem("value", text, {"field": name, **where})
        yield from _more(name, places)

    def _near(self, name: str, found: NDArray[Any], wanted: _Column) -> NDArray[np.bool_]:
        """Whether values differ only in the way in which processors round."""
        sizes = np.nan_to_num(np.abs(wanted.values), posinf=0.0)
        if wanted.bounds is not None and len(sizes):
            some = wanted.counts > 0
            sizes = np.repeat(np.maximum.reduceat(sizes, wanted.bounds[:-1][some]), wanted.counts[some])
        part = _FITTED if name in self._fitted else _ROUNDING
        with np.errstate(invalid="ignore"):
            near = np.abs(found - wanted.values) <= part * sizes
        return np.asarray(near | (np.isnan(found) & np.isnan(wanted.values)))

    def _place(self, column: _Column, place: int) -> tuple[str, dict[str, Any]]:
        """Where a value is: in words, and as the place of a problem."""
        number = place if column.bounds is None else int(np.searchsorted(column.bounds, place, "right")) - 1
        target, row = self._targets[number]
        words, where = f"{target} (row {row} of the list)", {"target": target, "list_row": row}
        if column.bounds is None:
            return words, where
        cadence = place - int(column.bounds[number])
        return f"{words}, cadence {cadence}", {**where, "cadence": cadence}


def _different_bytes(found: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.bool_]:
    ours, theirs = (np.ascontiguousarray(values).view(np.uint8).reshape(len(found), -1) for values in (found, wanted))
    return np.asarray((ours != theirs).any(axis=1))


def _more(name: str, places: list[int]) -> Iterator[Problem]:
    if len(places) > MOST_NAMED:
        yield Problem("value", f"{len(places) - MOST_NAMED:,} more values of {name} differ", {"field": name})
