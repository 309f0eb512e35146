"""Parses requests of the TESSCut v0.1 protocol, in the spellings of its clients."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tessera.tess.ids import CcdId
from tessera_cloud.application.cutouts.fixed import Position
from tessera_cloud.application.cutouts.options import ARCSEC_PER_PIXEL, CutoutOptions, Size
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.index.catalogue import SectorRequest
from tessera_cloud.application.targets.body_names import body_name
from tessera_cloud.application.targets.path import MovingTarget
from tessera_cloud.contracts import ProductName
from tessera_cloud.errors import UsageError, cut
from tessera_cloud.http.framework.allowed import PLAIN
from tessera_cloud.names import CubeId

Parameters = Mapping[str, Sequence[str]]
"""Values of each parameter. Names are in lower case."""

MOST_DEGREES = 58.0
"""Largest side of a window in degrees, as `MOST_PIXELS` is in pixels."""
MOST_PIXELS = 10_000
MOST_SECTORS = 99_999

_KINDS: dict[str, Literal["majorbody", "smallbody"]] = {"majorbody": "majorbody", "smallbody": "smallbody"}

_DEGREES = {"d": 1.0, "deg": 1.0, "m": 1 / 60, "s": 1 / 3600, "px": ARCSEC_PER_PIXEL / 3600}
_UNITS = {"pix": "px", "pixel": "px", "pixels": "px", "deg": "d", "degree": "d", "degrees": "d"}
_UNITS |= dict.fromkeys(("arcmin", "arcmins", "arcminute", "arcminutes"), "m")
_UNITS |= dict.fromkeys(("arcsec", "arcsecs", "arcsecond", "arcseconds"), "s")
_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([a-z]*)\s*")


@dataclass(frozen=True, slots=True)
class WcsRequest:
    """A request to ``/ffi_wcs``: the WCS of the frames of a CCD.

    Parameters
    ----------
    cube_id : CubeId
        Sector, camera, CCD and product.
    """

    cube_id: CubeId


def one_value(parameters: Parameters, name: str) -> str | None:
    """Value of a parameter; None if it is missing or blank.

    Raises
    ------
    UsageError
        If it is given with different values.
    """
    values = parameters.get(name, ())
    if len(set(values)) > 1:
        given = cut(", ".join(values))
        message = f"{name} is given {len(values)} times: {given}; allowed: once"
        raise UsageError(message, parameter=name, value=given, allowed="once")
    return values[0] if values and values[0].strip() else None


def _number(parameters: Parameters, name: str, low: float, high: float, allowed: str = "") -> float:
    text = one_value(parameters, name)
    allowed = allowed or f"a number from {low:g} to {high:g}"
    value = float(text) if text is not None and PLAIN.fullmatch(text) else math.nan
    if not low <= value <= high:
        raise UsageError.about(name, text, allowed)
    return value


def _whole(parameters: Parameters, name: str, low: int, high: int) -> int:
    allowed = f"a whole number from {low:,} to {high:,}"
    value = _number(parameters, name, low, high, allowed)
    if value != int(value):
        raise UsageError.about(name, one_value(parameters, name), allowed)
    return int(value)


def _position(parameters: Parameters) -> tuple[float, float]:
    ra = _number(parameters, "ra", -360.0, 360.0)
    return ra % 360.0, _number(parameters, "dec", -90.0, 90.0)


def _product(parameters: Parameters) -> ProductName:
    text = one_value(parameters, "product")
    wanted = (text or "SPOC").strip().upper()
    names: tuple[ProductName, ...] = get_args(ProductName)
    product = next((name for name in names if name == wanted), None)
    if product is None:
        raise UsageError.about("product", text, ", ".join(names))
    return product


def _size(parameters: Parameters, name: str, unit: str) -> float:
    """Size in pixels or degrees."""
    allowed = f"a number above 0, at most {MOST_PIXELS:,} pixels or {MOST_DEGREES:g} degrees"
    value = _number(parameters, name, math.ulp(0.0), math.inf, allowed)
    scaled = value if unit == "px" else value * _DEGREES[unit]
    if scaled > (MOST_PIXELS if unit == "px" else MOST_DEGREES):
        raise UsageError.about(name, one_value(parameters, name), allowed)
    return scaled


def parse_sectors(values: Sequence[str]) -> frozenset[int] | None:
    """Parse sectors as clients write them: ``1``, ``[28, 68]``, ``28,68``, repeated, ``All`` or nothing.

    Returns
    -------
    frozenset of int, or None
        Sectors; None for all.

    Raises
    ------
    UsageError
        If a value has another form.
    """
    words = [word for value in values for word in _words(value)]
    if all(word.lower() in ("all", "none") for word in words):
        return None
    numbers = [float(word) if PLAIN.fullmatch(word) else 0.0 for word in words]
    if not all(1 <= number <= MOST_SECTORS and number == int(number) for number in numbers):
        allowed = "numbers from 1, such as 28 or [28, 68], or All"
        raise UsageError.about("sector", ", ".join(values), allowed)
    return frozenset(int(number) for number in numbers)


def _words(value: str) -> list[str]:
    """Pieces of a list with or without brackets, without quotation marks; none of an empty text."""
    text = value.strip()
    inside = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    return [piece.strip().strip("\"'").strip() for piece in inside.split(",")] if inside.strip() else []


def parse_radius(text: str | None) -> float:
    """Parse a radius such as ``0.2``, ``12m``, ``30s`` or ``5px``; returns degrees."""
    if text is None:
        return 0.0
    match = _QUANTITY.fullmatch(text.lower())
    unit = match[2] or "d" if match else ""
    if match is None or unit not in _DEGREES or not 0 <= (radius := float(match[1]) * _DEGREES[unit]) <= 90:
        raise UsageError.about("radius", text, "a number from 0 with the unit d, m, s or px, at most 90 degrees")
    return radius


def parse_sector_request(parameters: Parameters) -> SectorRequest:
    """Parse the parameters of ``/sector``.

    Raises
    ------
    UsageError
        If a parameter is wrong. The message names it, its value and what is allowed.
    """
    product = _product(parameters)
    ra, dec = _position(parameters)
    return SectorRequest(ra, dec, parse_radius(one_value(parameters, "radius")), product)


def parse_position(parameters: Parameters) -> Position:
    """Parse position and size of a cutout; raises the errors of `parse_sector_request`."""
    ra, dec = _position(parameters)
    return Position(ra=ra, dec=dec, size=_pixels_or_degrees(parameters))


def parse_cutout_request(parameters: Parameters) -> CutoutRequest:
    """Parse the parameters of ``/astrocut``; raises the errors of `parse_sector_request`."""
    return CutoutRequest(target=parse_position(parameters), options=_options(parameters))


def _pixels_or_degrees(parameters: Parameters) -> Size:
    given = (one_value(parameters, "units") or "px").strip().lower()
    unit = _UNITS.get(given, given)
    if unit not in ("px", "d", "m", "s"):
        raise UsageError.about("units", given, "px, d, m, s")
    rows, columns = (_size(parameters, name, unit) for name in ("y", "x"))
    return Size(rows=rows, columns=columns, unit="px" if unit == "px" else "d")


def _options(parameters: Parameters) -> CutoutOptions:
    product = _product(parameters)
    sectors = parse_sectors(parameters.get("sector", ()))
    return CutoutOptions(
        sectors=None if sectors is None else tuple(sorted(sectors)), product=product, provenance=_provenance(parameters)
    )


def _provenance(parameters: Parameters) -> bool:
    """Whether files have records. TESSCut has no such parameter."""
    text = (one_value(parameters, "provenance") or "false").strip().lower()
    if text not in ("true", "false"):
        raise UsageError.about("provenance", text, "true, false")
    return text == "true"


def parse_target(parameters: Parameters) -> tuple[MovingTarget, ProductName]:
    """Parse the parameters of ``/moving_target/sector``; raises the errors of `parse_sector_request`."""
    product, name = _product(parameters), body_name(one_value(parameters, "obj_id"))
    given = one_value(parameters, "obj_type")
    kind = _KINDS.get((given or "").strip().lower())
    if given is not None and kind is None:
        raise UsageError.about("obj_type", given, ", ".join(_KINDS))
    return MovingTarget(name=name, kind=kind), product


def parse_moving_request(parameters: Parameters) -> tuple[MovingTarget, Size, CutoutOptions]:
    """Parse the parameters of ``/moving_target/astrocut``; raises the errors of `parse_sector_request`.

    Returns
    -------
    tuple
        Target, size of the boxes around it, and options, which name the sectors and the product.
    """
    target, _ = parse_target(parameters)
    return target, _pixels_or_degrees(parameters), _options(parameters)


def parse_wcs_request(parameters: Parameters) -> WcsRequest:
    """Parse the parameters of ``/ffi_wcs``; raises the errors of `parse_sector_request`."""
    product = _product(parameters)
    sector = _whole(parameters, "sector", 1, MOST_SECTORS)
    camera, ccd = (_whole(parameters, name, 1, 4) for name in ("camera", "ccd"))
    return WcsRequest(CubeId(CcdId(sector, camera, ccd), product))
