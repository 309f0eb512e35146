"""A proxy in front of an S3 server that makes some requests fail, in a repeatable way."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
INTERNAL = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>try again</Message></Error>'
)
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True)
class Request:
    """A request that the proxy received."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def is_frame_read(self) -> bool:
        return self.method == "GET" and self.path.endswith("_ffic.fits")

    @property
    def is_completion(self) -> bool:
        return self.method == "POST" and "uploadId=" in self.path


Decide = Callable[[Request], str | None]
"""Fault of a request, or None: busy, throttled, refused, drop, truncate, stall, error-in-200(-after)."""


@dataclass
class FaultProxy:
    """Passes requests on to `upstream`, except those that get a fault.

    Parameters
    ----------
    upstream : tuple
        Host and port of the server.
    decide : callable
        Returns the fault of a request, or None. Calls come one at a time.
    """

    upstream: tuple[str, int]
    decide: Decide = lambda request: None
    requests: list[Request] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def note(self, request: Request) -> str | None:
        with self.lock:
            self.requests.append(request)
            fault = self.decide(request)
            if fault:
                self.faults.append(fault)
            return fault

    @property
    def frame_reads(self) -> int:
        return sum(request.is_frame_read for request in self.requests)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: FaultProxy

    def log_message(self, *args: Any) -> None:
        pass

    def _answer(self, status: int, body: bytes, headers: list[tuple[str, str]], *, keep: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        length = next((value for name, value in headers if name.lower() == "content-length"), str(len(body)))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:keep])

    def _forward(self, body: bytes) -> tuple[int, bytes, list[tuple[str, str]]]:
        connection = http.client.HTTPConnection(*self.proxy.upstream, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheaders()
        finally:
            connection.close()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.note(Request(self.command, self.path, dict(self.headers.items())))
        if fault == "busy":
            self._answer(503, BUSY, [])
        elif fault == "throttled":
            self._answer(429, BUSY, [])
        elif fault == "refused":
            self._answer(403, b"<Error><Code>AccessDenied</Code></Error>", [])
        elif fault == "error-in-200":
            self._answer(200, INTERNAL, [])
        elif fault == "error-in-200-after":
            self._forward(body)
            self._answer(200, INTERNAL, [])
        elif fault == "drop":
            self.close_connection = True
        elif fault == "stall":
            self.proxy.ended.wait(5)
            self.close_connection = True
        else:
            status, data, headers = self._forward(body)
            truncated = fault == "truncate"
            self._answer(status, data, headers, keep=len(data) // 2 if truncated else None)
            self.close_connection = truncated

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle  # noqa: N815
