"""Open a cube from one file, or a growing cube from its segment table, and read its bytes as if it were one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, closing
from typing import Any

from tessera.cubes.segments.pool import segment_pool
from tessera.cubes.segments.table import MAX_TABLE_BYTES, SUFFIX, SegmentTable, cube_name, describe_segment
from tessera.errors import CubeFormatError
from tessera.io.locations import file_name, in_folder_of
from tessera.io.ranges import ByteRange
from tessera.io.sources import Answers, Location, Source, open_source

_PIECE_BYTES = 8 << 20
"""Largest number of bytes that `JoinedSource.read_pieces` yields at once, unless the caller wants more."""


def is_growing(location: object) -> bool:
    """Whether a location is that of a segment table, by its name."""
    return file_name(location).lower().endswith(SUFFIX)


class JoinedSource:
    """A growing cube as one file; see `tessera.io.sources.Source`. Its bytes are those of the cube of all its frames.

    Parameters
    ----------
    document : Source
        File of the segment table.
    table : SegmentTable
        Its content.
    files : sequence of Source
        Files of the segments. They are closed with this one, as is the document.
    """

    def __init__(self, document: Source, table: SegmentTable, files: Sequence[Source]) -> None:
        self.document, self.table, self.files = document, table, files
        self.name = cube_name(document.name)
        self.remote = any(file.remote for file in files)
        self.size = table.size

    @property
    def version(self) -> str:
        """See `Source.version`: that of the segment table. Segments are never changed."""
        return self.document.version

    @property
    def etag(self) -> str:
        """ETag of the segment table; empty if it is on a disk."""
        return str(getattr(self.document, "etag", ""))

    @property
    def key(self) -> tuple[Any, ...] | None:
        """See `Source.key`."""
        return self.document.key

    def read(self, start: int, length: int) -> bytes:
        """See `Source.read`."""
        return bytes(self.read_buffer(start, length))

    def read_buffer(self, start: int, length: int) -> Any:
        """See `Source.read_buffer`. Each segment sends one request."""

        def read(number: int, data: ByteRange) -> Any:
            return self.files[number].read_buffer(data.start, data.length)

        return self.table.read(start, length, read, segment_pool().map if self.remote else map)

    def read_pieces(self, start: int, length: int, at_least: int) -> Iterator[Any]:
        """See `Source.read_pieces`."""
        step = max(at_least, _PIECE_BYTES)
        for first in range(start, start + length, step):
            yield self.read_buffer(first, min(step, start + length - first))

    def read_into(self, start: int, out: Any) -> None:
        """See `Source.read_into`."""
        view = memoryview(out).cast("B")
        view[:] = self.read_buffer(start, len(view))

    def expect(self, ranges: Iterable[ByteRange], pool: Executor) -> None:
        """See `Source.expect`. Headers and info table are at hand, so that pixels are the first that is read."""

    def check_unchanged(self) -> None:
        """See `Source.check_unchanged`."""
        for file in (self.document, *self.files):
            file.check_unchanged()

    def confirm(self) -> None:
        """See `Source.confirm`."""
        self.document.confirm()

    def close(self) -> None:
        """See `Source.close`."""
        for file in (self.document, *self.files):
            file.close()


def open_cube_source(location: Location, *, answers: Answers | None = None, n_end_bytes: int = 0) -> Source:
    """Open the file of a cube, or a growing cube by its segment table, whose name ends with ``.json``.

    Parameters
    ----------
    location, answers, n_end_bytes
        See `tessera.io.sources.open_source`.

    Raises
    ------
    OSError
        See `tessera.io.sources.open_source`.
    CubeFormatError
        See `open_segments`.
    """
    if is_growing(location):
        return open_segments(location, answers)
    return open_source(location, answers=answers, n_end_bytes=n_end_bytes)


def open_segments(location: Location, answers: Answers | None = None) -> JoinedSource:
    """Open a growing cube by its segment table.

    Raises
    ------
    OSError
        When the table or a segment cannot be read.
    CubeFormatError
        When the table is damaged, or a segment is not the file that the table lists.
    """
    with ExitStack() as opened:
        document = opened.enter_context(closing(open_source(location, answers=answers)))
        if document.size > MAX_TABLE_BYTES:
            most = f"a segment table has at most {MAX_TABLE_BYTES:,}"
            raise CubeFormatError(f"{document.name}: the file has {document.size:,} bytes; {most}")
        table = SegmentTable.from_json(document.name, document.read(0, document.size))
        places = [in_folder_of(location, segment.name) for segment in table.segments]
        files = [opened.enter_context(closing(open_source(place, unpack=False))) for place in places]
        joined = JoinedSource(document, table, files)
        _check_files(joined)
        opened.pop_all()
    return joined


def _check_files(joined: JoinedSource) -> None:
    """Check that each file is the segment that the table lists: its size, its shape and the sum of its pixels."""
    whole = joined.table.layout

    def check(number: int) -> None:
        file, segment = joined.files[number], joined.table.segments[number]
        found = describe_segment(segment.name, file.size, file.read, segment.runs, whole, etag=segment.etag)
        if found != segment:
            raise CubeFormatError(f"{joined.document.name}: the file {segment.name} is not the one that it lists")

    for _ in (segment_pool().map if joined.remote else map)(check, range(len(joined.files))):
        pass
