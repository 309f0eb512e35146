"""The records of the files of a measured cube: a table behind FITS files, and two lines in the list of changes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from tessera.cubes.reference.frame import REFERENCE_END
from tessera.cutouts.origin.cube_record import cube_record
from tessera.lightcurves.detrending.vector_files import VECTORS_END
from tessera.measures.change_list import CHANGES_END
from tessera.measures.thresholds import Thresholds
from tessera.provenance.ecsv_files import add_ecsv_record
from tessera.provenance.fits_files import digest_fits, format_provenance
from tessera.provenance.record import Kind, Origin

KINDS: dict[str, Kind] = {
    REFERENCE_END: "reference frame",
    CHANGES_END: "list of changes",
    VECTORS_END: "cotrending vectors",
}
"""End of the name of a file to the kind of its record."""


def add_records(products: Mapping[str, bytes], origin: Origin, thresholds: Thresholds) -> dict[str, bytes]:
    """Add the records to the files of a measured cube.

    Parameters
    ----------
    products : mapping
        Result of `tessera.measures.products.build_products`.
    origin : Origin
        The cube.
    thresholds : Thresholds
        What counted as a change.
    """
    request = {"n_sigma": thresholds.n_sigma, "bin_days": thresholds.bin_days}

    def with_record(end: str, content: bytes) -> bytes:
        describe = partial(cube_record, KINDS[end], origin, request)
        if end == CHANGES_END:
            return add_ecsv_record(content, describe)
        return content + format_provenance(describe(digest_fits(content)))

    return {end: with_record(end, content) for end, content in products.items()}
