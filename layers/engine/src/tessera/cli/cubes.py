"""The commands ``tessera cube make|update|grow|info|measure|verify|plan``."""

from __future__ import annotations

import argparse
import os
from contextlib import closing
from pathlib import Path
from typing import Any

from tessera.builds.arguments import MAX_THREADS
from tessera.builds.report import describe_cube, describe_plan, verify_cube
from tessera.cli.arguments import (
    add_commands,
    add_quiet,
    add_sign,
    gigabytes,
    read_names,
    real_number,
    whole_number,
)
from tessera.cli.terminal import complain, say
from tessera.compat.tess.cube_factory import CubeFactory
from tessera.cube_sources import open_cube_source
from tessera.cubes.hashes.reading import record_of
from tessera.cubes.layout import CubeLayout
from tessera.errors import InvalidInputError
from tessera.io.partials import beside
from tessera.measures.thresholds import BIN_DAYS, N_SIGMA
from tessera.tess.products import PRODUCTS, SPOC

DEFAULT_CUBE = "img-cube.fits"
_BUILDERS = {
    "make": "make a cube of frames",
    "update": "add frames to a cube",
    "grow": "add frames to a growing cube, as a segment",
}


def add_cube(groups: Any) -> None:
    """Add the commands to a parser's groups."""
    commands = add_commands(groups, "cube", "make and check cubes")
    _add_builders(commands)
    info = commands.add_parser("info", help="describe a cube")
    info.add_argument("cube", help="path or URL of the cube")
    info.set_defaults(run=_info)
    _add_measure(commands)
    verify = commands.add_parser("verify", help="check a cube's checksums and compare it with its frames")
    verify.add_argument("cube", help="path or URL of the cube")
    verify.add_argument(
        "frames",
        nargs="*",
        help="its frames, to compare every pixel; '-' reads names from standard input; without frames, checksums only",
    )
    add_quiet(verify)
    verify.set_defaults(run=_verify)
    _add_plan(commands)


def _add_builders(commands: Any) -> None:
    for name, help_text in _BUILDERS.items():
        command = commands.add_parser(name, help=help_text)
        command.add_argument(
            "frames",
            nargs="+",
            help="paths or URLs of frames; '-' reads names from standard input: one per line, or each ended by NUL",
        )
        what = "segment table, such as tess-s0056-1-1-cube.json" if name == "grow" else "cube"
        default = f" (default {DEFAULT_CUBE})" if name == "make" else ""
        command.add_argument("-o", "--cube", required=name != "make", help=f"path of the {what}{default}")
        command.add_argument("--product", choices=sorted(PRODUCTS), default=SPOC.name, help="kind of frames")
        command.add_argument(
            "--sector",
            type=whole_number(1, 9999),
            help="value of the SECTOR card; by default the sector in the file names",
        )
        command.add_argument(
            "--max-memory", type=gigabytes, default=2.0, metavar="GB", help="memory for pixels (default %(default)s)"
        )
        command.add_argument(
            "--threads", type=whole_number(1, MAX_THREADS), help="number of threads; by default one per processor"
        )
        command.add_argument(
            "--skip-unreadable", action="store_true", help="leave out unreadable frames and report them"
        )
        command.set_defaults(provenance=False)
        if name != "update":
            about = "add a record with a hash of each frame, which 'tessera verify' compares; reads the frames whole"
            command.add_argument("--provenance", action="store_true", help=about)
        add_sign(command)
        add_quiet(command)
        command.set_defaults(run=_build, interrupted=_interrupted)


def _add_measure(commands: Any) -> None:
    about = "make the reference frame and cotrending vectors of a cube, and list its changes"
    measure = commands.add_parser("measure", help=about)
    measure.add_argument("cube", help="path or URL of the cube")
    folder = "folder of the files (default that of the cube)"
    measure.add_argument("-o", "--output", metavar="FOLDER", help=folder)
    sigma = "standard deviations of the smallest change (default %(default)g)"
    measure.add_argument("--n-sigma", type=real_number, default=N_SIGMA, metavar="N", help=sigma)
    add_sign(measure)
    days = "length of the bins of time in which changes are looked for (default %(default)g)"
    measure.add_argument("--bin-days", type=real_number, default=BIN_DAYS, metavar="DAYS", help=days)
    add_quiet(measure)
    measure.set_defaults(run=_measure)


def _add_plan(commands: Any) -> None:
    plan = commands.add_parser("plan", help="describe a build in the cloud and its cost, without running it")
    plan.add_argument("--frames", type=whole_number(1, 1_000_000), required=True, help="number of frames")
    side = whole_number(1, 100_000)
    plan.add_argument("--rows", type=side, default=2078, help="rows of a frame (default %(default)s)")
    plan.add_argument("--columns", type=side, default=2136, help="columns of a frame (default %(default)s)")
    plan.add_argument("--product", choices=sorted(PRODUCTS), default=SPOC.name, help="kind of frames")
    plan.add_argument(
        "--memory",
        type=whole_number(128, 10_240),
        nargs="+",
        default=[2048, 4096, 10_240],
        metavar="MB",
        help="sizes of a block task, of which the cheapest is chosen (default 2048 4096 10240)",
    )
    plan.add_argument(
        "--concurrency",
        type=whole_number(1, 10_000),
        default=40,
        help="simultaneous block tasks (default %(default)s)",
    )
    plan.set_defaults(run=_plan)


def _interrupted(options: argparse.Namespace) -> str:
    cube = options.cube or DEFAULT_CUBE
    if beside(Path(os.path.realpath(cube)), "partial").exists():
        return f"interrupted; run the same command again to continue {cube}"
    return "interrupted; nothing was written"


def _build(options: argparse.Namespace) -> int:
    if options.cube is None:
        complain(f"without -o, the cube is {DEFAULT_CUBE}")
        options.cube = DEFAULT_CUBE
    factory = CubeFactory(
        options.max_memory,
        threads=options.threads,
        on_unreadable="skip" if options.skip_unreadable else "fail",
        provenance=options.provenance or options.sign is not None,
    )
    _check_sign(options)
    factory.product = PRODUCTS[options.product]
    method = {"make": factory.make_cube, "update": factory.update_cube, "grow": factory.grow_cube}[options.command]
    frames = read_names("frames", options.frames)
    method(frames, options.cube, options.sector, verbose=False, progress=not options.quiet)
    if not options.quiet:
        say(options.cube)
    return 0


def _check_sign(options: argparse.Namespace) -> None:
    """Refuse to sign a cube without a record, to which frames are added."""
    if options.sign is None or options.command != "update" or not Path(options.cube).exists():
        return
    with closing(open_cube_source(options.cube)) as source:
        if record_of(source) is None:
            allowed = "it for a cube with a record, such as 'tessera cube make --sign' makes"
            raise InvalidInputError("--sign", options.sign, allowed)


def _info(options: argparse.Namespace) -> int:
    with closing(open_cube_source(options.cube)) as source:
        say("\n".join(describe_cube(source)))
    return 0


def _measure(options: argparse.Namespace) -> int:
    from tessera.measures.run import measure_cube  # noqa: PLC0415 - takes time to load

    how = {"n_sigma": options.n_sigma, "bin_days": options.bin_days}
    made = measure_cube(options.cube, options.output, **how, progress=not options.quiet)
    if not options.quiet:
        say("\n".join(str(path) for path in (made.reference, made.changes, made.vectors) if path))
    if not options.quiet and made.vectors is None:
        complain("no cotrending vectors: the cube has too few stars whose light curves have something in common")
    return 0


def _verify(options: argparse.Namespace) -> int:
    frames = read_names("frames", options.frames)
    problems = verify_cube(options.cube, frames, progress=not options.quiet)
    for problem in problems:
        say(problem)
    if not problems and not options.quiet:
        compared = f"; all pixels equal those of {len(frames)} frames" if frames else ""
        say(f"{options.cube}: checksums are correct{compared}")
    return 1 if problems else 0


def _plan(options: argparse.Namespace) -> int:
    layout = CubeLayout(options.rows, options.columns, options.frames, PRODUCTS[options.product].n_planes)
    say("\n".join(describe_plan(layout, options.memory, options.concurrency)))
    return 0
