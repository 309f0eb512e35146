"""State of a list: its progress, the time that is left, and the products that are finished."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from tessera_cloud import keys
from tessera_cloud.application.backend import HasJobs, HasLists
from tessera_cloud.application.bulk.order import BandFile, BandRecord
from tessera_cloud.application.jobs.submit import JobStatus
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.ports import ObjectInfo

Phase: TypeAlias = Literal["queued", "planning", "cutting", "finishing", "ended"]
_AT_ONCE = 32
_KNOWN_LISTS = 8
_SURE = 0.05
"""Share of the cutouts after which the time that is left follows from the speed so far."""
_ROUNDING = 0.1
"""More than the error of the sum of all shares, and less than a row."""


class HasListJobs(HasJobs, HasLists, Protocol):
    """Jobs, and what this process has read of lists."""


@dataclass(frozen=True)
class ListState:
    """State of a list.

    Parameters
    ----------
    status : JobStatus
        State of its job.
    phase : str
        What is being done.
    plan : mapping or None
        The plan, as `tessera.bulk.plan.price.BulkPlan.to_dict` writes it; None until there is one.
    cutouts : int or None
        Cutouts of the plan, and targets on cubes that the plan lacks because they cannot be opened; None until planned.
    done, failed, no_overlap : int
        Cutouts that were made, those that could not be made, and those without a pixel on the frame. In the end they
        are all cutouts.
    rows_done : int
        Rows of the list whose cutouts have ended. A row with cutouts on three cubes counts a third for each.
    bands_done : int
        Bands that have ended.
    files : tuple of BandFile
        Products that are finished, by name.
    seconds_left : float or None
        Seconds until the end; None if nothing is known about it.
    """

    status: JobStatus
    phase: Phase
    plan: Mapping[str, Any] | None
    cutouts: int | None
    done: int
    failed: int
    no_overlap: int
    rows_done: int
    bands_done: int
    files: tuple[BandFile, ...]
    seconds_left: float | None

    def page(self, after: str, limit: int) -> tuple[tuple[BandFile, ...], str]:
        """At most `limit` products after the one with a name, and the name of the last if there are more."""
        first = bisect_right([file.name for file in self.files], after) if after else 0
        page = self.files[first : first + limit]
        return page, page[-1].name if page and first + limit < len(self.files) else ""


def list_state(status: JobStatus, backend: HasListJobs) -> ListState:
    """Find the state of a list from what its functions have left."""
    document, outcome = _read_plan(status.record.id, backend), status.record.outcome
    plan: Mapping[str, Any] | None = document.get("plan")
    records = [
        one
        for one in _read_records(status.record.id, backend)
        if one.plan == document.get("digest", "") and one.counts_in(status.record.attempt)
    ]
    lost = sum(cube["n_rows"] for cube in document.get("lost", ()))
    done, failed = sum(one.n_ok for one in records), lost + sum(one.n_failed for one in records)
    rows_done = _rows_done(document, records)
    files = tuple(sorted((file for one in records for file in one.files), key=lambda file: file.name))
    if outcome is not None and outcome.key:
        done, failed = outcome.n_succeeded, outcome.n_failed
        files = _read_manifest(status.record.id, backend) or files
        rows_done = plan["rows"] if plan else rows_done
    phase = _phase(status, plan, len(records))
    return ListState(
        status=status,
        phase=phase,
        plan=plan,
        cutouts=None if plan is None else plan["cutouts"] + lost,
        done=done,
        failed=failed,
        no_overlap=sum(one.n_no_overlap for one in records),
        rows_done=rows_done,
        bands_done=len(records),
        files=files,
        seconds_left=_seconds_left(status, plan, records, backend.now().timestamp()) if phase == "cutting" else None,
    )


def _rows_done(document: Mapping[str, Any], records: Sequence[BandRecord]) -> int:
    """Rows that have ended, rounded down, because shares of a row are not exact."""
    of_bands: Sequence[float] = document.get("band_rows", ())
    ended = sum(of_bands[one.band] for one in records if one.band < len(of_bands))
    return int(document.get("rows_at_once", 0) + ended + _ROUNDING)


def _phase(status: JobStatus, plan: Mapping[str, Any] | None, bands_done: int) -> Phase:
    if status.phase == "queued":
        return "queued"
    if status.phase != "running":
        return "ended"
    if plan is None:
        return "planning"
    return "cutting" if bands_done < plan["bands"] else "finishing"


def _seconds_left(
    status: JobStatus, plan: Mapping[str, Any] | None, records: Sequence[BandRecord], now: float
) -> float | None:
    """Time that is left: from the plan at first, then from the speed of this attempt; None if it takes longer."""
    cutouts: int = plan["cutouts"] if plan else 0
    if plan is None or not cutouts:
        return None
    ended, new = (
        sum(one.n_ok + one.n_failed + one.n_no_overlap for one in some) / cutouts
        for some in (records, [one for one in records if one.attempt == status.record.attempt])
    )
    spent = max(now - (status.started or status.record.created), 0.0)
    if new < _SURE:
        return max(float(plan["minutes"]) * 60 * (1 - ended + new) - spent, 0.0) or None
    return spent * max(1 - ended, 0.0) / new


def _read_plan(job_id: str, backend: HasListJobs) -> Mapping[str, Any]:
    """The document of the plan: the plan itself, and its digest, which the records of its bands have too."""
    try:
        found: Mapping[str, Any] = json.loads(
            backend.store.read(backend.settings.result_bucket, keys.bulk_plan(job_id))[0]
        )
    except ObjectMissingError:
        return {}
    return found


def _read_records(job_id: str, backend: HasListJobs) -> list[BandRecord]:
    """Records of the bands that have ended, in order. Those that this process has read before are not read again."""
    bucket, known = backend.settings.result_bucket, backend.lists.of(job_id, _KNOWN_LISTS)

    def read(info: ObjectInfo) -> BandRecord | None:
        etag, record = known.get(info.key, ("", None))
        if record is None or etag != info.etag:
            try:
                record = BandRecord.model_validate_json(backend.store.read(bucket, info.key)[0])
            except ObjectMissingError:  # the list is planned again
                return None
            known[info.key] = (info.etag, record)
        return record

    found = list(backend.store.list_objects(bucket, keys.bulk_records(job_id)))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [record for record in pool.map(read, found) if record is not None]


def _read_manifest(job_id: str, backend: HasListJobs) -> tuple[BandFile, ...]:
    """All products, by name; none if the manifest is gone."""
    bucket, key = backend.settings.result_bucket, keys.bulk_manifest(job_id)
    try:
        info = backend.store.head(bucket, key)
        etag, files = backend.lists.manifests.get(job_id, ("", ()))
        if etag != info.etag:
            document = json.loads(backend.store.read(bucket, key)[0])
            files = tuple(
                BandFile(name=file["name"], bytes=file["size"], sha256=file["sha256"])
                for file in sorted(document["files"], key=lambda file: str(file["name"]))
            )
            backend.lists.manifests[job_id] = (info.etag, files)
    except ObjectMissingError:
        return ()
    return files
