"""The FootprintIndex state machine over a store in memory. The interpreter's S3 has copies of what its Map reads."""

from __future__ import annotations

from typing import Any

import boto3

from tessera_cloud import keys
from tessera_cloud.application.coverage.parts import read_coverage
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.sources import SETTINGS, put_cube, small_cube
from tests.support.state_machine import Stack

RUNS = keys.index_run("")[:-1]


class MirroredStore(MemoryStore):
    """A store that also writes documents of runs to the interpreter's S3, because its Map reads them there."""

    mirrors = True

    def write(self, bucket: str, key: str, data: bytes, **conditions: Any) -> str:
        etag = super().write(bucket, key, data, **conditions)
        if key.startswith(RUNS) and self.mirrors:
            boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=data)
        return etag


class IndexStack(Stack):
    """The state machine, with two cubes in its source."""

    machine = "footprint_index"
    store: MirroredStore

    def __init__(self) -> None:
        super().__init__(MirroredStore(), SETTINGS)

    def open(self) -> None:
        """Create the bucket of the interpreter, and write the cubes."""
        boto3.client("s3").create_bucket(Bucket=SETTINGS.cube_bucket)
        put_cube(self.store, "tess-s0001-4-2", small_cube())
        put_cube(self.store, "tess-s0001-1-1", small_cube(1, 1))

    @property
    def indexed(self) -> list[str]:
        """Names of the cubes in the index."""
        return [row.obs_id for row in read_index(self.store, SETTINGS.cube_bucket)[0].cubes]

    @property
    def covered(self) -> set[str]:
        """Names of the parts of the coverage of SPOC."""
        coverage = read_coverage(self.store, SETTINGS.cube_bucket)
        return set() if coverage is None else set(coverage.products["SPOC"])
