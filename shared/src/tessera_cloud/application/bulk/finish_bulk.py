"""Last step of a list: complete its products, and record how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.products.finish import STATUS, finish_products
from tessera.bulk.products.folder import ProductFile
from tessera.bulk.status import format_status
from tessera.bulk.work.band import BandOutcome, lost_band
from tessera_cloud import keys
from tessera_cloud.application.backend import HasJobs
from tessera_cloud.application.bulk.documents import FinishTask, PlanDocument, rows_from_bytes
from tessera_cloud.application.bulk.folder import ProductFolder
from tessera_cloud.application.bulk.order import BandRecord, BulkOrder
from tessera_cloud.application.bulk.submit import read_order
from tessera_cloud.application.jobs.records import JobOutcome
from tessera_cloud.application.jobs.turns import end_job
from tessera_cloud.application.jobs.work import lists

_READS = 16
_BATCH = 256
"""Objects that are read before the first of them is used."""
_NAMED = 5
"""Reasons that the outcome of a list has; the status table has all."""
_LOST = "the task of these targets did not end; ask for the list again"

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def finish_bulk(task: FinishTask, backend: HasJobs) -> JobOutcome:
    """Complete the products of a list, record how it ended, and start the lists whose turn it is.

    A band without a record of this plan has failed, whatever became of its task: the status table says so for each of
    its targets.
    """
    outcome = _refuse(task, backend) if task.refused else _finish(task, backend)
    end_job(task, outcome, backend, lists(backend.settings, task.machine))
    return outcome


def _refuse(task: FinishTask, backend: HasJobs) -> JobOutcome:
    return JobOutcome(status="failed", finished=backend.now().timestamp(), reason=task.refused)


def _finish(task: FinishTask, backend: HasJobs) -> JobOutcome:
    store, bucket = backend.store, backend.settings.result_bucket
    order = read_order(store, bucket, task.job)
    plan = PlanDocument.model_validate_json(store.read(bucket, keys.bulk_plan(task.job))[0])
    records = _records(task.job, plan, backend)
    missing = sorted(set(range(plan.n_bands)) - {record.band for record in records})
    records += _in_order(lambda number: _lost_record(task.job, number, plan, backend), missing)
    files = [ProductFile(file.name, file.bytes, file.sha256) for record in records for file in record.files]
    written = finish_products(
        ProductFolder(store, bucket, task.job, again=True),
        rows=rows_from_bytes(store.read(bucket, keys.bulk_rows(task.job))[0]),
        options=order.options,
        fragments=_fragments(task.job, plan, frozenset(missing), backend),
        files=files,
        document={"order": _public(order), "plan": plan.plan},
    )
    return _outcome(task, plan, records, sum(file.size for file in (*files, *written)), backend)


def _public(order: BulkOrder) -> dict[str, object]:
    """The order as users see it, without the id of an upload."""
    return order.model_dump(mode="json", exclude={"upload"})


def _in_order(read: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
    """Call a function for many items side by side, some of them ahead."""
    with ThreadPoolExecutor(_READS) as pool:
        for first in range(0, len(items), _BATCH):
            yield from pool.map(read, items[first : first + _BATCH])


def _records(job: str, plan: PlanDocument, backend: HasJobs) -> list[BandRecord]:
    """Records of the bands of this plan that have ended, in the order of their numbers."""
    store, bucket = backend.store, backend.settings.result_bucket
    found = [info.key for info in store.list_objects(bucket, keys.bulk_records(job))]
    texts = _in_order(lambda key: store.read(bucket, key)[0], found)
    records = [BandRecord.model_validate_json(text) for text in texts]
    return [record for record in records if record.plan == plan.digest]


def _lose(job: str, number: int, backend: HasJobs) -> BandOutcome:
    """Outcome of a band whose task left no record."""
    data, _ = backend.store.read(backend.settings.result_bucket, keys.bulk_band(job, number))
    return lost_band(StoredBand.from_bytes(data), _LOST)


def _lost_record(job: str, number: int, plan: PlanDocument, backend: HasJobs) -> BandRecord:
    lost = _lose(job, number, backend)
    return BandRecord(band=number, cube=lost.cube, n_ok=0, n_failed=lost.n_failed, reason=lost.reason, plan=plan.digest)


def _fragments(job: str, plan: PlanDocument, missing: frozenset[int], backend: HasJobs) -> Iterator[bytes]:
    """Lines of the status table: of all bands, and of the cubes that could not be opened.

    A task that is still alive may write the lines of a band without a record, so these lines are made here.
    """
    store, bucket = backend.store, backend.settings.result_bucket

    def lines(number: int) -> bytes:
        if number in missing:
            return format_status(_lose(job, number, backend).statuses)
        return store.read(bucket, keys.bulk_status(job, number))[0]

    yield from _in_order(lines, range(plan.n_bands))
    yield store.read(bucket, keys.bulk_lost(job))[0]


def _outcome(
    task: FinishTask, plan: PlanDocument, records: Sequence[BandRecord], n_bytes: int, backend: HasJobs
) -> JobOutcome:
    made = sum(record.n_ok for record in records)
    failed = sum(record.n_failed for record in records) + sum(cube.n_rows for cube in plan.lost)
    reasons = [f"{cube.cube}: {cube.reason}" for cube in plan.lost]
    reasons += [f"{record.cube}: {record.reason}" for record in records if record.reason]
    if failed and not reasons:
        reasons = [f"cutouts that could not be made: {failed:,}; {STATUS} has the reasons"]
    different = list(dict.fromkeys(reasons))
    more = f"; and {len(different) - _NAMED} more" if len(different) > _NAMED else ""
    return JobOutcome(
        status="partial" if made and failed else "failed" if failed else "succeeded",
        finished=backend.now().timestamp(),
        key=keys.bulk_manifest(task.job),
        bytes=n_bytes,
        n_succeeded=made,
        n_failed=failed,
        reason=("; ".join(different[:_NAMED])[:900] + more),
    )
