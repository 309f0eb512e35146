"""What is to be known of a cube before its pixels are read, from its sidecar or from the cube itself."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from tessera.cubes.reader import Cube, read_cube
from tessera.errors import CubeFormatError
from tessera_cloud import keys
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.ports import Documents, RangeReader


class Located(Protocol):
    """Where a cube is, and which one of those that have been there."""

    @property
    def bucket(self) -> str:
        """Where it is."""

    @property
    def key(self) -> str:
        """Its key there."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def etag(self) -> str:
        """Without quotes."""


class CubeStore(RangeReader, Documents, Protocol):
    """Where cubes are, which are read by ranges, and their sidecars, which are read and written whole."""


def open_cube(place: Located, *, store: CubeStore, cube_bucket: str) -> Cube:
    """Read the sidecar of a cube; where there is none, read the cube and write its sidecar for others.

    Raises
    ------
    CubeFormatError, NoWcsError
        When the object is not a cube, or a cube without a single WCS.
    ObjectChangedError, ObjectMissingError
        When it is no longer the one with this ETag.
    """
    sidecar, name = keys.sidecar(place.etag), place.key.rsplit("/", 1)[-1]
    with suppress(ObjectMissingError, CubeFormatError):
        return Cube.from_sidecar(store.read(cube_bucket, sidecar)[0])
    if not place.size:
        raise CubeFormatError(f"{name}: the object is empty")

    def read(start: int, length: int) -> bytes:
        return bytes(store.read_range(place.bucket, place.key, start, length, place.etag))

    cube = read_cube(name, place.size, read)
    store.write(cube_bucket, sidecar, cube.to_sidecar())
    return cube
