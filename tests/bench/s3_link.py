"""An S3 endpoint on loopback with the latency and the bandwidth of a real one, for benches.

    python tests/bench/s3_link.py SMALL_OBJECTS.json BIG_FILE

Every key that is not among the small objects is the big file. A request waits `LATENCY` before its first byte; a
connection carries at most `PER_CONNECTION`, all of them together `TOTAL` bytes per second in each direction. Parts are
taken and thrown away. Prints its port, then serves until it is ended; GET /__count answers what was asked for so far.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path

from aiohttp import web

LATENCY = 0.030
PER_CONNECTION = 85e6
TOTAL = 300e6
CHUNK = 256 << 10


class Link:
    """Paces bytes: each reservation begins where the one before it ends."""

    def __init__(self, rate: float) -> None:
        self.rate, self.free_at = rate, 0.0

    def reserve(self, n_bytes: int) -> float:
        """Seconds to wait until so many bytes have passed."""
        now = time.monotonic()
        self.free_at = max(self.free_at, now) + n_bytes / self.rate
        return self.free_at - now


class Endpoint:
    """The answers."""

    def __init__(self, small: dict[str, bytes], big: bytes) -> None:
        self.small, self.big = small, memoryview(big)
        self.down, self.up = Link(TOTAL), Link(TOTAL)
        self.count: Counter[str] = Counter()

    async def get(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/__count":
            return web.json_response(self.count)
        await asyncio.sleep(LATENCY)
        data = memoryview(self.small.get(request.path, b"")) or (None if "/blocks/" in request.path else self.big)
        if data is None:
            return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
        body = data[int(span[1]) : int(span[2]) + 1] if span else data
        headers = {
            "ETag": '"etag"',
            "Content-Length": str(len(body)),
            "Last-Modified": "Fri, 20 Nov 2026 00:00:00 GMT",
        }
        if span:
            headers["Content-Range"] = f"bytes {span[1]}-{int(span[1]) + len(body) - 1}/{len(data)}"
        self.count["gets"] += 1
        self.count["bytes down"] += len(body)
        response = web.StreamResponse(status=206 if span else 200, headers=headers)
        await response.prepare(request)
        if request.method == "GET":
            await self._send(response, body)
        return response

    async def _send(self, response: web.StreamResponse, body: memoryview) -> None:
        own = Link(PER_CONNECTION)
        for start in range(0, len(body), CHUNK):
            piece = body[start : start + CHUNK]
            await asyncio.sleep(max(own.reserve(len(piece)), self.down.reserve(len(piece))))
            await response.write(bytes(piece))

    async def put(self, request: web.Request) -> web.Response:
        await asyncio.sleep(LATENCY)
        own, n_bytes = Link(PER_CONNECTION), 0
        async for piece in request.content.iter_chunked(CHUNK):
            n_bytes += len(piece)
            await asyncio.sleep(max(own.reserve(len(piece)), self.up.reserve(len(piece))))
        self.count["puts"] += 1
        self.count["bytes up"] += n_bytes
        return web.Response(headers={"ETag": '"etag"'})


def main() -> None:
    small = {path: text.encode() for path, text in json.loads(Path(sys.argv[1]).read_text()).items()}
    endpoint = Endpoint(small, Path(sys.argv[2]).read_bytes())
    application = web.Application(client_max_size=1 << 40)
    application.router.add_get("/{path:.*}", endpoint.get)
    application.router.add_put("/{path:.*}", endpoint.put)

    async def announce(_application: web.Application) -> None:
        print("ready", flush=True)

    application.on_startup.append(announce)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[3]), print=None, access_log=None)


if __name__ == "__main__":
    main()
