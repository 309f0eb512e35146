"""What a stitched light curve was made of: the records of its cutouts, and how they were measured and stitched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tessera.lightcurves.light_curve import LightCurve
from tessera.lightcurves.made import MadeOf
from tessera.provenance.record import Kind

KIND: Kind = "stitched light curve"
VECTORS = "vectors"
"""What a request has of cotrending vectors: those of each sector."""
_OWN = ("object", VECTORS)
"""What the request of a light curve says of its sector only."""


def made_of(curves: Sequence[LightCurve], level: str, gap: float) -> MadeOf | None:
    """What decides a stitched light curve; None if that is not known of each sector, or they were measured differently.

    Parameters
    ----------
    curves : sequence of LightCurve
        Light curves of the sectors, in their order.
    level, gap
        See `tessera.stitch`.
    """
    known = [curve.made for curve in curves if curve.made is not None]
    measures = [{name: value for name, value in made.request.items() if name not in _OWN} for made in known]
    if len(known) < len(curves) or any(each != measures[0] for each in measures):
        return None
    request = measures[0] | {"level": level, "gap": gap}
    if measures[0].get("detrend") == "cbv":
        request[VECTORS] = [made.request[VECTORS] for made in known]
    return MadeOf(KIND, tuple(cutout for made in known for cutout in made.cutouts), request)


def join_made(parts: Sequence[tuple[MadeOf | None, Sequence[int]]], sectors: Sequence[int]) -> MadeOf | None:
    """What decides a light curve that is joined of stitched ones; None if that is not known of each.

    Parameters
    ----------
    parts : sequence of (MadeOf or None, sequence of int)
        What decides each, and its sectors.
    sectors : sequence of int
        All sectors, in their order.
    """
    cutouts: dict[int, Mapping[str, Any]] = {}
    vectors: dict[int, Any] = {}
    request: dict[str, Any] = {}
    for made, own in parts:
        if made is None:
            return None
        request = dict(made.request)
        cutouts |= zip(own, made.cutouts, strict=True)
        vectors |= zip(own, request.pop(VECTORS, None) or [None] * len(own), strict=True)
    named = [vectors[sector] for sector in sectors]
    request |= {VECTORS: named} if all(named) else {}
    return MadeOf(KIND, tuple(cutouts[sector] for sector in sectors), request)
