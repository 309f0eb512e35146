"""The work of `tessera cut`: what is to be made, what is there already, and making the rest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
from astropy.table import Table

from tessera.cli.images import parse_size
from tessera.cli.manifest import Manifest, Row
from tessera.coverage.result import SearchResult
from tessera.coverage.rows import Missing, SearchRow
from tessera.coverage.search import search
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.results import CutoutOptions, CutoutResult
from tessera.errors import InvalidInputError
from tessera.io.locations import scheme_of, shown
from tessera.progress import Counter, ProgressInput, counting
from tessera.targets.target import Target
from tessera.windows import Side

_CALLS, _REMOTE_CALLS = 4, 8
"""Number of batches that are made at the same time, of local and of remote cubes."""
_SMALLEST_BATCH = 16


@dataclass(frozen=True)
class Outcome:
    """What a run made.

    Parameters
    ----------
    rows : list of Row
        A row for each cutout that was asked for.
    kept : set of Row
        Those that were there before.
    """

    rows: list[Row]
    kept: set[Row]


class Plan(Protocol):
    """What is to be made."""

    def run(self, manifest: Manifest, options: CutoutOptions, progress: ProgressInput) -> Outcome:
        """Make what the manifest does not have."""


def read_sizes(given: Any, size: str) -> list[str]:
    """Size of each target: that in the column 'size' of its table, or the size of the command line.

    Raises
    ------
    InvalidInputError
        When the size of the command line is not a size.
    """
    read_size(size)
    sizes: list[str] = []
    for item in [given] if isinstance(given, (str, Table)) else given:
        sizes += [size] if not isinstance(item, Table) else _column(item, size)
    return sizes


def _column(table: Table, size: str) -> list[str]:
    name = next((name for name in table.colnames if name.strip().lower() == "size"), None)
    if name is None:
        return [size] * len(table)
    values = np.ma.asarray(table[name]).tolist()
    texts = ["" if value is None else f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return [text.strip() if text.strip() not in ("", "nan") else size for text in texts]


def read_size(text: str) -> list[Side]:
    """Rows and columns of a size that a user wrote."""
    columns, rows = parse_size(text)
    return [rows, columns]


def _bad_size(text: str) -> str:
    try:
        read_size(text)
    except InvalidInputError as error:
        return str(error)
    return ""


def row_of(target: Target, size: str, status: str, reason: str) -> Row:
    """Row of a target without cube."""
    name = target.name or f"row {target.number + 1}"
    return Row(name, target.ra, target.dec, "", -1, -1, -1, size, status, reason)


@dataclass(frozen=True)
class _Order:
    """One cutout: its row without outcome, the number of its target, and its cube."""

    row: Row
    number: int
    cube: str

    @property
    def place(self) -> tuple[str, str]:
        """Position as file names have it. Orders of one place, cube and size have one file."""
        return f"{self.row.ra:.6f}", f"{self.row.dec:.6f}"


@dataclass(frozen=True)
class CubePlan:
    """Cutouts of a search of cubes.

    Parameters
    ----------
    found : SearchResult
        Targets and the cubes that see them.
    orders : list
        A cutout for each row of the search.
    bad : list of (int, Row)
        Number and row of each target that is on no cube, or has no usable position or size.
    """

    found: SearchResult
    orders: list[_Order]
    bad: list[tuple[int, Row]]

    def run(self, manifest: Manifest, options: CutoutOptions, progress: ProgressInput) -> Outcome:
        """Make what the manifest does not have."""
        for _, row in self.bad:
            manifest.add(row)
        known = ((order.row, manifest.get(order.row)) for order in self.orders)
        kept = {wanted: row for wanted, row in known if row is not None}
        rest = [order for order in self.orders if order.row not in kept]
        made: dict[Row, Row] = {}
        batches = list(_batches(rest))
        remote = any(scheme_of(cube) for batch in batches for cube in batch.cubes)
        with counting(progress, "cutout", sum(len(batch.cubes) * len(batch.numbers) for batch in batches)) as counter:
            make = partial(self._make, manifest=manifest, options=options, counter=counter, made=made)
            counter.map(make, batches, _REMOTE_CALLS if remote else _CALLS)
        rows = [(order.number, kept.get(order.row) or made[order.row]) for order in self.orders]
        listed = [row for _, row in sorted([*rows, *self.bad], key=lambda item: item[0])]
        manifest.arrange(listed)
        return Outcome(listed, set(kept.values()))

    def _make(
        self, batch: _Batch, *, manifest: Manifest, options: CutoutOptions, counter: Counter, made: dict[Row, Row]
    ) -> None:

        def note(number: int, result: CutoutResult) -> None:
            cube, target = divmod(number, len(batch.numbers))
            for order in batch.orders[batch.cubes[cube], batch.numbers[target]]:
                made[order.row] = _with_result(order.row, result)
                manifest.add(made[order.row])
            manifest.save()

        numbers = np.array(batch.numbers)
        results = make_cutouts(
            batch.cubes,
            self.found.targets.positions.take(numbers),
            read_size(batch.size),
            options=options,
            output_dir=manifest.folder,
            progress=lambda done, _total: counter.reach(id(batch), done),
            stars=[self.found.targets.targets[number].star for number in batch.numbers],
            on_result=note,
        )
        for number, result in enumerate(results):  # a file that could not be flushed is known only now
            note(number, result)


def _with_result(row: Row, result: CutoutResult) -> Row:
    return replace(
        row,
        status=result.status,
        reason=" ".join(result.reason.split()),
        file="" if result.path is None else result.path.name,
    )


@dataclass(frozen=True)
class _Batch:
    """Cutouts of one size: each of some targets from each of some cubes."""

    size: str
    cubes: list[str]
    numbers: list[int]
    orders: dict[tuple[str, int], list[_Order]]


def _batches(orders: Iterable[_Order]) -> Iterable[_Batch]:
    """Divide cutouts into batches, of which several are made at the same time."""
    by_cube: dict[tuple[str, str], dict[tuple[str, str], list[_Order]]] = {}
    for order in orders:
        by_cube.setdefault((order.row.size, order.cube), {}).setdefault(order.place, []).append(order)
    groups: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    same: dict[tuple[str, str, int], list[_Order]] = {}
    for (size, cube), places in by_cube.items():
        for several in places.values():
            same[size, cube, several[0].number] = several
        numbers = tuple(several[0].number for several in places.values())
        groups.setdefault((size, numbers), []).append(cube)
    for (size, numbers), cubes in groups.items():
        step = max(_SMALLEST_BATCH, math.ceil(len(numbers) / _CALLS))
        for first in range(0, len(numbers), step):
            some = list(numbers[first : first + step])
            yield _Batch(
                size, cubes, some, {(cube, number): same[size, cube, number] for cube in cubes for number in some}
            )


def plan_cubes(given: Any, sizes: Sequence[str], where: dict[str, Any]) -> CubePlan:
    """Search cubes for the targets.

    Parameters
    ----------
    given : str, or list of str and Table
        Targets, as `tessera.search` takes them.
    sizes : sequence of str
        Size of each target.
    where : dict
        Keyword arguments of `tessera.search`.

    Raises
    ------
    InvalidInputError
        When two cubes are of the same CCD, because their files have the same names.
    """
    found = search(given, **where)
    _check_different(found.rows)
    bad_sizes = {size: reason for size in set(sizes) if (reason := _bad_size(size))}
    bad = {item.target.number: _row_of_missing(item, sizes[item.target.number]) for item in found.missing}
    orders = []
    for seen in found.rows:
        target = seen.target
        if (size := sizes[target.number]) in bad_sizes:
            bad[target.number] = row_of(target, size, "error", bad_sizes[size])
        else:
            orders.append(_Order(_row_of_sighting(seen, size), target.number, seen.cube))
    return CubePlan(found, orders, list(bad.items()))


def _row_of_missing(item: Missing, size: str) -> Row:
    return row_of(item.target, size, "error" if item.target.reason else "no overlap", item.reason)


def _row_of_sighting(seen: SearchRow, size: str) -> Row:
    sector, camera, ccd = (-1 if number is None else number for number in (seen.sector, seen.camera, seen.ccd))
    name, ra, dec = seen.target.name, seen.target.ra, seen.target.dec
    return Row(name, ra, dec, seen.product, sector, camera, ccd, size, "", cube=shown(seen.cube))


def _check_different(rows: Iterable[SearchRow]) -> None:
    cubes: dict[tuple[Any, ...], str] = {}
    for row in rows:
        first = cubes.setdefault((row.product, row.sector, row.camera, row.ccd), row.cube)
        if first != row.cube:
            allowed = "one cube of each CCD and sector, because the names of their files are the same"
            raise InvalidInputError("--cube", f"{shown(first)} {shown(row.cube)}", allowed)
