"""Opens a cube from its sidecar, or else from the cube itself, and reads its bytes: of one object, or of segments."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol, TypeAlias

from tessera.cubes.frames import ReadBytes
from tessera.cubes.info_rows import InfoRows
from tessera.cubes.reader import Cube, read_cube, read_info_rows
from tessera.cubes.segments.joining import ReadSegment, Segment, read_joined
from tessera.cubes.segments.pool import segment_pool
from tessera.cubes.segments.table import SegmentTable, cube_name
from tessera.errors import CubeFormatError
from tessera.io.ranges import ByteRange
from tessera_cloud import frame_keys, keys, segment_keys
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.facts import read_facts
from tessera_cloud.application.side_by_side import side_by_side
from tessera_cloud.errors import ObjectChangedError, ObjectMissingError
from tessera_cloud.ports import Buffer, Documents, ObjectReader, RangeReader, RequestPace

ReadRange: TypeAlias = "Callable[[int, int], Buffer]"
"""``read(start, length)`` returns those bytes of a cube."""

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
    if frame_keys.is_frame_facts(place.key):
        return read_facts(place, store).cube
    sidecar, name = keys.sidecar(place.etag), place.key.rsplit("/", 1)[-1]
    with suppress(ObjectMissingError, CubeFormatError):
        return Cube.from_sidecar(store.read(cube_bucket, sidecar)[0])
    if not place.size:
        raise CubeFormatError(f"{name}: the object is empty")

    if segment_keys.is_segment_table(place.key):
        table = read_segment_table(place, store)
        cube = replace(read_cube(cube_name(name), table.size, table.read_around), segments=table.segments)
    else:
        cube = read_cube(name, place.size, _bytes(place, store))
    store.write(cube_bucket, sidecar, cube.to_sidecar())
    return cube


def read_info(place: Located, cube: Cube, store: CubeStore) -> InfoRows:
    """Read the info table of a cube, which its sidecar does not have.

    Raises
    ------
    CubeFormatError
        If the table is damaged.
    ObjectChangedError, ObjectMissingError
        If the object was replaced or removed.
    """
    if frame_keys.is_frame_facts(place.key):
        return read_facts(place, store).info
    if segment_keys.is_segment_table(place.key):
        table = read_segment_table(place, store)
        return read_info_rows(cube, table.size, table.read_around)
    return read_info_rows(cube, place.size, _bytes(place, store))


def cube_ranges(place: Located, cube: Cube, store: RangeReader, pace: RequestPace | None = None) -> ReadRange:
    """Function that reads ranges of a cube's array, from one object or from the segments of a growing cube.

    Parameters
    ----------
    place : Located
        Place and version of the cube.
    cube : Cube
        The cube.
    store : RangeReader
        Store of the cube. It raises `ObjectChangedError` or `ObjectMissingError` if an object was replaced or removed.
    pace : RequestPace, optional
        Pace of the requests.
    """
    if not cube.segments:
        return _object(place, store, pace)
    read_segment = _segments(place, cube.segments, store, pace)

    def read(start: int, length: int) -> Buffer:
        wanted = ByteRange(start - cube.data_offset, length)
        return read_joined(cube.layout, cube.segments, wanted, read_segment, segment_pool().map)

    return read


def read_segment_table(place: Located, store: ObjectReader) -> SegmentTable:
    """Read the segment table of a growing cube.

    Raises
    ------
    CubeFormatError
        If it is damaged.
    ObjectChangedError, ObjectMissingError
        If it was replaced or removed.
    """
    data, info = store.read(place.bucket, place.key)
    if info.etag != place.etag:
        raise ObjectChangedError(f"s3://{place.bucket}/{place.key} has another ETag")
    return SegmentTable.from_json(place.key.rsplit("/", 1)[-1], data)


def _object(place: Located, store: RangeReader, pace: RequestPace | None) -> ReadRange:
    return lambda start, length: store.read_range(place.bucket, place.key, start, length, place.etag, pace=pace)


def _bytes(place: Located, store: RangeReader) -> ReadBytes:
    """Function that reads headers and tables. The buffers of S3 have no methods of bytes."""
    read = _object(place, store, None)
    return lambda start, length: bytes(read(start, length))


def _segments(place: Located, segments: Sequence[Segment], store: RangeReader, pace: RequestPace | None) -> ReadSegment:
    def read(number: int, data: ByteRange) -> Buffer:
        segment = segments[number]
        key = segment_keys.segment(place.key, segment.name)
        return store.read_range(place.bucket, key, data.start, data.length, segment.etag, pace=pace)

    return read


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
