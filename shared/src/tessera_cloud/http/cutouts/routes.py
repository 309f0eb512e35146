"""Cutouts in our own API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.cutouts.answer import answer_now
from tessera_cloud.application.cutouts.order import CutoutOrder, place_order
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.jobs import submit as jobs
from tessera_cloud.application.results import NO_DATA
from tessera_cloud.errors import NotFoundError
from tessera_cloud.http.cutouts.job_documents import to_job
from tessera_cloud.http.cutouts.queries import CutoutBody, CutoutQuery
from tessera_cloud.http.cutouts.requests import follow_body, from_query
from tessera_cloud.http.framework.answers import archive, json_answer, result_url, see_other
from tessera_cloud.http.framework.operations import ZIP, Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
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


def _answer(wanted: CutoutRequest, request: Request) -> Response[Any]:
    svc = request.services
    order = place_order(wanted, svc)
    if not order.cubes:
        raise NotFoundError(NO_DATA)
    return _job(order, request) if order.is_heavy(svc.settings) else _archive(order, request)


def _job(order: CutoutOrder, request: Request) -> Response[Any]:
    svc = request.services
    status = jobs.submit(order, svc)
    note(job=order.id, phase=status.phase, cubes=[cube.obs_id for cube in order.cubes])
    if status.phase == "succeeded":
        note(cached=1)
        return see_other(result_url(svc, status.key))
    document = to_job(status, [], request.base, svc)
    return json_answer(document.model_dump_json(), HTTPStatus.ACCEPTED, Location=document.url)


def _archive(order: CutoutOrder, request: Request) -> Response[Any]:
    svc = request.services
    answer = answer_now(order, svc)
    note(cubes=list(answer.cubes), n_cutouts=len(answer.cubes), cutout_bytes=answer.n_bytes, cached=int(answer.cached))
    if answer.is_empty:
        raise NotFoundError(NO_DATA)
    return archive(answer.data) if answer.data is not None else see_other(result_url(svc, answer.key))


@group.add(Operation("GET", PATH, "get_cutouts", "Target pixel files around a position", _ANSWERS, query=CutoutQuery))
def get_cutouts(request: Request, query: CutoutQuery) -> Response[Any]:
    """Cutouts of a query string."""
    return _answer(from_query(query), request)


@group.add(
    Operation(
        "POST", PATH, "post_cutouts", "Target pixel files around a position or of a region", _ANSWERS, body=CutoutBody
    )
)
def post_cutouts(request: Request, body: CutoutBody) -> Response[Any]:
    """Cutouts of a JSON body."""
    return _answer(follow_body(body, request.services), request)
