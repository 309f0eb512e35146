"""A server that answers as the documents of ``/v1/bulk`` say, with one list whose work is done."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tessera.bulk.plan.price import BulkPlan, PlanLimit
from tessera.bulk.status import BulkStatus, format_status, status_header
from tessera.bulk.target_rows import RowProblem
from tests.support.api import Answered
from tests.support.service import Asked

ID = "0f" * 16
PLAN = BulkPlan(
    rows=3, targets=2, n_problems=1, problems=(RowProblem(2, "x", "no such name"),), n_on_no_cube=0, cubes=1, cutouts=2,
    duplicates=0, bands=1, scans=0, requests=4, bytes=5000, union_bytes=4900, tasks=1, task_seconds=2.5, minutes=0.5,
    requests_per_second=1.6, usd=0.01, usd_parts={"compute": 0.01}, result_bytes=100, result_files=2,
    limits=(PlanLimit("usd", 11.0, 10.0),), hats_order=3,
)  # fmt: skip
STATUS = status_header() + format_status([BulkStatus(1, "a", 0, 1.0, 2.0, status="no overlap", reason="on no cube")])
FILES = {
    "status.csv": STATUS,
    "lightcurves/dataset/Norder=3/Dir=0/Npix=7/00000.parquet": b"PAR1" + bytes(range(256)) * 20_000,
    "files/tess-s0001-4-2-00000-1.zip": b"PK" + b"z" * 3000,
}


@dataclass
class Lists:
    """The state of a server with one list."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    state: dict[str, Any] = field(default_factory=lambda: {"status": "succeeded", "phase": "ended"})
    done: int = 2
    uploaded: bytes = b""
    too_large: bool = False
    cut_after: int | None = None
    """Number of bytes after which the first answer with a file breaks."""
    page: int = 2
    expired: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    """Products whose checksum it does not tell."""
    url: str = ""

    def answer(self, asked: Asked) -> Answered:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.target).query).items()}
        if asked.path.startswith("/stored/"):
            return self._stored(asked)
        if asked.path in ("/v1/bulk/uploads", "/put/up-1"):
            return self._upload(asked)
        if self.too_large and asked.headers.get("content-type") != "application/json":
            return _json(413, {"error": {"code": "too_large", "parameter": "body", "message": "body is 10,001 rows"}})
        if asked.path == "/v1/bulk/plan":
            return _json(200, PLAN.to_dict() | {"more": 1})
        if asked.method == "DELETE":
            if query.get("cancel_token") != "secret":
                return _json(403, {"error": {"code": "forbidden", "message": "cancel_token is not one of this job"}})
            self.state |= {"status": "cancelled"}
        return self._document(asked, query)

    def _upload(self, asked: Asked) -> Answered:
        if asked.method == "POST":
            return _json(201, {"upload": "up-1", "url": f"{self.url}/put/up-1?sig=1", "max_bytes": 9_000_000})
        self.uploaded = asked.body
        return Answered(200, {}, b"")

    def _document(self, asked: Asked, query: dict[str, str]) -> Answered:
        names = sorted(self.files)
        first = names.index(query["after"]) + 1 if "after" in query else 0
        step = min(self.page, int(query.get("limit", 1000)))
        shown = names[first : first + step]
        sign = len(self.expired)
        files = [
            {"name": name, "bytes": len(self.files[name]), "sha256": self._sha256(name),
             "url": f"{self.url}/stored/{name}?sig={sign}"}
            for name in shown
        ]  # fmt: skip
        following = shown[-1] if shown and first + step < len(names) else None
        document = {
            "id": ID, "turn": None, "reason": None, "eta_seconds": 12.5,
            "progress": {"rows": 3, "rows_done": self.done + 1, "cutouts": 2, "done": self.done, "failed": 0},
            "plan": PLAN.to_dict(), "files": files,
            "next": following and f"{self.url}/v1/bulk/{ID}?after={following}",
            "status_url": f"{self.url}/stored/status.csv?sig=1" if "status.csv" in names else None,
        }  # fmt: skip
        token = {"cancel_token": "secret"} if asked.method == "POST" else {}
        return _json(202 if asked.method == "POST" else 200, document | self.state | token)

    def _sha256(self, name: str) -> str | None:
        return None if name in self.unknown else hashlib.sha256(self.files[name]).hexdigest()

    def _stored(self, asked: Asked) -> Answered:
        if asked.target in self.expired:
            return Answered(403, {}, b"<Error/>")
        content = self.files[asked.path.removeprefix("/stored/")]
        given = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
        start = int(given[1]) if given else 0
        rest = content[start:]
        headers = {"Content-Type": "binary/octet-stream", "Content-Length": str(len(rest))}
        if self.cut_after is not None and len(content) > self.cut_after:
            rest, self.cut_after = rest[: self.cut_after], None
        return Answered(206 if given else 200, headers, rest)


def _json(status: int, document: dict[str, Any]) -> Answered:
    return Answered(status, {"Content-Type": "application/json"}, json.dumps(document).encode())
