"""Work on a list: on cubes of this machine, or at a service. The same command again goes on where it ended."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tessera.bulk.run import cut_list
from tessera.bulk.status import BulkStatus, parse_status
from tessera.cli.lists.arguments import ListRequest, arguments_named
from tessera.cli.lists.public import rows_and_cubes
from tessera.cli.terminal import complain, say
from tessera.client.bulk.downloads import check_products_folder
from tessera.client.client import Client
from tessera.io.locations import shown
from tessera.io.outputs import check_folder

MOST_LINES = 10
"""Largest number of rows without product that are printed one by one."""
_STATUS = "status.csv"


def work_on_list(request: ListRequest, output: str, *, processes: int | None, quiet: bool) -> int:
    """Make the products of a list.

    Returns
    -------
    int
        Exit code: 1 if a row of the list has no product on a cube that sees it, or is on no cube.
    """
    folder = check_folder(output, "-o")
    with arguments_named({"output_dir": "-o", "cubes": "--cube", "processes": "--processes"}):
        if request.service:
            whole = _at_service(request, folder, quiet=quiet)
        else:
            whole = _on_cubes(request, folder, processes, quiet=quiet)
    table = folder / _STATUS
    rows = parse_status(table.read_bytes()) if table.exists() else []
    bad = _tell(rows, table, quiet=quiet)
    return 1 if bad or not whole else 0


def _on_cubes(request: ListRequest, folder: Path, processes: int | None, *, quiet: bool) -> bool:
    where: dict[str, Any] = {} if request.resolver is None else {"resolver": request.resolver}
    rows, cubes = rows_and_cubes(request)
    result = cut_list(rows, cubes, folder, processes=processes, progress=not quiet, **where, **request.options)
    for cube, reason in result.unread.items():
        complain(f"{shown(cube)}: {reason}")
    return not result.unread


def _at_service(request: ListRequest, folder: Path, *, quiet: bool) -> bool:
    check_products_folder(folder, "-o")
    with Client(request.service) as client:
        job = client.bulk(request.targets, progress=not quiet, **request.options)
        if not quiet:
            complain(f"{client.url} works on the list {job.id}")
        job.download(folder, progress=not quiet)
        if job.state.reason:
            complain(f"the list {job.id} is {job.status}: {job.state.reason}")
        return job.status in ("succeeded", "partial")


def _tell(rows: list[BulkStatus], table: Path, *, quiet: bool) -> bool:
    """Print what became of the rows. Returns whether one has no product."""
    counts = Counter[str](row.status for row in rows)
    bad = [row for row in rows if row.status != "ok"]
    for row in bad[:MOST_LINES]:
        name, where = f" ({row.target})" if row.target else "", f", {row.cube}" if row.cube else ""
        complain(f"row {row.row}{name}{where}: {row.reason}")
    if len(bad) > MOST_LINES:
        complain(f"... and {len(bad) - MOST_LINES:,} more without a product; see {table}")
    if not quiet and table.exists():
        words = [f"{counts['ok']:,} {'product' if counts['ok'] == 1 else 'products'} of targets"]
        words += [f"{counts[status]:,} {text}" for status, text in _WORDS.items() if counts[status]]
        say(f"{table}: {'; '.join(words)}")
    return bool(bad)


_WORDS = {"no overlap": "without overlap", "error": "with an error"}
