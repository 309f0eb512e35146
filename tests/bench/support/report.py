"""Rows of a bench: one form for all, printed, and kept in a file if there is one.

A bench calls `record` for each result. `make bench` names a file in TESSERA_BENCH_ROWS, to which each row is added as a
line of JSON; tests/bench/run.py makes results of them that can be compared between versions.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

GOAL = re.compile(r"(value|peer|limit) (<=|>=) ([0-9.]+)")


@dataclass(frozen=True)
class Row:
    """One result.

    `peer_ratio` says how many times better than the best peer ours is; `limit_ratio` how many times worse than what the
    machine or the link allows. Bench, case and measure together name a row.
    """

    bench: str
    case: str
    measure: str
    value: float
    unit: str
    peers: dict[str, float]
    limit: float | None
    peer_ratio: float | None
    limit_ratio: float | None
    wanted: str
    ok: bool | None


MISSED: list[Row] = []


def record(
    bench: str,
    case: str,
    measure: str,
    value: float,
    unit: str,
    *,
    peer: float | Mapping[str, float] | None = None,
    limit: float | None = None,
    wanted: str = "",
    more_is_better: bool | None = None,
) -> Row:
    """Print a result, and keep it for `make bench`.

    Parameters
    ----------
    bench, case, measure
        Path of the bench without its ending, such as ``cutouts/cutout``; what was done, such as ``10x10 x 1,282,
        cold``; and what was measured, such as ``time``, ``memory`` or ``requests``.
    value, unit
        The result in SI units: seconds, bytes, bytes per second (``s``, ``B``, ``B/s``), or counts (unit ``requests``).
    peer
        The same measure of astrocut, or of several peers by their names.
    limit
        What the machine or the link allows for the same work.
    wanted
        Goal of ``value``, ``peer`` (the ratio to the best peer) or ``limit`` (the ratio to the limit): for example
        ``value <= 0.1``, ``peer >= 8``, ``limit <= 1.25``, and several joined by ``and``.
    more_is_better
        Whether a larger value is the better one; by default for units that end with ``/s``.
    """
    more = unit.endswith("/s") if more_is_better is None else more_is_better
    peers = {"astrocut": peer} if isinstance(peer, int | float) else dict(peer or {})
    best = (max if more else min)(peers.values(), default=None)
    peer_ratio = None if best is None else times(value, best) if more else times(best, value)
    limit_ratio = None if limit is None else times(limit, value) if more else times(value, limit)
    ok = is_met(wanted, {"value": value, "peer": peer_ratio, "limit": limit_ratio}) if wanted else None
    row = Row(bench, case, measure, value, unit, peers, limit, peer_ratio, limit_ratio, wanted, ok)
    print(line_of(row), flush=True)
    if ok is False:
        MISSED.append(row)
    if kept := os.environ.get("TESSERA_BENCH_ROWS"):
        with Path(kept).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(row)) + "\n")
    return row


def times(value: float, by: float) -> float | None:
    """Ratio of two results, if there is one."""
    return value / by if by else None


def is_met(wanted: str, of: Mapping[str, float | None]) -> bool:
    """Whether all goals are met; a goal that compares with what is not there is not."""
    for part in wanted.split(" and "):
        match = GOAL.fullmatch(part)
        if match is None:
            raise ValueError(f"wanted is {part!r}; it must be like 'value <= 0.1', 'peer >= 8' or 'limit <= 1.25'.")
        found, goal = of[match[1]], float(match[3])
        if found is None or (found > goal if match[2] == "<=" else found < goal):
            return False
    return True


def missed() -> int:
    """How many rows of this process missed their goal."""
    return len(MISSED)


def shown(value: float, unit: str) -> str:
    """A result as people write it: 1.65 s, 213 MB, 85 MB/s, 12 requests."""
    if unit in ("B", "B/s"):
        value, unit = value / 1e6, f"M{unit}"
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def line_of(row: Row) -> str:
    """A row as one line for a terminal."""
    peers = [f"{name} {shown(value, row.unit)}" for name, value in row.peers.items()]
    if row.peer_ratio is not None:
        peers.append(f"{row.peer_ratio:.1f}x as good as the {'best ' if len(peers) > 1 else ''}peer")
    limit = [] if row.limit is None else [f"limit {shown(row.limit, row.unit)}, {row.limit_ratio:.2f}x of it"]
    goal = [f"wanted {row.wanted}: {'ok' if row.ok else 'MISSED'}"] if row.wanted else []
    return f"  {row.case}, {row.measure}: " + "; ".join([shown(row.value, row.unit), *peers, *limit, *goal])
