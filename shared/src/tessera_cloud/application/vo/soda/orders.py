"""Turns a request of SODA into orders for cutouts of cubes and of images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias

from tessera.tess.times import to_utc_mjd, utc_to_btjd
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.cutouts.options import CutoutOptions
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.cutouts.shaped import Shaped
from tessera_cloud.application.images.order import ImageOrder
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.index.served import settled
from tessera_cloud.application.vo.identifiers import PublishedImage, find_published
from tessera_cloud.application.vo.links.ranges import TESS_BAND
from tessera_cloud.application.vo.soda.images import image_order
from tessera_cloud.application.vo.soda.parameters import Interval, SodaRequest, SodaShape
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import NotFoundError, UsageError, as_text

_ALWAYS = 1e6
"""BTJD before and after all frames, for open intervals."""
_MARGIN = 0.02
"""Days by which times of frames may differ from those of the index: times of files are those at the Sun."""
_ROUNDING = 1e-9
"""Days by which a time that is converted to MJD and back may differ."""
Order: TypeAlias = CutoutOrder | ImageOrder
_Key: TypeAlias = tuple[str, SodaShape, Interval | None]


@dataclass(frozen=True)
class SodaResult:
    """One combination of an ID, a shape, a time and a band.

    Parameters
    ----------
    given : str
        The ID, as the client wrote it.
    published : PublishedCube or PublishedImage
        What it names.
    shape : SodaShape
        The shape.
    time, band : (float, float) or None
        Intervals of time and of wavelength, as the client gave them; None for all.
    order : CutoutOrder or ImageOrder or None
        The order that makes it. An order of cubes may make several results, one for each of its cubes. None where it is
        known that there is nothing.
    """

    given: str
    published: PublishedCube | PublishedImage
    shape: SodaShape
    time: Interval | None
    band: Interval | None
    order: Order | None


@dataclass(frozen=True)
class Placed:
    """What a request asks for.

    Parameters
    ----------
    results : tuple of SodaResult
        All combinations: first by ID, then by shape, time and band.
    """

    results: tuple[SodaResult, ...]

    @property
    def cutouts(self) -> tuple[CutoutOrder, ...]:
        """Different orders for cubes, at most one for each shape and time."""
        orders = (result.order for result in self.results)
        return tuple({order.id: order for order in orders if isinstance(order, CutoutOrder)}.values())

    @property
    def images(self) -> tuple[ImageOrder, ...]:
        """Different orders for images, each for one file and one shape."""
        orders = (result.order for result in self.results)
        return tuple({order.id: order for order in orders if isinstance(order, ImageOrder)}.values())

    @property
    def n_files(self) -> int:
        """Largest number of different files."""
        return sum(len(order.cubes) for order in self.cutouts) + len(self.images)


def place(request: SodaRequest, backend: Backend) -> Placed:
    """Orders for what a request asks for.

    Parameters
    ----------
    request : SodaRequest
        What is wanted.
    backend : Backend
        Index of cubes and datasets of images.

    Returns
    -------
    Placed
        All results. One that has an order may still be found to have no pixels or no cadences when it is made.

    Raises
    ------
    NotFoundError
        If an ID names nothing, or the cube that it names is gone.
    UsageError
        If a time or a wavelength of an image is asked for, because these are not known.
    TooLargeError
        If no job can make it.
    """
    found = {given: find_published(given, backend) for given in request.ids}
    intervals = request.times or (None,), request.bands or (None,)
    cells = [
        SodaResult(given, found[given], shape, time, band, None)
        for given, shape, time, band in product(request.ids, request.shapes, *intervals)
    ]
    if request.polarizations and "I" not in request.polarizations:
        return Placed(tuple(cells))
    made = _cube_orders(cells, backend)
    return Placed(tuple(_with_order(cell, made, backend) for cell in cells))


def _with_order(cell: SodaResult, made: dict[_Key, CutoutOrder], backend: Backend) -> SodaResult:
    of = cell.published
    if isinstance(of, PublishedImage):
        _check_image(cell)
        return replace(cell, order=image_order(of, cell.shape, backend))
    if not _sees(cell.band):
        return cell
    order = made.get(_key(of, cell))
    return replace(cell, order=order if order and any(of.obs_id == cube.obs_id for cube in order.cubes) else None)


def _check_image(cell: SodaResult) -> None:
    """Refuse constraints that nobody can check."""
    for name, value, what in (("TIME", cell.time, "times"), ("BAND", cell.band, "wavelengths")):
        if value is not None and value != (-math.inf, math.inf):
            shown = " ".join(map(as_text, value))
            raise UsageError.about(name, shown, f"no {name} for {cell.given}, because {what} of images are not known")


def _sees(band: Interval | None) -> bool:
    return band is None or (band[0] <= TESS_BAND[1] and TESS_BAND[0] <= band[1])


# ---------------------------------------------------------------- cubes


def _key(cube: PublishedCube, cell: SodaResult) -> _Key:
    """Results with the same key are made by one order."""
    return cube.cube_id.product, cell.shape, cell.time


def _options(kind: str, time: Interval | None) -> CutoutOptions:
    """What is kept: the exposures whose middle is in the interval, or those that it touches if it has no middle."""
    if time is None or time == (-math.inf, math.inf):
        return CutoutOptions.model_validate({"product": kind, "provenance": True, "crate": True})
    ends = time[0] - _ROUNDING, time[1] + _ROUNDING
    first, last = (min(max(utc_to_btjd(end), -_ALWAYS), _ALWAYS) for end in ends)
    return CutoutOptions.model_validate(
        {"product": kind, "time": (first, last), "touched": True, "provenance": True, "crate": True}
    )


def _cube_orders(cells: Sequence[SodaResult], backend: Backend) -> dict[_Key, CutoutOrder]:
    """An order for each shape and time, with the cubes that it may touch."""
    wanted: dict[_Key, dict[str, PublishedCube]] = {}
    for cell in cells:
        of = cell.published
        if isinstance(of, PublishedCube) and _sees(cell.band) and _is_then(of, cell.time):
            wanted.setdefault(_key(of, cell), {})[of.obs_id] = of
    orders = {}
    for (kind, shape, time), cubes in wanted.items():
        target = _target(shape)
        options = _options(kind, time)
        near = target.find_cubes(FootprintIndex.of(cubes.values()), options)
        if near:
            request = CutoutRequest(target=target, options=options)
            order = CutoutOrder.of(request, tuple(_current(cube, backend) for cube in near))
            order.check(backend.settings)
            orders[kind, shape, time] = order
    return orders


def _is_then(cube: PublishedCube, time: Interval | None) -> bool:
    """Whether a cube may have frames in an interval."""
    if time is None:
        return True
    first, last = (to_utc_mjd(cube.cube_id.kind, mjd) for mjd in (cube.t_min, cube.t_max))
    return first - _MARGIN <= time[1] and time[0] <= last + _MARGIN


def _current(cube: PublishedCube, backend: Backend) -> PublishedCube:
    known = settled(cube, backend)
    if known is None:
        message = f"the cube {cube.obs_id} is no longer at its source"
        raise NotFoundError(message, parameter="ID", value=cube.obs_id)
    return known


def _target(shape: SodaShape) -> Shaped:
    return Shaped(shape=shape.text, parameter=shape.parameter)
