"""Operations for cutouts in our own API."""

from __future__ import annotations

from typing import Any, NoReturn

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.errors import NotFoundError
from tessera_cloud.http.cutouts.queries import CutoutBody, CutoutQuery, FileQuery
from tessera_cloud.http.cutouts.requests import from_query, of_one_cube, to_request
from tessera_cloud.http.cutouts.respond import FITS, job_accepted, respond, respond_file
from tessera_cloud.http.framework.operations import ZIP, Answer, Group, Operation, Request
from tessera_cloud.http.models import ErrorDocument, Job

PATH = "/v1/cutouts"

group = Group("Cutouts", "Cutouts of positions, regions and moving targets, with more choices than TESSCut has.")

_ANSWERS = (
    Answer(200, "A zip of target pixel files, one for each cube", content_type=ZIP),
    Answer(202, "The job that makes the zip, if that takes long", Job, location=True),
    Answer(303, "The address of a larger zip", content_type="text/plain", location=True),
    Answer(404, "No cube has pixels there", ErrorDocument),
    Answer(413, "The cutouts are too large; the answer says what is allowed", ErrorDocument),
)


def _nothing(reason: NotFoundError) -> NoReturn:
    raise reason


@group.add(
    Operation(
        "GET",
        PATH,
        "get_cutouts",
        "Target pixel files around a position",
        _ANSWERS,
        description="Cuts a window around a position out of each cube that sees it.",
        query=CutoutQuery,
        paid=True,
    )
)
def get_cutouts(request: Request, query: CutoutQuery) -> Response[Any]:
    """Cutouts for a query string."""
    return respond(from_query(query, request.services), request, empty=_nothing, waiting=job_accepted)


@group.add(
    Operation(
        "GET",
        f"{PATH}.fits",
        "get_cutout_file",
        "The target pixel file of one cube",
        (
            Answer(200, "The target pixel file", content_type=FITS),
            Answer(303, "The address of a larger file", content_type="text/plain", location=True),
            Answer(404, "There is no cube of this name, or it has no pixels there", ErrorDocument),
            Answer(413, "The file is too large for one answer; the answer says what is allowed", ErrorDocument),
        ),
        description="Cuts a window around a position out of one cube. The file is that of `GET /v1/cutouts`, without "
        "an archive around it, so that programs open its address.",
        query=FileQuery,
        paid=True,
    )
)
def get_cutout_file(request: Request, query: FileQuery) -> Response[Any]:
    """File of one cube for a query string."""
    published, wanted = of_one_cube(query, request.services)
    return respond_file(published, wanted, request)


@group.add(
    Operation(
        "POST",
        PATH,
        "post_cutouts",
        "Target pixel files of a position, a region or a moving target",
        _ANSWERS,
        description="Cuts a position, a region or boxes around a moving target out of each cube that sees it. A form "
        "may have the parameters of `GET`.",
        body=CutoutBody,
        form_body=CutoutQuery,
        paid=True,
    )
)
def post_cutouts(request: Request, body: CutoutBody | CutoutQuery) -> Response[Any]:
    """Cutouts for a JSON body or a form."""
    wanted = to_request(body, request.services)
    return respond(wanted, request, empty=_nothing, waiting=job_accepted)
