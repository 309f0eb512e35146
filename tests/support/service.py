"""The API of this process, and servers that behave badly, on a local port for clients of HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from tests.support.api import BASE, Answered, Api
from tests.support.builds import SETTINGS

STORED = f"https://{SETTINGS.result_bucket}.example"
"""Where the store in memory says that results are."""


@dataclass(frozen=True)
class Asked:
    """A request that a server received."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


@dataclass(repr=False)
class Server:
    """A server on a local port: what answers, and what it was asked."""

    answer: Callable[[Asked], Answered | None]
    """Returns the answer; None breaks the connection."""
    asked: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    @property
    def lines(self) -> list[str]:
        """Method and path of each request."""
        return [f"{each.method} {each.path}" for each in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        server = self.server_of
        with server.lock:
            asked = Asked(self.command, self.path, headers, body)
            server.asked.append(asked)
            answered = server.answer(asked)
        self.close_connection = True
        if answered is None:
            return
        self.send_response_only(answered.status)
        given = {name.lower() for name in answered.headers}
        if "date" not in given:
            self.send_header("Date", self.date_time_string())
        for name, value in answered.headers.items():
            self.send_header(name, value)
        if "content-length" not in given:
            self.send_header("Content-Length", str(len(answered.content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answered.content)

    do_GET = do_POST = do_DELETE = do_PUT = _answer  # noqa: N815 - http.server calls them by these names

    def log_message(self, *arguments: object) -> None:
        pass


class _Listener(ThreadingHTTPServer):
    def handle_error(self, *arguments: object) -> None:
        pass


@contextmanager
def listening(answer: Callable[[Asked], Answered | None]) -> Iterator[Server]:
    """Serve answers until the end of the block. Requests are answered one at a time."""
    server = Server(answer)
    with _Listener(("127.0.0.1", 0), type("Handler", (_Handler,), {"server_of": server})) as listener:
        server.url = f"http://127.0.0.1:{listener.server_address[1]}"
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()


@contextmanager
def service_of(api: Api) -> Iterator[Server]:
    """Serve the API of this process and the files of its store. Addresses in answers are those of this server."""

    def answer(asked: Asked) -> Answered:
        if asked.path.startswith("/stored/"):
            key = unquote(asked.path.removeprefix("/stored/"))
            if asked.method == "PUT":
                api.store.write(SETTINGS.result_bucket, key, asked.body)
                return Answered(200, {}, b"")
            content = api.store.objects.get((SETTINGS.result_bucket, key))
            return (
                Answered(404, {}, b"")
                if content is None
                else Answered(200, {"Content-Type": "binary/octet-stream"}, content)
            )
        kind = asked.headers.get("content-type", "")
        return _moved(api.request(asked.method, asked.target, body=asked.body, content_type=kind), server.url)

    with listening(answer) as server:
        yield server


def _moved(answered: Answered, url: str) -> Answered:
    """The answer with the addresses of this server."""

    def moved(text: str) -> str:
        return text.replace(BASE, url).replace(STORED, f"{url}/stored")

    headers = {name: moved(value) for name, value in answered.headers.items()}
    if "json" not in headers.get("content-type", ""):
        return Answered(answered.status, headers, answered.content)
    return Answered(answered.status, headers, moved(answered.content.decode()).encode())
