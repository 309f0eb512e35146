"""The index of published cubes: one object, in the schema of MAST's footprint file and a little more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.sky.footprint import Footprint, find_overlaps, footprint_vectors
from tessera.tess.products import SPOC
from tessera_cloud import keys
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectChangedError, ObjectMissingError, TransientError
from tessera_cloud.ports import ObjectStore

_ATTEMPTS = 10
_COLUMNS = tuple(name for name in PublishedCube.model_fields if name != "left_out")


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
        names = [name for name in _COLUMNS if name in table]  # an older index has fewer
        rows = zip(*(table[name] for name in names), strict=True)
        return cls.of(PublishedCube(**dict(zip(names, row, strict=True))) for row in rows)

    @classmethod
    def of(cls, cubes: Any) -> FootprintIndex:
        """Index of some cubes."""
        ordered = tuple(sorted(cubes, key=lambda cube: cube.obs_id))
        return cls(ordered, footprint_vectors([cube.s_region for cube in ordered]))

    def to_json(self) -> bytes:
        """Write the index as an object of parallel columns."""
        columns: dict[str, list[Any]] = {name: [getattr(cube, name) for cube in self.cubes] for name in _COLUMNS}
        columns["target_name"] = [cube.cube_id.target_name for cube in self.cubes]
        return json.dumps(columns).encode()

    def find(
        self, region: Footprint, sectors: frozenset[int] | None = None, product: str = SPOC.name
    ) -> list[PublishedCube]:
        """Cubes of a product whose footprint shares at least a point with a region, in index order."""
        hits = find_overlaps(self.vectors, region)
        return [
            cube
            for cube, hit in zip(self.cubes, hits, strict=True)
            if hit and cube.cube_id.product == product and (sectors is None or cube.sequence_number in sectors)
        ]


def read_index(store: ObjectStore, bucket: str) -> tuple[FootprintIndex, str | None]:
    """The index and its ETag; empty and None where nothing has been published yet."""
    try:
        data, info = store.read(bucket, keys.FOOTPRINT_INDEX)
    except ObjectMissingError:
        return FootprintIndex.of(()), None
    return FootprintIndex.from_json(data), info.etag


def read_pointer(store: ObjectStore, bucket: str, key: str) -> tuple[PublishedCube | None, str | None]:
    """The cube that a pointer names, and the pointer's ETag; None where there is no pointer."""
    try:
        data, info = store.read(bucket, key)
    except ObjectMissingError:
        return None, None
    return PublishedCube.model_validate_json(data), info.etag


def _move_pointer(cube: PublishedCube, store: ObjectStore) -> PublishedCube:
    key = keys.current(cube.cube_id)
    for _ in range(_ATTEMPTS):
        current, etag = read_pointer(store, cube.bucket, key)
        if current and current.planned_at > cube.planned_at:
            return current
        try:
            data = cube.model_dump_json().encode()
            store.write(cube.bucket, key, data, only_over=etag, only_new=etag is None)
        except ObjectChangedError:
            continue
        return cube
    raise TransientError(f"s3://{cube.bucket}/{key} changed {_ATTEMPTS} times while it was written")


def publish(cube: PublishedCube, *, store: ObjectStore) -> PublishedCube:
    """Point to a cube and put it into the index, unless a cube of a later listing is there.

    Several builds may finish at the same time: pointer and index are replaced only where they have not changed since
    they were read.

    Returns
    -------
    PublishedCube
        The cube that the pointer names now.
    """
    current = _move_pointer(cube, store)
    for _ in range(_ATTEMPTS):
        index, etag = read_index(store, current.bucket)
        row = next((other for other in index.cubes if other.obs_id == current.obs_id), None)
        if row and row.planned_at > current.planned_at:
            return current
        others = [other for other in index.cubes if other is not row]
        data = FootprintIndex.of([*others, current]).to_json()
        try:
            store.write(current.bucket, keys.FOOTPRINT_INDEX, data, only_over=etag, only_new=etag is None)
        except ObjectChangedError:
            continue
        return current
    raise TransientError(f"s3://{cube.bucket}/{keys.FOOTPRINT_INDEX} changed {_ATTEMPTS} times while it was written")
