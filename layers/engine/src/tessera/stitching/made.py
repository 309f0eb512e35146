"""What a stitched light curve was made of: the records of its cutouts, and how they were measured and stitched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.io import fits

from tessera import __version__
from tessera.provenance.fits_files import NAME, add_provenance
from tessera.provenance.record import Kind, Record
from tessera.tpf.aperture import aperture_digits

KIND: Kind = "stitched light curve"


@dataclass(frozen=True)
class MadeOf:
    """What decides a stitched light curve.

    Parameters
    ----------
    cutouts : tuple of mapping
        Records of the target pixel files, in the order of the sectors.
    request : mapping
        How they were measured and stitched.
    """

    cutouts: tuple[Mapping[str, Any], ...]
    request: Mapping[str, Any]

    def sealed(self, content: bytes) -> bytes:
        """The file with its record behind it."""

        def describe(data: dict[str, Any]) -> Record:
            return Record(KIND, __version__, {"cutouts": list(self.cutouts)}, self.request, data)

        return b"".join(add_provenance([content], describe))


def record_in(hdus: fits.HDUList | None) -> Record | None:
    """The record of an open file; None if it has none."""
    if hdus is None or NAME not in hdus:
        return None
    return Record.parse(str(hdus[NAME].data["RECORD"][0]))


def stitching_request(measures: Mapping[str, Any], level: object, gap: object) -> dict[str, Any] | None:
    """How light curves are measured and stitched, as a record has it; None if that cannot be told.

    Parameters
    ----------
    measures : mapping
        Keyword arguments of `tessera.TargetPixels.to_lightcurve`. Cotrending vectors cannot be told.
    level, gap
        See `tessera.stitch`.
    """
    known = {name: value for name, value in measures.items() if name != "vectors"}
    if known.get("detrend") == "cbv":
        return None
    mask = known.get("mask", "default")
    if not isinstance(mask, str):
        known["mask"] = aperture_digits(np.asarray(mask).astype(np.bool_))
    return known | {"level": level, "gap": float(gap)}  # type: ignore[arg-type] # a number


def made_of(records: Iterable[Record | None], request: Mapping[str, Any] | None) -> MadeOf | None:
    """What decides a stitched light curve; None if that is not known of each cutout."""
    known = list(records)
    if request is None or any(record is None for record in known):
        return None
    return MadeOf(tuple(record.document for record in known if record is not None), request)
