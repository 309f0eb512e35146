"""Print the plan of a list: what is read and made, how long it takes, and what it costs."""

from __future__ import annotations

import json
from typing import Any

from tessera.bulk.plan.price import BulkPlan
from tessera.bulk.run import plan_list
from tessera.cli.lists.arguments import ListRequest, arguments_named
from tessera.cli.lists.public import rows_and_cubes
from tessera.cli.terminal import complain, say
from tessera.client.client import Client

MOST_LINES = 10
"""Largest number of rows that are printed one by one."""
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def show_plan(request: ListRequest, *, as_json: bool, quiet: bool) -> int:
    """Print a plan.

    Returns
    -------
    int
        Exit code: 1 if a limit is exceeded, or a row of the list cannot be understood.
    """
    with arguments_named({"cubes": "--cube"}):
        plan = _ask(request)
    if as_json:
        say(json.dumps(plan.to_dict()))
    elif not quiet:
        for line in plan_lines(plan):
            say(line)
    for problem in plan.problems[:MOST_LINES]:
        complain(f"row {problem.row}{f' ({problem.name})' if problem.name else ''}: {problem.reason}")
    if plan.n_problems > MOST_LINES:
        complain(f"... and {plan.n_problems - MOST_LINES:,} more rows that are not understood")
    for limit in plan.limits:
        complain(f"{limit.limit} is {_number(limit.value)}; allowed: at most {_number(limit.allowed)}")
    return 1 if plan.limits or plan.n_problems else 0


def _ask(request: ListRequest) -> BulkPlan:
    if request.service:
        with Client(request.service) as client:
            return client.bulk_plan(request.targets, **request.options)
    where: dict[str, Any] = {} if request.resolver is None else {"resolver": request.resolver}
    rows, cubes = rows_and_cubes(request)
    return plan_list(rows, cubes, **where, **request.options)


def plan_lines(plan: BulkPlan) -> list[str]:
    """A plan in words."""
    rows = _but(plan.n_problems, "not understood") + _but(plan.n_on_no_cube, "on no cube")
    twice, scans = _but(plan.duplicates, "better seen by another CCD"), _but(plan.scans, "read as whole rows")
    requests = f"{counted(plan.requests, 'request')}, {counted(plan.bands, 'band')}{scans}"
    lines = [
        f"list:    {counted(plan.rows, 'row')}{rows}",
        f"work:    {counted(plan.cutouts, 'cutout')} of {counted(plan.cubes, 'cube')}{twice}",
        f"reads:   {size_text(plan.bytes)} in {requests}",
        f"results: {size_text(plan.result_bytes)} in {counted(plan.result_files, 'file')}",
        f"time:    {_number(plan.minutes)} minutes with {counted(plan.tasks, 'task')} at a time",
    ]
    if plan.usd_parts:
        parts = ", ".join(f"{name} {_dollars(value)}" for name, value in plan.usd_parts.items())
        lines.append(f"price:   {_dollars(plan.usd)} dollars ({parts})")
    return lines


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as ``1,200 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _but(number: int, about: str) -> str:
    return f", {number:,} {about}" if number else ""


def size_text(n_bytes: int) -> str:
    """A size in words, such as ``1.2 GB``."""
    size, unit = float(n_bytes), 0
    while size >= 999.95 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} B" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"


def _dollars(value: float) -> str:
    """Dollars with cents, or with the first digits of less than that."""
    return f"{value:,.2f}" if value == 0 or value >= 0.1 else f"{value:.2g}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2g}"
