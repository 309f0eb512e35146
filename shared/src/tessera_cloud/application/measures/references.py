"""Reference frames of cubes, for cutouts of differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.cubes.reader import Cube
from tessera.cubes.reference.frame import (
    REFERENCE_END,
    ReferenceLayout,
    ReferenceWindow,
    read_reference_layout,
    read_reference_window,
)
from tessera.windows import Window
from tessera_cloud.application.backend import HasIndex
from tessera_cloud.application.measures.places import measure_key, why_none
from tessera_cloud.application.results import exists
from tessera_cloud.application.side_by_side import side_by_side
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import NotFoundError
from tessera_cloud.ports import ObjectInfo, RangeStore

_HEADS = 16
_NAMED = 5


@dataclass(frozen=True)
class ReferenceObject:
    """A reference frame in a bucket."""

    bucket: str
    info: ObjectInfo
    layout: ReferenceLayout

    def read_window(self, window: Window, store: RangeStore) -> ReferenceWindow:
        """Read a window that touches the frame."""

        def read(start: int, length: int) -> bytes:
            return bytes(store.read_range(self.bucket, self.info.key, start, length, self.info.etag))

        return read_reference_window(self.layout, read, window)


def open_reference(published: PublishedCube, cube: Cube, store: RangeStore, bucket: str) -> ReferenceObject:
    """Open the reference frame of a cube, which is in our bucket of cubes.

    Raises
    ------
    CubeFormatError
        If it is that of another cube.
    ObjectMissingError, ObjectChangedError
        If it was removed or replaced.
    """
    key = measure_key(published, REFERENCE_END, bucket)
    info = store.head(bucket, key)

    def read(start: int, length: int) -> bytes:
        return bytes(store.read_range(bucket, key, start, min(length, info.size - start), info.etag))

    layout = read_reference_layout(key.rsplit("/", 1)[-1], info.size, read, cube)
    return ReferenceObject(bucket, info, layout)


def check_references(cubes: Sequence[PublishedCube], backend: HasIndex) -> None:
    """Refuse differences from cubes without a reference frame.

    Raises
    ------
    NotFoundError
        Naming these cubes.
    """
    own = backend.settings.cube_bucket

    def has_one(cube: PublishedCube) -> bool:
        return exists(backend.store, own, measure_key(cube, REFERENCE_END, own))

    known = side_by_side(has_one, cubes, _HEADS)
    without = [cube for cube, has in zip(cubes, known, strict=True) if not has]
    if without:
        named = "; ".join(f"{cube.obs_id}: {why_none(cube, backend)}" for cube in without[:_NAMED])
        more = f"; and {len(without) - _NAMED:,} others" if len(without) > _NAMED else ""
        message = (
            f"difference is for cubes with a reference frame, and some have none, so ask without difference, or for "
            f"other sectors; {named}{more}"
        )
        raise NotFoundError(message, parameter="difference", value="true", allowed="cubes with a reference frame")
