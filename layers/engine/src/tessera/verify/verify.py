"""Check a product against its record and against what it was made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from tessera import __version__
from tessera.cube_sources import is_growing, open_cube_source
from tessera.errors import MissingFileError, ProvenanceError, TesseraError, UnreadableFileError, reason_of
from tessera.extras import MissingPackageError
from tessera.io.locations import location_text
from tessera.io.sources import Location, open_source
from tessera.lightcurves.made import KIND as CURVE
from tessera.provenance.record import Record
from tessera.provenance.signing import KeyFile, PublicKey
from tessera.stitching.made import KIND as STITCHED
from tessera.verify.archives import is_archive, verify_archive
from tessera.verify.cubes import is_cube, verify_cube_file
from tessera.verify.curve_again import curve_again
from tessera.verify.given import GivenSources, listed, listed_sources
from tessera.verify.made_again import make_again
from tessera.verify.products.images import image_picture_again
from tessera.verify.products.previews import preview_in
from tessera.verify.products.product import MadeAgain, Product
from tessera.verify.products.read import read_product
from tessera.verify.report import Problem, Status, Verification
from tessera.verify.signature import judge_signature
from tessera.verify.stitched_again import stitch_again
from tessera.verify.vectors import Find

_NO_FORM = (
    "it is no FITS, ASDF, PNG, JPEG, ECSV, NumPy or Parquet file and no preview, "
    "so it has no record that can be read here"
)
_NO_RECORD = "it has no record: it was not made by Tessera, or without provenance"
_LARGEST_PREVIEW = 64 << 20
"""Largest size in bytes of a file that may be a preview."""


def verify_product(
    file: Location,
    source: Location | Sequence[Location] | None = None,
    key: KeyFile | Sequence[KeyFile] | None = None,
) -> Verification:
    """Check a product: its checksums, its record, and whether it comes out the same when it is made again.

    Parameters
    ----------
    file : str or Path
        The product: a file with a record of Tessera (FITS, ASDF, PNG, JPEG, ECSV, NumPy, Parquet, or the JSON of a
        preview), an archive of such files, a cube, or the segment table of a growing cube.
    source : str or Path, or several of them, optional
        What it was made from, if that is not where the record says: cubes, images, frames, and folders with them.
    key : str or Path, or several of them, optional
        PEM files with public keys of Ed25519. One of them must have signed the record.

    Returns
    -------
    Verification
        What is found out.

    Raises
    ------
    OSError
        When the product or a key cannot be read, or a source does not exist.
    InvalidInputError
        When an argument is no path or URL, or the file of a key has no public key of Ed25519.
    MissingPackageError
        When a key is given, and the package cryptography is not installed.
    """
    return check_product(file, listed_sources(source), [PublicKey(each) for each in listed("key", key)])


def check_product(file: Location, given: list[Location], keys: list[PublicKey]) -> Verification:
    """Check a product; see `verify_product`, which reads the keys."""
    name, sources = location_text(file), GivenSources(given)

    def verify_member(member: str, content: bytes, alone: bool) -> Verification:
        find = partial(sources.find, product=file, only=alone)
        return judge_signature(_verify_content(member, content, find), keys)

    if (preview := _read_preview(file)) is not None:
        return verify_member(name, preview, True)
    with closing(open_cube_source(file)) as opened:
        if is_archive(opened):
            return verify_archive(name, opened, verify_member)
        if is_cube(opened):
            return judge_signature(verify_cube_file(name, file, given), keys)
        content = opened.read(0, opened.size)
    return verify_member(name, content, True)


def _read_preview(file: Location) -> bytes | None:
    """Content of a preview that has the name of a segment table; None if it is none."""
    if not is_growing(file):
        return None
    with closing(open_source(file)) as opened:
        content = opened.read(0, opened.size) if opened.size <= _LARGEST_PREVIEW else b""
    return None if preview_in(content) is None else content


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
    try:
        product = read_product(content)
    except (ProvenanceError, UnreadableFileError) as error:
        unread = isinstance(error, UnreadableFileError)
        text = f"it cannot be read: {reason_of(error)}" if unread else str(error)
        return Verification(name, "different", [Problem("structure" if unread else "record", text)])
    except MissingPackageError as error:
        return Verification(name, "unknown", notes=[str(error)])
    if product is None or (record := product.record) is None:
        problems = [] if product is None else product.problems
        note = _NO_FORM if product is None else _NO_RECORD
        return Verification(name, "different" if problems else "unknown", problems, [note])
    return _verify(name, product, record, _maker(product, record, find))


def _maker(product: Product, record: Record, find: Find) -> Callable[[], MadeAgain]:
    """What makes a product again."""
    if "cutouts" not in record.source:
        return lambda: _again(record, find)
    each = partial(find, only=False) if len(record.source["cutouts"]) > 1 else find
    if record.kind == STITCHED:
        return lambda: stitch_again(record, product.content, each)
    if record.kind == CURVE:
        return lambda: curve_again(record, product.content, each)
    return lambda: image_picture_again(record, each)


def _again(record: Record, find: Find) -> MadeAgain:
    location = find(record.origin)
    if location is None:
        raise ProvenanceError(f"its source {record.origin.location} is not beside it; name it with --from")
    return make_again(record, location, find)


def _verify(name: str, product: Product, record: Record, make: Callable[[], MadeAgain]) -> Verification:
    problems = list(product.problems)
    notes = [] if record.engine == __version__ else [f"version {record.engine} made it, and this is {__version__}"]
    status: Status = "unknown"
    try:
        again = make()
        differing, rounded = product.compare(again)
        problems += [*again.problems, *differing] if differing else []
        notes += [] if differing else [problem.text for problem in again.problems]  # other bytes, but the same product
        if rounded and not differing:
            notes.append(f"but for the last digits of {', '.join(rounded)}, which processors round differently")
        status = "same"
    except MissingFileError as error:
        about = {"location": record.source["location"]} if "location" in record.source else {}
        problems.append(Problem("source", f"its source is missing: {error}{_hint(record, error)}", about))
    except (TesseraError, OSError) as error:
        notes.append(f"{error}{_hint(record, error)}")
    of_record = (record.document, record.sha256, record.signature)
    return Verification(name, "different" if problems else status, problems, notes, *of_record)


def _hint(record: Record, error: Exception) -> str:
    """What helps if the place that a record names cannot be read."""
    places = [origin.location for origin in record.origins]
    is_there = isinstance(error, UnreadableFileError) and error.name in places
    return "; if you have it elsewhere, name it with --from" if is_there else ""
