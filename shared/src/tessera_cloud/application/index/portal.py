"""Answers to the questions that clients send to MAST's portal before they ask TESSCut: which frames see a position.

lightkurve's `search_tesscut` first asks the portal, for CAOM observations in astroquery's form. Our rows come from the
footprint index, and have those columns of MAST that are known for TESS frames.
Source: https://mast.stsci.edu/api/v0/ (services Mast.Caom.*), and the answers that astroquery keeps for its tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from tessera.sky.footprint import Footprint, sky_box
from tessera.tess.products import SPOC
from tessera.tess.times import frame_exposure
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import UsageError

Row: TypeAlias = dict[str, Any]

_TYPES: dict[str, str] = {
    **dict.fromkeys(("intentType", "obs_collection", "provenance_name", "instrument_name", "project"), "string"),
    **dict.fromkeys(("filters", "wavelength_region", "target_name", "obs_id", "dataproduct_type"), "string"),
    **dict.fromkeys(("s_region", "dataRights", "proposal_id"), "string"),
    **dict.fromkeys(("s_ra", "s_dec", "t_min", "t_max", "t_exptime", "em_min", "em_max", "distance"), "float"),
    **dict.fromkeys(("calib_level", "sequence_number", "obsid"), "int"),
}
"""Columns with their types, as the portal names them."""
_SAME = {
    "intentType": "science",
    "obs_collection": "TESS",
    "provenance_name": SPOC.name,
    "instrument_name": "Photometer",
    "project": "TESS",
    "filters": "TESS",
    "wavelength_region": "Optical",
    "target_name": "TESS FFI",
    "dataproduct_type": "image",
    "dataRights": "PUBLIC",
    "proposal_id": "N/A",
    "em_min": 600.0,
    "em_max": 1000.0,
    "distance": 0.0,
    "calib_level": 3,
}


def columns_config() -> Row:
    """Columns that requests can filter by: continuous columns by a range, the others by values."""
    return {
        name: {"text": name, "vot.name": name, "vot.datatype": "double"}
        if kind == "float"
        else {"text": name, "vot.name": name, "vot.datatype": "char" if kind == "string" else kind, "separator": ";"}
        for name, kind in _TYPES.items()
    }


def _row(number: int, cube: PublishedCube) -> Row:
    corners = Footprint.parse_s_region(cube.s_region).vertices
    sector = cube.ccd_id.sector
    return _SAME | {
        "obs_id": cube.obs_id,
        "obsid": number,
        "s_region": cube.s_region,
        "s_ra": float(corners[0, 0]),
        "s_dec": float(corners[0, 1]),
        "t_min": cube.t_min,
        "t_max": cube.t_max,
        "t_exptime": frame_exposure(sector),
        "sequence_number": sector,
    }


def _region(params: Mapping[str, Any]) -> Footprint | None:
    """Cone of a request as a box; None if the request has no position."""
    if "position" in params:
        words = str(params["position"]).replace(",", " ").split()
    elif "ra" in params:
        words = [str(params.get(name, 0.0)) for name in ("ra", "dec", "radius")]
    else:
        return None
    try:
        ra, dec, radius = map(float, words)
    except ValueError:
        allowed = "right ascension, declination and radius in degrees"
        raise UsageError.about("position", ", ".join(words), allowed) from None
    if not (-360 <= ra <= 360 and -90 <= dec <= 90 and 0 <= radius <= 90):
        allowed = "right ascension from -360 to 360, declination from -90 to 90 and radius from 0 to 90 degrees"
        raise UsageError.about("position", ", ".join(words), allowed)
    return sky_box(ra % 360, dec, 2 * radius, 2 * radius)


def _filter(entry: Mapping[str, Any]) -> Callable[[Row], bool]:
    """Condition on rows from an entry ``{"paramName", "values"}``. Comparisons of text ignore case."""
    name = next((name for name in _TYPES if name.lower() == str(entry.get("paramName", "")).lower()), None)
    values = entry.get("values")
    if name is None or not isinstance(values, list):
        raise UsageError.about("filter", dict(entry), f"values, and a paramName of {', '.join(_TYPES)}")
    if _TYPES[name] != "float":
        wanted = {str(value).lower() for value in values}
        return lambda row: str(row[name]).lower() in wanted
    try:
        ranges = [(float(value["min"]), float(value["max"])) for value in values]
    except (TypeError, KeyError, ValueError):
        raise UsageError.about(name, values, "a list of objects with min and max") from None
    return lambda row: any(low <= row[name] <= high for low, high in ranges)


def find_observations(request: Mapping[str, Any], index: FootprintIndex) -> Row:
    """Answer a request to the services ``Mast.Caom.Cone``, ``Mast.Caom.Filtered`` and ``Mast.Caom.Filtered.Position``.

    Parameters
    ----------
    request : mapping
        Request as astroquery sends it, with ``service`` and ``params``, and with ``page`` if there are several pages.
    index : FootprintIndex
        Cubes that are served.

    Raises
    ------
    UsageError
        If the service is another one, or if a parameter is wrong.
    """
    service, params = str(request.get("service")), request.get("params")
    if service not in ("Mast.Caom.Cone", "Mast.Caom.Filtered", "Mast.Caom.Filtered.Position"):
        allowed = "Mast.Caom.Cone, Mast.Caom.Filtered or Mast.Caom.Filtered.Position"
        raise UsageError.about("service", request.get("service"), allowed)
    if not isinstance(params, Mapping):
        raise UsageError.about("params", params, "an object")
    filters = params.get("filters") or []
    if not isinstance(filters, Sequence) or not all(isinstance(entry, Mapping) for entry in filters):
        raise UsageError.about("filters", filters, "a list of objects")
    region, tests = _region(params), [_filter(entry) for entry in filters]
    cubes = index.find(region) if region else [cube for cube in index.cubes if cube.cube_id.product == SPOC.name]
    rows = [row for row in (_row(*item) for item in enumerate(cubes, 1)) if all(test(row) for test in tests)]
    return {
        "status": "COMPLETE",
        "msg": "",
        "fields": [{"name": name, "type": kind} for name, kind in _TYPES.items()],
        "data": rows,
        "paging": {
            **dict.fromkeys(("page", "pagesFiltered"), 1),
            **dict.fromkeys(("pageSize", "rows", "rowsFiltered", "rowsTotal"), len(rows)),
        },
    }
