"""What a light curve was made of: the records of its cutouts, and how they were measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.io import fits

from tessera import __version__
from tessera.errors import ProvenanceError
from tessera.provenance.ecsv_files import add_ecsv_record
from tessera.provenance.fits_files import NAME, add_provenance
from tessera.provenance.record import Kind, Record
from tessera.tpf.aperture import aperture_digits

KIND: Kind = "light curve"


@dataclass(frozen=True)
class MadeOf:
    """What decides a light curve.

    Parameters
    ----------
    kind : str
        Kind of the light curve.
    cutouts : tuple of mapping
        Records of its target pixel files, in the order of the sectors.
    request : mapping
        How they were measured, and stitched if they are several.
    """

    kind: Kind
    cutouts: tuple[Mapping[str, Any], ...]
    request: Mapping[str, Any]

    def record(self, data: dict[str, Any]) -> Record:
        """The record of a file; `data` is what it says of the file."""
        return Record(self.kind, __version__, {"cutouts": list(self.cutouts)}, self.request, data)

    def sealed(self, content: bytes) -> bytes:
        """The FITS file with its record behind it."""
        return b"".join(add_provenance([content], self.record))

    def sealed_table(self, content: bytes) -> bytes:
        """The ECSV file with its record."""
        return add_ecsv_record(content, self.record)


def record_in(hdus: fits.HDUList | None) -> Record | None:
    """The record of an open file; None if it has none that can be read."""
    if hdus is None or NAME not in hdus:
        return None
    try:
        return Record.parse(str(hdus[NAME].data["RECORD"][0]))
    except (ProvenanceError, LookupError, TypeError):
        return None


def measured_from(hdus: fits.HDUList | None, target: object, measures: Mapping[str, Any]) -> MadeOf | None:
    """What decides the light curve of a target pixel file; None if the file does not say what it was made of.

    Parameters
    ----------
    hdus : HDUList or None
        The file.
    target : str or None
        Name of the target that the light curve has. The file may have none.
    measures : mapping
        Keyword arguments of `tessera.TargetPixels.to_lightcurve`. Of cotrending vectors, `CotrendingVectors.origin`.
    """
    record = record_in(hdus)
    if record is None:
        return None
    named = {"object": target} if isinstance(target, str) and target else {}
    return MadeOf(KIND, (record.document,), plain_measures(measures) | named)


def plain_measures(measures: Mapping[str, Any]) -> dict[str, Any]:
    """How light curves are measured, as values that JSON has. What is None is left out."""
    known = {name: value for name, value in measures.items() if value is not None}
    mask = known.get("mask", "default")
    if not isinstance(mask, str):
        known["mask"] = aperture_digits(np.asarray(mask).astype(np.bool_))
    for name, value in known.items():
        known[name] = value.item() if isinstance(value, np.generic) else value
    return known
