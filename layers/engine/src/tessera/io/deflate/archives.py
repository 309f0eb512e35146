"""Zip archives that are written from their begin to their end."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING, Self, TypeAlias
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from tessera.io.deflate.blocks import END, crc32, deflate_block, deflate_blocks, into_blocks, processors

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

DateTime: TypeAlias = tuple[int, int, int, int, int, int]

ZIP_START = b"PK\x03\x04"
"""First bytes of an archive with members."""
_UNIX = 3
_PRIVATE = 0o600
"""Permissions where none are given, as zipfile has them."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_LARGEST_PLAIN = 2**31 - 1
"""Largest size and position that is written in four bytes. Some readers take more as negative."""
_MOST_PLAIN = 2**16 - 2
"""Largest number of members that is written in two bytes."""
_SIZES_BEHIND = 0x08
"""Flag of a member whose size and CRC-32 follow its content."""
_VERSION, _LARGE_VERSION = 20, 45
_ALL = 0xFFFFFFFF


class ZipArchive:
    """An archive in the making. Use it as a context manager: its threads end with the block.

    Members are compressed in blocks, on all processors. A few blocks are in memory at a time. The bytes depend neither
    on a clock nor on the number of processors.

    Parameters
    ----------
    date_time : tuple of int, optional
        Year, month, day, hours, minutes and seconds of its members; by default 1980-01-01, the earliest possible.
    mode : int, optional
        Unix type and permissions of its members.
    stored : bool, optional
        Whether members are stored as they are, such as pictures, which are compressed already.
    threads : int, optional
        Number of blocks that are compressed at a time. The default is the number of processors.

    Attributes
    ----------
    n_bytes : int
        Bytes of the archive so far.
    names : list of str
        Names of the members so far.
    """

    def __init__(
        self,
        date_time: DateTime = _EARLIEST,
        mode: int = _PRIVATE,
        *,
        stored: bool = False,
        threads: int | None = None,
    ) -> None:
        self._date_time, self._mode, self._stored = date_time, mode, stored
        self._threads = threads or processors()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="deflate")
        self._directory: list[bytes] = []
        self.names: list[str] = []
        self.n_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, name: str, pieces: Iterable[ReadableBuffer], n_bytes: int) -> Iterator[bytes]:
        """Yield the bytes of the archive that a member adds. The next member may follow when all have been taken.

        Parameters
        ----------
        name : str
            Its name.
        pieces : iterable of buffers
            Its content. The memory of a piece may be used again when the next one is asked for.
        n_bytes : int
            Its size, about. A member of more than 2 GiB by this number is written in ZIP64 format, which has no limit;
            another one may have up to 4 GiB.

        Raises
        ------
        ValueError
            If the member is too large for the format that follows from `n_bytes`.
        """
        info = ZipInfo(name, self._date_time)
        info.compress_type = ZIP_STORED if self._stored else ZIP_DEFLATED
        info.create_system, info.external_attr, info.header_offset = _UNIX, self._mode << 16, self.n_bytes
        blocks: Iterator[ReadableBuffer] = iter([b"".join(pieces)]) if self._stored else into_blocks(pieces)
        first, second = next(blocks, b""), next(blocks, None)
        if second is None:
            written = self._add_block(info, first)
        else:
            written = self._add_blocks(info, chain((first, second), blocks), large=n_bytes > _LARGEST_PLAIN)
        for data in written:
            self.n_bytes += len(data)
            yield data
        self.names.append(info.filename)

    def end(self) -> bytes:
        """Bytes that end the archive: its directory."""
        directory = b"".join(self._directory)
        return directory + _end_records(len(self._directory), len(directory), self.n_bytes)

    def _add_block(self, info: ZipInfo, block: ReadableBuffer) -> Iterator[bytes]:
        """A member whose content is in memory. Its sizes are written before it."""
        packed = bytes(block) if self._stored else deflate_block(block) + END
        info.CRC, info.file_size, info.compress_size = crc32(block), memoryview(block).nbytes, len(packed)
        header = info.FileHeader(zip64=max(info.file_size, info.compress_size) > _LARGEST_PLAIN)
        yield header
        yield packed
        self._directory.append(_directory_entry(info, header))

    def _add_blocks(self, info: ZipInfo, blocks: Iterable[ReadableBuffer], *, large: bool) -> Iterator[bytes]:
        """A member whose content is made while it is written. Its sizes are written behind it."""
        info.flag_bits |= _SIZES_BEHIND
        header = info.FileHeader(zip64=large)
        yield header
        info.CRC = info.file_size = info.compress_size = 0

        def counted() -> Iterator[ReadableBuffer]:
            for block in blocks:
                info.CRC = crc32(block, info.CRC)
                info.file_size += memoryview(block).nbytes
                yield block

        for packed in chain(deflate_blocks(counted(), self._pool, self._threads), (END,)):
            info.compress_size += len(packed)
            yield packed
        if not large and max(info.file_size, info.compress_size) > _ALL:
            raise ValueError(f"{info.filename} has {info.file_size:,} bytes, but at most {_LARGEST_PLAIN:,} were said")
        sizes = "<4sLQQ" if large else "<4sLLL"
        yield struct.pack(sizes, b"PK\x07\x08", info.CRC, info.compress_size, info.file_size)
        self._directory.append(_directory_entry(info, header))


def zip_pieces(
    members: Iterable[tuple[str, Iterable[ReadableBuffer], int]],
    date_time: DateTime = _EARLIEST,
    *,
    stored: bool = False,
) -> Iterator[bytes]:
    """Yield the bytes of an archive.

    Parameters
    ----------
    members : iterable of (str, iterable of buffers, int)
        Name, content, and about the size of each member; see `ZipArchive.add`.
    date_time, stored : optional
        See `ZipArchive`.
    """
    with ZipArchive(date_time, stored=stored) as archive:
        for name, pieces, n_bytes in members:
            yield from archive.add(name, pieces, n_bytes)
        yield archive.end()


def _directory_entry(info: ZipInfo, header: bytes) -> bytes:
    """Entry of a member in the directory. Flags, method, time and name are those of its header."""
    numbers = [info.file_size, info.compress_size, info.header_offset]
    extra, version = b"", int.from_bytes(header[4:6], "little")
    if max(numbers) > _LARGEST_PLAIN:
        extra, version = struct.pack("<HHQQQ", 1, 24, *numbers), _LARGE_VERSION
        numbers = [_ALL] * 3
    size, packed, offset = numbers
    (name_length,) = struct.unpack("<H", header[26:28])
    name = header[30 : 30 + name_length]
    made_by = (info.create_system << 8) | max(version, _VERSION)
    place = (name_length, len(extra), 0, 0, 0, info.external_attr, offset)
    start = struct.pack("<4sHH8sLLL", b"PK\x01\x02", made_by, version, header[6:14], info.CRC, packed, size)
    return start + struct.pack("<HHHHHLL", *place) + name + extra


def _end_records(n_members: int, n_bytes: int, offset: int) -> bytes:
    """Records behind the directory, which say where it is."""
    large = b""
    if n_members > _MOST_PLAIN or max(n_bytes, offset) > _LARGEST_PLAIN:
        counts = (n_members, n_members, n_bytes, offset)
        large = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, _LARGE_VERSION, _LARGE_VERSION, 0, 0, *counts)
        large += struct.pack("<4sLQL", b"PK\x06\x07", 0, offset + n_bytes, 1)
        n_members, n_bytes, offset = 2**16 - 1, _ALL, _ALL
    return large + struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, n_members, n_members, n_bytes, offset, 0)
