"""Operations on the list of jobs, and on jobs as a whole."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.jobs.waiting import held, most_held
from tessera_cloud.application.jobs.work import DAY_SECONDS, cutouts
from tessera_cloud.application.switch import check_running, read_switch
from tessera_cloud.application.vo.uws.records import PENDING, UwsJob, create_uws, find_uws, list_uws
from tessera_cloud.application.vo.uws.run import run
from tessera_cloud.application.vo.uws.settings import phase_error, set_parameters
from tessera_cloud.application.vo.uws.work import ABORTED, RUNNING, abort, delete, look, progress_of
from tessera_cloud.errors import UsageError
from tessera_cloud.http.charging import charge
from tessera_cloud.http.clients import client_of
from tessera_cloud.http.framework.answers import see_other
from tessera_cloud.http.framework.links import link
from tessera_cloud.http.framework.operations import Answer, Request
from tessera_cloud.http.framework.outcome import note
from tessera_cloud.http.vo.uws.common import (
    CHANGED,
    CONFLICT,
    OWN,
    PATH,
    UNKNOWN,
    XML,
    declare,
    given,
    job_of,
    own_parameters,
    run_id_of,
    to_job,
)
from tessera_cloud.http.vo.uws.queries import (
    JobAction,
    JobFilter,
    JobParameters,
    JobPhase,
    JobWait,
    NewJob,
    moment,
    once,
    phases,
    whole,
)

WAIT_SECONDS = 25.0
"""Longest time that a client is held, in seconds. API Gateway gives up after 29."""
POLL_SECONDS = 1.0
MOST_HELD = 20
"""Largest number of clients that are held at the same time if concurrency is reserved for the function that waits.

Each takes an environment that could cut. Without reserved concurrency, those of both functions are counted together.
"""
ACTIONS = "RUN, ABORT"
_ACTIVE = (PENDING, *RUNNING)


def show_list(request: Request) -> Response[bytes]:
    """The jobs that clients of the same address have made."""
    from tessera_cloud.http.vo.uws.documents import job_list  # noqa: PLC0415 - brings vo-models

    found, svc = given(request), request.services
    wanted = phases(found.get("phase", []))
    after = moment("AFTER", once(found, "AFTER", "")) if "after" in found else None
    last = whole("LAST", once(found, "LAST", ""), 0, "a whole number, 0 or more") if "last" in found else None
    jobs = [job for job in list_uws(client_of(request.event), svc) if after is None or job.created > after]
    if last is not None and not wanted:
        jobs = jobs[max(0, len(jobs) - last) :]
    jobs = [look(job, svc, cutouts(svc.settings)) for job in jobs]
    if wanted:
        jobs = [job for job in jobs if job.phase in wanted]
    if last is not None:
        jobs = jobs[max(0, len(jobs) - last) :]
    note(n_rows=len(jobs))
    return job_list(jobs, request.base)


def make_job(request: Request) -> Response[Any]:
    """Make a job, and start it if the client wants that."""
    found, svc = given(request), request.services
    action = once(found, "PHASE", "RUN") if "phase" in found else ""
    if action not in ("", "RUN"):
        raise UsageError.about("PHASE", action, "RUN, or no PHASE")
    now = svc.now().timestamp()
    job = UwsJob(
        id=hashlib.sha256(svc.new_token().encode()).hexdigest()[:32],
        owner=client_of(request.event),
        created=now,
        destruction=now + DAY_SECONDS,
        run_id=run_id_of(found) or "",
        parameters=own_parameters(found),
    )
    if action:
        check_running(svc)
        charge(request, 0)
    create_uws(job, svc)
    if not action:
        return to_job(job, request)
    try:
        return to_job(run(job, svc), request)
    except Exception:
        delete(job, svc, cutouts(svc.settings))  # nobody knows its id
        raise


def show_job(request: Request) -> Response[bytes]:
    """A job; with WAIT, when its phase has changed."""
    from tessera_cloud.http.vo.uws.documents import job_document  # noqa: PLC0415 - brings vo-models

    found, svc = given(request), request.services
    job = job_of(request)
    if "wait" in found:
        seconds = whole("WAIT", once(found, "WAIT", ""), -1, "a whole number of seconds, or -1")
        (expected,) = phases([once(found, "PHASE", "")]) if "phase" in found else (job.phase,)
        job = _wait(job, expected, WAIT_SECONDS if seconds < 0 else min(seconds, WAIT_SECONDS), request)
    note(phase=job.phase)
    return job_document(job, progress_of(job, svc, cutouts(svc.settings)), request.base)


def _wait(job: UwsJob, expected: str, seconds: float, request: Request) -> UwsJob:
    """Wait while a job is in a phase that can change by itself or by its client."""
    svc, deadline = request.services, time.monotonic() + seconds
    if job.phase != expected or job.phase not in _ACTIVE or read_switch(svc.state).paused:
        return job
    counter = "uws-waiting" if svc.settings.wait_concurrency else "waiting"
    with held(svc, counter, min(most_held(svc.settings), MOST_HELD)) as may_wait:
        note(held=may_wait)
        while may_wait and job.phase == expected and time.monotonic() + POLL_SECONDS <= deadline:
            time.sleep(POLL_SECONDS)
            job = look(find_uws(job.id, svc), svc, cutouts(svc.settings))
    return job


def change_job(request: Request) -> Response[Any]:
    """Delete a job (ACTION=DELETE), or change its parameters."""
    found = given(request)
    if "action" in found:
        action = once(found, "ACTION", "DELETE")
        if action != "DELETE":
            raise UsageError.about("ACTION", action, "DELETE")
        return delete_job(request)
    return change_parameters(request)


def change_parameters(request: Request) -> Response[Any]:
    """Change parameters of a job that was not started yet."""
    found = given(request)
    for name in OWN:
        if name in found and name != "runid":
            allowed = f"parameters of SODA; {name.upper()} has a path of its own, or belongs to another one"
            raise UsageError.unknown(name.upper(), allowed)
    pairs, run_id = own_parameters(found), run_id_of(found)
    if not pairs and run_id is None:
        raise UsageError.about("parameters", None, "parameters of SODA, such as ID and CIRCLE")
    return to_job(set_parameters(job_of(request), pairs, run_id, request.services), request)


def delete_job(request: Request) -> Response[Any]:
    """Stop a job, and forget it."""
    job = find_uws(request.path["job"], request.services)
    delete(job, request.services, cutouts(request.services.settings))
    note(uws=job.id[:8], phase="DELETED")
    return see_other(link(request.base, PATH))


def change_phase(request: Request) -> Response[Any]:
    """Start or abort a job."""
    svc = request.services
    action = once(given(request), "PHASE", ACTIONS)
    if action not in ("RUN", "ABORT"):
        raise UsageError.about("PHASE", action, ACTIONS)
    job = job_of(request)
    if action == "ABORT":
        job = abort(job, "", svc, cutouts(svc.settings))
        if job.phase != ABORTED:
            raise phase_error("it can be aborted", job.phase, ", ".join(_ACTIVE))
        return to_job(job, request)
    if job.phase == PENDING:
        check_running(svc)
        charge(request, 0)
        job = run(job, svc)
    elif job.phase not in RUNNING:
        raise phase_error("it can be started", job.phase, PENDING)
    return to_job(job, request)


declare(
    show_list,
    "GET",
    "",
    "list_uws_jobs",
    "Jobs of this client",
    Answer(200, "The jobs", content_type=XML),
    description="Lists the jobs that clients of the same address have made, the oldest first.",
    query=JobFilter,
)
declare(
    make_job,
    "POST",
    "",
    "create_uws_job",
    "Make a job",
    Answer(303, "The address of the job", content_type="text/plain", location=True),
    description="Makes a job. Its parameters are those of `/soda/sync`. With `PHASE=RUN` it is started too.",
    query=NewJob,
)
declare(
    show_job,
    "GET",
    "/{job}",
    "get_uws_job",
    "A job",
    Answer(200, "The job", content_type=XML),
    UNKNOWN,
    description="Shows a job. With `WAIT` the answer comes when its phase has changed, after at most 25 seconds.",
    query=JobWait,
)
declare(
    change_job,
    "POST",
    "/{job}",
    "change_uws_job",
    "Delete a job, or change its parameters",
    CHANGED,
    UNKNOWN,
    CONFLICT,
    description="`ACTION=DELETE` deletes the job. Other parameters are changed as below `/parameters`.",
    query=JobAction,
)
declare(
    delete_job,
    "DELETE",
    "/{job}",
    "delete_uws_job",
    "Delete a job",
    Answer(303, "The address of the list", content_type="text/plain", location=True),
    UNKNOWN,
    description="Stops the job, and forgets it.",
)
declare(
    change_phase,
    "POST",
    "/{job}/phase",
    "change_uws_phase",
    "Start or abort a job",
    CHANGED,
    UNKNOWN,
    CONFLICT,
    description="`PHASE=RUN` starts the job, `PHASE=ABORT` stops it.",
    query=JobPhase,
)
declare(
    change_parameters,
    "POST",
    "/{job}/parameters",
    "change_uws_parameters",
    "Change parameters of a job",
    CHANGED,
    UNKNOWN,
    CONFLICT,
    description="Replaces the parameters of these names, as long as the job was not started.",
    query=JobParameters,
)
