"""Makes light curves of one sector again, by their records: cuts again, and measures again."""

from __future__ import annotations

from tessera.errors import ProvenanceError
from tessera.lightcurves.curve_files import curve_ecsv, curve_fits
from tessera.lightcurves.target_pixels import TargetPixels
from tessera.provenance.ecsv_files import ECSV_START
from tessera.provenance.record import Record
from tessera.tpf.cards import OBJECT_COMMENT
from tessera.verify.made_again import make_again
from tessera.verify.products.product import MadeAgain, following
from tessera.verify.vectors import Find, told, vectors_again


def curve_again(record: Record, product: bytes, find: Find) -> MadeAgain:
    """Make a light curve again.

    Parameters
    ----------
    record : Record
        Its record.
    product : bytes
        The file without its record.
    find : callable
        See `tessera.verify.vectors.Find`.

    Raises
    ------
    ProvenanceError
        When the cube is not found, or the record says too little.
    OSError
        When the cube cannot be read.
    """
    with following():
        return _curve_again(record, product, find)


def _curve_again(record: Record, product: bytes, find: Find) -> MadeAgain:
    request = dict(record.request)
    (document,) = record.source["cutouts"]
    cutout = Record.of(document)
    location = find(cutout.origin)
    if location is None:
        raise ProvenanceError(f"its source {cutout.origin.location} is not beside it; name it with --from")
    again = make_again(cutout, location, find)
    vectors, replaced = vectors_again(request.pop("vectors", None), location, find)
    pixels, name = TargetPixels.read(again.content), request.pop("object", "")
    if name and not pixels.header.get("OBJECT"):
        pixels.header["OBJECT"] = (name, OBJECT_COMMENT)
    with told(replaced):
        curve = pixels.to_lightcurve(**request, vectors=vectors)
    if product.startswith(ECSV_START):
        content = curve_ecsv(curve, record.engine)
    else:
        content = curve_fits(curve, version=record.engine)
    return MadeAgain(content, _point, again.problems + replaced)


def _point(index: tuple[int, ...]) -> dict[str, int]:
    return {"point": index[0]} if len(index) == 1 else {}
