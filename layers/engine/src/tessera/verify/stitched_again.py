"""Makes stitched light curves again, by their records: cuts each sector again, measures it and stitches."""

from __future__ import annotations

from tessera.errors import ProvenanceError
from tessera.lightcurves.target_pixels import TargetPixels
from tessera.provenance.record import Record
from tessera.stitching.curve import StitchedCurve, StitchedSector
from tessera.stitching.files import stitched_fits
from tessera.stitching.join import Piece, join
from tessera.stitching.made import VECTORS
from tessera.verify.made_again import make_again
from tessera.verify.products.product import MadeAgain, following
from tessera.verify.report import Problem
from tessera.verify.vectors import Find, told, vectors_again


def stitch_again(record: Record, product: bytes, find: Find) -> MadeAgain:
    """Make a stitched light curve again.

    Parameters
    ----------
    record : Record
        Its record.
    product : bytes
        The file without its record, which says where the target is on each cube.
    find : callable
        Finds the cube of a sector; None if nobody says where it is.

    Raises
    ------
    ProvenanceError
        When a cube is not found, or the record says too little.
    OSError
        When a cube cannot be read.
    """
    with following():
        return _stitch_again(record, StitchedCurve.read(product), find)


def _stitch_again(record: Record, curve: StitchedCurve, find: Find) -> MadeAgain:
    request = dict(record.request)
    level, gap = request.pop("level"), request.pop("gap")
    vectors = request.pop(VECTORS, None) or [None] * len(curve.sectors)
    problems: list[Problem] = []
    pieces = []
    for document, named, one in zip(record.source["cutouts"], vectors, curve.sectors, strict=True):
        cutout = Record.of(document)
        location = find(cutout.origin)
        if location is None:
            raise ProvenanceError(f"its source {cutout.origin.location} is not beside it; name it with --from")
        again = make_again(cutout, location, find)
        opened, replaced = vectors_again(named, location, find)
        problems += again.problems + replaced
        with told(replaced):
            pieces.append(_piece(one, again.content, curve, request | {"vectors": opened}))
    return MadeAgain(stitched_fits(join(pieces, level, gap, curve.left_out), record.engine), _point, problems)


def _piece(one: StitchedSector, content: bytes, curve: StitchedCurve, measures: dict[str, object]) -> Piece:
    pixels = TargetPixels.read(content)
    if not pixels.header.get("OBJECT") and "OBJECT" in curve.header:
        pixels.header["OBJECT"] = (curve.header["OBJECT"], curve.header.comments["OBJECT"])
    measured = pixels.to_lightcurve(**measures)  # type: ignore[arg-type] # the options of a record
    return Piece(measured, one.sector, one.camera, one.ccd, one.cube, one.row, one.column, one.edge)


def _point(index: tuple[int, ...]) -> dict[str, int]:
    return {"point": index[0]} if len(index) == 1 else {}
