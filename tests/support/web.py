"""A web server in a thread that answers as the servers of archives do, well and badly."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WITHOUT_RANGES = ("whole", "whole, no length", "whole, chunked", "part, chunked", "part, unknown size")


@dataclass(repr=False)
class Site:
    """What a server has, how it answers, and what it was asked.

    Parameters
    ----------
    files : dict
        Path as it is requested, with the query, to content.
    kind : str
        'ranges', or one of `WITHOUT_RANGES`.
    packs : bool
        Whether every answer is packed with gzip.
    etag : str
        Format of ETags; empty for none.
    pins : bool
        Whether If-Match is obeyed.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    kind: str = "ranges"
    packs: bool = False
    etag: str = '"{}"'
    pins: bool = True
    changed: str = "Fri, 20 Nov 2026 00:00:00 GMT"
    statuses: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    judge: Callable[[dict[str, str]], int] = lambda _: 0
    """Returns the status with which a request of these headers is refused, or 0."""
    heads: dict[str, str] = field(default_factory=dict)
    base: str = ""

    def paths(self) -> list[str]:
        """Paths that were requested."""
        return [path for _, path, _ in self.requests]

    def forget_requests(self) -> None:
        """Clear `requests`, when all that a library has sent ahead for the end of a file has arrived."""
        wait_for_ends()
        self.requests.clear()


def wait_for_ends() -> None:
    """Wait for the threads that receive the ends of files (tessera.io.stores.end). Nobody waits for them otherwise."""
    for thread in threading.enumerate():
        if thread.name.startswith("tessera-end"):
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        site, path = self.site, self.path
        site.requests.append((self.command, path, dict(self.headers)))
        refused = site.judge({name.lower(): value for name, value in self.headers.items()})
        if refused:
            self._send(refused, [], site.bodies.get("refused", b""))
        elif path in site.moved:
            self._send(307, [("Location", site.moved[path])], b"")
        elif path in site.statuses:
            self._send(site.statuses[path], [], site.bodies.get(path, b"<html>a long page</html>"))
        elif path not in site.files:
            self._send(404, [], b"")
        else:
            self._file(gzip.compress(site.files[path], mtime=0) if site.packs else site.files[path])

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def _file(self, data: bytes) -> None:
        site = self.site
        heads = [("Last-Modified", site.changed)] if site.changed else []
        if site.packs:
            heads.append(("Content-Encoding", "gzip"))
        etag = site.etag.format(hashlib.md5(data).hexdigest())
        if etag:
            heads.append(("ETag", etag))
            wanted = self.headers.get("If-Match", etag) if site.pins else etag
            if wanted != etag or ("If-Match" in self.headers and etag.startswith("W/")):
                self._send(412, [], b"")
                return
        span = re.fullmatch(r"bytes=(\d*)-(\d+)", self.headers.get("Range", ""))
        if site.kind.startswith("whole") or not span:
            self._send(200, heads, data)
            return
        first, last = int(span[1] or 0), min(int(span[2]), len(data) - 1)
        if not span[1]:  # the last bytes
            first, last = max(0, len(data) - int(span[2])), len(data) - 1
        if first > last:
            self._send(416, [], b"")
            return
        size = "*" if site.kind.endswith("unknown size") else len(data)
        self._send(206, [*heads, ("Content-Range", f"bytes {first}-{last}/{size}")], data[first : last + 1])

    def _send(self, status: int, heads: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in [*heads, *self.site.heads.items()]:
            self.send_header(name, value)
        kind = self.site.kind if status in (200, 206) else ""
        if kind.endswith("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        elif kind.endswith("no length"):
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *arguments: object) -> None:
        pass


@contextmanager
def serve(site: Site) -> Iterator[Site]:
    """Serve a site until the end of the block; its `base` is then ``http://127.0.0.1:PORT``."""
    handler = type("Handler", (_Handler,), {"site": site})
    with _Server(("127.0.0.1", 0), handler) as server:
        site.base = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
