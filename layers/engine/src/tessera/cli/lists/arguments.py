"""Arguments of lists of targets, and what they ask for."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tessera.cli.arguments import read_names, whole_number
from tessera.cli.sources import search_arguments
from tessera.errors import InvalidInputError

_TABLES = (".csv", ".tsv", ".ecsv", ".fits", ".fit", ".vot", ".xml", ".txt", ".dat", ".json", ".parquet")
_PACKED = (".gz", ".bz2", ".xz")
_MOST_PROCESSES = 256


@dataclass(frozen=True)
class ListRequest:
    """What a command line asks for a list.

    Parameters
    ----------
    targets : str or list of str
        Path of the list, or names and positions.
    cubes : list of str
        Cubes and folders of cubes; empty with a service, and for the public cubes.
    service : str
        Address of a service; empty without.
    footprints : str or None
        Index of footprints of the public cubes; None for MAST's.
    resolver : str or None
        Address of the resolver of names; None for the default.
    options : mapping
        Keyword arguments of `tessera.bulk.options.check_options`.
    """

    targets: Any
    cubes: list[str]
    service: str
    footprints: str | None = None
    resolver: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def add_list_arguments(command: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the arguments that both commands share, as a group, and return the group."""
    group = command.add_argument_group("lists of targets (docs/guide/lists.md)")
    group.add_argument("--plan", action="store_true", help="say what the list needs and costs, and do nothing else")
    group.add_argument("--json", action="store_true", help="print the plan as a JSON document")
    about = "cut a target that is on two CCDs of a sector from the better one only"
    group.add_argument("--best-only", action="store_true", help=about)
    about = "Julian year of the positions, for rows with a proper motion and no epoch, such as 2016.0 for Gaia DR3"
    group.add_argument("--epoch", metavar="YEAR", help=about)
    about = "files of targets in archives of up to 2 GB, or one by one (default %(default)s)"
    group.add_argument("--packing", choices=("zip", "files"), default="zip", help=about)
    about = "processes on this machine, each with 2 GB of memory (default: one for each processor)"
    group.add_argument("--processes", type=whole_number(1, _MOST_PROCESSES), metavar="N", help=about)
    return group


def check_list_arguments(options: argparse.Namespace, *, is_list: bool, hint: str) -> None:
    """Refuse arguments of lists without a list.

    Raises
    ------
    InvalidInputError
        When one was given that would do nothing. The message has the `hint` that says what makes a list.
    """
    if options.json and not options.plan:
        raise InvalidInputError("--json", "given", "it together with --plan")
    if is_list or options.plan:
        return
    others = {
        "--best-only": options.best_only,
        "--epoch": options.epoch,
        "--packing": options.packing != "zip",
        "--processes": options.processes,
    }
    for name, given in others.items():
        if given:
            raise InvalidInputError(name, "given", hint)


def read_request(options: argparse.Namespace, wanted: Mapping[str, tuple[str, Any]]) -> ListRequest:
    """Check what a command line asks for a list.

    Parameters
    ----------
    options : Namespace
        Arguments of `add_targets`, `add_sources` and `add_list_arguments`.
    wanted : mapping
        Option of `tessera.bulk.options.check_options` to the argument that sets it and its value.

    Raises
    ------
    InvalidInputError
        When an argument has a value that lists do not take.
    """
    from tessera.bulk.options import check_options  # noqa: PLC0415 - takes time to load

    if options.frames:
        raise InvalidInputError("--frames", " ".join(options.frames), "none with a list, which reads each cube once")
    search_arguments(options)  # refuses both cubes and a service
    _check_together(options)
    wanted = dict(wanted) | {
        "sectors": ("--sector", options.sector),
        "best_only": ("--best-only", options.best_only),
        "packing": ("--packing", options.packing),
        "epoch": ("--epoch", options.epoch),
    }
    if options.product is not None and not (options.product == "any" and options.cube):
        wanted["product"] = ("--product", options.product)
    for name, (argument, value) in wanted.items():
        try:
            check_options(**{name: value})
        except InvalidInputError as error:
            raise InvalidInputError(argument, value, error.allowed) from error
    given_options = {name: value for name, (_, value) in wanted.items()}
    targets = read_list_targets(options.targets)
    where = options.cube or [], options.service or "", options.footprints, options.resolver
    return ListRequest(targets, *where, given_options)


def _check_together(options: argparse.Namespace) -> None:
    """Refuse arguments that would do nothing beside --cube or --service."""
    if options.footprints is not None and (options.cube or options.service):
        raise InvalidInputError("--footprints", options.footprints, "none with --cube and --service")
    if options.service and options.resolver is not None:
        raise InvalidInputError("--resolver", options.resolver, "none with --service, which looks up the names itself")
    if options.service and options.processes is not None:
        raise InvalidInputError("--processes", options.processes, "none with --service, which does the work itself")


def interrupted_list(options: argparse.Namespace) -> str:
    """What to say after Ctrl-C."""
    if options.plan:
        return "interrupted; nothing was written"
    at = f"; {options.service} goes on with the list" if options.service else ""
    return f"interrupted{at}; run the same command again to go on"


def read_list_targets(texts: Sequence[str]) -> str | list[str]:
    """The path of one list, or names and positions.

    Raises
    ------
    InvalidInputError
        When there is a file beside other targets, or standard input has no target.
    """
    names = read_names("TARGET", texts)
    files = [name for name in names if _is_file(name)]
    if files and len(names) > 1:
        raise InvalidInputError("TARGET", " ".join(names), "one file, or names and positions without a file")
    return files[0] if files else names


def _is_file(text: str) -> bool:
    path = Path(text)
    suffix = Path(path.stem).suffix if path.suffix.lower() in _PACKED else path.suffix
    return suffix.lower() in _TABLES or os.path.isfile(text)  # noqa: PTH113 - any text may be given, also a long one


@contextmanager
def arguments_named(words: Mapping[str, str]) -> Iterator[None]:
    """Name arguments of the library in errors as the command line does."""
    try:
        yield
    except InvalidInputError as error:
        if error.argument in words:
            text = str(error).replace(error.argument, words[error.argument], 1)
            error.args = (text,)
        raise


def pixel_size(text: str) -> tuple[int, int]:
    """Rows and columns of a size in pixels.

    Raises
    ------
    InvalidInputError
        When it is no size, or is an angle.
    """
    from tessera.bulk.options import LARGEST_SIDE  # noqa: PLC0415 - takes time to load
    from tessera.cli.cutting import read_size  # noqa: PLC0415 - takes time to load

    rows, columns = (float(side) if isinstance(side, (int, float)) else 0.0 for side in read_size(text))
    if not all(side.is_integer() and 1 <= side <= LARGEST_SIDE for side in (rows, columns)):
        raise InvalidInputError("--size", text, f"whole numbers of pixels from 1 to {LARGEST_SIDE}, such as 11 or 11x7")
    return int(rows), int(columns)
