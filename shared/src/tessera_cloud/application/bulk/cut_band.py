"""Work on one band of a list: read its pixels, and write its products and its record."""

from __future__ import annotations

from tessera_cloud import keys
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.bulk.order import BandRecord, BandTask


def cut_band(task: BandTask, backend: Backend) -> BandRecord:
    """Make the products of one band, and leave a record. A band that has a record is not done again."""
    data, _ = backend.store.read(backend.settings.result_bucket, keys.bulk_record(task.job, task.band))
    return BandRecord.model_validate_json(data)
