"""Cutouts in our own API."""

from __future__ import annotations

from typing import Any, NoReturn

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.results import NO_DATA
from tessera_cloud.errors import NotFoundError
from tessera_cloud.http.cutouts.job_answers import job_accepted
from tessera_cloud.http.cutouts.queries import CutoutBody, CutoutQuery
from tessera_cloud.http.cutouts.requests import from_body, from_query
from tessera_cloud.http.cutouts.respond import respond
from tessera_cloud.http.framework.operations import ZIP, Answer, Group, Operation, Request
from tessera_cloud.http.models import ErrorDocument, Job

PATH = "/v1/cutouts"

group = Group("Cutouts")

_ANSWERS = (
    Answer(200, "A zip of target pixel files, one for each cube", content_type=ZIP),
    Answer(202, "It takes long: the job that makes it", Job, location=True),
    Answer(303, "A larger zip is elsewhere", content_type="text/plain", location=True),
    Answer(404, "No cube has pixels for it", ErrorDocument),
    Answer(413, "It is larger than is ever made", ErrorDocument),
)


def _nothing() -> NoReturn:
    raise NotFoundError(NO_DATA)


@group.add(Operation("GET", PATH, "get_cutouts", "Target pixel files around a position", _ANSWERS, query=CutoutQuery))
def get_cutouts(request: Request, query: CutoutQuery) -> Response[Any]:
    """Cutouts of a query string."""
    return respond(from_query(query), request, empty=_nothing, waiting=job_accepted)


@group.add(
    Operation(
        "POST", PATH, "post_cutouts", "Target pixel files around a position or of a region", _ANSWERS, body=CutoutBody
    )
)
def post_cutouts(request: Request, body: CutoutBody) -> Response[Any]:
    """Cutouts of a JSON body."""
    wanted = from_body(body, request.services)
    return respond(wanted, request, empty=_nothing, waiting=job_accepted)
