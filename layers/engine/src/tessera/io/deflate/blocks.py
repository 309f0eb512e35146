"""Deflate in blocks that do not depend on each other, several at a time."""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING

codec: ModuleType = zlib
with suppress(ImportError):  # a platform without it
    from isal import isal_zlib

    codec = isal_zlib

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

BLOCK_BYTES = 512 * 1024
"""Bytes of a block: enough for the speed and the size of one long stream, and little memory."""
END = b"\x03\x00"
"""An empty last block, which ends a stream of blocks."""
_LEVEL = 1
"""More effort saves 3 % of a target pixel file and takes three times as long with ISA-L."""
_RAW, _GZIP = -15, 31
_AHEAD = 2
"""Blocks that wait for a thread, beside those that are compressed."""


def processors() -> int:
    """Number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def crc32(data: ReadableBuffer, value: int = 0) -> int:
    """CRC-32 of bytes.

    Parameters
    ----------
    data : buffer
        Bytes.
    value : int, optional
        CRC-32 of the bytes before them.
    """
    return int(codec.crc32(data, value))


def pack_gzip(data: ReadableBuffer) -> bytes:
    """Pack bytes with gzip. Equal bytes give equal results: no time is stored."""
    packer = codec.compressobj(_LEVEL, codec.DEFLATED, _GZIP)
    packed: bytes = packer.compress(data) + packer.flush()
    return packed


def deflate_block(block: ReadableBuffer) -> bytes:
    """Compress a block. It ends at a whole byte, so other blocks or `END` can follow."""
    packer = codec.compressobj(_LEVEL, codec.DEFLATED, _RAW)
    packed: bytes = packer.compress(block) + packer.flush(codec.Z_SYNC_FLUSH)
    return packed


def into_blocks(pieces: Iterable[ReadableBuffer]) -> Iterator[bytearray]:
    """Copy pieces of any size into blocks of `BLOCK_BYTES`; only the last may be smaller, and none is empty.

    Parameters
    ----------
    pieces : iterable of buffers
        The content. The memory of a piece may be used again when the next one is asked for.
    """
    block = bytearray()
    for piece in pieces:
        view = memoryview(piece)
        rest = view.cast("B") if view.nbytes else memoryview(b"")
        while rest:
            part = rest[: BLOCK_BYTES - len(block)]
            block += part
            rest = rest[len(part) :]
            if len(block) == BLOCK_BYTES:
                yield block
                block = bytearray()
    if block:
        yield block


def deflate_blocks(blocks: Iterable[ReadableBuffer], pool: ThreadPoolExecutor, threads: int) -> Iterator[bytes]:
    """Compress blocks on several threads, in order.

    Parameters
    ----------
    blocks : iterable of buffers
        Blocks. While they are compressed, the next ones are made in the caller's thread.
    pool : ThreadPoolExecutor
        Where they are compressed.
    threads : int
        Number of blocks that are compressed at a time. Two more are in memory.
    """
    pending = deque[Future[bytes]]()
    for block in blocks:
        pending.append(pool.submit(deflate_block, block))
        if len(pending) > threads + _AHEAD:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()
