"""The command ``tessera cut``: cutouts of many targets, and a table that says what became of each of them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from tessera.cli.arguments import add_flags, add_quiet, add_sign, integer, quality_flags, real_number
from tessera.cli.lists.arguments import (
    add_list_arguments,
    check_list_arguments,
    interrupted_list,
    pixel_size,
    read_request,
)
from tessera.cli.manifest import NAME, Manifest, Row
from tessera.cli.sources import add_sources, add_targets, read_targets, search_arguments
from tessera.cli.terminal import complain, say
from tessera.cutouts.results import CutoutOptions
from tessera.errors import InvalidInputError
from tessera.io.outputs import check_folder, lock_output
from tessera.lightcurves.quality import BITS
from tessera.tpf.fixed import TpfLayout

if TYPE_CHECKING:
    from tessera.cli.cutting import Outcome

FOLDER = "cutouts"
_MOST_LINES = 10
"""Largest number of files, and of errors, that are printed one by one."""


def add_cut(groups: Any) -> None:
    """Add the command to a parser's groups."""
    command = groups.add_parser(
        "cut",
        help="make cutouts of targets: a target pixel file of each sector",
        description="Make cutouts of targets: a target pixel file for each sector and CCD that sees a target. "
        f"FOLDER/{NAME} says what became of each target. The same command again goes on where it ended, and tries "
        "errors again.",
        epilog="The exit code is 0 if every target has all its cutouts, otherwise 1.",
    )
    add_targets(command)
    add_sources(command)
    command.add_argument(
        "-s",
        "--size",
        default="11",
        help="one number, or ROWSxCOLUMNS: pixels, or angles such as 2arcmin (default %(default)s); a column 'size' of "
        "a table takes precedence",
    )
    about = "slim leaves out constant columns (default %(default)s)"
    command.add_argument("--layout", choices=get_args(TpfLayout), default="full", help=about)
    _add_cadences(command)
    about = "cut the differences from the reference frame that 'tessera cube measure' has made beside each cube"
    command.add_argument("--difference", action="store_true", help=about)
    add_flags(command)
    _add_lists(command)
    about = f"folder of the files and of {NAME} (default %(default)s)"
    command.add_argument("-o", "--output", default=FOLDER, metavar="FOLDER", help=about)
    add_sign(command)
    add_quiet(command)
    command.set_defaults(run=_run, interrupted=_interrupted)


def _add_cadences(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--time",
        nargs=2,
        type=real_number,
        metavar=("FIRST", "LAST"),
        help="keep these times only, BTJD, ends included",
    )
    command.add_argument(
        "--cadences", nargs=2, type=integer, metavar=("FIRST", "LAST"), help="keep these cadence numbers only"
    )
    command.add_argument(
        "--quality-mask",
        type=quality_flags,
        default=0,
        metavar="BITS",
        help=f"leave out cadences with one of these quality bits: a number, or {', '.join(BITS)} (default none)",
    )


def _add_lists(command: argparse.ArgumentParser) -> None:
    about = "read each cube once for all targets: target pixel files in archives, and status.csv, in FOLDER"
    add_list_arguments(command).add_argument("--bulk", action="store_true", help=about)


def _kept_options(options: argparse.Namespace) -> dict[str, str]:
    """Options that decide what is in the folder, as text."""
    texts = {
        "cube": " ".join(options.cube or ()),
        "frames": " ".join(options.frames or ()),
        "service": options.service or "",
        "sector": ",".join(map(str, sorted(set(options.sector or ())))),
        "product": options.product or "",
        "size": options.size,
        "layout": options.layout,
        "time": " ".join(map(repr, options.time or ())),
        "cadences": " ".join(map(str, options.cadences or ())),
        "quality-mask": str(options.quality_mask),
        "difference": "yes" if options.difference else "",
        "flags": "on" if options.flags else "",
        "sign": options.sign or "",
    }
    return {f"--{name}": text for name, text in texts.items() if text}


def _run(options: argparse.Namespace) -> int:
    check_list_arguments(options, is_list=options.bulk, hint="it together with --bulk or --plan")
    return _run_list(options) if options.bulk or options.plan else _run_each(options)


def _run_list(options: argparse.Namespace) -> int:
    for name in ("time", "cadences", "quality_mask"):
        if given := getattr(options, name):
            raise InvalidInputError(f"--{name.replace('_', '-')}", given, "all cadences, with --bulk and --plan")
    if options.difference:
        raise InvalidInputError("--difference", "with --bulk or --plan", "--difference without --bulk and --plan")
    size = ("--size", pixel_size(options.size))
    wanted = {"outputs": ("--bulk", "tpf"), "size": size, "layout": ("--layout", options.layout)}
    wanted["flags"] = ("--flags", options.flags)
    request = read_request(options, wanted)
    if options.plan:
        from tessera.cli.lists.plans import show_plan  # noqa: PLC0415 - takes time to load

        return show_plan(request, as_json=options.json, quiet=options.quiet)
    from tessera.cli.lists.working import work_on_list  # noqa: PLC0415 - takes time to load

    return work_on_list(request, options.output, processes=options.processes, quiet=options.quiet)


def _run_each(options: argparse.Namespace) -> int:
    from tessera.cli import cutting  # noqa: PLC0415 - takes time to load

    how = CutoutOptions(
        time=options.time,
        cadences=options.cadences,
        quality_mask=options.quality_mask,
        layout=options.layout,
        difference=options.difference,
        flags=options.flags,
    )
    where = search_arguments(options)
    folder = check_folder(options.output, "-o")
    kept = _kept_options(options)
    Manifest.open(folder, kept)  # refuses other options before the work
    given = read_targets(options.targets)
    sizes = cutting.read_sizes(given, options.size)
    show = not options.quiet
    plan = cutting.plan_cutouts(given, sizes, where, progress=show)
    with lock_output("-o", folder / NAME):
        manifest = Manifest.open(folder, kept)
        try:
            outcome = plan.run(manifest, how, progress=show)
        finally:
            manifest.close()
    return _tell(outcome, manifest, quiet=options.quiet)


def _tell(outcome: Outcome, manifest: Manifest, *, quiet: bool) -> int:
    cut = {row.order for row in outcome.rows if row.status == "ok"}
    bad = [row for row in outcome.rows if row.status == "error" or row.order not in cut]
    for row in bad[:_MOST_LINES]:
        complain(_line(row))
    if len(bad) > _MOST_LINES:
        complain(f"... and {len(bad) - _MOST_LINES:,} more without a file; see {manifest.path}")
    if not quiet:
        made = dict.fromkeys(row.file for row in outcome.rows if row.status == "ok" and row not in outcome.kept)
        if len(made) <= _MOST_LINES:
            for name in made:
                say(os.fspath(manifest.folder / name))
        say(f"{manifest.path}: {_counted(outcome)}")
    return 1 if bad or outcome.unread else 0


def _line(row: Row) -> str:
    where = f", {row.cube}" if row.cube else ""
    return f"{row.target}{where}: {row.reason}"


def _counted(outcome: Outcome) -> str:
    counts = {status: sum(row.status == status for row in outcome.rows) for status in ("ok", "no overlap", "error")}
    text = f"{counts['ok']:,} {'cutout' if counts['ok'] == 1 else 'cutouts'}"
    if outcome.kept:
        text += f", of which {len(outcome.kept):,} were there"
    for status, word in (("no overlap", "without overlap"), ("error", "with an error")):
        text += f"; {counts[status]:,} {word}" if counts[status] else ""
    return text


def _interrupted(options: argparse.Namespace) -> str:
    if options.bulk or options.plan:
        return interrupted_list(options)
    path = Path(options.output) / NAME
    if not path.exists():
        return "interrupted; nothing was written"
    return f"interrupted; the cutouts that are complete are in {path}; run the same command again to go on"
