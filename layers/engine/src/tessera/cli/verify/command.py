"""The command ``tessera verify``: check products against what they were made of."""

from __future__ import annotations

import argparse
from typing import Any

from tessera.cli.arguments import add_quiet, read_names
from tessera.cli.terminal import complain, describe_error, say
from tessera.errors import UNREADABLE

CODES = {"different": 1, "unreadable": 1, "unknown": 3, "same": 0}
"""Exit code of each outcome, the worst first. Of several files, the worst counts."""


def add_verify(groups: Any) -> None:
    """Add the command to a parser's groups."""
    command = groups.add_parser(
        "verify",
        help="make products again from what they were made of, and compare",
        description="Check the checksums and the record of products, make them again from what they were made of, and "
        "name each pixel and card that differs.",
        epilog="All files are checked, also after one that cannot be read. The exit code is 1 if one differs or cannot "
        "be read, otherwise 3 if one could not be made again, and 0 if all are the same.",
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
    command.add_argument(
        "--key",
        metavar="FILE",
        action="append",
        help="public key of Ed25519 in PEM, which must have signed the record of each product; repeat it for several "
        "keys, of which one must",
    )
    command.add_argument("--json", action="store_true", help="print a document of JSON for each file, one per line")
    add_quiet(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from tessera.provenance.signing import PublicKey  # noqa: PLC0415 - takes time to load, as the next ones
    from tessera.verify.given import listed_sources  # noqa: PLC0415 - see above
    from tessera.verify.report import Verification  # noqa: PLC0415 - see above
    from tessera.verify.verify import check_product  # noqa: PLC0415 - see above

    keys = [PublicKey(each) for each in options.key or ()]
    given = listed_sources(options.source)
    found = set()
    for file in read_names("files", options.files):
        try:
            result = check_product(file, given, keys)
        except UNREADABLE as error:
            result = Verification(file, "unreadable", notes=[describe_error(error)])
        found.add(result.status)
        if options.json:
            say(result.json)
        elif result.status == "unreadable":
            complain(result.notes[0])
        elif not options.quiet or result.status != "same":
            say("\n".join(result.lines))
    return next(code for status, code in CODES.items() if status in found)
