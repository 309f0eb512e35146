"""Operations of TESSCut v0.1, for unmodified clients."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from tessera_cloud.application.cutouts.follow_target import find_target_cubes, follow
from tessera_cloud.application.cutouts.frame_header import frame_header
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.index.catalogue import find_sectors, to_rows
from tessera_cloud.application.jobs.submit import JobStatus
from tessera_cloud.application.results import NO_DATA
from tessera_cloud.errors import AmbiguousTargetError, NotFoundError, UnknownTargetError
from tessera_cloud.http.cutouts.respond import respond
from tessera_cloud.http.framework.answers import message, see_other, tesscut_json
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import ZIP, Answer, Group, Handler, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.models import Message, SectorList, WcsDocument
from tessera_cloud.http.tesscut.parameters import (
    parse_cutout_request,
    parse_moving_request,
    parse_sector_request,
    parse_target,
    parse_wcs_request,
)
from tessera_cloud.http.tesscut.queries import (
    TesscutCutout,
    TesscutMoving,
    TesscutMovingCutout,
    TesscutSector,
    TesscutWcs,
)

BASE = "/tesscut/api/v0.1"
NO_WCS = "No FFIs found for the sector, camera and CCD."
METHODS = ("GET", "POST")

group = Group("TESSCut", "Cutouts by the protocol of MAST's TESSCut service, which astroquery speaks.")

_SAID = Answer(200, "A message if there is nothing to cut", Message)
_ARCHIVE = Answer(200, "A zip of target pixel files, one for each CCD", content_type=ZIP)
_ELSEWHERE = Answer(
    303, "The address of a zip that is large, or that a job is making", content_type="text/plain", location=True
)


def _declare(
    handler: Handler, path: str, summary: str, query: type[BaseModel], *answers: Answer, description: str
) -> None:
    """Add an operation for GET, and one for POST with a form or JSON body."""
    name = f"tesscut_{path.replace('_target/', '_')}"
    for method in METHODS:
        operation = Operation(
            method,
            f"{BASE}/{path}",
            f"{name}_{method.lower()}",
            summary,
            answers,
            description=description,
            query=query,
            form=True,
            paid=path.endswith("astrocut"),
        )
        group.add(operation)(handler)


def sector(request: Request) -> Response[str]:
    """Rows of the CCDs that see a position."""
    wanted = parse_sector_request(request.parameters())
    rows = find_sectors(wanted, request.services)
    note(n_rows=len(rows))
    return tesscut_json({"results": rows})


def astrocut(request: Request) -> Response[Any]:
    """Zip of target pixel files; or a message if there is nothing to cut; or a redirection to the zip."""
    return _answer(parse_cutout_request(request.parameters()), request)


def _answer(wanted: CutoutRequest, request: Request) -> Response[Any]:
    return respond(wanted, request, empty=_nothing, waiting=_wait)


def _nothing(_reason: NotFoundError) -> Response[str]:
    return message(NO_DATA)  # the text of MAST's service, which its clients know


def _wait(status: JobStatus, request: Request) -> Response[Any]:
    """Redirect the client to a path that waits. Clients that follow redirections get the zip in the end."""
    return see_other(link(request.base, f"/v1/jobs/{status.record.id}/wait", n=1))


def ffi_wcs(request: Request) -> Response[str]:
    """WCS of the frames of a CCD."""
    wanted = parse_wcs_request(request.parameters())
    text = frame_header(wanted.cube_id, request.services)
    return message(NO_WCS) if text is None else tesscut_json({"wcs": text})


def moving_sector(request: Request) -> Response[str]:
    """Rows of the CCDs that a moving target crossed."""
    target, product = parse_target(request.parameters())
    cubes = find_target_cubes(target, product, None, 0.0, request.services)
    note(target=target.name, n_rows=len(cubes))
    return tesscut_json({"results": to_rows(cubes)})


def moving_astrocut(request: Request) -> Response[Any]:
    """Zip of target pixel files that follow a target; other answers are those of `astrocut`."""
    target, size, options = parse_moving_request(request.parameters())
    wanted = follow(target, size, options, request.services)
    note(target=target.name)
    return message(NO_DATA) if wanted is None else _answer(wanted, request)


def _said(handler: Handler) -> Handler:
    """Answer 200 to names that are unknown or ambiguous, because clients show the text of no other answer."""

    def answer(request: Request) -> Any:
        try:
            return handler(request)
        except (UnknownTargetError, AmbiguousTargetError) as error:
            return message(str(error))

    return answer


_UNKNOWN = Answer(200, "A message if the name is unknown or ambiguous", Message)

_declare(
    sector,
    "sector",
    "CCDs that see a position",
    TesscutSector,
    Answer(200, "The CCDs", SectorList),
    description="Lists one CCD of each sector whose frames have a pixel at a position. With a radius, lists all CCDs "
    "that see the position or touch a square around it; the radius is half a side.",
)
_declare(
    astrocut,
    "astrocut",
    "Target pixel files around a position",
    TesscutCutout,
    *(_SAID, _ARCHIVE, _ELSEWHERE),
    description="Gives a zip with one target pixel file for each CCD that sees a position.",
)
_declare(
    ffi_wcs,
    "ffi_wcs",
    "WCS of the frames of a CCD",
    TesscutWcs,
    Answer(200, "The header", WcsDocument),
    Answer(200, "A message if the CCD has no cube", Message),
    description="Gives the WCS of the middle frame of a CCD as the text of a FITS header.",
)
_declare(
    _said(moving_sector),
    "moving_target/sector",
    "CCDs that a moving target crossed",
    TesscutMoving,
    Answer(200, "The CCDs", SectorList),
    _UNKNOWN,
    description="Lists the CCDs that a body of the solar system crossed, by its ephemeris of JPL Horizons.",
)
_declare(
    _said(moving_astrocut),
    "moving_target/astrocut",
    "Target pixel files that follow a moving target",
    TesscutMovingCutout,
    *(_SAID, _ARCHIVE, _ELSEWHERE),
    description="Gives a zip with one target pixel file for each CCD that a body of the solar system crossed.",
)
