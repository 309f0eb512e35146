"""Jobs of UWS in tests: what a client asks and sees."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from tessera_cloud.testing.memory_state import MemoryState
from tests.support.api import BASE, DEC, RA, Answered, Api

JOBS = "/soda/async"
CUBES = ("tess-s0001-4-2", "tess-s0002-4-2")
CIRCLE = f"{RA} {DEC} 0.02"
BESIDE = "0 0 0.02"
WHOLE: dict[str, Any] = {"ID": CUBES, "CIRCLE": CIRCLE}
"""A job with a file of each of two cubes."""
_UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"


@dataclass
class HookedState(MemoryState):
    """Records in memory, with something that happens before a write."""

    before: Callable[[str, str], None] = lambda kind, name: None
    n_writes: int = 0
    at: int = -1

    def put(self, kind: str, name: str, value: Mapping[str, Any], *, over: int, expires: float | None = None) -> int:
        """Write a record; `before` is called at the write with the number `at`."""
        self.n_writes += 1
        if self.n_writes == self.at:
            self.before(kind, name)
        return super().put(kind, name, value, over=over, expires=expires)


@dataclass
class Uws:
    """A client of an API."""

    api: Api
    address: str = "127.0.0.1"
    made: list[str] = field(default_factory=list)

    def send(self, path: str, **form: Any) -> Answered:
        """POST a form to a path below the list of jobs."""
        return self.api.post(JOBS + path, address=self.address, **form)

    def make(self, **form: Any) -> str:
        """Make a job; return its path below the list of jobs."""
        answer = self.send("", **form)
        assert answer.status == 303, answer.content
        self.made.append(answer.location.removeprefix(BASE + JOBS))
        return self.made[-1]

    def run(self, job: str) -> Answered:
        return self.send(f"{job}/phase", PHASE="RUN")

    def abort(self, job: str) -> Answered:
        return self.send(f"{job}/phase", PHASE="ABORT")

    def delete(self, job: str) -> Answered:
        return self.api.request("DELETE", JOBS + job, address=self.address)

    def read(self, path: str) -> str:
        """Text of a resource of a job."""
        answer = self.api.request("GET", JOBS + path, address=self.address)
        assert answer.status == 200, answer.content
        return answer.content.decode()

    def phase(self, job: str) -> str:
        return self.read(f"{job}/phase")

    def show(self, path: str) -> etree._Element:
        """Document of a job, or of a list."""
        answer = self.api.request("GET", JOBS + path, address=self.address)
        assert answer.status == 200, answer.content
        assert answer.headers["content-type"] == "application/xml"
        return etree.fromstring(answer.content)

    def value(self, job: str, name: str) -> str | None:
        """Text of an element of a job; None if it is nil."""
        found = self.show(job).find(_UWS + name)
        assert found is not None, name
        return None if found.text is None else str(found.text)

    def listed(self, query: str = "") -> list[str]:
        """Jobs in the list, as paths."""
        return [f"/{reference.get('id')}" for reference in self.show(query)]

    def results(self, job: str) -> dict[str, Answered]:
        """Name and answer of each result of a job."""
        found = self.show(f"{job}/results")
        link = "{http://www.w3.org/1999/xlink}href"
        return {str(each.get("id")): self.api.request("GET", str(each.get(link))) for each in found}

    def texts(self, job: str) -> list[str]:
        """Results of a job that are texts."""
        return [answer.content.decode() for answer in self.results(job).values() if answer.status == 200]

    def files(self, job: str) -> list[str]:
        """Names of the files of a job."""
        return [name for name, answer in self.results(job).items() if answer.status == 303]

    def later(self, seconds: float) -> None:
        """Move the clock of the service."""
        start = self.api.handlers.clock()
        self.api.handlers.clock = lambda: start + datetime.timedelta(seconds=seconds)
