"""Operations on builds, for operators. Their requests have to be signed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.builds import operator_view as builds
from tessera_cloud.contracts import BuildRequest
from tessera_cloud.errors import message_of
from tessera_cloud.http.builds.queries import BuildBody, BuildQuery
from tessera_cloud.http.framework.answers import iso, json_answer
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import Answer, Group, Operation, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.models import Build, BuildList, BuildProgress, ErrorDocument
from tessera_cloud.ports import Execution

PATH = "/v1/builds"

group = Group("Builds", "Builds of cubes out of your own frames, for operators.")

_UNKNOWN = Answer(404, "There is no build of this name", ErrorDocument)


def _build(execution: Execution, request: Request) -> Build:
    return Build.model_validate(
        {
            "name": execution.name,
            "status": execution.status,
            "started": iso(execution.started),
            "stopped": None if execution.stopped is None else iso(execution.stopped),
            "request": execution.request,
            "result": execution.result,
            "error": execution.error or None,
            "cause": message_of(execution.cause) or None,
            "url": link(request.base, f"{PATH}/{execution.name}"),
            "console": builds.console_url(execution.name, request.services.settings),
        }
    )


@group.add(
    Operation(
        "GET",
        PATH,
        "get_builds",
        "The newest builds",
        (Answer(200, "The builds, without requests and results", BuildList),),
        description="Lists executions of the state machine CubeBuild, the newest first.",
        query=BuildQuery,
        operator=True,
    )
)
def get_builds(request: Request, query: BuildQuery) -> BuildList:
    """The newest builds."""
    found = builds.list_builds(request.services, status=query.status, limit=query.limit)
    return BuildList(builds=[_build(execution, request) for execution in found])


@group.add(
    Operation(
        "POST",
        PATH,
        "post_build",
        "Begin to build a cube",
        (
            Answer(202, "The build has begun", Build, location=True),
            Answer(409, "A request with this id has been answered before", ErrorDocument),
        ),
        description="Builds the cube of one CCD out of the frames in the stack's own bucket.",
        body=BuildBody,
        operator=True,
        paid=True,
    )
)
def post_build(request: Request, body: BuildBody) -> Response[Any]:
    """Start a build."""
    svc = request.services
    wanted = BuildRequest.model_validate(body.model_dump())
    name = builds.start_build(wanted, svc, run=request.id)
    note(build=name)
    document = _build(builds.find_build(name, svc), request)
    return json_answer(document.model_dump_json(), HTTPStatus.ACCEPTED, Location=document.url)


@group.add(
    Operation(
        "GET",
        f"{PATH}/{{build}}",
        "get_build",
        "A build",
        (Answer(200, "The build", Build), _UNKNOWN),
        description="Shows a build, its progress and its price.",
        operator=True,
    )
)
def get_build(request: Request) -> Build:
    """One build and its progress."""
    svc = request.services
    execution = builds.find_build(request.path["build"], svc)
    document, work = _build(execution, request), builds.planned_work(execution, svc)
    if work is None:
        return document
    progress = work.progress and BuildProgress(blocks=work.progress.blocks, done=work.progress.done)
    return document.model_copy(update={"progress": progress, "usd": work.usd})


@group.add(
    Operation(
        "DELETE",
        f"{PATH}/{{build}}",
        "cancel_build",
        "Stop a build",
        (
            Answer(200, "The stopped build", Build),
            _UNKNOWN,
            Answer(409, "The build has ended already", ErrorDocument),
        ),
        description="Stops the execution. Its upload stays, so that another build of the same frames resumes it.",
        operator=True,
    )
)
def cancel_build(request: Request) -> Build:
    """Stop a build."""
    return _build(builds.cancel_build(request.path["build"], request.services), request)
