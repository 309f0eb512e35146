"""Operations on the parts of a job, each below a path of its own."""

from __future__ import annotations

import datetime
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.vo.uws.settings import set_destruction, set_duration
from tessera_cloud.application.vo.uws.work import ABORTED, ERROR
from tessera_cloud.errors import NotFoundError, ObjectMissingError
from tessera_cloud.http.charging import charge
from tessera_cloud.http.framework.answers import result_url, see_other
from tessera_cloud.http.framework.operations import Answer, Request
from tessera_cloud.http.vo.uws.common import CHANGED, CONFLICT, UNKNOWN, XML, declare, given, job_of, text, to_job
from tessera_cloud.http.vo.uws.queries import JobDestruction, JobDuration, moment, once, whole

_TEXT = "text/plain"


def show_phase(request: Request) -> Response[str]:
    """Phase of a job."""
    return text(job_of(request).phase)


def show_parameters(request: Request) -> Response[bytes]:
    """Parameters of a job."""
    from tessera_cloud.http.vo.uws.documents import parameter_list  # noqa: PLC0415 - brings vo-models

    return parameter_list(job_of(request))


def show_destruction(request: Request) -> Response[str]:
    """When a job is forgotten."""
    moment = datetime.datetime.fromtimestamp(round(job_of(request).destruction, 3), datetime.UTC)
    return text(moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def change_destruction(request: Request) -> Response[Any]:
    """Set when a job is forgotten."""
    wanted = moment("DESTRUCTION", once(given(request), "DESTRUCTION", "a time in UTC, such as 2026-11-26T09:15:35Z"))
    return to_job(set_destruction(job_of(request), wanted, request.services), request)


def show_duration(request: Request) -> Response[str]:
    """How long a job may run."""
    return text(str(job_of(request).duration))


def change_duration(request: Request) -> Response[Any]:
    """Set how long a job may run."""
    allowed = "a whole number of seconds, 0 or more"
    seconds = whole("EXECUTIONDURATION", once(given(request), "EXECUTIONDURATION", allowed), 0, allowed)
    return to_job(set_duration(job_of(request), seconds, request.services), request)


def show_nothing(request: Request) -> Response[str]:
    """What is not known: the time of completion, and the owner."""
    job_of(request)
    return text("")


def show_error(request: Request) -> Response[str]:
    """Why a job has failed or was aborted. A job that has not failed has no such resource (DALI 1.1, section 4.2)."""
    job = job_of(request)
    if not job.reason or job.phase not in (ERROR, ABORTED):
        raise NotFoundError(f"the job has no error, because its phase is {job.phase}; allowed: a job that has failed")
    return text(f"{job.fault}: {job.reason}\n")


def show_results(request: Request) -> Response[bytes]:
    """Results of a job."""
    from tessera_cloud.http.vo.uws.documents import result_list  # noqa: PLC0415 - brings vo-models

    return result_list(job_of(request), request.base)


def show_result(request: Request) -> Response[Any]:
    """Redirect a client to a file, or send it a text."""
    svc, job, name = request.services, job_of(request), request.path["result"]
    found = next((result for result in job.results if result.name == name), None)
    if found is None:
        allowed = ", ".join(result.name for result in job.results) or f"none in phase {job.phase}"
        raise NotFoundError.named("result", name, allowed)
    if found.text:
        return text(found.text)
    try:
        size = svc.store.head(svc.settings.result_bucket, found.key).size
    except ObjectMissingError:
        raise NotFoundError.named("result", name, "results that have not expired; make the job again") from None
    charge(request, size, once=f"{job.id}/{name}")
    return see_other(result_url(svc, found.key, found.name, found.mime))


def _shown(handler: Any, path: str, name: str, what: str, kind: str = _TEXT) -> None:
    answer = Answer(200, what, content_type=kind)
    declare(handler, "GET", f"/{{job}}/{path}", name, what, answer, UNKNOWN, description=f"{what}.")


_shown(show_phase, "phase", "get_uws_phase", "Phase of a job")
_shown(show_parameters, "parameters", "get_uws_parameters", "Parameters of a job", XML)
_shown(show_destruction, "destruction", "get_uws_destruction", "When a job is forgotten")
_shown(show_duration, "executionduration", "get_uws_duration", "How long a job may run, in seconds")
_shown(show_nothing, "quote", "get_uws_quote", "When a job will have ended: empty, because that is not known")
_shown(show_nothing, "owner", "get_uws_owner", "Owner of a job: empty, because clients are anonymous")
_shown(show_error, "error", "get_uws_error", "Why a job has failed")
_shown(show_results, "results", "get_uws_results", "Results of a job", XML)
declare(
    show_result,
    "GET",
    "/{job}/results/{result}",
    "get_uws_result",
    "A result of a job",
    Answer(200, "Why there is no file for a combination of parameters", content_type=_TEXT),
    Answer(303, "The address of the file", content_type=_TEXT, location=True),
    UNKNOWN,
    description="Redirects to the file. This address works as long as the result is kept, the other for 15 minutes.",
    paid=True,
)
declare(
    change_destruction,
    "POST",
    "/{job}/destruction",
    "change_uws_destruction",
    "Set when a job is forgotten",
    CHANGED,
    UNKNOWN,
    description="The service takes an earlier time if this one is later than it keeps jobs or results.",
    query=JobDestruction,
)
declare(
    change_duration,
    "POST",
    "/{job}/executionduration",
    "change_uws_duration",
    "Set how long a job may run",
    CHANGED,
    UNKNOWN,
    CONFLICT,
    description="The service takes 21,600 seconds if this is 0 or more than that. A job that runs longer is aborted.",
    query=JobDuration,
)
