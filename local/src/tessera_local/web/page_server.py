"""CloudFront on one machine: the files of the page, with the headers of the template."""

import hashlib
import mimetypes
from fnmatch import fnmatchcase

from aiohttp import web

from tessera.io.deflate import pack_gzip
from tessera_local.template.page import Page

INDEX = "index.html"
_TEXT = {"text/html", "text/css", "text/javascript", "application/json", "image/svg+xml"}
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".json": "application/json"}


class PageServer:
    """Answers with files. Each request reads its file, so that an edit is visible at once.

    Parameters
    ----------
    page
        Folder and rules of the distribution.
    """

    def __init__(self, page: Page) -> None:
        self._page = page

    def is_responsible(self, path: str) -> bool:
        """Whether a path is that of a file and not of the API."""
        return not any(fnmatchcase(path, pattern) for pattern in self._page.api_patterns)

    def answer(self, request: web.Request) -> web.Response | None:
        """A file; None if there is no such file, or if it must not be read."""
        if request.method not in ("GET", "HEAD"):
            return None
        path = (self._page.folder / (request.path.lstrip("/") or INDEX)).resolve()
        if not path.is_relative_to(self._page.folder) or not path.is_file():
            return None
        content = path.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        headers = {**self._page.headers_of(request.path), "ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if kind in _TEXT and "gzip" in request.headers.get("Accept-Encoding", ""):
            content, headers["Content-Encoding"] = pack_gzip(content), "gzip"
        charset = "; charset=utf-8" if kind in _TEXT else ""
        return web.Response(
            body=content, headers={**headers, "Vary": "Accept-Encoding", "Content-Type": kind + charset}
        )
