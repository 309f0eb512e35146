"""Opens a cube from its sidecar, or else from the cube itself."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from tessera.cubes.frames import ReadBytes
from tessera.cubes.info_rows import InfoRows
from tessera.cubes.reader import Cube, read_cube, read_info_rows
from tessera.errors import CubeFormatError
from tessera_cloud import keys
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.side_by_side import side_by_side
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.ports import Documents, RangeReader

_KNOWN_CUBES = 32
_CUBES_AT_ONCE = 16
_REMEMBER = threading.Lock()


class Located(Protocol):
    """Place and version of a cube."""

    @property
    def bucket(self) -> str:
        """Bucket of the cube."""

    @property
    def key(self) -> str:
        """Key of the cube."""

    @property
    def size(self) -> int:
        """Size in bytes."""

    @property
    def etag(self) -> str:
        """ETag without quotes."""


class CubeStore(RangeReader, Documents, Protocol):
    """Store of cubes, which are read by ranges, and of their sidecars, which are read and written whole."""


def open_cube(place: Located, *, store: CubeStore, cube_bucket: str) -> Cube:
    """Read the sidecar of a cube. If there is none, read the headers and tables of the cube and write its sidecar.

    Raises
    ------
    CubeFormatError
        If the object is not a cube.
    NoWcsError
        If no frame of the cube has a WCS.
    ObjectChangedError, ObjectMissingError
        If the object was replaced or removed.
    """
    sidecar, name = keys.sidecar(place.etag), place.key.rsplit("/", 1)[-1]
    with suppress(ObjectMissingError, CubeFormatError):
        return Cube.from_sidecar(store.read(cube_bucket, sidecar)[0])
    if not place.size:
        raise CubeFormatError(f"{name}: the object is empty")

    cube = read_cube(name, place.size, _ranges(place, store))
    store.write(cube_bucket, sidecar, cube.to_sidecar())
    return cube


def read_info(place: Located, cube: Cube, store: RangeReader) -> InfoRows:
    """Read the info table of a cube, which its sidecar does not have.

    Raises
    ------
    CubeFormatError
        If the table is damaged.
    ObjectChangedError, ObjectMissingError
        If the object was replaced or removed.
    """
    return read_info_rows(cube, place.size, _ranges(place, store))


def _ranges(place: Located, store: RangeReader) -> ReadBytes:
    return lambda start, length: bytes(store.read_range(place.bucket, place.key, start, length, place.etag))


def known_cube(place: Located, backend: HasCubes) -> Cube:
    """What a cutout needs of a cube but its pixels: remembered, or from the sidecar, or from the cube.

    Whoever reads a cube first writes its sidecar, so that others need one small read; see `open_cube` for the errors.
    """
    cache = backend.cubes.cubes
    known = cache.get(place.etag)
    if known is None:
        known = open_cube(place, store=backend.store, cube_bucket=backend.settings.cube_bucket)
        with _REMEMBER:
            while len(cache) >= _KNOWN_CUBES:
                del cache[next(iter(cache))]
            cache[place.etag] = known
    return known


def known_cubes(places: Sequence[Located], backend: HasCubes) -> list[Cube]:
    """`known_cube` of several, read side by side."""
    return side_by_side(lambda place: known_cube(place, backend), places, _CUBES_AT_ONCE)
