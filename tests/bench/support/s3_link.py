"""An S3 endpoint on loopback with the latency and the bandwidth of a real one, for benches.

    python tests/bench/support/s3_link.py OBJECTS.json PORT TOTAL LATENCY

OBJECTS is a dictionary of paths (``/bucket/key``) to files; the file of ``*`` answers every other path. A request waits
LATENCY seconds before its first byte; a connection carries at most `PER_CONNECTION`, all of them together TOTAL bytes
per second in each direction. Parts are taken and thrown away. Serves until it is ended; GET /__count answers what was
asked for so far.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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

    def __init__(self, objects: dict[str, memoryview], total: float, latency: float) -> None:
        self.objects, self.latency = objects, latency
        self.down, self.up = Link(total), Link(total)
        self.count: Counter[str] = Counter()

    async def get(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/__count":
            return web.json_response(self.count)
        await asyncio.sleep(self.latency)
        data = self.objects.get(request.path, self.objects.get("*"))
        if data is None or "/blocks/" in request.path:
            return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
        span = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", ""))
        first = 0
        if span:
            first = int(span[1]) if span[1] else max(0, len(data) - int(span[2]))
        body = data[first : int(span[2]) + 1] if span and span[1] and span[2] else data[first:]
        headers = {
            "ETag": '"etag"',
            "Content-Length": str(len(body)),
            "Last-Modified": "Fri, 20 Nov 2026 00:00:00 GMT",
        }
        if span:
            headers["Content-Range"] = f"bytes {first}-{first + len(body) - 1}/{len(data)}"
        self.count["gets" if request.method == "GET" else "heads"] += 1
        response = web.StreamResponse(status=206 if span else 200, headers=headers)
        with suppress(ConnectionResetError):  # a client that needs no more
            await response.prepare(request)
            if request.method == "GET":
                await self._send(response, body)
        return response

    async def _send(self, response: web.StreamResponse, body: memoryview) -> None:
        own = Link(PER_CONNECTION)
        for start in range(0, len(body), CHUNK):
            piece = body[start : start + CHUNK]
            await asyncio.sleep(max(own.reserve(len(piece)), self.down.reserve(len(piece))))
            self.count["bytes down"] += len(piece)
            await response.write(bytes(piece))

    async def put(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.latency)
        own, n_bytes = Link(PER_CONNECTION), 0
        async for piece in request.content.iter_chunked(CHUNK):
            n_bytes += len(piece)
            await asyncio.sleep(max(own.reserve(len(piece)), self.up.reserve(len(piece))))
        self.count["puts"] += 1
        self.count["bytes up"] += n_bytes
        return web.Response(headers={"ETag": '"etag"'})


def mapped(path: Path) -> memoryview:
    """Bytes of a file, which may be larger than memory."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def main() -> None:
    places = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    content = {place: mapped(Path(place)) for place in set(places.values())}
    endpoint = Endpoint({path: content[place] for path, place in places.items()}, *map(float, sys.argv[3:]))
    application = web.Application(client_max_size=1 << 40)
    application.router.add_get("/{path:.*}", endpoint.get)
    application.router.add_put("/{path:.*}", endpoint.put)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[2]), print=None, access_log=None)


@contextmanager
def serving(folder: Path, objects: dict[str, Path], total: float = TOTAL, latency: float = LATENCY) -> Iterator[str]:
    """An endpoint in a process of its own; its address."""
    (folder / "objects.json").write_text(
        json.dumps({path: str(place) for path, place in objects.items()}), encoding="utf-8"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, __file__, str(folder / "objects.json"), str(port), str(total), str(latency)]
    server = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}"
    try:
        while not answers(url):
            if server.poll() is not None:
                raise RuntimeError(f"the endpoint ended with {server.returncode}")
            time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait()


def answers(url: str) -> bool:
    """Whether an endpoint can be asked already."""
    try:
        counted(url)
    except OSError:
        return False
    return True


def counted(url: str) -> dict[str, int]:
    """What an endpoint was asked for so far."""
    answer: dict[str, int] = json.loads(urllib.request.urlopen(f"{url}/__count").read())
    return answer


if __name__ == "__main__":
    main()
