"""Says why there is nothing to cut, and what there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

from tessera_cloud.application.backend import Backend
from tessera_cloud.application.cutouts.options import CutoutOptions
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.request import CutoutRequest, Moving, Position, Region
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.index.served import current_index
from tessera_cloud.contracts import ProductName, PublishedCube
from tessera_cloud.errors import NotFoundError, as_text

_BTJD = 56_999.5
"""MJD of BTJD 0."""
_MARGIN = 0.02
"""Days by which times of frames may differ from those of the index: times of files are those at the Sun."""
_MOST = 12
"""Largest number of sectors that are listed."""


def _listed(numbers: Iterable[int]) -> str:
    found = sorted(set(numbers))
    return ", ".join(map(str, found[:_MOST])) + (f" and {len(found) - _MOST} more" if len(found) > _MOST else "")


def _sectors(cubes: Iterable[PublishedCube]) -> str:
    return _listed(cube.sequence_number for cube in cubes)


def _place(wanted: CutoutRequest) -> str:
    target = wanted.target
    if isinstance(target, Position):
        return f"ra {as_text(target.ra)}, dec {as_text(target.dec)}"
    return "the path" if isinstance(target, Moving) else "the region"


def _range(pair: Sequence[float]) -> str:
    return ", ".join(map(as_text, pair))


def _times(cubes: Sequence[PublishedCube]) -> str:
    """Times of the frames by sector, as in the column TIME: ``1325.29 to 1353.18 (sector 1)``."""
    spans = {cube.sequence_number: (cube.t_min - _BTJD, cube.t_max - _BTJD) for cube in cubes}
    texts = [f"{first:.2f} to {last:.2f} (sector {sector})" for sector, (first, last) in sorted(spans.items())[:_MOST]]
    return ", ".join(texts) + (" and other sectors" if len(spans) > _MOST else "")


def is_in_time(wanted: CutoutRequest, cubes: Sequence[PublishedCube]) -> bool:
    """Whether some cube may have frames in the time range of a request."""
    if wanted.options.time is None:
        return True
    first, last = (time + _BTJD for time in wanted.options.time)
    return any(cube.t_min - _MARGIN <= last and first <= cube.t_max + _MARGIN for cube in cubes)


def no_sectors(options: CutoutOptions, there: str, where: str, index: FootprintIndex) -> NotFoundError:
    """Error of sectors in which a target is not, though it is in others.

    Parameters
    ----------
    options : CutoutOptions
        Sectors and product of the request.
    there : str
        Sectors in which the target is.
    where : str
        The target, in words.
    index : FootprintIndex
        Cubes that are served.
    """
    wanted = set(options.sectors or ())
    served = {cube.sequence_number for cube in index.cubes if cube.cube_id.product == options.product}
    missing = wanted - served
    reason = f"; there are no {options.product} cubes of sector {_listed(missing)}" if missing else ""
    value = _listed(wanted)
    message = f"sectors is {value}{reason}; {where} is in: {there}"
    return NotFoundError(message, parameter="sectors", value=value, allowed=there)


def _not_there(wanted: CutoutRequest, index: FootprintIndex) -> NotFoundError:
    """Error of a request that no footprint matches."""
    options, where = wanted.options, _place(wanted)

    def seen(product: ProductName) -> str:
        return _sectors(
            wanted.target.find_cubes(index, options.model_copy(update={"product": product, "sectors": None}))
        )

    if there := seen(options.product):
        return no_sectors(options, there, where, index)
    for product in get_args(ProductName):
        if product != options.product and (there := seen(product)):
            message = f"product is {options.product}; {where} is only in {product} cubes, of sectors {there}"
            return NotFoundError(message, parameter="product", value=options.product, allowed=product)
    message = f"no cube sees {where}; /v1/map has the places that cubes see"
    return NotFoundError(message, parameter=_parameter(wanted), allowed="a place of /v1/map")


def _parameter(wanted: CutoutRequest) -> str:
    return {Position: "position", Region: "region", Moving: "path"}[type(wanted.target)]


def _no_pixels(wanted: CutoutRequest, cubes: Sequence[PublishedCube]) -> NotFoundError:
    names = ", ".join(cube.obs_id for cube in cubes[:_MOST])
    message = f"{_place(wanted)} is beside the frames of {names}; /v1/targets has the cubes that see a position"
    return NotFoundError(message, parameter=_parameter(wanted), allowed="a place on the frames")


def _no_cadences(wanted: CutoutRequest, cubes: Sequence[PublishedCube]) -> NotFoundError:
    options = wanted.options
    if options.time is not None:
        value, allowed = _range(options.time), _times(cubes)
        message = f"time is {value}; no cadence is left, and the cubes there have the times {allowed}"
        return NotFoundError(message, parameter="time", value=value, allowed=allowed)
    name = "cadences" if options.cadences else "quality_mask"
    value = _range(options.cadences) if options.cadences else as_text(options.quality_mask)
    allowed = "a wider range of cadences" if options.cadences else "fewer quality bits"
    message = f"{name} is {value}; no cadence of sectors {_sectors(cubes)} is left; allowed: {allowed}"
    return NotFoundError(message, parameter=name, value=value, allowed=allowed)


def no_cubes(wanted: CutoutRequest, order: CutoutOrder, backend: Backend) -> NotFoundError | None:
    """Error of an order that has no cubes, or none with frames in its time range; None if it may have pixels."""
    if not order.cubes:
        return _not_there(wanted, current_index(backend))
    return None if is_in_time(wanted, order.cubes) else _no_cadences(wanted, order.cubes)


def nothing_cut(wanted: CutoutRequest, order: CutoutOrder, backend: Backend) -> NotFoundError:
    """Error of an order whose cubes have no pixels or no cadences for it."""
    from tessera_cloud.application.sidecar import known_cubes  # noqa: PLC0415 - jobs are begun without it

    options, target = wanted.options, wanted.target
    chosen = options.time is not None or options.cadences is not None or options.quality_mask
    if chosen and not isinstance(target, Moving):
        cubes = known_cubes(order.cubes, backend)
        there = zip(order.cubes, cubes, strict=True)
        seen = [published for published, cube in there if target.find_window(cube, options.placement) is not None]
        if seen:
            return _no_cadences(wanted, seen)
    elif chosen:
        return _no_cadences(wanted, order.cubes)
    return _no_pixels(wanted, order.cubes)
