"""Bodies that come in and go out, piece by piece."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from aiohttp.http import HttpVersion11

from tessera.io.files import write_all
from tessera_local.s3.disk_store import DiskStore, Segment, Span, Stored
from tessera_local.s3.protocol.answers import S3Error
from tessera_local.s3.protocol.calls import Call
from tessera_local.s3.protocol.checksums import Digests

AT_ONCE = 1 << 16
"""Longest answer that passes through this process. The system sends a longer one from the file."""
IN_A_THREAD = 1 << 19
"""Pieces of so many bytes are written in a thread, if they are of a part: parts come several at a time."""


class Received(NamedTuple):
    """A body that lies on the disk."""

    segments: tuple[Segment, ...]
    size: int
    etag: str
    checksums: dict[str, str]

    def stored(self, key: str, headers: Mapping[str, str]) -> Stored:
        """The object that the body is the content of."""
        return Stored(key, self.size, self.etag, int(time.time()), {**headers, **self.checksums}, self.segments)


async def receive(call: Call, store: DiskStore) -> Received:
    """Write the body of a request to the disk, and compare it with its checksums."""
    headers = call.request.headers
    if headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        raise S3Error("NotImplemented", "A body in signed pieces (aws-chunked) is not implemented on one machine.")
    digests, size, path = Digests(headers), 0, store.new_path()
    await _let_come(call)
    try:
        with path.open("wb", buffering=0) as file:
            async for pieces, length in _gathered(call, IN_A_THREAD if "uploadId" in call.query else 1):
                keep = partial(_keep, file.fileno(), path, size, digests, pieces)
                await asyncio.to_thread(keep) if length >= IN_A_THREAD else keep()
                size += length
        checksums = digests.check()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if not size:
        path.unlink()
    return Received((Segment(path.name, size),) if size else (), size, digests.etag, checksums)


async def _gathered(call: Call, least: int) -> AsyncIterator[tuple[list[bytes], int]]:
    """Pieces of a body that have at least so many bytes together, with their length; and the rest."""
    pieces, length = [], 0
    async for piece in call.request.content.iter_any():
        pieces.append(piece)
        length += len(piece)
        if length >= least:
            yield pieces, length
            pieces, length = [], 0
    yield pieces, length


def _keep(descriptor: int, path: Path, position: int, digests: Digests, pieces: list[bytes]) -> None:
    """Write pieces at a position, and take their checksums. In a thread, other requests go on meanwhile."""
    for piece in pieces:
        position = write_all(descriptor, piece, position, path)
        digests.update(piece)


async def read_document(call: Call) -> bytes:
    """Body of a request that is a document."""
    await _let_come(call)
    return await call.request.content.read()


async def _let_come(call: Call) -> None:
    """Tell a client that waits with its body that the body is wanted."""
    request = call.request
    if request.version == HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


async def send(
    call: Call, store: DiskStore, item: Stored, span: tuple[int, int], *, status: int, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Send the bytes of an object from the first to the last of `span`."""
    spans = store.spans(item, *span)
    if sum(each.length for each in spans) <= AT_ONCE:
        return web.Response(status=status, headers=headers, body=b"".join(each.read() for each in spans))
    length = span[1] + 1 - span[0]
    answer = web.StreamResponse(status=status, headers={**headers, "Content-Length": str(length)})
    await answer.prepare(call.request)
    for each in spans:
        if call.request.transport is None:
            raise ConnectionResetError("the client is gone")
        await _send_file(call.request.transport, each)
    await answer.write_eof()
    return answer


async def _send_file(transport: asyncio.Transport, span: Span) -> None:
    """Let the system send bytes of a file: at once what fits, and the rest by the loop, which takes long to begin."""
    with span.path.open("rb", buffering=0) as file:
        sent = 0
        if not transport.get_write_buffer_size():
            with suppress(BlockingIOError):
                sent = os.sendfile(transport.get_extra_info("socket").fileno(), file.fileno(), span.offset, span.length)
        rest = span.length - sent
        if rest and await asyncio.get_running_loop().sendfile(transport, file, span.offset + sent, rest) != rest:
            raise EOFError(f"{span.path} ended while it was sent")
