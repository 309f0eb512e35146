"""The segment table: the small file of a growing cube that lists its segments and has all of it but the pixels.

Headers and info table are those of the cube that a build of all its frames makes. So whoever reads a growing cube sees
the bytes of that cube.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

from tessera.cubes.frames import ReadBytes
from tessera.cubes.hdus import build_image_header
from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import read_cube_layout
from tessera.cubes.segments.joining import ReadSegment, RunAll, Segment, check_segments, read_joined
from tessera.errors import CubeFormatError
from tessera.fits.checksum import ones_complement_add
from tessera.fits.headers import read_header
from tessera.io.ranges import ByteRange

SUFFIX = ".json"
"""How the name of a segment table ends. The name of its cube ends with ``.fits`` instead."""
MAX_TABLE_BYTES = 64_000_000
"""Largest segment table in bytes. One of 20,000 cadences has 3 MB."""
_FORMAT = 1
_START_BYTES = 64
_BEGINS = re.compile(rb'\s*{\s*"format":\s*\d+,\s*"shape"')
_NAME = re.compile(r"(?!/)(?!.*://)[^\0]+\.fits")


def cube_name(name: str) -> str:
    """Name of the cube of a segment table, which a cube file of the same frames would have."""
    return f"{name.removesuffix(SUFFIX)}.fits"


@dataclass(frozen=True)
class SegmentTable:
    """A growing cube without its pixels.

    Parameters
    ----------
    primary : bytes
        Primary HDU of the whole cube.
    layout : CubeLayout
        Shape of its array.
    info : bytes
        Its info table: header and data.
    segments : tuple of Segment
        Its segments, in the order in which they were added.
    """

    primary: bytes
    layout: CubeLayout
    info: bytes
    segments: tuple[Segment, ...]

    @cached_property
    def head(self) -> bytes:
        """Bytes before the array. The sum of all pixels is that of the sums of the segments."""
        data_sum = ones_complement_add(*(segment.data_sum for segment in self.segments))
        return self.primary + build_image_header(self.layout, data_sum)

    @cached_property
    def tail(self) -> bytes:
        """Bytes after the array."""
        return bytes(self.layout.padding) + self.info

    @property
    def size(self) -> int:
        """Size in bytes of the whole cube."""
        return len(self.head) + self.layout.data_bytes + len(self.tail)

    def read(self, start: int, length: int, read: ReadSegment, run: RunAll = map) -> Any:
        """Read bytes of the whole cube; see `tessera.cubes.segments.joining.read_joined`.

        Raises
        ------
        CubeFormatError
            When the cube does not have these bytes.
        """
        if not 0 <= start <= start + length <= self.size:
            raise CubeFormatError(f"the cube has {self.size:,} bytes; {length:,} from byte {start:,} are wanted")
        offset = len(self.head)
        end = offset + self.layout.data_bytes
        low, high = max(start, offset), min(start + length, end)
        if low >= high:
            pixels: Any = b""
        else:
            pixels = read_joined(self.layout, self.segments, ByteRange(low - offset, high - low), read, run)
        if high - low == length:
            return pixels
        tail = self.tail[max(0, start - end) : max(0, start + length - end)]
        return self.head[start : start + length] + bytes(pixels) + tail

    def read_around(self, start: int, length: int) -> bytes:
        """Read bytes of the whole cube, with zeros in the place of pixels: for who wants headers and info table."""
        return bytes(self.read(start, length, lambda _, data: bytes(data.length)))

    def to_json(self) -> bytes:
        """Format the text of the file."""
        layout = self.layout
        about: dict[str, Any] = {
            "format": _FORMAT,
            "shape": [layout.n_rows, layout.n_columns, layout.n_cadences, layout.n_planes],
            "segments": [segment.to_fields() for segment in self.segments],
            "primary_header": self.primary.decode("ascii"),
            "info_table": base64.b64encode(zlib.compress(self.info)).decode("ascii"),
        }
        return json.dumps(about, indent=1).encode()

    @classmethod
    def from_json(cls, name: str, data: bytes) -> SegmentTable:
        """Read what `to_json` wrote.

        Raises
        ------
        CubeFormatError
            When the data are no segment table, or one of another version, or its segments do not make a whole cube.
        """
        try:
            about = json.loads(data)
            number = about["format"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise CubeFormatError(f"{name}: not a segment table: {error!s:.120}") from error
        if number != _FORMAT:
            raise CubeFormatError(f"{name}: the segment table has format {number!r:.20}; {_FORMAT} is needed")
        try:
            table = cls._parse(about)
        except (ValueError, LookupError, TypeError, AttributeError, binascii.Error, zlib.error) as error:
            raise CubeFormatError(f"{name}: the segment table is damaged: {error!s:.120}") from error
        check_segments(name, table.layout, table.segments)
        return table

    @classmethod
    def _parse(cls, about: dict[str, Any]) -> SegmentTable:
        layout = CubeLayout(*map(_count, about["shape"]))
        if layout.n_planes not in (1, 2) or len(about["shape"]) != 4:
            raise ValueError(f"its shape is {about['shape']}")
        segments = tuple(map(_segment, about["segments"]))
        unpacking = zlib.decompressobj()
        info = unpacking.decompress(base64.b64decode(about["info_table"], validate=True), MAX_TABLE_BYTES)
        if not unpacking.eof:
            raise ValueError("its info table ends too early, or is too long")
        return cls(about["primary_header"].encode("ascii"), layout, info, segments)


def listed_names(file: BinaryIO) -> list[str] | None:
    """Names of the segments that a file lists, none if it is damaged; None if the file is no segment table."""
    start = file.read(_START_BYTES)
    if not _BEGINS.match(start):
        return None
    try:
        return [str(segment["name"]) for segment in json.loads(start + file.read(MAX_TABLE_BYTES))["segments"]]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []


def _count(value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**53:
        raise ValueError(f"{value!r:.40} is not a number from {least}")
    return value


def _segment(about: dict[str, Any]) -> Segment:
    name = about["name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"the segment {name!r:.80} is not a relative path of a FITS file")
    runs = tuple((_count(first, 0), _count(n)) for first, n in about["runs"])
    size, offset, total = _count(about["size"]), _count(about["data_offset"]), _count(about["data_sum"], 0)
    if sum(n for _, n in runs) > MAX_TABLE_BYTES:
        raise ValueError(f"the segment {name} has too many cadences")
    return Segment(name, size, str(about["etag"]), offset, total, runs)


def describe_segment(
    name: str, size: int, read: ReadBytes, runs: tuple[tuple[int, int], ...], whole: CubeLayout, *, etag: str = ""
) -> Segment:
    """Describe a cube file as a segment of a growing cube, from its headers.

    Parameters
    ----------
    name, size, runs, etag
        See `Segment`.
    read : callable
        ``read(start, length)`` returns those bytes of the file.
    whole : CubeLayout
        Shape of the growing cube.

    Raises
    ------
    CubeFormatError
        When the file is not a cube, or not one of that shape and of so many cadences as the runs have.
    """
    primary, layout, data_offset = read_cube_layout(name, size, read)
    segment = Segment(name, size, etag, data_offset, 0, runs)
    if layout != segment.layout(whole):
        raise CubeFormatError(f"{name}: it has the shape {layout}; the segment has {segment.layout(whole)}")
    image = read_header(read, primary.n_bytes, size)
    return Segment(name, size, etag, data_offset, int(str(image.get("DATASUM"))), runs)
