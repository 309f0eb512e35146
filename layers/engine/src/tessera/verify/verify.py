"""Check a product against its record and against what it was made of."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import TypeAlias

from tessera import __version__
from tessera.cube_sources import open_cube_source
from tessera.errors import MissingFileError, ProvenanceError, TesseraError
from tessera.io.sources import Location
from tessera.provenance.fits_files import FitsProvenance, data_problems, digest_fits, read_provenance
from tessera.provenance.record import Record
from tessera.stitching.made import KIND as STITCHED
from tessera.verify.archives import is_archive, verify_archive
from tessera.verify.compare import compare_fits, rounded_cards
from tessera.verify.cubes import is_cube, verify_cube_file
from tessera.verify.given import GivenSources, listed_sources
from tessera.verify.made_again import MadeAgain, make_again
from tessera.verify.report import Problem, Status, Verification
from tessera.verify.stitched_again import stitch_again

Find: TypeAlias = "Callable[..., Location | None]"
"""Finds the source of a product, given its `Origin`, and whether it is the only one (`only`)."""


def verify_product(file: Location, source: Location | Sequence[Location] | None = None) -> Verification:
    """Check a product: its checksums, its record, and whether it comes out the same when it is made again.

    Parameters
    ----------
    file : str or Path
        The product: a FITS file with a record of Tessera, an archive of such files, a cube, or the segment table of a
        growing cube.
    source : str or Path, or several of them, optional
        What it was made from, if that is not where the record says: cubes, images, frames, and folders with them.

    Returns
    -------
    Verification
        What is found out.

    Raises
    ------
    OSError
        When the product cannot be read.
    """
    name, given = os.fspath(file), listed_sources(source)
    sources = GivenSources(given)

    def verify_member(member: str, content: bytes, alone: bool) -> Verification:
        return _verify_content(member, content, partial(sources.find, product=file, only=alone))

    with closing(open_cube_source(file)) as opened:
        if is_archive(opened):
            return verify_archive(name, opened, verify_member)
        if is_cube(opened):
            return verify_cube_file(name, file, given)
        content = opened.read(0, opened.size)
    return verify_member(name, content, True)


def _verify_content(name: str, content: bytes, find: Find) -> Verification:
    """Check a product in memory.

    Parameters
    ----------
    name : str
        Its name in the result.
    content : bytes
        The product.
    find : callable
        See `Find`.
    """
    if not content.startswith(b"SIMPLE  ="):
        return Verification(name, "unknown", notes=["it is no FITS file, so it has no record that can be read here"])
    try:
        found = read_provenance(content)
    except ProvenanceError as error:
        return Verification(name, "different", [Problem("record", str(error))])
    if found is None:
        note = "it has no record: it was not made by Tessera, or without provenance"
        broken = [Problem("checksum", text) for text in data_problems(content)]
        return Verification(name, "different" if broken else "unknown", broken, [note])
    if found.record.kind == STITCHED:
        each = partial(find, only=False)
        return _verify_fits(name, content, found, lambda: stitch_again(found.record, content[: found.n_bytes], each))
    return _verify_fits(name, content, found, lambda: _again(found.record, find(found.record.origin)))


def _again(record: Record, location: Location | None) -> MadeAgain:
    if location is None:
        raise ProvenanceError(f"its source {record.origin.location} is not beside it; name it with --from")
    return make_again(record, location)


def _verify_fits(name: str, content: bytes, found: FitsProvenance, make: Callable[[], MadeAgain]) -> Verification:
    record, product = found.record, content[: found.n_bytes]
    problems = [Problem("checksum", text) for text in data_problems(content)]
    if digest_fits(product) != record.data:
        problems.append(Problem("record", "the record is of another file: the SHA-256 of its headers differs"))
    notes = [] if record.engine == __version__ else [f"version {record.engine} made it, and this is {__version__}"]
    status: Status = "unknown"
    try:
        again = make()
        differing = compare_fits(product, again.content, again.locate)
        problems += [*again.problems, *differing] if differing else []
        notes += [] if differing else [problem.text for problem in again.problems]  # other bytes, but the same product
        if (rounded := rounded_cards(product, again.content)) and not differing:
            notes.append(f"but for the last digits of {', '.join(rounded)}, which processors round differently")
        status = "same"
    except MissingFileError as error:
        about = {"location": record.source["location"]} if "location" in record.source else {}
        problems.append(Problem("source", f"its source is missing: {error}", about))
    except (TesseraError, OSError) as error:
        notes.append(str(error))
    return Verification(name, "different" if problems else status, problems, notes, record.document, record.sha256)
