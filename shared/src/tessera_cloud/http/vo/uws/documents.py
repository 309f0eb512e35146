"""Documents of UWS 1.1. Imported where one is written, because vo-models is a tenth of a second of a cold start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic_xml import BaseXmlModel, attr, element
from vo_models.uws.models import (
    NSMAP,
    ErrorSummary,
    Jobs,
    JobSummary,
    Parameter,
    Parameters,
    ResultReference,
    Results,
    ShortJobDescription,
)
from vo_models.uws.types import ErrorType, ExecutionPhase, UWSVersion
from vo_models.xlink import XlinkType

from tessera_cloud.application.vo.uws.records import UNAVAILABLE, UwsJob, UwsResult
from tessera_cloud.application.vo.uws.work import ABORTED, COMPLETED, ERROR, Progress
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import NO_STORE
from tessera_cloud.http.vo.uws.common import PATH, XML, moment_of

_NSMAP = NSMAP | {"tessera": "urn:tessera:jobs"}
_SHOWN = {phase.value for phase in ExecutionPhase}


class _Parameters(Parameters, tag="parameters", ns="uws", nsmap=NSMAP):
    """Any parameters, each as often as it was given."""

    parameter: list[Parameter] = element(tag="parameter", default_factory=list)

    def __init__(self, **data: Any) -> None:
        BaseXmlModel.__init__(self, **data)


class _Progress(BaseXmlModel, tag="progress", ns="tessera", nsmap=_NSMAP):
    """How far a job is."""

    cubes: int = attr()
    files: int = attr()
    turn: int | None = attr(default=None)


class _JobInfo(BaseXmlModel, tag="jobInfo", ns="uws", nsmap=_NSMAP):
    """Information of our own."""

    progress: _Progress | None = element(tag="progress", ns="tessera", default=None)
    note: str | None = element(tag="note", ns="tessera", default=None)


class _Job(JobSummary[_Parameters], tag="job", ns="uws", nsmap=_NSMAP):
    """A job, with information of our own."""

    job_info: _JobInfo | None = element(tag="jobInfo", default=None)  # type: ignore[assignment] # vo-models has texts, which the schema does not allow


def _xml(model: BaseXmlModel) -> Response[bytes]:
    # Fields that were given no value are left out; those that were given None are written as nil.
    data = model.to_xml(exclude_unset=True, xml_declaration=True, encoding="UTF-8", standalone=None)
    return Response(200, XML, data if isinstance(data, bytes) else data.encode(), headers=dict(NO_STORE))


def _known(**fields: Any) -> dict[str, Any]:
    """Fields that have a value; the others are not written."""
    return {name: value for name, value in fields.items() if value}


def _shown(phase: str) -> ExecutionPhase:
    """Phase of a record, which a later release may have written."""
    return ExecutionPhase(phase) if phase in _SHOWN else ExecutionPhase.UNKNOWN


def _href(base: str, job: UwsJob, *more: str) -> str:
    return link(base, "/".join((PATH, job.id, *more)))


def job_list(jobs: Iterable[UwsJob], base: str) -> Response[bytes]:
    """Answer with a list of jobs."""
    refs = [
        ShortJobDescription(
            phase=_shown(job.phase),
            **_known(run_id=job.run_id),
            owner_id=None,
            creation_time=moment_of(job.created),
            job_id=job.id,
            type=XlinkType.SIMPLE,
            href=_href(base, job),
        )
        for job in jobs
    ]
    return _xml(Jobs(jobref=refs, version=UWSVersion.V1_1))


def _results(results: Sequence[UwsResult], job: UwsJob, base: str) -> Results:
    return Results(
        results=[
            ResultReference(
                id=result.name,
                type=XlinkType.SIMPLE,
                href=_href(base, job, "results", result.name),
                mime_type=result.mime,
                **_known(size=result.bytes),
            )
            for result in results
        ]
    )


def _parameters(job: UwsJob) -> _Parameters:
    return _Parameters(parameter=[Parameter(id=name, value=value) for name, value in job.parameters])


def job_document(job: UwsJob, progress: Progress | None, base: str) -> Response[bytes]:
    """Answer with a job, and how far it is."""
    fields = _known(run_id=job.run_id)
    if job.reason and job.phase in (ERROR, ABORTED):
        kind = ErrorType.TRANSIENT if job.fault == UNAVAILABLE else ErrorType.FATAL
        fields["error_summary"] = ErrorSummary(message=f"{job.fault}: {job.reason}", type=kind, has_detail=True)
    info: dict[str, Any] = {}
    if progress is not None:
        info["progress"] = _Progress(cubes=progress.n_cubes, files=progress.n_files, **_known(turn=progress.turn))
    if job.reason and job.phase == COMPLETED:
        info["note"] = f"incomplete: {job.reason}"
    if info:
        fields["job_info"] = _JobInfo(**info)
    return _xml(
        _Job(
            job_id=job.id,
            owner_id=None,
            phase=_shown(job.phase),
            quote=None,
            creation_time=moment_of(job.created),
            start_time=moment_of(job.started),
            end_time=moment_of(job.ended),
            execution_duration=job.duration,
            destruction=moment_of(job.destruction),
            parameters=_parameters(job),
            results=_results(job.results, job, base),
            version=UWSVersion.V1_1,
            **fields,
        )
    )


def parameter_list(job: UwsJob) -> Response[bytes]:
    """Answer with the parameters of a job."""
    return _xml(_parameters(job))


def result_list(job: UwsJob, base: str) -> Response[bytes]:
    """Answer with the results of a job."""
    return _xml(_results(job.results, job, base))
