"""What a stitched light curve was made of: the records of its cutouts, and how they were measured and stitched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tessera.lightcurves.made import MadeOf, plain_measures
from tessera.provenance.record import Kind, Record

KIND: Kind = "stitched light curve"


def stitching_request(measures: Mapping[str, Any], level: object, gap: object) -> dict[str, Any] | None:
    """How light curves are measured and stitched, as a record has it; None if that cannot be told.

    Parameters
    ----------
    measures : mapping
        Keyword arguments of `tessera.TargetPixels.to_lightcurve`. Cotrending vectors cannot be told.
    level, gap
        See `tessera.stitch`.
    """
    known = plain_measures({name: value for name, value in measures.items() if name != "vectors"})
    if known.get("detrend") == "cbv":
        return None
    return known | {"level": level, "gap": float(gap)}  # type: ignore[arg-type] # a number


def made_of(records: Iterable[Record | None], request: Mapping[str, Any] | None) -> MadeOf | None:
    """What decides a stitched light curve; None if that is not known of each cutout."""
    known = list(records)
    if request is None or any(record is None for record in known):
        return None
    return MadeOf(KIND, tuple(record.document for record in known if record is not None), request)
