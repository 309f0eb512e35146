"""FITS files: target pixel files, image cutouts, stitched light curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tessera.provenance.fits_files import data_problems, digest_fits, read_provenance
from tessera.verify.compare import compare_fits, rounded_cards
from tessera.verify.products.product import MadeAgain, Product
from tessera.verify.report import Problem

START = b"SIMPLE  ="
"""First bytes of a FITS file."""


def _digest_problems(product: bytes, said: Mapping[str, Any]) -> list[Problem]:
    found = digest_fits(product, whole="sha256" in said)
    if found == said:
        return []
    what = "its bytes" if found["headers_sha256"] == said.get("headers_sha256") else "its headers"
    return [Problem("record", f"the record is of another file: the SHA-256 of {what} differs")]


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
    if found is not None:
        problems += _digest_problems(product, found.record.data)

    def compare(again: MadeAgain) -> tuple[list[Problem], list[str]]:
        return compare_fits(product, again.content, again.locate), rounded_cards(product, again.content)

    return Product(None if found is None else found.record, product, problems, compare)
