"""The record of a cube: planning writes down the ETags of its frames, and completion puts them behind the info table.

The record that was planned first stays, so that all executions of a build, perhaps of two releases, upload equal parts.
"""

from __future__ import annotations

from posixpath import commonpath

from tessera.cubes.hashes.making import begin_record
from tessera.errors import ProvenanceError
from tessera.provenance.fits_files import read_provenance
from tessera.provenance.record import Record
from tessera_cloud.application.builds.plan_document import RECORD
from tessera_cloud.contracts import CubePlan, PlanRef
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.ports import ObjectReader


def planned_record(plan: CubePlan) -> bytes:
    """Begin the record of a cube; see `tessera.cubes.hashes.making`."""
    keys = [frame.key for frame in plan.frames]
    hashes = [
        {"name": key.rsplit("/", 1)[-1], "etag": frame.etag} for key, frame in zip(keys, plan.frames, strict=True)
    ]
    folder = commonpath([key.rpartition("/")[0] for key in keys])
    location = f"s3://{plan.source_bucket}/{folder}"
    return begin_record(plan.product, hashes, location=location, build=plan.build_id).text.encode()


def read_planned_record(ref: PlanRef, store: ObjectReader) -> Record | None:
    """Read what planning wrote down; None of a plan that has no record, which a release before made."""
    try:
        data, _ = store.read(ref.bucket, ref.prefix + RECORD)
    except ObjectMissingError:
        return None
    return Record.parse(data.decode())


def is_record_of(plan: CubePlan, end: bytes) -> bool:
    """Whether the bytes behind an info table are a record of the build; none are, because there are older cubes."""
    if not end:
        return True
    try:
        found = read_provenance(end)
    except ProvenanceError:
        return False
    return found is not None and found.record.source.get("build") == plan.build_id
