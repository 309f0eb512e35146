"""Requests for cutouts, made of the arguments of the client."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u

from tessera.checks import check_choice, check_integer
from tessera.client.places import CUBE_NAME, MovingTarget, Position, Region, Target, TargetInput, read_target
from tessera.client.wire.steps import Send, Service
from tessera.cutouts.results import CutoutOptions, Size
from tessera.errors import InvalidInputError
from tessera.inputs import parse_size
from tessera.moving.ephemeris import Ephemeris
from tessera.windows import Side

Sectors: TypeAlias = "int | Iterable[int] | None"
PRODUCTS = ("SPOC", "TICA")
"""Kinds of frames."""
_LARGEST_SIDE = 10_000
_LARGEST_SECTOR = 99_999
_LONGEST_URL = 4000
_FARTHEST = 999_999_999.0
"""Stands for an infinite time in days, which JSON does not have."""
_LOCAL = ("target_times", "pos_corr", "fill_value", "provenance", "check")
"""Options that only cutouts on this machine have."""
_APERTURE = rf"({CUBE_NAME}:)?(default|all|[0-9a-fA-F]+)"
_APERTURES = re.compile(f"{_APERTURE}(,{_APERTURE})*", re.ASCII)
_APERTURE_WORDS = (
    "'default', 'all' or hexadecimal digits, and those of single cubes, as in 'default,tess-s0001-4-2:0e38e0'"
)
_SIZE = "whole pixels from 1 to 10,000 or angles: one, or (rows, columns)"


@dataclass(frozen=True)
class Order:
    """A checked request for cutouts of one target.

    Parameters
    ----------
    target : Position, Region, MovingTarget or Ephemeris
        What is cut.
    details : dict
        Other fields of the request.
    """

    target: Target
    details: dict[str, Any] = field(repr=False)

    def at(self, ra: float, dec: float) -> Order:
        """The order with a position in place of a name."""
        return replace(self, target=replace(self.target, ra=ra, dec=dec))  # type: ignore[type-var] # it is a Position

    @property
    def place(self) -> tuple[float, float]:
        """Right ascension and declination; NaN for what is no position."""
        return (self.target.ra, self.target.dec) if isinstance(self.target, Position) else (math.nan, math.nan)

    @property
    def document(self) -> dict[str, Any]:
        """Body of a request."""
        return _target_fields(self.target) | self.details

    def cutouts_request(self, service: Service) -> Send:
        """Request for the cutouts: GET where that is possible, because it may be repeated after a broken connection."""
        if isinstance(self.target, Position) and not isinstance(self.details.get("size"), dict):
            request = service.get("/v1/cutouts", ra=self.target.ra, dec=self.target.dec, **_as_query(self.details))
            if len(request.url) <= _LONGEST_URL:
                return request
        return service.post("/v1/cutouts", self.document)

    def job_request(self, service: Service) -> Send:
        """Request for a job that makes the cutouts."""
        return service.post("/v1/jobs", self.document)


def _as_query(details: dict[str, Any]) -> dict[str, Any]:
    return details | ({"time": [f"{value:.9f}" for value in details["time"]]} if "time" in details else {})


def _target_fields(target: Target) -> dict[str, Any]:
    if isinstance(target, Region):
        return {"region": target.geometry}
    if isinstance(target, MovingTarget):
        return {"target": {"name": target.name} | ({"kind": target.kind} if target.kind else {})}
    if isinstance(target, Ephemeris):
        days = np.asarray(target.time.utc.jd, np.float64)
        columns = {"time": days, "ra": np.asarray(target.ra), "dec": np.asarray(target.dec)}
        return {"path": {"name": target.name[:100] or "path"} | {name: each.tolist() for name, each in columns.items()}}
    return {"position": {"ra": target.ra, "dec": target.dec}}


@dataclass(frozen=True)
class OrderForm:
    """Checked arguments that many targets share."""

    details: dict[str, Any]
    has_size: bool
    has_placement: bool

    def order(self, target: TargetInput) -> Order:
        """The order for one target.

        Raises
        ------
        InvalidInputError
            When it is no target, or does not go with the other arguments.
        """
        found = read_target(target)
        if isinstance(found, Region):
            for name, given in (("size", self.has_size), ("placement", self.has_placement)):
                if given:
                    raise InvalidInputError(
                        name, self.details[name], f"a Region without {name}, because it has its own"
                    )
        if "aperture" in self.details and (
            not isinstance(found, Position) or isinstance(self.details.get("size"), dict)
        ):
            raise InvalidInputError(
                "aperture", self.details["aperture"], "a position or name, and a size in pixels, with it"
            )
        if isinstance(found, (MovingTarget, Ephemeris)) and "layout" in self.details:
            raise InvalidInputError("layout", self.details["layout"], "'full' for targets that move")
        if isinstance(found, Ephemeris) and found.clock != "observer":
            raise InvalidInputError(
                "target.clock", found.clock, "'observer': the service takes times at the spacecraft"
            )
        return Order(found, self.details)


def check_form(
    size: Size | None, sectors: Sectors, product: str, options: CutoutOptions | None, aperture: str | None = None
) -> OrderForm:
    """Check the arguments of a request for cutouts, other than the target.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    """
    details: dict[str, Any] = {}
    if size is not None:
        details["size"] = read_size(size)
    if sectors is not None:
        details["sectors"] = read_sectors(sectors)
    if (word := check_product(product)) != PRODUCTS[0]:
        details["product"] = word
    details |= _chosen(options)
    if aperture is not None:
        if not isinstance(aperture, str) or not _APERTURES.fullmatch(aperture):
            raise InvalidInputError("aperture", aperture, _APERTURE_WORDS)
        details["aperture"] = aperture.lower()
    return OrderForm(details, size is not None, "placement" in details)


def check_product(product: object) -> str:
    """Return the kind of frames in capital letters, or raise `InvalidInputError`."""
    return check_choice("product", product, PRODUCTS, any_case=True)


def read_sectors(sectors: Sectors) -> list[int]:
    """Check numbers of sectors, and sort them.

    Raises
    ------
    InvalidInputError
        When there is none, or one is not a number of a sector.
    """
    allowed = "numbers of sectors, such as 1 or [1, 27]; None means all"
    try:
        items = list(sectors) if isinstance(sectors, Iterable) and not isinstance(sectors, (str, bytes)) else [sectors]
        found = {check_integer("sectors", item, 1, _LARGEST_SECTOR) for item in items}
    except (InvalidInputError, TypeError) as error:
        raise InvalidInputError("sectors", sectors, allowed) from error
    if not found:
        raise InvalidInputError("sectors", sectors, allowed)
    return sorted(found)


def split_size(size: Size) -> tuple[tuple[Side, Side], bool]:
    """Rows and columns of a size, and whether these are angles.

    Raises
    ------
    InvalidInputError
        When it is no size, or one side is in pixels and the other one is an angle.
    """
    try:
        sides = parse_size(size)
    except InvalidInputError as error:
        raise InvalidInputError("size", size, error.allowed) from error
    angles = [isinstance(side, u.Quantity) and side.unit.physical_type == "angle" for side in sides]
    if any(angles) != all(angles):
        raise InvalidInputError("size", size, "both sides in pixels or both as angles")
    return sides, all(angles)


def read_size(size: Size) -> int | list[int] | dict[str, float]:
    """Convert a size to the form of the service: pixels, [rows, columns], or height and width in degrees.

    Raises
    ------
    InvalidInputError
        When it is no size that the service takes.
    """
    (rows, columns), angles = split_size(size)
    if angles:
        return {"height": _degrees(rows), "width": _degrees(columns)}
    pixels = [float(side.value if isinstance(side, u.Quantity) else side) for side in (rows, columns)]
    if not all(side.is_integer() and 1 <= side <= _LARGEST_SIDE for side in pixels):
        raise InvalidInputError("size", size, _SIZE)
    return int(pixels[0]) if pixels[0] == pixels[1] else [int(side) for side in pixels]


def _degrees(side: Side) -> float:
    assert isinstance(side, u.Quantity)
    return float(side.to_value(u.deg))


def _chosen(options: CutoutOptions | None) -> dict[str, Any]:
    """Fields of the options that differ from their defaults."""
    if options is None:
        return {}
    if not isinstance(options, CutoutOptions):
        raise InvalidInputError("options", options, "CutoutOptions(...)")
    default = {item.name: item.default for item in fields(CutoutOptions)}
    given = {name: getattr(options, name) for name in default if not _is_same(getattr(options, name), default[name])}
    for name in _LOCAL:
        if name in given and name != "check":
            allowed = f"{default[name]}, because the service does not have this option"
            raise InvalidInputError(f"options.{name}", given[name], allowed)
    given.pop("check", None)
    if "time" in given:
        given["time"] = [min(max(end, -_FARTHEST), _FARTHEST) for end in given["time"]]
    if "cadences" in given:
        given["cadences"] = list(given["cadences"])
    return given


def _is_same(value: Any, default: Any) -> bool:
    return bool(value == default) or (isinstance(value, float) and math.isnan(value) and math.isnan(default))
