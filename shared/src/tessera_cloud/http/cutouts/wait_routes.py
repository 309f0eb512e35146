"""Waiting for a job or a list. A function of its own answers it, which does nothing else and is small."""

from __future__ import annotations

import time
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from tessera_cloud.application.jobs.records import JobRecord
from tessera_cloud.application.jobs.waiting import wait
from tessera_cloud.application.jobs.work import cutouts, lists
from tessera_cloud.http.charging import charge
from tessera_cloud.http.fields import Params
from tessera_cloud.http.framework.answers import message, result_url, see_other
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.models import ErrorDocument, Message

PATH = "/v1/jobs"
LISTS_PATH = "/v1/bulk"
TAG = "Jobs"
MAX_HOPS = 18
"""Largest number of times that a client is sent here. Browsers and wget follow 20 redirections: also the one to the
zip, and one from http to https."""
WAIT_SECONDS = 25.0
"""Time that a client is held, in seconds. API Gateway gives up after 29."""

group = Group(TAG, "Cutouts that take longer than a request may.")

UNKNOWN = Answer(404, "There is no job of this id, or it is older than a day", ErrorDocument)


class JobWait(Params):
    """Number of times that a client has been sent here."""

    n: Annotated[
        int, Field(ge=1, le=1000, description="Number of times that a client has been sent here.", examples=[1])
    ] = 1


@group.add(
    Operation(
        "GET",
        f"{PATH}/{{job}}/wait",
        "wait_for_job",
        "Wait for a job",
        (
            Answer(200, "A message that the job failed or is still running", Message),
            Answer(303, "The address of the zip, or this path again", content_type="text/plain", location=True),
            UNKNOWN,
        ),
        description=f"Answers when the job has ended, or after {WAIT_SECONDS:g} seconds. Clients that follow "
        "redirections, such as those of TESSCut, arrive at the zip.",
        query=JobWait,
        paid=True,
    )
)
def wait_for_job(request: Request, query: JobWait) -> Response[Any]:
    """Wait for a job, and redirect the client."""
    svc = request.services
    job_id = request.path["job"]
    record, may_wait = wait(
        job_id, svc, cutouts(svc.settings), seconds=WAIT_SECONDS, clock=time.monotonic, sleep=time.sleep
    )
    note(job=job_id, phase=record.ended or "running", hop=query.n, held=may_wait)
    here = link(request.base, f"{PATH}/{job_id}")
    if record.ended:
        return _ended(record, here, request)
    if not may_wait:
        return message(
            f"The cutouts are not finished yet, and too many clients wait. Ask again in a minute, or see {here}"
        )
    if query.n >= MAX_HOPS:
        return message(f"The cutouts are not finished yet. Ask again later, or see {here}")
    return see_other(link(request.base, f"{PATH}/{job_id}/wait", n=query.n + 1))


@group.add(
    Operation(
        "GET",
        f"{LISTS_PATH}/{{job}}/wait",
        "wait_for_list",
        "Wait for a list",
        (
            Answer(303, "The address of the list", content_type="text/plain", location=True),
            Answer(404, "There is no list of this id, or its results were deleted", ErrorDocument),
        ),
        description=f"Answers when the work on a list has ended, or after {WAIT_SECONDS:g} seconds. The list itself "
        "says which.",
        paid=True,
    )
)
def wait_for_list(request: Request) -> Response[Any]:
    """Wait for a list, and redirect the client to it."""
    svc, job_id = request.services, request.path["job"]
    work = lists(svc.settings)
    record, held = wait(job_id, svc, work, seconds=WAIT_SECONDS, clock=time.monotonic, sleep=time.sleep)
    note(list=job_id, phase=record.ended or "running", held=held)
    return see_other(link(request.base, f"{LISTS_PATH}/{job_id}"))


def _ended(record: JobRecord, here: str, request: Request) -> Response[Any]:
    """Redirect the client to the zip, or say why there is none."""
    outcome = record.outcome
    if outcome is not None and outcome.key and not record.cancelled:
        charge(request, outcome.bytes)
        return see_other(result_url(request.services, outcome.key))
    reason = f": {outcome.reason}" if outcome is not None and outcome.reason else ""
    return message(f"Cutout not performed. The job is {record.ended}{reason}. See {here}")
