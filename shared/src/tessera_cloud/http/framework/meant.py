"""Guesses which parameter somebody meant who wrote another name."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

_SAME = {
    "ra and dec": ("position", "coordinates", "coordinate", "coord", "coords", "pos", "center", "centre", "radec"),
    "y and x": ("size", "width", "height", "side", "npix", "pixels", "cutout_size", "shape"),
    "ra": ("right_ascension", "alpha", "lon", "longitude", "raj2000", "rightascension"),
    "dec": ("declination", "delta", "lat", "latitude", "de", "dej2000"),
    "size": ("x", "y", "units", "width", "height", "side", "npix", "pixels", "cutout_size", "shape"),
    "sectors": ("sector", "sequence", "sequence_number"),
    "sector": ("sectors", "sequence", "sequence_number"),
    "position": ("ra", "dec", "coordinates", "coordinate", "coord", "coords", "center", "centre", "radec"),
    "obj_id": ("name", "target", "object", "objectname", "objid", "moving_target"),
    "obj_type": ("kind", "type", "mt_type"),
    "target": ("obj_id", "object", "objectname", "moving_target"),
    "name": ("obj_id", "target", "object", "objectname", "tic", "star", "id", "position", "coordinates"),
    "kind": ("obj_type", "mt_type", "type"),
    "time": ("times", "time_range", "btjd", "tmin", "tmax", "start", "stop", "dates"),
    "cadences": ("cadence", "cadenceno", "frames"),
    "quality_mask": ("quality", "quality_bitmask", "bitmask"),
    "radius": ("r", "rad", "sr", "size"),
    "product": ("mission", "pipeline", "author", "provenance"),
    "after": ("page", "offset", "cursor", "next"),
    "pos": ("position", "coordinates", "coord", "ra", "dec", "circle", "polygon", "range", "region", "s_region"),
    "dptype": ("dataproduct_type", "data_type"),
    "collection": ("obs_collection",),
    "facility": ("facility_name",),
    "instrument": ("instrument_name",),
    "calib": ("calib_level",),
    "fov": ("s_fov", "field_of_view"),
    "spatres": ("s_resolution", "spatial_resolution"),
    "specrp": ("em_res_power", "spectral_resolving_power"),
    "exptime": ("t_exptime",),
    "timeres": ("t_resolution",),
    "limit": ("n", "count", "max", "rows", "per_page", "pagesize"),
}
"""Names that other services and other paths of this one have for a parameter."""


def meant(name: str, known: Sequence[str]) -> str:
    """The parameter, of those that are known, that a name probably means; an empty text if no one can tell.

    Two parameters that go together are one text: ``ra and dec``.
    """
    lowered = {each.lower(): each for each in known}
    text = name.strip().lower()[:80]
    if text in lowered:
        return lowered[text]
    for right, wrong in _SAME.items():
        if text in wrong and set(right.split(" and ")) <= set(known):
            return right
    return nearest(text, known)


def nearest(value: object, words: Sequence[str]) -> str:
    """The word, of those that are allowed, that a value probably means; an empty text if no one can tell."""
    lowered = {word.lower(): word for word in words}
    text = value.strip().lower()[:80] if isinstance(value, str) else ""
    close = get_close_matches(text, lowered, 1, 0.7)
    return lowered[close[0]] if close else ""
