"""What clients may set of UWS jobs: parameters, the time of destruction, and the largest execution duration."""

from __future__ import annotations

from collections.abc import Sequence

from tessera_cloud.application.jobs.work import DAY_SECONDS
from tessera_cloud.application.vo.uws.records import (
    MOST_DAYS,
    MOST_SECONDS,
    PENDING,
    HasRecords,
    UwsJob,
    change_uws,
    check_length,
)
from tessera_cloud.application.vo.uws.work import RUNNING
from tessera_cloud.errors import ConflictError


def set_parameters(job: UwsJob, given: Sequence[tuple[str, str]], run_id: str | None, backend: HasRecords) -> UwsJob:
    """Replace parameters of a job that is pending: those of the same names, in any case; and its RUNID, unless None.

    Raises
    ------
    ConflictError
        If it is not pending.
    UsageError
        If all of its parameters together are too long.
    """
    names = {name.lower() for name, _ in given}

    def change(known: UwsJob) -> UwsJob:
        if known.phase != PENDING:
            raise phase_error("its parameters can be changed", known.phase, PENDING)
        kept = tuple(pair for pair in known.parameters if pair[0].lower() not in names)
        check_length((*kept, *given))
        name = known.run_id if run_id is None else run_id
        return known.changed(parameters=(*kept, *given), run_id=name)

    return change_uws(job.name, backend.state, change)


def set_destruction(job: UwsJob, wanted: float, backend: HasRecords) -> UwsJob:
    """Set when a job is forgotten: at most `MOST_DAYS` after its creation, and not after its results have expired.

    A time before its creation is its creation: DynamoDB keeps records for ever that expired more than five years ago.
    """

    def change(known: UwsJob) -> UwsJob:
        ended = known.ended is not None
        latest = known.destruction if ended else known.created + MOST_DAYS * DAY_SECONDS
        return known.changed(destruction=max(known.created, min(wanted, latest)))

    return change_uws(job.name, backend.state, change)


def set_duration(job: UwsJob, seconds: int, backend: HasRecords) -> UwsJob:
    """Set how long a job may run: at most `MOST_SECONDS`, which 0 means too.

    Raises
    ------
    ConflictError
        If it has ended.
    """

    def change(known: UwsJob) -> UwsJob:
        if known.phase != PENDING and known.phase not in RUNNING:
            raise phase_error("its execution duration can be changed", known.phase, ", ".join((PENDING, *RUNNING)))
        return known.changed(duration=min(seconds or MOST_SECONDS, MOST_SECONDS))

    return change_uws(job.name, backend.state, change)


def phase_error(what: str, phase: str, allowed: str) -> ConflictError:
    """Error of a request that does not fit the phase of a job."""
    message = f"the phase of the job is {phase}, and {what} only in these phases; allowed: {allowed}"
    return ConflictError(message, parameter="PHASE", value=phase, allowed=allowed)
