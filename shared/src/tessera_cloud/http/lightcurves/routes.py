"""Operations for light curves of all sectors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Response

from tessera.errors import InvalidValueError, NoCadenceError
from tessera.lightcurves.quality import quality_bits
from tessera_cloud.application.cutouts.order import place_order
from tessera_cloud.errors import UsageError
from tessera_cloud.http.charging import charge, charge_result, check_share
from tessera_cloud.http.cutouts.nothing import no_cubes, nothing_cut
from tessera_cloud.http.cutouts.queries import CutoutQuery
from tessera_cloud.http.cutouts.requests import from_query
from tessera_cloud.http.framework.answers import result_url, see_other
from tessera_cloud.http.framework.cached_answers import NOT_MODIFIED, cached_answer, digest, not_modified
from tessera_cloud.http.framework.operations import JSON, Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.lightcurves.measures import read_sides
from tessera_cloud.http.lightcurves.models import StitchedLightCurve
from tessera_cloud.http.lightcurves.queries import LightCurveQuery
from tessera_cloud.http.models import ErrorDocument

if TYPE_CHECKING:
    from tessera_cloud.application.lightcurves.request import StitchOrder
    from tessera_cloud.application.lightcurves.stitched import Form

PATH = "/v1/lightcurve"
_SHARED = ("ra", "dec", "name", "time", "cadences", "sectors", "product", "flags")
"""Parameters that cutouts have, too."""
_KINDS = {"json": JSON, "csv": "text/csv; charset=UTF-8", "fits": "application/fits"}

group = Group("Light curves", "The light curves of a target in all sectors as one.")

_OTHERS = (
    Answer(303, "The address of a larger answer", content_type="text/plain", location=True),
    NOT_MODIFIED,
    Answer(404, "No cube has the position on pixels that see the sky, or no cadence is left", ErrorDocument),
    Answer(413, "The windows of all sectors are too large; the answer says what is allowed", ErrorDocument),
)


def _order(query: LightCurveQuery, request: Request) -> StitchOrder:
    """What is wanted, and the cubes that may have it."""
    from tessera_cloud.application.lightcurves.request import StitchOrder, StitchRequest  # noqa: PLC0415 - brings much

    _check_aperture(query)
    shared = {name: getattr(query, name) for name in _SHARED}
    cut = CutoutQuery(**shared, size="{},{}".format(*read_sides(query.size)))
    wanted = StitchRequest(
        cutouts=from_query(cut, request.services),
        mask=query.aperture.lower(),
        background=query.background,
        detrend=query.detrend,
        quality=quality_bits(int(query.quality) if query.quality.isdecimal() else query.quality),
        level=query.level,
        gap=query.gap,
    )
    order = place_order(wanted.cutouts, request.services)
    if reason := no_cubes(wanted.cutouts, order, request.services):
        raise reason
    return StitchOrder(wanted, order)


def _check_aperture(query: LightCurveQuery) -> None:
    """Refuse digits that do not have the pixels of the window."""
    from tessera.lightcurves.photometry import parse_aperture  # noqa: PLC0415 - brings much

    if query.aperture in ("default", "all"):
        return
    try:
        parse_aperture(query.aperture, *read_sides(query.size))
    except InvalidValueError as error:
        raise UsageError.about("aperture", query.aperture, error.allowed) from error


def _answer(query: LightCurveQuery, request: Request, form: Form) -> Response[Any]:
    """The light curve in a form, or a redirection to it."""
    from tessera_cloud.application.lightcurves.stitched import answer_stitched  # noqa: PLC0415 - brings much

    services, order = request.services, _order(query, request)
    tag = digest(f"{order.id} {form}")
    if known := not_modified(request, tag):
        return known
    check_share(request)
    try:
        answer = answer_stitched(order, form, services, time.sleep)
    except NoCadenceError as error:
        raise nothing_cut(order.request.cutouts, order.order, services) from error
    note(cubes=list(answer.cubes), cutout_bytes=answer.n_bytes, cached=int(answer.cached))
    position = order.request.position
    name = f"{query.product.lower()}_{position.ra:.6f}_{position.dec:.6f}_lightcurve.{form}"
    if answer.data is None:
        charge_result(request, answer.key, answer.n_bytes)
        return see_other(result_url(services, answer.key, name, _KINDS[form]))
    charge(request, len(answer.data))
    content = answer.data if form == "fits" else answer.data.decode()
    attached = {} if form == "json" else {"Content-Disposition": f'attachment; filename="{name}"'}
    return cached_answer(tag, content, _KINDS[form], **attached)


@group.add(
    Operation(
        "GET",
        PATH,
        "get_lightcurve",
        "One light curve of all sectors",
        (Answer(200, "The light curve", StitchedLightCurve), *_OTHERS),
        description="Stitches the light curves of a position in all sectors. Of several CCDs of a sector, the one is "
        "taken on which the position lies farthest from the edge of the pixels that see the sky. The answer says what "
        "was done to each sector, where gaps are, and what is left out.",
        query=LightCurveQuery,
        paid=True,
    )
)
def get_lightcurve(request: Request, query: LightCurveQuery) -> Response[Any]:
    """Light curve as JSON."""
    return _answer(query, request, "json")


@group.add(
    Operation(
        "GET",
        f"{PATH}.csv",
        "get_lightcurve_csv",
        "One light curve of all sectors as CSV",
        (
            Answer(
                200,
                "A table with the columns time_btjd (TICA: time_tjd), flux, flux_err, quality, sector, camera and ccd",
                content_type=_KINDS["csv"],
            ),
            *_OTHERS,
        ),
        description="Gives the points of `/v1/lightcurve`, one row for each.",
        query=LightCurveQuery,
        paid=True,
    )
)
def get_lightcurve_csv(request: Request, query: LightCurveQuery) -> Response[Any]:
    """Light curve as CSV."""
    return _answer(query, request, "csv")


@group.add(
    Operation(
        "GET",
        f"{PATH}.fits",
        "get_lightcurve_file",
        "One file with the light curves of all sectors",
        (
            Answer(
                200,
                "A FITS file: the stitched light curve, tables of the sectors, the gaps and what is left out, and the "
                "light curve and the aperture of each sector",
                content_type=_KINDS["fits"],
            ),
            *_OTHERS,
        ),
        description="Gives what `/v1/lightcurve` has, and the light curves as they were, in a file that lightkurve "
        "opens.",
        query=LightCurveQuery,
        paid=True,
    )
)
def get_lightcurve_file(request: Request, query: LightCurveQuery) -> Response[Any]:
    """Light curve as FITS."""
    return _answer(query, request, "fits")
