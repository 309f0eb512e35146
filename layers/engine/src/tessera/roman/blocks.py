"""Read parts of the arrays of an ASDF file by ranges of bytes: of plain arrays, and of packed ones.

An array that lz4 packed is a sequence of chunks, each packed for itself: its packed length (big-endian), its length
(little-endian), and its data. What zlib and bzip2 pack is one stream, which is unpacked from its beginning to the last
byte that is needed. Source of the formats: ASDF Standard 1.6, low-level file layout, and the package asdf.
"""

from __future__ import annotations

import bz2
import struct
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tessera.errors import ImageFormatError
from tessera.extras import MissingPackageError
from tessera.io.file_objects import SourceFile
from tessera.io.ranges import ByteRange

MOST_CHUNKS = 1 << 17
"""Largest number of chunks of an array. asdf makes chunks of 4 MiB."""
_HEAD, _LENGTH = struct.Struct(">I"), struct.Struct("<I")
_MOST_TIMES = 255
"""How many times larger than its packed bytes a chunk of lz4 can be."""
_MOST_WINDOWS = 256
_WINDOW = 4096
"""How far from its expected place a chunk may begin, for each chunk between; more costs another round trip."""
_PIECE = 64 << 10


class Block(Protocol):
    """The bytes of an array in a file, unpacked."""

    def ranges(self, wanted: Sequence[ByteRange]) -> list[ByteRange]:
        """Ranges of the file to read, for some ranges of the array's bytes."""

    def read(self, start: int, length: int) -> bytes:
        """Return exactly these bytes of the array, or raise an OSError or an `ImageFormatError`."""


@dataclass(frozen=True)
class Stored:
    """Place of a block's data in a file.

    Parameters
    ----------
    file : SourceFile
        The file.
    packing : bytes
        Name of the compression in the header of the block; empty for none.
    start, length : int
        First byte and number of bytes in the file.
    claimed : int
        Number of bytes of the unpacked array, as the file says.
    """

    file: SourceFile
    packing: bytes
    start: int
    length: int
    claimed: int

    @property
    def stop(self) -> int:
        """First byte after the data."""
        return self.start + self.length


class PlainBlock:
    """A block that is not packed."""

    def __init__(self, stored: Stored) -> None:
        self._file, self._start = stored.file, stored.start

    def ranges(self, wanted: Sequence[ByteRange]) -> list[ByteRange]:
        """See `Block.ranges`."""
        return [ByteRange(self._start + item.start, item.length) for item in wanted]

    def read(self, start: int, length: int) -> bytes:
        """See `Block.read`."""
        return self._file.read_at(self._start + start, length)


class ChunkedBlock:
    """A block that lz4 packed. Only the chunks that hold wanted bytes are read. They are kept unpacked.

    The place of a chunk is known from the lengths of all chunks before it. Chunks have similar lengths, so the places
    of the next ones are guessed and read together; a wrong guess costs another request.
    """

    def __init__(self, stored: Stored) -> None:
        self._stored, self._next = stored, stored.start
        self._firsts, self._places = [0], list[ByteRange]()
        self._unpacked: dict[int, bytes] = {}

    def ranges(self, wanted: Sequence[ByteRange]) -> list[ByteRange]:
        """See `Block.ranges`. The lengths of chunks are read from the file."""
        self._find(max((item.stop for item in wanted), default=0))
        numbers = {number for item in wanted for number in self._numbers(item.start, item.stop)}
        return [self._places[number] for number in sorted(numbers - self._unpacked.keys())]

    def read(self, start: int, length: int) -> bytes:
        """See `Block.read`."""
        self._find(start + length)
        pieces = []
        for number in self._numbers(start, start + length):
            first = self._firsts[number]
            pieces.append(self._chunk(number)[max(0, start - first) : start + length - first])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _numbers(self, start: int, stop: int) -> range:
        return range(bisect_right(self._firsts, start) - 1, bisect_right(self._firsts, stop - 1))

    def _find(self, stop: int) -> None:
        """Find all chunks before a byte of the array."""
        size = _HEAD.size + _LENGTH.size
        while self._firsts[-1] < stop:
            left, missing = self._stored.stop - self._next, self._stored.claimed - self._firsts[-1]
            if left < size:
                raise _damaged(f"it ends after {self._firsts[-1]:,} of {self._stored.claimed:,} bytes")
            if not self._stored.file.has(self._next, size):
                self._stored.file.prefetch(self._guess(stop))
            head = self._stored.file.read_at(self._next, size)
            (packed,), (length,) = _HEAD.unpack_from(head), _LENGTH.unpack_from(head, _HEAD.size)
            fits = _LENGTH.size < packed <= left - _HEAD.size and 0 < length <= min(missing, _MOST_TIMES * packed)
            if not fits or len(self._places) >= MOST_CHUNKS:
                raise _damaged(f"its chunk {len(self._places)} says that {packed:,} bytes unpack to {length:,}")
            self._places.append(ByteRange(self._next + _HEAD.size, packed))
            self._firsts.append(self._firsts[-1] + length)
            self._next += _HEAD.size + packed

    def _guess(self, stop: int) -> list[ByteRange]:
        """Where the next chunks will begin, if they are like those before."""
        place, end, known = self._next, self._stored.stop, len(self._places)
        if not known:
            return [ByteRange(place, min(_PIECE, end - place))]
        each, packed = self._firsts[-1] / known, (place - self._stored.start) / known
        n = int((stop - self._firsts[-1]) / each) + 1
        if n > _MOST_WINDOWS or packed < _PIECE:
            return [ByteRange(place, min(int(n * packed) + _PIECE, end - place))]
        middles = [(place + int(number * packed), _WINDOW * max(1, number)) for number in range(n)]
        return [ByteRange(max(place, at - half), min(2 * half, end - at)) for at, half in middles if at < end]

    def _chunk(self, number: int) -> bytes:
        if number not in self._unpacked:
            try:
                import lz4.block as lz4  # noqa: PLC0415 - an extra
            except ImportError as error:
                raise MissingPackageError("lz4", "arrays that are packed") from error
            packed = self._stored.file.read_at(self._places[number].start, self._places[number].length)
            try:
                self._unpacked[number] = lz4.decompress(packed)  # of the length that is in front of them, or an error
            except (lz4.LZ4BlockError, ValueError) as error:
                raise _damaged(f"its chunk {number} cannot be unpacked") from error
        return self._unpacked[number]


class StreamBlock:
    """A block that zlib or bzip2 packed. It is read and unpacked up to the last byte that is wanted, and kept.

    Parameters
    ----------
    stored : Stored
        Place of the data.
    unpacker : object
        Object of zlib or bz2 that unpacks a stream.
    lump : int
        Number of bytes that are unpacked together.
    """

    def __init__(self, stored: Stored, unpacker: Any, lump: int) -> None:
        self._stored, self._unpacker, self._lump, self._next = stored, unpacker, lump, stored.start
        self._done = bytearray()

    def ranges(self, wanted: Sequence[ByteRange]) -> list[ByteRange]:
        """See `Block.ranges`. The end of the range is estimated."""
        stop = max((item.stop for item in wanted), default=0)
        return [self._guess(stop)] if stop > len(self._done) else []

    def read(self, start: int, length: int) -> bytes:
        """See `Block.read`. With the last byte, the sum at the end of the stream is checked."""
        stop = start + length
        while len(self._done) < stop or (stop == self._stored.claimed and not self._unpacker.eof):
            self._unpack(stop)
        return bytes(self._done[start:stop])

    def _guess(self, stop: int) -> ByteRange:
        """Packed bytes to a byte of the array, if all of the array is packed like its beginning, or like its whole."""
        used, stored = self._next - self._stored.start, self._stored
        share = used / len(self._done) if self._done else stored.length / stored.claimed
        n_bytes = int(1.02 * share * (stop - len(self._done) + self._lump)) + _PIECE
        return ByteRange(self._next, min(n_bytes, stored.stop - self._next))

    def _unpack(self, stop: int) -> None:
        packed = getattr(self._unpacker, "unconsumed_tail", b"")
        if not packed and getattr(self._unpacker, "needs_input", True):
            packed = self._piece(stop)
        try:
            more = b"" if self._unpacker.eof else self._unpacker.decompress(packed, max(1, stop - len(self._done)))
        except (OSError, zlib.error) as error:
            raise _damaged(f"it cannot be unpacked after its first {len(self._done):,} bytes") from error
        if len(self._done) + len(more) > self._stored.claimed:
            raise _damaged(f"it has more than the {self._stored.claimed:,} bytes that it claims")
        self._done += more
        ended = self._unpacker.eof or not (more or packed)
        if ended and (len(self._done) < stop or not self._unpacker.eof):
            raise _damaged(f"it ends after {len(self._done):,} of {self._stored.claimed:,} bytes")

    def _piece(self, stop: int) -> bytes:
        length = min(_PIECE, self._stored.stop - self._next)
        if length and not self._stored.file.has(self._next, length):
            self._stored.file.prefetch([self._guess(stop)])
        piece = self._stored.file.read_at(self._next, length)
        self._next += length
        return piece


def _damaged(what: str) -> ImageFormatError:
    return ImageFormatError(f"a packed array is damaged: {what}")


def open_block(stored: Stored) -> Block | None:
    """Open the block of an array; None if only asdf, with one of its extensions, can unpack it."""
    if stored.packing == b"lz4":
        return ChunkedBlock(stored)
    if stored.packing == b"zlib":
        return StreamBlock(stored, zlib.decompressobj(), 1 << 15)
    if stored.packing == b"bzp2":
        return StreamBlock(stored, bz2.BZ2Decompressor(), 900_000)
    return None if stored.packing else PlainBlock(stored)
