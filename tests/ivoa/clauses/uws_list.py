"""UWS 1.1: the job list and its filters. The cases of joblist of uws-validator are among them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

from tests.ivoa.clauses.documents import parse
from tests.ivoa.clauses.jobs import PHASES, XML, ended, pending, worker
from tests.ivoa.clauses.report import clause, require
from tests.ivoa.clauses.site import Site

UWS = "UWS 1.1"


def listed(site: Site, *params: tuple[str, str]) -> list[Element]:
    """The jobs that a list has."""
    answer = site.get(worker(site), params)
    require(answer.status == 200, f"{params}: status {answer.status}")
    root = parse(answer.body)
    require(root.tag == "jobs", f"the root is {root.tag}")
    return root.findall("jobref")


def identifiers(site: Site, *params: tuple[str, str]) -> list[str | None]:
    return [each.get("id") for each in listed(site, *params)]


def made_at(site: Site, name: str | None) -> datetime:
    """When a job of the list was made."""
    text = parse(site.get(f"{worker(site)}/{name}").body).findtext("creationTime")
    require(text, f"the job {name} has no creationTime")
    told = datetime.fromisoformat(text or "")
    return told if told.tzinfo else told.replace(tzinfo=UTC)


@clause(
    UWS, "2.2.2.1", "The job list is an XML document of UWS 1.1, with the id, the phase and the address of each job"
)
def uws_list(site: Site) -> None:
    with pending(site) as made:
        answer = site.get(worker(site))
        require(answer.status == 200, f"status {answer.status}")
        require(answer.media_type in XML, f"media type {answer.media_type}")
        root = parse(answer.body)
        require(root.tag == "jobs" and root.get("version") == "1.1", f"the root is {root.tag} {root.get('version')}")
        jobs = {each.get("id"): each for each in root.findall("jobref")}
        require(made.url.rpartition("/")[2] in jobs, "a new job is not in the list")
        for each in jobs.values():
            require(each.findtext("phase") in PHASES, f"a phase is {each.findtext('phase')}")
        told = jobs[made.url.rpartition("/")[2]].get("href")
        require(told in (None, made.url), f"the address of the job is {told}")


@clause(UWS, "2.2.2.1", "PHASE chooses jobs of a phase")
def uws_list_phase(site: Site) -> None:
    with pending(site) as made:
        for phase in sorted(PHASES):
            told = {each.findtext("phase") for each in listed(site, ("PHASE", phase))}
            require(told <= {phase}, f"PHASE={phase} lists {told}")
        require(made.url.rpartition("/")[2] in identifiers(site, ("PHASE", "PENDING")), "PHASE=PENDING lacks a new job")


@clause(UWS, "2.2.2.1", "Several PHASE choose jobs of each of them")
def uws_list_phases(site: Site) -> None:
    with pending(site) as made:
        for phases in (
            ("PENDING", "QUEUED"),
            ("QUEUED", "PENDING"),
            ("COMPLETED", "ERROR"),
            ("PENDING", "EXECUTING", "COMPLETED"),
        ):
            params = [("PHASE", phase) for phase in phases]
            told = {each.findtext("phase") for each in listed(site, *params)}
            require(told <= set(phases), f"{phases} list {told}")
            inside = made.url.rpartition("/")[2] in identifiers(site, *params)
            require(inside == ("PENDING" in phases), f"{phases}: a new job is {'' if inside else 'not '}in the list")


@clause(UWS, "2.2.2.1", "A PHASE that does not exist is an error")
def uws_list_wrong_phase(site: Site) -> None:
    for phase in ("SUCCESS", "pending", "somenonsense", "1345"):
        status = site.get(worker(site), [("PHASE", phase)]).status
        require(400 <= status < 500, f"PHASE={phase}: status {status}")


@clause(UWS, "2.2.2.1", "LAST chooses so many jobs, the youngest, in the order in which they were made")
def uws_list_last(site: Site) -> None:
    with pending(site) as first:
        _pass_a_second()
        with pending(site) as second:
            names = [made.url.rpartition("/")[2] for made in (first, second)]
            for last, wanted in ((1, names[1:]), (2, names)):
                told = identifiers(site, ("LAST", str(last)))
                require(told == wanted, f"LAST={last} lists {told}, and not {wanted}")
            for last in (3, 254, 3423):
                told = identifiers(site, ("LAST", str(last)))
                require(len(told) <= last, f"LAST={last} lists {len(told)}")
                require(told[-2:] == names, f"LAST={last} ends with {told[-2:]}")
                times = [made_at(site, name) for name in told]
                require(times == sorted(times), f"LAST={last} is not in order")


def _pass_a_second() -> None:
    """Times of jobs may be whole seconds."""
    time.sleep(1.1)


@clause(UWS, "2.2.2.1", "LAST that is no count is an error")
def uws_list_wrong_last(site: Site) -> None:
    for last in ("-1", "-254", "sometext"):
        status = site.get(worker(site), [("LAST", last)]).status
        require(400 <= status < 500, f"LAST={last}: status {status}")


@clause(UWS, "2.2.2.1", "AFTER chooses jobs that were made after a time in UTC")
def uws_list_after(site: Site) -> None:
    with pending(site) as made:
        name = made.url.rpartition("/")[2]
        begin = made_at(site, name)
        before, after = (f"{begin + timedelta(seconds=shift):%Y-%m-%dT%H:%M:%S}" for shift in (-3600, 3600))
        for text in (before, "2015-10-26T09:15:35", "2015-10-26"):
            require(name in identifiers(site, ("AFTER", text)), f"AFTER={text} lacks a younger job")
        require(name not in identifiers(site, ("AFTER", after)), f"AFTER={after} lists an older job")


@clause(UWS, "2.2.2.1", "AFTER that is no time is an error")
def uws_list_wrong_after(site: Site) -> None:
    for text in ("2015-26-10", "sometext"):
        status = site.get(worker(site), [("AFTER", text)]).status
        require(400 <= status < 500, f"AFTER={text}: status {status}")


@clause(UWS, "2.2.2.1", "PHASE, AFTER and LAST together choose jobs that fulfil all of them")
def uws_list_together(site: Site) -> None:
    with ended(site) as first, pending(site) as second:
        names = [made.url.rpartition("/")[2] for made in (first, second)]
        for phase, name in zip(("COMPLETED", "PENDING"), names, strict=True):
            for params in (
                [("PHASE", phase), ("LAST", "1")],
                [("PHASE", phase), ("AFTER", "2015-10-26T09:00:00")],
                [("PHASE", phase), ("AFTER", "2015-10-26T09:00:00"), ("LAST", "3")],
            ):
                told = identifiers(site, *params)
                require(name in told, f"{params} lacks a job that fulfils them")
                require(not (set(names) - {name}) & set(told), f"{params} lists a job of another phase")
