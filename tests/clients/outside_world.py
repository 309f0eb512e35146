"""What clients ask of the outside: MAST's name resolver, over plain HTTP, as a proxy sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

Positions = Mapping[str, tuple[float, float]]
"""RA and Dec in degrees, by the name in lower case."""


def resolver_answer(name: str, positions: Positions) -> dict[str, object]:
    """What ``mastresolver.stsci.edu/Santa-war/query`` answers; an unknown name has no coordinates."""
    known = positions.get(name.lower())
    found = [] if known is None else [{"searchString": name.lower(), "resolver": "NED", "canonicalName": name}]
    return {"resolvedCoordinate": [item | {"ra": known[0], "decl": known[1]} for item in found if known], "status": ""}


@contextmanager
def name_resolver(positions: Positions) -> Iterator[str]:
    """Run the resolver; the address to give to clients as their HTTP proxy."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            found = url.hostname == "mastresolver.stsci.edu"
            name = parse_qs(url.query).get("name", [""])[0]
            body = json.dumps(resolver_answer(name, positions)).encode() if found else b"not here"
            self.send_response(200 if found else 502)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - http.server looks for it

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
