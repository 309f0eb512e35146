"""FITS files: target pixel files, image cutouts, stitched light curves."""

from __future__ import annotations

from tessera.provenance.fits_files import data_problems, digest_fits, read_provenance
from tessera.verify.compare import compare_fits, rounded_cards
from tessera.verify.products.product import MadeAgain, Product
from tessera.verify.report import Problem

START = b"SIMPLE  ="
"""First bytes of a FITS file."""


def read_fits(content: bytes) -> Product:
    """Read a FITS file.

    Raises
    ------
    ProvenanceError
        When the file or its record is damaged.
    """
    found = read_provenance(content)
    product = content if found is None else content[: found.n_bytes]
    problems = [Problem("checksum", text) for text in data_problems(content)]
    if found is not None and digest_fits(product) != found.record.data:
        problems.append(Problem("record", "the record is of another file: the SHA-256 of its headers differs"))

    def compare(again: MadeAgain) -> tuple[list[Problem], list[str]]:
        return compare_fits(product, again.content, again.locate), rounded_cards(product, again.content)

    return Product(None if found is None else found.record, product, problems, compare)
