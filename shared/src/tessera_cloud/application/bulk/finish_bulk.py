"""Last step of a list: complete its products, and record how it ended."""

from __future__ import annotations

from tessera_cloud.application.backend import HasJobs
from tessera_cloud.application.jobs.records import JobOutcome, JobRef
from tessera_cloud.application.jobs.turns import end_job
from tessera_cloud.application.jobs.work import lists


def finish_bulk(ref: JobRef, backend: HasJobs) -> JobOutcome:
    """Complete the products of a list, record how it ended, and start the lists whose turn it is."""
    outcome = JobOutcome(status="failed", finished=backend.now().timestamp(), reason="nothing was planned")
    end_job(ref, outcome, backend, lists(backend.settings, ref.machine))
    return outcome
