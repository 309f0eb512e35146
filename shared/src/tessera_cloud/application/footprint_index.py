"""The index of published cubes: one object, in the schema of MAST's footprint file and a little more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.footprint import Footprint, find_overlaps, footprint_vectors
from tessera_cloud import keys
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectChangedError, ObjectMissingError, TransientError
from tessera_cloud.ports import ObjectStore

TARGET_NAME = "TESS FFI"
"""What MAST calls the rows of its footprint file that belong to SPOC frames."""
_ATTEMPTS = 10


@dataclass(frozen=True)
class FootprintIndex:
    """Published cubes and their polygons.

    Parameters
    ----------
    cubes : tuple of PublishedCube
        Ordered by obs_id.
    vectors : ndarray of float64, shape (n, 4, 3)
        Corners as unit vectors.
    """

    cubes: tuple[PublishedCube, ...]
    vectors: NDArray[np.float64]

    @classmethod
    def from_json(cls, data: bytes) -> FootprintIndex:
        """Read the object that `to_json` wrote."""
        table: dict[str, list[Any]] = json.loads(data)
        names = list(PublishedCube.model_fields)
        rows = zip(*(table[name] for name in names), strict=True)
        return cls.of(PublishedCube(**dict(zip(names, row, strict=True))) for row in rows)

    @classmethod
    def of(cls, cubes: Any) -> FootprintIndex:
        """Index of some cubes."""
        ordered = tuple(sorted(cubes, key=lambda cube: cube.obs_id))
        return cls(ordered, footprint_vectors([cube.s_region for cube in ordered]))

    def to_json(self) -> bytes:
        """Write the index as an object of parallel columns."""
        columns: dict[str, list[Any]] = {
            name: [getattr(cube, name) for cube in self.cubes] for name in PublishedCube.model_fields
        }
        columns["target_name"] = [TARGET_NAME] * len(self.cubes)
        return json.dumps(columns).encode()

    def find(self, region: Footprint, sectors: frozenset[int] | None = None) -> list[PublishedCube]:
        """Cubes whose footprint shares at least a point with a region, in index order."""
        hits = find_overlaps(self.vectors, region)
        return [
            cube
            for cube, hit in zip(self.cubes, hits, strict=True)
            if hit and (sectors is None or cube.sequence_number in sectors)
        ]


def read_index(store: ObjectStore, bucket: str) -> tuple[FootprintIndex, str | None]:
    """The index and its ETag; empty and None where nothing has been published yet."""
    try:
        data, info = store.read(bucket, keys.FOOTPRINT_INDEX)
    except ObjectMissingError:
        return FootprintIndex.of(()), None
    return FootprintIndex.from_json(data), info.etag


def publish(cube: PublishedCube, *, store: ObjectStore) -> None:
    """Point to a cube and put it into the index.

    Several builds may finish at the same time: the index is replaced only where it has not changed since it was read.
    """
    store.write(cube.bucket, keys.current(cube.ccd_id), cube.model_dump_json().encode())
    for _ in range(_ATTEMPTS):
        index, etag = read_index(store, cube.bucket)
        others = [other for other in index.cubes if other.obs_id != cube.obs_id]
        data = FootprintIndex.of([*others, cube]).to_json()
        try:
            store.write(cube.bucket, keys.FOOTPRINT_INDEX, data, only_over=etag, only_new=etag is None)
        except ObjectChangedError:
            continue
        return
    raise TransientError(f"s3://{cube.bucket}/{keys.FOOTPRINT_INDEX} changed {_ATTEMPTS} times while it was written")
