"""Check a product against its record and against what it was made of."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from tessera import __version__
from tessera.errors import InvalidInputError, MissingFileError, ProvenanceError, TesseraError
from tessera.framesets.find import read_frames
from tessera.framesets.folders import is_folder
from tessera.io.locations import file_name
from tessera.io.sources import Location, open_source
from tessera.provenance.fits_files import FitsProvenance, data_problems, digest_fits, read_provenance
from tessera.provenance.record import Origin, Record
from tessera.stitching.made import KIND as STITCHED
from tessera.verify.compare import compare_fits, rounded_cards
from tessera.verify.cubes import is_cube, verify_cube_file
from tessera.verify.made_again import MadeAgain, make_again
from tessera.verify.origins import find_origin
from tessera.verify.report import Problem, Status, Verification
from tessera.verify.stitched_again import stitch_again


def verify_product(file: Location, source: Location | Sequence[Location] | None = None) -> Verification:
    """Check a product: its checksums, its record, and whether it comes out the same when it is made again.

    Parameters
    ----------
    file : str or Path
        The product: a FITS file with a record of Tessera, or a cube.
    source : str or Path, or several of them, optional
        What it was made from, if that is not where the record says: a cube, an image, or the frames of a CCD.

    Returns
    -------
    Verification
        What is found out.

    Raises
    ------
    OSError
        When the product cannot be read.
    """
    name, given = os.fspath(file), _listed(source)
    with closing(open_source(file)) as opened:
        if is_cube(opened):
            return verify_cube_file(name, file, given)
        content = opened.read(0, opened.size)
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
        find = partial(_find_cube, product=file, given=given)
        return _verify_fits(name, content, found, lambda: stitch_again(found.record, content[: found.n_bytes], find))
    one = _one(given, found.record)
    return _verify_fits(name, content, found, lambda: _again(found.record, find_origin(found.record.origin, file, one)))


def _again(record: Record, location: Location | None) -> MadeAgain:
    if location is None:
        raise ProvenanceError(f"its source {record.origin.location} is not beside it; name it with --from")
    return make_again(record, location)


def _find_cube(origin: Origin, product: Location, given: list[Location]) -> Location | None:
    """One of several cubes: that of its name among those that are given or in a folder of them."""
    name = file_name(origin.location)
    for one in given:
        if file_name(os.fspath(one)) == name:
            return one
        if Path(one, name).is_file():
            return Path(one, name)
    return find_origin(origin, product, None)


def _listed(source: Location | Sequence[Location] | None) -> list[Location]:
    if source is None:
        return []
    return [source] if isinstance(source, (str, os.PathLike)) else list(source)


def _one(sources: list[Location], record: Record) -> Location | None:
    """The source that is given: a file, or the frames of a CCD, read as a cube."""
    if not sources or (len(sources) == 1 and not is_folder(sources[0])):
        return sources[0] if sources else None
    sets = read_frames(sources)
    name = record.origin.location.rpartition("/")[2]
    chosen = [each for each in sets if each.obs_id in name] or sets
    if len(chosen) != 1:
        raise InvalidInputError("source", f"frames of {len(chosen)} CCDs", f"the frames of one: of {name}")
    return chosen[0]


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
