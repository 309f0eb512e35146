"""The command ``tessera search``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tessera.cli.arguments import add_quiet
from tessera.cli.sources import add_sources, add_targets, read_targets, search_arguments
from tessera.cli.terminal import complain, say

if TYPE_CHECKING:
    from tessera.coverage.result import SearchResult


def add_search(groups: Any) -> None:
    """Add the command to a parser's groups."""
    command = groups.add_parser(
        "search",
        help="find the cubes that see a target",
        description="Find the sectors and CCDs that see a target, with dates, cadence, pixel and distance to the edge.",
        epilog="The exit code is 0 if every target was found, and 1 if nothing sees one of them.",
    )
    add_targets(command)
    add_sources(command)
    command.add_argument(
        "--pixels",
        action="store_true",
        help="read the headers of public cubes, for the pixel and the distance to the edge: two requests for each cube",
    )
    command.add_argument("--json", action="store_true", help="print a JSON document; see docs/guide/search.md")
    add_quiet(command)
    command.set_defaults(run=run_search)


def run_search(options: argparse.Namespace) -> int:
    """Run the command.

    Returns
    -------
    int
        Exit code: 1 if a target is on no cube or a cube cannot be read.
    """
    from tessera.coverage.search import search  # noqa: PLC0415 - takes time to load

    progress = not options.quiet
    found = search(read_targets(options.targets), **search_arguments(options), progress=progress)
    if options.pixels:
        found = found.locate(progress=progress)
    if options.json:
        say(found.to_json())
    elif found.rows and not options.quiet:
        say("\n".join(found.lines(whole=True, notes=False)))
    complain_missing(found)
    return 1 if found.missing or found.unread else 0


def complain_missing(found: SearchResult) -> None:
    """Print a line on standard error for each target that is on no cube."""
    for item in found.missing:
        complain(f"{item.target.name}: {item.reason}")
