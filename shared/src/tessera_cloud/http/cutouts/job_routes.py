"""Operations on jobs: orders that take longer than a client can wait."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.cutouts.order import place_order
from tessera_cloud.application.jobs import submit as jobs
from tessera_cloud.application.jobs.submit import ENDED
from tessera_cloud.http.cutouts.nothing import no_cubes
from tessera_cloud.http.cutouts.queries import CutoutBody, CutoutQuery, JobWait
from tessera_cloud.http.cutouts.requests import to_request
from tessera_cloud.http.cutouts.respond import begin_job, job_accepted, to_job
from tessera_cloud.http.framework.answers import message, result_url, see_other
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.models import ErrorDocument, Job, Message

PATH = "/v1/jobs"
MAX_HOPS = 25
"""Largest number of redirections of a client. Python's requests follows up to 30."""
WAIT_SECONDS = 20.0

group = Group("Jobs", "Cutouts that take longer than a request may.")

_UNKNOWN = Answer(404, "There is no job of this id, or it is older than a day", ErrorDocument)


@group.add(
    Operation(
        "POST",
        PATH,
        "post_job",
        "Begin a job that makes target pixel files",
        (
            Answer(202, "The job", Job, location=True),
            Answer(404, "No cube has pixels there", ErrorDocument),
            Answer(413, "The cutouts are too large; the answer says what is allowed", ErrorDocument),
        ),
        description="Begins a job for the same bodies as `POST /v1/cutouts`. The same body gives the same job.",
        body=CutoutBody,
        form_body=CutoutQuery,
    )
)
def post_job(request: Request, body: CutoutBody | CutoutQuery) -> Response[Any]:
    """Start a job, or find it."""
    wanted = to_request(body, request.services)
    order = place_order(wanted, request.services)
    if reason := no_cubes(wanted, order, request.services):
        raise reason
    return job_accepted(begin_job(order, request), request)


@group.add(
    Operation(
        "GET",
        f"{PATH}/{{job}}",
        "get_job",
        "Status, progress and results of a job",
        (Answer(200, "The job as it is now", Job), _UNKNOWN),
        description="Shows the progress of a job, and the files that it has made so far.",
    )
)
def get_job(request: Request) -> Job:
    """A job."""
    svc = request.services
    status = jobs.job_status(request.path["job"], svc)
    return to_job(status, jobs.cube_records(status.record.id, svc), request.base, svc)


@group.add(
    Operation(
        "DELETE",
        f"{PATH}/{{job}}",
        "cancel_job",
        "Stop a job",
        (
            Answer(200, "The cancelled job", Job),
            _UNKNOWN,
            Answer(409, "The job has ended already", ErrorDocument),
        ),
        description="Cancels a job. Other users who asked for the same cutouts have the same job, and lose it too.",
    )
)
def cancel_job(request: Request) -> Job:
    """Stop a job."""
    svc = request.services
    return to_job(jobs.cancel(request.path["job"], svc), [], request.base, svc)


@group.add(
    Operation(
        "GET",
        f"{PATH}/{{job}}/wait",
        "wait_for_job",
        "Wait for a job",
        (
            Answer(200, "A message that the job failed or is still running", Message),
            Answer(303, "The address of the zip, or this path again", content_type="text/plain", location=True),
            _UNKNOWN,
        ),
        description=f"Answers when the job has ended, or after {WAIT_SECONDS:g} seconds. Clients that follow "
        "redirections, such as those of TESSCut, arrive at the zip.",
        query=JobWait,
    )
)
def wait_for_job(request: Request, query: JobWait) -> Response[Any]:
    """Wait for a job, and redirect the client."""
    svc = request.services
    job_id = request.path["job"]
    status = jobs.wait(job_id, svc, seconds=WAIT_SECONDS, clock=time.monotonic, sleep=time.sleep)
    note(job=job_id, phase=status.phase, hop=query.n)
    if status.key:
        return see_other(result_url(svc, status.key))
    here = link(request.base, f"{PATH}/{job_id}")
    if status.phase in ENDED:
        reason = f": {status.reason}" if status.reason else ""
        return message(f"Cutout not performed. The job is {status.phase}{reason}. See {here}")
    if query.n >= MAX_HOPS:
        return message(f"The cutouts are not finished yet. Ask again later, or see {here}")
    return see_other(link(request.base, f"{PATH}/{job_id}/wait", n=query.n + 1))
