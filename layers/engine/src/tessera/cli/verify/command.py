"""The command ``tessera verify``: check products against what they were made of."""

from __future__ import annotations

import argparse
from typing import Any

from tessera.cli.arguments import add_quiet, read_names
from tessera.cli.terminal import say

CODES = {"same": 0, "different": 1, "unknown": 3}
"""Exit code of each outcome. Of several files, the worst counts: different, then unknown."""


def add_verify(groups: Any) -> None:
    """Add the command to a parser's groups."""
    command = groups.add_parser(
        "verify",
        help="make products again from what they were made of, and compare",
        description="Check the checksums and the record of products, make them again from what they were made of, and "
        "name each pixel and card that differs.",
        epilog="The exit code is 0 if all are the same, 1 if one differs, and 3 if one could not be made again.",
    )
    command.add_argument("files", nargs="+", help="path or URL of a product; '-' reads names from standard input")
    command.add_argument(
        "--from",
        dest="source",
        metavar="CUBE_OR_FRAMES",
        nargs="+",
        help="what they were made from: a cube, an image, or the frames of a cube; by default the place that a product "
        "names, or its own folder",
    )
    command.add_argument("--json", action="store_true", help="print a document of JSON for each file, one per line")
    add_quiet(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from tessera.verify.verify import verify_product  # noqa: PLC0415 - takes time to load

    found = set()
    for file in read_names("files", options.files):
        result = verify_product(file, options.source)
        found.add(result.status)
        if options.json:
            say(result.json)
        elif not options.quiet or result.status != "same":
            say("\n".join(result.lines))
    return next(CODES[status] for status in ("different", "unknown", "same") if status in found)
