"""UWS 1.1: waiting for a change of phase. The cases of job_wait of uws-validator are among them."""

from __future__ import annotations

import time

from tests.ivoa.clauses.jobs import FINAL, Job, ended, pending
from tests.ivoa.clauses.report import clause, require
from tests.ivoa.clauses.site import Site

UWS = "UWS 1.1"
AT_ONCE = 2.0
"""The longest that an answer takes which waits for nothing, in seconds."""
WAIT = 3


def waited(made: Job, *params: tuple[str, str]) -> tuple[str | None, float]:
    """The phase that a request tells in the end, and how long it took."""
    begin = time.monotonic()
    phase = made.document(*params).findtext("phase")
    return phase, time.monotonic() - begin


@clause(UWS, "2.2.1.1", "WAIT holds the answer while an active job keeps its phase, and not much longer than asked")
def uws_wait(site: Site) -> None:
    with pending(site) as made:
        phase, seconds = waited(made, ("WAIT", str(WAIT)))
        require(phase == "PENDING", f"the phase is {phase}")
        require(WAIT / 2 <= seconds <= WAIT + AT_ONCE, f"WAIT={WAIT} takes {seconds:.1f} s")


@clause(UWS, "2.2.1.1", "WAIT for a job that has ended is answered at once")
def uws_wait_ended(site: Site) -> None:
    with pending(site) as made:
        made.send("ABORT")
        phase, seconds = waited(made, ("WAIT", "100"))
        require(phase == "ABORTED" and seconds < AT_ONCE, f"the phase is {phase} after {seconds:.1f} s")


@clause(UWS, "2.2.1.1", "WAIT=-1 for a job that has ended is answered at once")
def uws_wait_forever(site: Site) -> None:
    with ended(site) as made:
        phase, seconds = waited(made, ("WAIT", "-1"))
        require(phase == "COMPLETED" and seconds < AT_ONCE, f"the phase is {phase} after {seconds:.1f} s")


@clause(UWS, "2.2.1.1", "WAIT with the PHASE that the job has holds the answer")
def uws_wait_phase(site: Site) -> None:
    with pending(site) as made:
        _, seconds = waited(made, ("WAIT", str(WAIT)), ("PHASE", "PENDING"))
        require(WAIT / 2 <= seconds <= WAIT + AT_ONCE, f"WAIT={WAIT} and PHASE=PENDING take {seconds:.1f} s")


@clause(UWS, "2.2.1.1", "WAIT with a PHASE that the job does not have is answered at once")
def uws_wait_other_phase(site: Site) -> None:
    with pending(site) as made:
        for phase in ("EXECUTING", "QUEUED"):
            _, seconds = waited(made, ("WAIT", "8"), ("PHASE", phase))
            require(seconds < AT_ONCE, f"WAIT=8 and PHASE={phase} take {seconds:.1f} s")


@clause(UWS, "2.2.1.1", "WAIT with a PHASE in which nothing is waited for is answered at once")
def uws_wait_inactive_phase(site: Site) -> None:
    with pending(site) as made:
        for phase in ("COMPLETED", "ERROR", "ABORTED", "ARCHIVED", "HELD", "SUSPENDED", "UNKNOWN"):
            begin = time.monotonic()
            made.ask(params=[("WAIT", "8"), ("PHASE", phase)])
            seconds = time.monotonic() - begin
            require(seconds < AT_ONCE, f"WAIT=8 and PHASE={phase} take {seconds:.1f} s")


@clause(UWS, "2.2.1.1", "WAIT is answered when the phase changes")
def uws_wait_change(site: Site) -> None:
    with pending(site) as made:
        made.send("RUN")
        begin, phase = time.monotonic(), made.phase
        while phase not in FINAL:
            before = phase
            phase = str(waited(made, ("WAIT", "25"), ("PHASE", before))[0])
            require(phase != before, f"the phase is {phase} after WAIT=25")
            require(time.monotonic() - begin < 120, "the job does not end")
        require(phase == "COMPLETED", f"the job ends as {phase}")
