"""Light curves of all sectors: cut, measured and stitched while the client waits, by the functions of the library."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeAlias

from tessera.errors import NoCadenceError, NoOverlapError, UnknownTrendError, UnreadableFileError
from tessera.lightcurves.light_curve import LightCurve
from tessera.lightcurves.target_pixels import TargetPixels
from tessera.stitching.curve import LeftOut, StitchedCurve
from tessera.stitching.files import stitched_csv, stitched_fits
from tessera.stitching.join import Piece, join
from tessera_cloud import keys
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.cutouts.answer import CutoutAnswer, Making, answer_once
from tessera_cloud.application.cutouts.planned import Planned
from tessera_cloud.application.facts import frame_pixels
from tessera_cloud.application.lightcurves.request import OnCube, StitchOrder, StitchRequest
from tessera_cloud.application.lightcurves.vectors import no_vectors, vectors_beside
from tessera_cloud.application.results import order_id
from tessera_cloud.application.sidecar import read_info
from tessera_cloud.errors import NotFoundError, as_text

Form: TypeAlias = Literal["json", "csv", "fits"]
_FORMS: dict[Form, Callable[[StitchedCurve], bytes]] = {
    "json": lambda curve: curve.to_json().encode(),
    "csv": lambda curve: stitched_csv(curve).encode(),
    "fits": stitched_fits,
}
_NO_CADENCE = "no cadence is kept by the times and cadences of the request"
_POINT_BYTES, _SECTOR_BYTES = 130, 30_000
"""Bytes of a point, and of the headers of a sector, in the largest form, about."""


def answer_stitched(order: StitchOrder, form: Form, backend: HasCubes, sleep: Callable[[float], None]) -> CutoutAnswer:
    """Make a light curve of all sectors in a form, unless it is there; see `answer_once`.

    Raises
    ------
    NoCadenceError
        When the times and cadences of the request keep no cadence of any sector.
    NotFoundError
        When no sector can be used; it says why.
    TooLargeError
        See `StitchOrder.choose`.
    """

    def write(out: io.RawIOBase) -> tuple[str, ...]:
        curve = build_stitched(order, backend)
        out.write(_FORMS[form](curve))
        return tuple(one.cube for one in curve.sectors)

    made_of = order_id(form, order.id)
    cadences = sum(cube.n_cadences or 0 for cube in order.order.cubes)
    n_bytes = cadences * _POINT_BYTES + len(order.order.cubes) * _SECTOR_BYTES
    return answer_once(Making(made_of, keys.image_result(made_of, f".{form}"), n_bytes, write), backend, sleep)


def build_stitched(order: StitchOrder, backend: HasCubes) -> StitchedCurve:
    """Cut, measure and stitch. One cutout is in memory at a time.

    Raises
    ------
    NoCadenceError, NotFoundError, TooLargeError
        See `answer_stitched`.
    """
    request, choice = order.request, order.choose(backend)
    left = [_left(place, reason) for place, reason in choice.left]
    plans = [_plan(place, request, backend) for place in choice.taken]
    if plans and not any(plans):
        raise NoCadenceError(_NO_CADENCE)
    pieces: list[Piece] = []
    for place, planned in zip(choice.taken, plans, strict=True):
        try:
            pieces.append(_piece(place, _measure(place, planned, request, backend)))
        except NoCadenceError as error:
            left.append(_left(place, str(error)))
        except (UnknownTrendError, UnreadableFileError) as error:
            left.append(_left(place, str(error), failed=True))
    try:
        return join(pieces, request.level, request.gap, left)
    except NoOverlapError as error:
        position = request.position
        where = f"ra {as_text(position.ra)}, dec {as_text(position.dec)}"
        raise NotFoundError(
            f"there is no light curve of {where}: {error}",
            parameter="position",
            value=where,
            allowed="a position that /v1/targets finds on pixels that see the sky",
        ) from error


def _plan(place: OnCube, request: StitchRequest, backend: HasCubes) -> Planned | None:
    """The cutout of a cube; None if no cadence of it is wanted."""
    published, cube = place.published, place.cube
    read = partial(read_info, published, cube, backend.store)
    planned = request.position.plan(published, cube, request.cutouts.options, backend.settings.max_job_pixels, read)
    return None if planned is None else planned.at(frame_pixels(published, backend), backend.settings.cube_bucket)


def _measures(request: StitchRequest) -> dict[str, Any]:
    """Options of the light curve of a sector, as the library has them."""
    named: dict[str, Any] = {"none": False, "median": "default"}  # the default has none if no pixel is outside the mask
    background = named.get(request.background, request.background)
    return {"mask": request.mask, "background": background, "quality": request.quality, "detrend": request.detrend}


def _measure(place: OnCube, planned: Planned | None, request: StitchRequest, backend: HasCubes) -> LightCurve:
    """Light curve of a cutout, as the library makes it.

    Raises
    ------
    NoCadenceError
        When no cadence is kept.
    UnknownTrendError
        When it cannot be detrended.
    UnreadableFileError
        When its cotrending vectors cannot be read.
    """
    if planned is None:
        raise NoCadenceError(_NO_CADENCE)
    vectors = None
    if request.detrend == "cbv" and (vectors := vectors_beside(place.published, backend)) is None:
        raise UnknownTrendError("detrend", "cbv", no_vectors(place.published, backend))
    pixels = TargetPixels.read(b"".join(planned.cut(backend.store)[1]))
    return pixels.to_lightcurve(**_measures(request), vectors=vectors)


def _left(place: OnCube, reason: str, *, failed: bool = False) -> LeftOut:
    return LeftOut(place.sector, place.camera, place.ccd, place.published.obs_id, reason, failed)


def _piece(place: OnCube, curve: LightCurve) -> Piece:
    numbers = place.sector, place.camera, place.ccd
    return Piece(curve, *numbers, place.published.obs_id, place.row, place.column, place.edge)
