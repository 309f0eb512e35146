"""Measures of cubes: reference frames, cotrending vectors and lists of changes."""

from __future__ import annotations

import tempfile
from itertools import zip_longest
from pathlib import Path

from tessera.cutouts.open_cube import open_cube
from tessera.errors import ProvenanceError
from tessera.io.sources import Location
from tessera.measures.records import KINDS
from tessera.measures.run import measure_open_cube
from tessera.measures.thresholds import Thresholds
from tessera.provenance.ecsv_files import digest_ecsv, split_ecsv
from tessera.provenance.record import Record
from tessera.verify.compare import MOST_NAMED
from tessera.verify.origins import origin_problems
from tessera.verify.products.product import MadeAgain, Product
from tessera.verify.report import Problem


def read_ecsv(content: bytes) -> Product:
    """Read an ECSV file: a list of changes, or a light curve.

    Raises
    ------
    ProvenanceError
        When its record is damaged.
    """
    record, plain = split_ecsv(content)
    problems = []
    if record is not None and record.data != digest_ecsv(plain):
        problems.append(Problem("record", "the record is of another table: its SHA-256 differs"))
    return Product(record, plain, problems, lambda again: (_compare_lines(plain, again.content), []))


def _compare_lines(found: bytes, wanted: bytes) -> list[Problem]:
    """Which lines differ; they are counted from 1."""
    ours, theirs = (content.decode("utf-8", "backslashreplace").split("\n") for content in (found, wanted))
    pairs = enumerate(zip_longest(ours, theirs, fillvalue="missing"), 1)
    differing = [(number, line, right) for number, (line, right) in pairs if line != right]
    problems = [
        Problem("value", f"line {number} is {line!r:.200}, not {right!r:.200}", {"line": number})
        for number, line, right in differing[:MOST_NAMED]
    ]
    if len(differing) > MOST_NAMED:
        problems.append(Problem("value", f"{len(differing) - MOST_NAMED:,} more lines differ"))
    return problems


def measure_again(record: Record, location: Location) -> MadeAgain:
    """Measure a cube again, and make the file that a record is of."""
    (end,) = (end for end, kind in KINDS.items() if kind == record.kind)
    thresholds, folder = Thresholds(**record.request), Path(tempfile.gettempdir())
    with open_cube(location) as file:
        products = measure_open_cube(file, thresholds, folder, version=record.engine)
        problems = origin_problems(record.origin, file.source, file.cube.digest)
    if end not in products:
        raise ProvenanceError(f"the cube {location} has too few stars for {record.kind}")
    return MadeAgain(products[end], _place, problems)


def _place(index: tuple[int, ...]) -> dict[str, int]:
    return {"row": index[0], "column": index[1]} if len(index) == 2 else {}
