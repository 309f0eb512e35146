"""The requests of the TESSCut v0.1 protocol, with the spellings that its clients use."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tessera_cloud.errors import UsageError

Parameters = Mapping[str, Sequence[str]]
"""Every parameter with all its values; names are lower case."""

ARCSEC_PER_PIXEL = 21.0
"""What ``px`` means where no frame is known yet."""
MAX_PIXELS = 10_000
"""Pixels of one cutout, as at MAST."""

_DEGREES = {"d": 1.0, "deg": 1.0, "m": 1 / 60, "s": 1 / 3600, "px": ARCSEC_PER_PIXEL / 3600}
_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([a-z]*)\s*")


@dataclass(frozen=True, slots=True)
class SectorRequest:
    """``/sector``: which CCDs see a position.

    Parameters
    ----------
    ra, dec : float
        ICRS degrees.
    radius : float
        Degrees; 0 asks for the position alone.
    """

    ra: float
    dec: float
    radius: float


@dataclass(frozen=True, slots=True)
class CutoutRequest:
    """``/astrocut``: cutouts around a position.

    Parameters
    ----------
    ra, dec : float
        ICRS degrees.
    rows, columns : float
        Size, in `unit`.
    unit : str
        ``px`` or ``d`` (degrees).
    sectors : frozenset of int, or None
        None means all.
    """

    ra: float
    dec: float
    rows: float
    columns: float
    unit: str
    sectors: frozenset[int] | None

    def pixels(self, degrees_per_row: float, degrees_per_column: float) -> tuple[int, int]:
        """Size in whole pixels, at least one: (rows, columns)."""
        scales = (1.0, 1.0) if self.unit == "px" else (degrees_per_row, degrees_per_column)
        rows, columns = (
            max(1, round(size / scale)) for size, scale in zip((self.rows, self.columns), scales, strict=True)
        )
        if rows * columns > MAX_PIXELS:
            raise UsageError(f"y * x is {rows} * {columns} pixels; allowed: at most {MAX_PIXELS:,}")
        return rows, columns

    def degrees(self) -> tuple[float, float]:
        """Size on the sky: (height, width)."""
        scale = _DEGREES["px"] if self.unit == "px" else 1.0
        return self.rows * scale, self.columns * scale


def _one(parameters: Parameters, name: str) -> str | None:
    values = parameters.get(name, ())
    if len(set(values)) > 1:
        raise UsageError(f"{name} is given {len(values)} times: {', '.join(values)}; allowed: once")
    return values[0] if values and values[0].strip() else None


def _number(parameters: Parameters, name: str, low: float, high: float) -> float:
    text = _one(parameters, name)
    allowed = f"a number from {low:g} to {high:g}"
    if text is None:
        raise UsageError(f"{name} is missing; allowed: {allowed}")
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{name} is {text!r}; allowed: {allowed}") from None
    if not low <= value <= high:
        raise UsageError(f"{name} is {text}; allowed: {allowed}")
    return value


def _position(parameters: Parameters) -> tuple[float, float]:
    ra = _number(parameters, "ra", -360.0, 360.0)
    return ra % 360.0, _number(parameters, "dec", -90.0, 90.0)


def _product(parameters: Parameters) -> None:
    product = _one(parameters, "product")
    if product is not None and product.upper() != "SPOC":
        raise UsageError(f"product is {product!r}; allowed: SPOC")


def _size(parameters: Parameters, name: str) -> float:
    value = _number(parameters, name, 0.0, math.inf)
    if not 0 < value < math.inf:
        raise UsageError(f"{name} is {value:g}; allowed: a size greater than 0")
    return value


def parse_sectors(values: Sequence[str]) -> frozenset[int] | None:
    """Sectors as clients write them: ``1``, ``[28, 68]``, ``28,68``, repeated, ``All`` or nothing.

    Returns
    -------
    frozenset of int, or None
        None means all sectors.
    """
    sectors: set[int] = set()
    for value in values:
        text = value.strip()
        if text.lower() in ("", "all", "none"):
            return None
        try:
            items = json.loads(text if text.startswith("[") else f"[{text.lstrip('0') or '0'}]")
        except json.JSONDecodeError:
            items = [text]
        for item in items:
            try:
                sector = int(float(item))
            except (TypeError, ValueError):
                sector = 0
            if sector < 1:
                raise UsageError(f"sector is {value!r}; allowed: integers from 1, a list such as [28, 68], or All")
            sectors.add(sector)
    return frozenset(sectors) if sectors else None


def parse_radius(text: str | None) -> float:
    """Radius in degrees of a text such as ``0.2``, ``12m``, ``30s``, ``5px``."""
    if text is None:
        return 0.0
    match = _QUANTITY.fullmatch(text.lower())
    unit = match[2] or "d" if match else ""
    if match is None or unit not in _DEGREES or not 0 <= (radius := float(match[1]) * _DEGREES[unit]) <= 90:
        raise UsageError(f"radius is {text!r}; allowed: a number from 0, with the unit d, m, s or px")
    return radius


def parse_sector_request(parameters: Parameters) -> SectorRequest:
    """Read the parameters of ``/sector``.

    Raises
    ------
    UsageError
        Naming the parameter, its value and what is allowed.
    """
    _product(parameters)
    ra, dec = _position(parameters)
    return SectorRequest(ra, dec, parse_radius(_one(parameters, "radius")))


def parse_cutout_request(parameters: Parameters) -> CutoutRequest:
    """Read the parameters of ``/astrocut``; see `parse_sector_request`."""
    _product(parameters)
    ra, dec = _position(parameters)
    unit = (_one(parameters, "units") or "px").strip().lower()
    unit = {"pix": "px", "pixel": "px", "pixels": "px", "deg": "d", "degrees": "d"}.get(unit, unit)
    if unit not in ("px", "d", "m", "s"):
        raise UsageError(f"units is {unit!r}; allowed: px, d, m, s")
    scale = 1.0 if unit == "px" else _DEGREES[unit]
    rows, columns = _size(parameters, "y") * scale, _size(parameters, "x") * scale
    sectors = parse_sectors(parameters.get("sector", ()))
    return CutoutRequest(ra, dec, rows, columns, "px" if unit == "px" else "d", sectors)
