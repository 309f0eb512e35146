"""Says why there is nothing to cut, and what there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, get_args

from tessera.errors import NoCadenceError
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.cutouts.fixed import Position
from tessera_cloud.application.cutouts.moving import Moving
from tessera_cloud.application.cutouts.options import CutoutOptions
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.index.served import current_index
from tessera_cloud.contracts import ProductName, PublishedCube
from tessera_cloud.errors import NotFoundError, as_text

if TYPE_CHECKING:
    from tessera.cubes.reader import Cube

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
    when = " at its times" if isinstance(wanted.target, Moving) else ""
    message = f"no cube sees {where}{when}; /v1/map has the places{' and times' * bool(when)} that cubes see"
    return NotFoundError(message, parameter=_parameter(wanted), allowed="a place of /v1/map")


def _parameter(wanted: CutoutRequest) -> str:
    named = {Position: "position", Moving: "path"}
    return named.get(type(wanted.target), wanted.target.sized_by)


def _no_pixels(wanted: CutoutRequest, cubes: Sequence[PublishedCube]) -> NotFoundError:
    names = ", ".join(cube.obs_id for cube in cubes[:_MOST])
    message = f"{_place(wanted)} is beside the frames of {names}; /v1/targets has the cubes that see a position"
    return NotFoundError(message, parameter=_parameter(wanted), allowed="a place on the frames")


def _no_time(wanted: CutoutRequest, cubes: Sequence[PublishedCube]) -> NotFoundError:
    """Error of a range of times that no frame of the cubes is in."""
    value, allowed = _range(wanted.options.time or ()), _times(cubes)
    message = f"time is {value}; no cadence is left, and the cubes there have the times {allowed}"
    return NotFoundError(message, parameter="time", value=value, allowed=allowed)


def _chosen(options: CutoutOptions) -> dict[str, str]:
    """Options that leave out cadences, with their values."""
    return {
        **({"time": _range(options.time)} if options.time else {}),
        **({"cadences": _range(options.cadences)} if options.cadences else {}),
        **({"quality_mask": as_text(options.quality_mask)} if options.quality_mask else {}),
    }


def _keeps(cube: Cube, options: CutoutOptions, name: str) -> bool:
    """Whether one option, without the others, keeps a cadence of a cube."""
    from tessera.cutouts.cadences import select_cadences  # noqa: PLC0415 - jobs are begun without it

    only = CutoutOptions.model_validate({name: getattr(options, name)})
    try:
        select_cadences(cube, only.time, only.cadences, only.quality_mask)
    except NoCadenceError:
        return False
    return True


def _no_cadences(wanted: CutoutRequest, seen: Sequence[tuple[PublishedCube, Cube]]) -> NotFoundError:
    """Error of options that keep no cadence: it names the one that keeps none, or all of them."""
    chosen, cubes = _chosen(wanted.options), [published for published, _ in seen]
    guilty = [name for name in chosen if not any(_keeps(cube, wanted.options, name) for _, cube in seen)]
    names = guilty[:1] or list(chosen)
    if names == ["time"]:
        return _no_time(wanted, cubes)
    said = " and ".join(f"{name} is {chosen[name]}" for name in names)
    allowed = {"cadences": "a wider range of cadences", "quality_mask": "fewer quality bits"}.get(
        names[0] if len(names) == 1 else "", f"values of {' and '.join(names)} that keep cadences together"
    )
    message = f"{said}; no cadence of sectors {_sectors(cubes)} is left; allowed: {allowed}"
    return NotFoundError(message, parameter=names[0], value=chosen[names[0]], allowed=allowed)


def no_cubes(wanted: CutoutRequest, order: CutoutOrder, backend: Backend) -> NotFoundError | None:
    """Error of an order that has no cubes, or none with frames in its time range; None if it may have pixels."""
    if not order.cubes:
        return _not_there(wanted, current_index(backend))
    return None if is_in_time(wanted, order.cubes) else _no_time(wanted, order.cubes)


def nothing_cut(wanted: CutoutRequest, order: CutoutOrder, backend: Backend) -> NotFoundError:
    """Error of an order whose cubes have no pixels or no cadences for it."""
    from tessera_cloud.application.sidecar import known_cubes  # noqa: PLC0415 - jobs are begun without it

    options, target = wanted.options, wanted.target
    if _chosen(options):
        seen = list(zip(order.cubes, known_cubes(order.cubes, backend), strict=True))
        if not isinstance(target, Moving):
            seen = [each for each in seen if target.find_window(each[1], options.placement) is not None]
        if seen:
            return _no_cadences(wanted, seen)
    return _no_pixels(wanted, order.cubes)
