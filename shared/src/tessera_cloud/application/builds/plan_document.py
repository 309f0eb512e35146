"""The plan of a cube as an object in S3. It is apart from planning, so that tasks that only read it load little."""

from __future__ import annotations

from typing import Protocol

from tessera_cloud import keys
from tessera_cloud.contracts import CubePlan
from tessera_cloud.ports import Documents, ObjectReader, RangeReader, Uploads

PRIMARY, INFO = "primary-header", "info-table"
"""Names of the other objects that a plan leaves below its prefix."""
RECORD = "frame-hashes"
"""Name of the object with the record of the cube; see `tessera_cloud.application.builds.cube_record`."""
GROWN_PRIMARY, GROWN_INFO = "grown-primary-header", "grown-info-table"
"""The same of the growing cube that gets a segment."""
FIRST_ROWS = "first-rows"
"""Name of the object with the pixels of part 1. It is kept until the headers before them can be written."""


class BuildStore(RangeReader, Documents, Uploads, Protocol):
    """Store for building a cube: it reads ranges of frames, keeps documents beside the plan, and takes uploads."""


def read_plan(store: ObjectReader, bucket: str, prefix: str) -> CubePlan:
    """Read a plan that `plan_cube` wrote."""
    return CubePlan.model_validate_json(store.read(bucket, prefix + keys.PLAN)[0])
