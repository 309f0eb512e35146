"""The work of `tessera cut`: what is to be made, what is there already, and making the rest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.table import Table

from tessera.cli.images import parse_size
from tessera.cli.manifest import Manifest, Row
from tessera.client.client import Client
from tessera.coverage.result import SearchResult
from tessera.coverage.rows import Missing, SearchRow
from tessera.coverage.search import search
from tessera.coverage.served_cubes import opened
from tessera.cutouts.pairs import cut_pairs
from tessera.cutouts.results import CutoutOptions, CutoutResult
from tessera.errors import InvalidInputError
from tessera.io.locations import shown
from tessera.progress import Counter, ProgressInput, counting
from tessera.targets.target import Target
from tessera.windows import Side

_PARTS, _SMALLEST_PART = 4, 16
"""Number of parts into which the targets of one cube are divided, and their least size. Parts are cut side by side."""


@dataclass(frozen=True)
class Outcome:
    """What a run made.

    Parameters
    ----------
    rows : list of Row
        A row for each cutout that was asked for.
    kept : set of Row
        Those that were there before.
    unread : dict
        Cubes that cannot be read: path or address to the reason.
    """

    rows: list[Row]
    kept: set[Row]
    unread: dict[str, str]


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


@dataclass(frozen=True)
class _Order:
    """One cutout: its row without outcome, its target, and its cube."""

    row: Row
    target: Target
    cube: str

    @property
    def place(self) -> tuple[str, str]:
        """Position as file names have it. Orders of one place, cube and size have one file."""
        return f"{self.row.ra:.6f}", f"{self.row.dec:.6f}"


@dataclass(frozen=True)
class Plan:
    """Cutouts of a search.

    Parameters
    ----------
    found : SearchResult
        Targets and the cubes that see them.
    orders : list
        A cutout for each row of the search.
    bad : dict
        Number and row of each target that is on no cube, or has no usable position or size.
    """

    found: SearchResult
    orders: list[_Order]
    bad: dict[int, Row]

    def run(self, manifest: Manifest, options: CutoutOptions, progress: ProgressInput) -> Outcome:
        """Make what the manifest does not have, and note each result in it."""
        for row in self.bad.values():
            manifest.add(row)
        known = ((order.row, manifest.get(order.row)) for order in self.orders)
        kept = {wanted: row for wanted, row in known if row is not None}
        rest = [order for order in self.orders if order.row not in kept]
        with counting(progress, "cutout", len(rest)) as counter:
            run = _Run(self.found, manifest, options, counter)
            for size in dict.fromkeys(order.row.size for order in rest):
                run.make(size, [order for order in rest if order.row.size == size])
        rows = [(order.target.number, kept.get(order.row) or run.made[order.row]) for order in self.orders]
        listed = [row for _, row in sorted([*rows, *self.bad.items()], key=lambda item: item[0])]
        manifest.arrange(listed)
        return Outcome(listed, set(kept.values()), dict(self.found.unread))


class _Run:
    """Makes cutouts, and notes what becomes of each."""

    def __init__(self, found: SearchResult, manifest: Manifest, options: CutoutOptions, counter: Counter) -> None:
        self._found, self._manifest, self._options, self._counter = found, manifest, options, counter
        self.made: dict[Row, Row] = {}

    def make(self, size: str, orders: list[_Order]) -> None:
        """Make cutouts of one size."""
        if self._found.service is None:
            self._cut(size, orders)
            return
        with opened(self._found.service) as client:
            self._ask(client, size, orders)

    def _note(self, orders: Iterable[_Order], result: CutoutResult) -> None:
        for order in orders:
            if order.row not in self.made:
                self._counter.add()
            reason, file = " ".join(result.reason.split()), "" if result.path is None else result.path.name
            self.made[order.row] = replace(order.row, status=result.status, reason=reason, file=file)
            self._manifest.add(self.made[order.row])
        self._manifest.save()

    def _cut(self, size: str, orders: list[_Order]) -> None:
        same: dict[str, dict[tuple[str, str], list[_Order]]] = {}
        for order in orders:
            same.setdefault(order.cube, {}).setdefault(order.place, []).append(order)
        parts = [(cube, part) for cube, places in same.items() for part in _parts(list(places.values()))]
        listed = [several for _, part in parts for several in part]
        targets = self._found.targets
        results = cut_pairs(
            [cube for cube, _ in parts],
            [[several[0].target.number for several in part] for _, part in parts],
            targets.positions,
            read_size(size),
            options=self._options,
            output_dir=self._manifest.folder,
            stars=[one.star for one in targets.targets],
            on_result=lambda number, result: self._note(listed[number], result),
        )
        for several, result in zip(listed, (item for some in results for item in some), strict=True):
            self._note(several, result)  # that a file could not be flushed is known only now

    def _ask(self, client: Client, size: str, orders: list[_Order]) -> None:
        """Let a service make cutouts: targets with the same sectors at the same time."""
        wanted: dict[tuple[str, int], list[_Order]] = {}
        for order in orders:
            wanted.setdefault((order.row.product, order.target.number), []).append(order)
        groups: dict[tuple[str, tuple[int, ...]], list[list[_Order]]] = {}
        for (product, _), several in wanted.items():
            groups.setdefault((product, tuple(sorted({order.row.sector for order in several}))), []).append(several)
        for (product, sectors), listed in groups.items():
            for result in client.cutouts_many(
                [several[0].target for several in listed],
                read_size(size),
                sectors=sectors,
                product=product,
                options=self._options,
                output_dir=self._manifest.folder,
            ):
                self._note([order for order in listed[result.number] if result.cube in ("", order.cube)], result)
        lost = [order for order in orders if order.row not in self.made]
        self._note(lost, CutoutResult("", math.nan, math.nan, "error", "the service sent no cutout of this cube"))


def _parts(items: list[list[_Order]]) -> Iterable[list[list[_Order]]]:
    """Divide the targets of a cube into parts that are cut at the same time."""
    step = max(_SMALLEST_PART, math.ceil(len(items) / _PARTS))
    return (items[first : first + step] for first in range(0, len(items), step))


def plan_cutouts(given: Any, sizes: Sequence[str], where: dict[str, Any], progress: ProgressInput) -> Plan:
    """Search cubes for the targets.

    Parameters
    ----------
    given : str, or list of str and Table
        Targets, as `tessera.search` takes them.
    sizes : sequence of str
        Size of each target.
    where : dict
        Keyword arguments of `tessera.search`.
    progress : bool or callable
        See `tessera.progress.ProgressInput`.

    Raises
    ------
    InvalidInputError
        When two cubes are of the same CCD, because their files have the same names.
    """
    found = search(given, **where, progress=progress)
    _check_different(found.rows)
    bad_sizes = {size: reason for size in set(sizes) if (reason := _bad_size(size))}
    bad = {item.target.number: _row_of_missing(item, sizes[item.target.number]) for item in found.missing}
    orders: dict[Row, _Order] = {}
    for seen in found.rows:
        if (size := sizes[seen.target.number]) in bad_sizes:
            bad[seen.target.number] = _row_of(seen.target, size, "error", bad_sizes[size])
        else:
            row = _row_of_sighting(seen, size)
            orders.setdefault(row, _Order(row, seen.target, seen.cube))  # a target that is given twice is cut once
    return Plan(found, list(orders.values()), bad)


def _row_of(target: Target, size: str, status: str, reason: str) -> Row:
    """Row of a target without cube."""
    name = target.name or f"row {target.number + 1}"
    return Row(name, target.ra, target.dec, "", -1, -1, -1, size, status, " ".join(reason.split()))


def _row_of_missing(item: Missing, size: str) -> Row:
    return _row_of(item.target, size, "error" if item.target.reason else "no overlap", item.reason)


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
