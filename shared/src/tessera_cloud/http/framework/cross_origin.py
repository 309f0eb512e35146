"""Permission for pages of other addresses to read the answers, and the methods that a path has.

Operators' paths give no such permission: on one machine their requests are not signed, so any page that somebody opens
could start builds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.http.framework.operations import Operation

EXPOSED = "Allow, Content-Disposition, Content-Encoding, Content-Length, ETag, Link, Location, Retry-After"
"""Headers that scripts of other pages may read, beside those that browsers always show."""
ANY_ORIGIN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED}
"""Headers of each answer that pages of other addresses may read. The templates have the same for other answers."""
_PREFLIGHT_SECONDS = 86_400


class Paths:
    """Paths of a handler, with the methods of each.

    Parameters
    ----------
    operations : iterable of Operation
        Operations of the handler.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._methods: dict[str, list[str]] = {}
        self._closed: set[str] = set()
        for operation in operations:
            known = self._methods.setdefault(operation.path, [])
            known += [operation.method, "HEAD"] if operation.method == "GET" else [operation.method]
            if operation.operator:
                self._closed.add(operation.path)

    def __contains__(self, path: object) -> bool:
        """Whether a path is declared as it is, without path parameters."""
        return path in self._methods

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods)

    def allowed(self, path: str) -> str:
        """Methods of a declared path: ``GET, HEAD, OPTIONS``."""
        return ", ".join([*self._methods[path], "OPTIONS"])

    def other_methods(self, path: str, method: str) -> str:
        """Methods of the path of a request; an empty text if there is no such path, or if it has the method."""
        for declared, methods in self._methods.items():
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(declared))
            if re.fullmatch(pattern, path) and method not in methods:
                return self.allowed(declared)
        return ""

    def headers(self, path: str) -> dict[str, str]:
        """Headers that let pages of other addresses read an answer of a path; none for operators' paths."""
        return {} if path in self._closed else ANY_ORIGIN

    def preflight(self, path: str) -> Response[str]:
        """Answer OPTIONS: which methods a path has, and what pages of other addresses may send."""
        allowed = self.allowed(path)
        headers = {"Allow": allowed}
        if path not in self._closed:
            headers |= {
                "Access-Control-Allow-Methods": allowed,
                "Access-Control-Allow-Headers": "*",
                "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
            }
        return Response(204, "text/plain", "", headers=dict(headers))
