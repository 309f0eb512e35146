"""A stand-in for JPL Horizons. It answers with recorded texts, and with tables in the recorded form."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.support.paths import DATA

FOLDER = DATA / "horizons"
Query = dict[str, str]
"""Parameters of a request to Horizons, without quotes."""
Answer = Callable[[Query], tuple[int, str]]
"""Function that returns status and text of an answer."""
Place = tuple[float, float, float]
"""Julian date in UTC, and RA and Dec in degrees."""


def recorded(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def observer_table(target: str, places: Sequence[Place]) -> str:
    """Recorded table of Ceres with another name and other rows: quantity 1 with extra precision."""
    before, _, rest = recorded("ceres_ephemerides_range").partition("$$SOE\n")
    _, _, after = rest.partition("$$EOE")
    lines = before.splitlines()
    heading = next(index for index, line in enumerate(lines) if line.startswith(" Date__(UT)"))
    lines[heading] = " Date__(UT)__HR:MN, Date_________JDUT, , , R.A.___(ICRF), DEC____(ICRF),"
    text = "\n".join(lines).replace("1 Ceres (A801 AA)", target)
    rows = [f" 2000-Jan-01 00:00, {day:.9f}, , , {ra:.9f}, {dec:.9f}," for day, ra, dec in places]
    return "\n".join([text, "$$SOE", *rows, "$$EOE"]) + after


def unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


@contextmanager
def horizons(answer: Answer) -> Iterator[tuple[str, list[Query]]]:
    """Run the stand-in; yields its address and the list of its requests."""
    asked: list[Query] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def answer(self, text: str) -> None:
            query = {name: unquoted(values[0]) for name, values in parse_qs(text).items()}
            asked.append(query)
            status, said = answer(query)
            body = said.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64  # a client whose connection finds the queue full waits a second

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/horizons.api", asked
    finally:
        server.shutdown()
        server.server_close()
