"""The plan of a cube as it lies in S3; apart from planning, so that those who carry it out load little."""

from __future__ import annotations

from typing import Protocol

from tessera_cloud import keys
from tessera_cloud.contracts import CubePlan
from tessera_cloud.ports import Documents, ObjectReader, RangeReader, Uploads

PRIMARY, INFO = "primary-header", "info-table"
"""Names of what a plan leaves below its prefix, beside itself."""
FIRST_ROWS = "first-rows"
"""Pixels of part 1, kept there until the header in front of them can be written."""


class BuildStore(RangeReader, Documents, Uploads, Protocol):
    """What making a cube needs: ranges of frames, documents beside the plan, and the upload."""


def read_plan(store: ObjectReader, bucket: str, prefix: str) -> CubePlan:
    """Read a plan that `plan_cube` wrote."""
    return CubePlan.model_validate_json(store.read(bucket, prefix + keys.PLAN)[0])
