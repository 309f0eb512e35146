"""Operations on jobs: orders that take longer than a client can wait."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.cutouts.order import place_order
from tessera_cloud.application.jobs import submit as jobs
from tessera_cloud.application.jobs.plans import read_cube_records
from tessera_cloud.application.jobs.work import cutouts
from tessera_cloud.http.charging import charge
from tessera_cloud.http.cutouts.nothing import no_cubes
from tessera_cloud.http.cutouts.queries import CutoutBody, CutoutQuery, JobCancel
from tessera_cloud.http.cutouts.requests import to_request
from tessera_cloud.http.cutouts.respond import begin_job, job_accepted, to_job
from tessera_cloud.http.cutouts.wait_routes import PATH, TAG, UNKNOWN
from tessera_cloud.http.framework.operations import Answer, Group, Operation, Request
from tessera_cloud.http.models import ErrorDocument, Job

group = Group(TAG, "Cutouts that take longer than a request may.")


@group.add(
    Operation(
        "POST",
        PATH,
        "post_job",
        "Begin a job that makes target pixel files",
        (
            Answer(202, "The job", Job, location=True),
            Answer(429, "You have too many jobs that have not ended", ErrorDocument),
            Answer(404, "No cube has pixels there", ErrorDocument),
            Answer(413, "The cutouts are too large; the answer says what is allowed", ErrorDocument),
        ),
        description="Begins a job for the same bodies as `POST /v1/cutouts`. The same body gives the same job. "
        "If the service is full, the job waits for its turn.",
        body=CutoutBody,
        form_body=CutoutQuery,
        paid=True,
    )
)
def post_job(request: Request, body: CutoutBody | CutoutQuery) -> Response[Any]:
    """Start a job, or find it."""
    wanted = to_request(body, request.services)
    order = place_order(wanted, request.services)
    if reason := no_cubes(wanted, order, request.services):
        raise reason
    charge(request, 0)
    return job_accepted(begin_job(order, request), request)


@group.add(
    Operation(
        "GET",
        f"{PATH}/{{job}}",
        "get_job",
        "Status, progress and results of a job",
        (Answer(200, "The job as it is now", Job), UNKNOWN),
        description="Shows the progress of a job, and the files that it has made so far.",
        paid=True,
    )
)
def get_job(request: Request) -> Job:
    """A job."""
    svc = request.services
    status = jobs.job_status(request.path["job"], svc, cutouts(svc.settings))
    if status.record.outcome and status.record.outcome.key:
        charge(request, status.record.outcome.bytes, once=status.record.id)
    records = read_cube_records(svc.store, svc.settings.result_bucket, status.record.id)
    return to_job(status, records, request.base, svc)


@group.add(
    Operation(
        "DELETE",
        f"{PATH}/{{job}}",
        "cancel_job",
        "Stop a job",
        (
            Answer(200, "The job: cancelled, or as it is if other clients asked for it too", Job),
            Answer(403, "The token is missing, or is not one of this job", ErrorDocument),
            UNKNOWN,
            Answer(409, "The job has ended already", ErrorDocument),
        ),
        description="Withdraws a client from a job. The job stops when all clients that asked for it have withdrawn. "
        "Only the answer to a request for the cutouts has the token.",
        query=JobCancel,
    )
)
def cancel_job(request: Request, query: JobCancel) -> Job:
    """Withdraw a client from a job."""
    svc = request.services
    status = jobs.cancel(request.path["job"], query.cancel_token, svc, cutouts(svc.settings))
    return to_job(status, [], request.base, svc)
