"""Answers orders for cutouts: with the archive, a redirection to it, or the job that makes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud import keys
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.cutouts.order import SYNC_BYTES, CutoutOrder, place_order
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.jobs import submit as jobs
from tessera_cloud.application.jobs.plans import CubeRecord, wanted_of
from tessera_cloud.application.jobs.records import Asker
from tessera_cloud.application.jobs.submit import JobStatus
from tessera_cloud.application.jobs.work import cutouts
from tessera_cloud.application.measures.references import check_references
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import NotFoundError, TooLargeError
from tessera_cloud.http.charging import charge, charge_result, check_share
from tessera_cloud.http.clients import client_of
from tessera_cloud.http.cutouts.nothing import no_cubes, nothing_cut
from tessera_cloud.http.framework.answers import archive, iso, json_answer, result_url, see_other
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.models import Job, JobCube, JobProgress, JobResult

FITS = "application/fits"


def respond(
    wanted: CutoutRequest,
    request: Request,
    *,
    empty: Callable[[NotFoundError], Response[Any]],
    waiting: Callable[[JobStatus, Request], Response[Any]],
) -> Response[Any]:
    """Answer a request for cutouts: with a zip, a redirection to a zip, or the answer for a job that makes it.

    Parameters
    ----------
    wanted : CutoutRequest
        Cutouts to make.
    request : Request
        Request of the client.
    empty : callable
        Returns the answer if no cube has pixels, or raises the error that says why.
    waiting : callable
        Returns the answer while a job makes the zip.
    """
    from tessera_cloud.application.cutouts.answer import answer_now  # noqa: PLC0415 - jobs are begun without it

    order = place_order(wanted, request.services)
    if reason := no_cubes(wanted, order, request.services):
        return empty(reason)
    if order.is_heavy(request.services.settings):
        charge(request, 0)
        status = begin_job(order, request)
        if status.phase != "succeeded":
            return waiting(status, request)
        note(cached=1)
        charge_result(request, status.key)
        return see_other(result_url(request.services, status.key))
    check_share(request)
    answer = answer_now(order, request.services, time.sleep)
    note(cubes=list(answer.cubes), n_cutouts=len(answer.cubes), cutout_bytes=answer.n_bytes, cached=int(answer.cached))
    if answer.is_empty:
        return empty(nothing_cut(wanted, order, request.services))
    if answer.data is not None:
        charge(request, len(answer.data))
        return archive(answer.data)
    charge_result(request, answer.key, answer.n_bytes)
    return see_other(result_url(request.services, answer.key))


def respond_file(published: PublishedCube, wanted: CutoutRequest, request: Request) -> Response[Any]:
    """Answer with the file of one cube, or with a redirection to it.

    Raises
    ------
    NotFoundError
        If there is nothing to cut, or no reference frame for differences; it says why.
    TooLargeError
        If the client cannot wait for it.
    """
    from tessera_cloud.application.cutouts.answer import answer_file, plan_cutouts  # noqa: PLC0415 - see `respond`

    svc = request.services
    order = CutoutOrder.of(wanted, (published,))
    order.check(svc.settings)
    if wanted.options.difference:
        check_references(order.cubes, svc)
    if order.is_heavy(svc.settings):
        parameter, allowed = wanted.target.sized_by, f"{svc.settings.max_sync_pixels:,} pixels, {SYNC_BYTES:,} bytes"
        value = f"about {order.pixels[0]:,} pixels, {order.n_bytes:,} bytes"
        message = f"{parameter} is too large for one answer, {value}; allowed: {allowed}. /v1/cutouts makes it in a job"
        raise TooLargeError(message, parameter=parameter, value=value, allowed=allowed)
    if reason := no_cubes(wanted, order, svc):
        raise reason
    check_share(request)
    planned = plan_cutouts(order, svc)
    if not planned:
        raise nothing_cut(wanted, order, svc)
    name, answer = planned[0].file_name, answer_file(order, planned[0], svc, time.sleep)
    note(cubes=[published.obs_id], n_cutouts=1, cutout_bytes=answer.n_bytes, cached=int(answer.cached))
    if answer.data is None:
        charge_result(request, answer.key, answer.n_bytes)
        return see_other(result_url(svc, answer.key, name, FITS))
    charge(request, len(answer.data))
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(HTTPStatus.OK, FITS, answer.data, headers=disposition)


def begin_job(order: CutoutOrder, request: Request) -> JobStatus:
    """Begin the job that makes an order, or find it."""
    asker = Asker(client=client_of(request.event), token=request.services.new_token())
    status = jobs.submit(wanted_of(order), asker, request.services, cutouts(request.services.settings))
    note(job=order.id, phase=status.phase, cubes=[cube.obs_id for cube in order.cubes])
    return status


def job_accepted(status: JobStatus, request: Request) -> Response[Any]:
    """202 with the job and its address."""
    document = to_job(status, [], request.base, request.services)
    return json_answer(document.model_dump_json(), HTTPStatus.ACCEPTED, Location=document.url)


def _cube(record: CubeRecord, job_id: str, backend: Backend) -> JobCube:
    key = keys.job_file(job_id, record.name)
    return JobCube(
        cube=record.obs_id,
        status=record.status,
        bytes=record.bytes,
        reason=record.reason or None,
        url=result_url(backend, key, record.name) if record.name else None,
    )


def to_job(status: JobStatus, records: Sequence[CubeRecord], base: str, backend: Backend) -> Job:
    """A job, and what its cubes have left so far, as our API shows it."""
    record, outcome = status.record, status.record.outcome
    failed = sum(item.status == "failed" for item in records)
    done = len(records) - failed
    if outcome:
        done, failed = outcome.n_succeeded, outcome.n_failed
    result = (
        JobResult(url=result_url(backend, status.key), bytes=outcome.bytes or None) if outcome and outcome.key else None
    )
    path = f"/v1/jobs/{record.id}"
    return Job(
        id=record.id,
        status=status.phase,
        created=iso(record.created),
        attempt=record.attempt,
        progress=JobProgress(cubes=done + failed if outcome else record.n_cubes, done=done, failed=failed),
        cubes=[_cube(item, record.id, backend) for item in records],
        result=result,
        reason=status.reason or None,
        turn=status.turn or None,
        cancel_token=status.token or None,
        url=link(base, path),
        wait_url=link(base, f"{path}/wait", n=1),
    )
