"""``tessera-admin stars``: the catalogue of stars that the page and ``/v1/neighbours`` show."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from tessera_cloud.admin.command import Operator, Subparsers, add_command
from tessera_cloud.application.neighbours.find import read_star_file
from tessera_cloud.application.neighbours.layout import StarFile
from tessera_cloud.application.neighbours.make import Made, make_star_file, put_star_file, remove_star_file
from tessera_cloud.errors import UsageError


def register(commands: Subparsers) -> None:
    """Add the command to the parser."""
    about = "make a catalogue of stars from tables, and serve it in place of the one before; without tables, show it"
    parser = add_command(commands, "stars", about, run)
    add_arguments(parser)
    parser.add_argument("--remove", action="store_true", help="serve no catalogue any more")


def add_arguments(parser: argparse.ArgumentParser, *, needs_tables: bool = False) -> None:
    """Add what a catalogue is made of to a parser."""
    parser.add_argument(
        "tables",
        nargs="+" if needs_tables else "*",
        metavar="TABLE",
        help="CSV, ECSV, FITS, VOTable or Parquet, with the columns of Gaia or of the TIC",
    )
    parser.add_argument("--name", default="Gaia DR3", help="name of the catalogue (default: %(default)s)")
    parser.add_argument(
        "--epoch", type=float, metavar="YEAR", help="Julian year of the positions, if no column ref_epoch says it"
    )


def run(asked: argparse.Namespace, operator: Operator) -> int:
    """Make a catalogue, remove it, or show it."""
    if asked.remove and asked.tables:
        raise UsageError.about("--remove", " ".join(asked.tables), "--remove alone, or tables without it")
    services = operator.services(operator.stack(asked.stack))
    store, bucket = services.store, services.settings.cube_bucket
    if asked.remove:
        removed = remove_star_file(store, bucket)
        print("The service has no catalogue of stars any more." if removed else "There was no catalogue of stars.")  # noqa: T201 - a command prints
    elif not asked.tables:
        file = read_star_file(store, bucket)
        print("There is no catalogue of stars." if file is None else in_words(file))  # noqa: T201
    else:
        with TemporaryDirectory() as folder:
            made = make_star_file(asked.tables, asked.name, asked.epoch, Path(folder) / "stars")
            put_star_file(made, store, bucket)
        print(report(made))  # noqa: T201
    return 0


def report(made: Made) -> str:
    """Lines that say what was made, and what was left out."""
    lines = [f"left out: {count:,} {reason}" for reason, count in made.left_out.items()]
    return "\n".join([*lines, f"{in_words(made.file)} It is served from now on."])


def in_words(file: StarFile) -> str:
    """Sentence about a catalogue."""
    stars = f"{file.n_stars:,} star{'' if file.n_stars == 1 else 's'}"
    return f"{file.name}: {stars} down to magnitude {file.faintest:.1f}, positions of {file.epoch:g}."
