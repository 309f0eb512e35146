"""Jobs of a UWS, for the checks: made, asked, and removed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from tests.ivoa.clauses.documents import parse
from tests.ivoa.clauses.report import require
from tests.ivoa.clauses.site import Site
from tests.ivoa.clauses.web import Answer, Params

PHASES = {
    "PENDING",
    "QUEUED",
    "EXECUTING",
    "COMPLETED",
    "ERROR",
    "UNKNOWN",
    "HELD",
    "SUSPENDED",
    "ABORTED",
    "ARCHIVED",
}
FINAL = {"COMPLETED", "ERROR", "ABORTED", "ARCHIVED"}
XML = {"text/xml", "application/xml"}
LONGEST = 90.0
"""How long a check waits for the end of a job, in seconds."""


@dataclass(frozen=True)
class Job:
    """A job at its address."""

    site: Site
    url: str

    def ask(self, name: str = "", params: Params = (), *, method: str = "GET", follow: bool = True) -> Answer:
        """Ask the job, or one of its children, such as phase."""
        url = f"{self.url}/{name}" if name else self.url
        return self.site.web.ask(url, params, method=method, follow=follow)

    def document(self, *params: tuple[str, str]) -> Element:
        answer = self.ask(params=params)
        require(answer.status == 200, f"the job answers with status {answer.status}")
        return parse(answer.body)

    @property
    def phase(self) -> str:
        return self.ask("phase").text.strip()

    def send(self, phase: str) -> Answer:
        """Send RUN or ABORT, and do not follow the redirection."""
        return self.ask("phase", [("PHASE", phase)], method="POST", follow=False)

    def end(self) -> Element:
        """Wait for the end of the job; its document then."""
        deadline = time.monotonic() + LONGEST
        while (document := self.document()).findtext("phase") not in FINAL:
            require(time.monotonic() < deadline, f"the job is {document.findtext('phase')} after {LONGEST} s")
            time.sleep(0.3)
        return document

    def results(self) -> dict[str, str]:
        """Name to address of each result."""
        found = parse(self.ask("results").body)
        return {each.get("id", ""): each.get("href", "") for each in found.iter("result")}


def worker(site: Site) -> str:
    return site.worker or site.jobs


def work(site: Site) -> list[tuple[str, str]]:
    return list(site.work) or [("ID", site.did), ("CIRCLE", site.circle)]


@contextlib.contextmanager
def job(site: Site, params: Params, url: str | None = None) -> Iterator[Job]:
    """Make a job, and remove it in the end."""
    answer = site.web.ask(url or worker(site), params, method="POST", follow=False)
    require(answer.status == 303, f"a new job is answered by status {answer.status}: {answer.text[:200]}")
    made = Job(site, answer.headers.get("location", ""))
    try:
        yield made
    finally:
        made.ask(method="DELETE", follow=False)


@contextlib.contextmanager
def pending(site: Site) -> Iterator[Job]:
    """A job that nobody has started."""
    with job(site, work(site)) as made:
        yield made


@contextlib.contextmanager
def ended(site: Site) -> Iterator[Job]:
    """A job that has completed."""
    with pending(site) as made:
        made.send("RUN")
        document = made.end()
        require(document.findtext("phase") == "COMPLETED", f"the job is {document.findtext('phase')}")
        yield made
