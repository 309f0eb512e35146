"""Orders for cutouts as answers: the archive, the place where it is, or the job that makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.cutouts.answer import answer_now
from tessera_cloud.application.cutouts.order import place_order
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.jobs.submit import JobStatus
from tessera_cloud.http.cutouts.job_answers import begin_job
from tessera_cloud.http.framework.answers import archive, result_url, see_other
from tessera_cloud.http.framework.operations import Request
from tessera_cloud.http.framework.outcome import note


def respond(
    wanted: CutoutRequest,
    request: Request,
    *,
    empty: Callable[[], Response[Any]],
    waiting: Callable[[JobStatus, Request], Response[Any]],
) -> Response[Any]:
    """Answer a request for cutouts with a zip, or with a redirection to one, or leave it to a job.

    Parameters
    ----------
    wanted : CutoutRequest
        What is cut.
    request : Request
        Who asks.
    empty : callable
        Gives the answer where no cube has pixels, or raises an error that becomes it.
    waiting : callable
        Gives the answer while a job makes the zip.
    """
    order = place_order(wanted, request.services)
    if not order.cubes:
        return empty()
    if order.is_heavy(request.services.settings):
        status = begin_job(order, request)
        if status.phase != "succeeded":
            return waiting(status, request)
        note(cached=1)
        return see_other(result_url(request.services, status.key))
    answer = answer_now(order, request.services)
    note(cubes=list(answer.cubes), n_cutouts=len(answer.cubes), cutout_bytes=answer.n_bytes, cached=int(answer.cached))
    if answer.is_empty:
        return empty()
    return archive(answer.data) if answer.data is not None else see_other(result_url(request.services, answer.key))
