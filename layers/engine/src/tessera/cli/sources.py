"""Arguments that `search`, `cut` and `lightcurve` share: targets, and where to look for them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tessera.cli.arguments import read_names
from tessera.errors import InvalidInputError

_TABLES = (".csv", ".ecsv", ".fits", ".fit", ".vot", ".xml", ".txt", ".dat", ".tsv")
_MOST_SECTORS = 9999


def add_targets(command: argparse.ArgumentParser) -> None:
    """Add the argument `targets`."""
    command.add_argument(
        "targets",
        nargs="+",
        metavar="TARGET",
        help="name ('pi Men', 'TIC 261136679'), position ('88.95 -75.39', '05:55:48 -75:23:28'), or a table with the "
        "columns ra and dec, name, or tic (.csv, .ecsv, .fits, .vot, .txt); '-' reads one target per line",
    )


def add_sources(command: argparse.ArgumentParser) -> None:
    """Add the options that say where to look: by default, the public cubes at MAST."""
    where = command.add_argument_group("where to look (by default, the public cubes at MAST)")
    where.add_argument("--cube", action="append", metavar="PATH", help="cube, folder of cubes, or URL; repeatable")
    about = "frame, folder of frames, or folder in S3 ending with a slash, where there is no cube yet; repeatable"
    where.add_argument("--frames", action="append", metavar="PATH", help=about)
    where.add_argument("--service", metavar="URL", help="address of a Tessera service")
    where.add_argument(
        "--sector", type=read_sectors, action="extend", metavar="N", help="sectors such as 5, 1,4 or 27-39; repeatable"
    )
    where.add_argument(
        "--product",
        choices=("SPOC", "TICA", "any"),
        type=_product,
        help="kind of frames (default: any of --cube, otherwise SPOC)",
    )
    where.add_argument("--footprints", metavar="PATH", help="another index of footprints than MAST's: a path or URL")
    where.add_argument("--resolver", metavar="URL", help="another resolver of names than MAST's: its address")


def _product(text: str) -> str:
    return "any" if text.lower() == "any" else text.upper()


def read_sectors(text: str) -> list[int]:
    """Read numbers of sectors: ``5``, ``1,4`` or ``27-39``."""
    found: list[int] = []
    for piece in text.split(","):
        first, dash, last = piece.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            break
        numbers = range(int(first), int(last if dash else first) + 1)
        if not numbers or numbers[0] < 1 or numbers[-1] > _MOST_SECTORS:
            break
        found += numbers
    else:
        return found
    raise argparse.ArgumentTypeError(
        f"{text[:80]!r}; allowed: sectors from 1 to {_MOST_SECTORS}, such as 5, 1,4 or 27-39"
    )


def search_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments of `tessera.search` for the options of `add_sources`."""
    where = {"cubes": options.cube, "service": options.service, "sectors": options.sector, "product": options.product}
    others = {"footprints": options.footprints, "resolver": options.resolver}
    if options.frames and options.service:
        raise InvalidInputError("--service", options.service, "none with --frames, because each says where to look")
    if options.cube and options.service:
        raise InvalidInputError(
            "--service", options.service, "either --cube or --service, because each says where to look"
        )
    if options.service and getattr(options, "sign", None):  # `tessera search` has no such option
        raise InvalidInputError("--sign", options.sign, "none with --service, which signs with a key of its own")
    if options.frames:
        from tessera.framesets.find import read_frames  # noqa: PLC0415 - takes time to load

        product = None if options.product == "any" else options.product
        where["cubes"] = [*(options.cube or ()), *read_frames(options.frames, product=product)]
    return where | {name: value for name, value in others.items() if value is not None}


def read_targets(texts: Sequence[str]) -> Any:
    """Targets as `tessera.search` takes them: one text or table, or a list of them.

    Raises
    ------
    InvalidInputError
        When standard input has no target.
    UnreadableFileError
        When a table cannot be read.
    """
    targets = [_target(text) for text in read_names("TARGET", texts)]
    return targets[0] if len(targets) == 1 else targets


def _target(text: str) -> Any:
    if Path(text).suffix.lower() in _TABLES or os.path.isfile(text):  # noqa: PTH113 - any text may be given, also a long one
        from tessera.targets.table import read_table  # noqa: PLC0415 - takes time to load

        return read_table(text)
    return text
