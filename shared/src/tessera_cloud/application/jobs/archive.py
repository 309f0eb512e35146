"""Last step of a job: collects the files of its cubes, puts them into one archive, and records how the job ended."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from tessera.io.deflate import zip_pieces
from tessera.provenance.crate import Crate
from tessera_cloud import keys
from tessera_cloud.application.backend import HasJobs, HasStore
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.jobs.plans import CubeRecord, JobPlan, read_cube_records, read_plan
from tessera_cloud.application.jobs.records import JobOutcome, JobRef
from tessera_cloud.application.jobs.turns import end_job
from tessera_cloud.application.jobs.work import cutouts
from tessera_cloud.application.results import ResultWriter
from tessera_cloud.errors import NoCutoutsError

_READ_BYTES = 16_000_000
_READS_AHEAD = 4
_NAMED = 5


def _pieces(key: str, size: int, backend: HasJobs) -> Iterator[bytes]:
    """Read an object of the bucket of results, a few range requests ahead."""
    bucket, pending = backend.settings.result_bucket, deque[Future[bytes]]()

    def read(start: int) -> bytes:
        return bytes(backend.store.read_range(bucket, key, start, min(_READ_BYTES, size - start)))

    with ThreadPoolExecutor(_READS_AHEAD) as pool:
        for start in range(0, size, _READ_BYTES):
            if len(pending) == _READS_AHEAD:
                yield pending.popleft().result()
            pending.append(pool.submit(read, start))
        while pending:
            yield pending.popleft().result()


def _write_archive(
    made: list[CubeRecord], job_id: str, out: io.RawIOBase, backend: HasJobs, crate: Crate | None
) -> None:
    contents = (_pieces(keys.job_file(job_id, record.name), record.bytes, backend) for record in made)
    members = ((record.name, pieces, record.bytes) for record, pieces in zip(made, contents, strict=True))
    out.writelines(zip_pieces(members if crate is None else crate.describe(members)))


def collect_records(job_id: str, plan: JobPlan, backend: HasStore) -> tuple[list[CubeRecord], list[CubeRecord]]:
    """Records of the cubes of a job that have a file, and of those that should have one and have none."""
    store, bucket = backend.store, backend.settings.result_bucket
    found = {record.obs_id: record for record in read_cube_records(store, bucket, job_id)}
    wanted = [plan.order.cubes[number].obs_id for number in plan.items]
    lost = CubeRecord(obs_id="", status="failed", reason="the task did not end; trying again may help")
    records = [found.get(obs_id) or lost.model_copy(update={"obs_id": obs_id}) for obs_id in wanted]
    made = [record for record in records if record.status == "succeeded"]
    return made, [*plan.missed, *(record for record in records if record.status == "failed")]


def _why_none(order: CutoutOrder) -> str:
    """Reason why an order has no cutout although every cube could be read."""
    names = ", ".join(cube.obs_id for cube in order.cubes[:_NAMED]) + (" and others" if order.cubes[_NAMED:] else "")
    options = order.request.options
    chosen = options.time is not None or options.cadences is not None or options.quality_mask
    cadences = ", or time, cadences and quality_mask leave no cadence" if chosen else ""
    return f"the place is beside the frames of {names}{cadences}"


def finish_job(ref: JobRef, backend: HasJobs) -> JobOutcome:
    """Put the files of a job into one archive, record how the job ended, and start the jobs whose turn it is.

    An archive that lacks cubes gets another key, so that a later request for the job makes the missing ones.
    """
    plan = read_plan(backend.store, backend.settings.result_bucket, ref.job)
    made, failed = collect_records(ref.job, plan, backend)
    key, n_bytes = "", 0
    crate = Crate(backend.now().date()) if plan.order.crate else None
    if made:
        key = keys.partial_result(ref.job, ref.attempt) if failed else keys.result(ref.job)
        with ResultWriter(backend.store, backend.settings.result_bucket, key) as out:
            _write_archive(made, ref.job, out, backend, crate)
            out.keep()
            n_bytes = out.n_bytes
    outcome = JobOutcome(
        status="partial" if made and failed else "succeeded" if made else "failed",
        finished=backend.now().timestamp(),
        key=key,
        bytes=n_bytes,
        n_succeeded=len(made),
        n_failed=len(failed),
        reason="; ".join(f"{record.obs_id}: {record.reason}" for record in failed)[:1000]
        or ("" if made else _why_none(plan.order)),
        nothing=not made and not failed,
    )
    end_job(ref, outcome, backend, cutouts(backend.settings, ref.machine))
    return outcome


def require_cutouts(outcome: JobOutcome) -> None:
    """Check that a job with cubes to cut made at least one file. If not, its execution fails and raises an alarm.

    Raises
    ------
    NoCutoutsError
        If all cubes failed. A job whose order has no cubes to cut ends without error.
    """
    if outcome.n_failed and not outcome.n_succeeded:
        raise NoCutoutsError(f"all {outcome.n_failed} cutouts failed; {outcome.reason}")
