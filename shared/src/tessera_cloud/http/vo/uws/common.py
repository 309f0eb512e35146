"""What operations of UWS share: how they are declared, and how they find jobs and parameters."""

from __future__ import annotations

import datetime
from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from tessera_cloud.application.jobs.work import cutouts
from tessera_cloud.application.vo.uws.records import UwsJob, find_uws
from tessera_cloud.application.vo.uws.work import look
from tessera_cloud.http.framework.answers import see_other
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import NO_STORE, Answer, Group, Handler, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.vo.uws.queries import check_texts, once

PATH = "/soda/async"
XML = "application/xml"
OWN = ("phase", "action", "runid", "wait", "after", "last", "destruction", "executionduration")
"""Parameters of UWS, which are none of the job."""

group = Group("UWS", "Jobs that cut cubes and images, by the protocol UWS 1.1.")

UNKNOWN = Answer(404, "There is no such job, or none any more", content_type="text/plain")
CHANGED = Answer(303, "The address of the job", content_type="text/plain", location=True)
CONFLICT = Answer(409, "The phase of the job does not allow it", content_type="text/plain")


def declare(
    handler: Handler,
    method: str,
    path: str,
    name: str,
    summary: str,
    *answers: Answer,
    description: str,
    query: type[BaseModel] | None = None,
    paid: bool = False,
) -> None:
    """Add an operation below the list of jobs, whose parameters may come in a form."""
    form = query is not None
    operation = Operation(
        method,
        PATH + path,
        name,
        summary,
        answers,
        description=description,
        query=query,
        form=form,
        multipart=form,
        paid=paid,
    )
    group.add(operation)(handler)


def job_of(request: Request) -> UwsJob:
    """The job of a path, as it is now."""
    job = find_uws(request.path["job"], request.services)
    note(uws=job.id[:8])
    return look(job, request.services, cutouts(request.services.settings))


def to_job(job: UwsJob, request: Request) -> Response[Any]:
    """Redirect a client to a job."""
    note(uws=job.id[:8], phase=job.phase)
    return see_other(link(request.base, f"{PATH}/{job.id}"))


def given(request: Request) -> dict[str, list[str]]:
    """Parameters of a request, with names in small letters."""
    return request.parameters(multipart=True)


def run_id_of(found: dict[str, list[str]]) -> str | None:
    """RUNID of a request; None if it has none."""
    if "runid" not in found:
        return None
    name = once(found, "RUNID", "a name")
    check_texts([("RUNID", name)])
    return name


def own_parameters(found: dict[str, list[str]]) -> tuple[tuple[str, str], ...]:
    """Parameters of the job itself, with names in capitals."""
    pairs = tuple((name.upper(), value) for name, values in found.items() if name not in OWN for value in values)
    check_texts(pairs)
    return pairs


def text(content: str) -> Response[str]:
    """Answer with a plain text."""
    return Response(200, "text/plain; charset=UTF-8", content, headers=dict(NO_STORE))


def moment_of(seconds: float | None) -> datetime.datetime | None:
    """A time in seconds since 1970 as UTC, to the millisecond; None stays None."""
    return None if seconds is None else datetime.datetime.fromtimestamp(round(seconds, 3), datetime.UTC)
