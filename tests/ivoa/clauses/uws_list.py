"""UWS 1.1: the job list and its filters. The cases of joblist of uws-validator are among them."""

from __future__ import annotations

import itertools
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


def starts(site: Site, jobs: list[Element]) -> list[datetime | None]:
    """When each job of a list was started."""
    times = []
    for each in jobs:
        text = parse(site.get(f"{worker(site)}/{each.get('id')}").body).findtext("startTime")
        told = datetime.fromisoformat(text) if text else None
        times.append(told.replace(tzinfo=UTC) if told and not told.tzinfo else told)
    return times


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


@clause(UWS, "2.2.1", "PHASE chooses jobs of a phase")
def uws_list_phase(site: Site) -> None:
    with pending(site) as made:
        for phase in sorted(PHASES):
            told = {each.findtext("phase") for each in listed(site, ("PHASE", phase))}
            require(told <= {phase}, f"PHASE={phase} lists {told}")
        require(made.url.rpartition("/")[2] in identifiers(site, ("PHASE", "PENDING")), "PHASE=PENDING lacks a new job")


@clause(UWS, "2.2.1", "Several PHASE choose jobs of each of them")
def uws_list_phases(site: Site) -> None:
    with pending(site) as made:
        for phases in (("PENDING", "QUEUED"), ("COMPLETED", "ERROR"), ("PENDING", "EXECUTING", "COMPLETED")):
            params = [("PHASE", phase) for phase in phases]
            told = {each.findtext("phase") for each in listed(site, *params)}
            require(told <= set(phases), f"{phases} list {told}")
            inside = made.url.rpartition("/")[2] in identifiers(site, *params)
            require(inside == ("PENDING" in phases), f"{phases}: a new job is {'' if inside else 'not '}in the list")


@clause(UWS, "2.2.1", "A PHASE that does not exist is an error")
def uws_list_wrong_phase(site: Site) -> None:
    for phase in ("SUCCESS", "pending", "somenonsense", "1345"):
        status = site.get(worker(site), [("PHASE", phase)]).status
        require(400 <= status < 500, f"PHASE={phase}: status {status}")


@clause(
    UWS,
    "2.2.1",
    "LAST chooses so many jobs, the youngest, in the order of their starts; jobs without a start are left out",
)
def uws_list_last(site: Site) -> None:
    with ended(site) as first, ended(site) as second, pending(site) as third:
        names = [made.url.rpartition("/")[2] for made in (first, second, third)]
        require(
            identifiers(site, ("LAST", "2")) == names[:2],
            f"LAST=2 lists {identifiers(site, ('LAST', '2'))}, and not {names[:2]}",
        )
        require(identifiers(site, ("LAST", "1")) == [names[1]], f"LAST=1 lists {identifiers(site, ('LAST', '1'))}")
        for last in (3, 254, 3423):
            jobs = listed(site, ("LAST", str(last)))
            require(len(jobs) <= last, f"LAST={last} lists {len(jobs)}")
            times = starts(site, jobs)
            require(None not in times, f"LAST={last} lists a job without a start")
            require(all(a <= b for a, b in itertools.pairwise(times) if a and b), f"LAST={last} is not in order")


@clause(UWS, "2.2.1", "LAST that is no count is an error")
def uws_list_wrong_last(site: Site) -> None:
    for last in ("-1", "-254", "sometext"):
        status = site.get(worker(site), [("LAST", last)]).status
        require(400 <= status < 500, f"LAST={last}: status {status}")


@clause(UWS, "2.2.1", "AFTER chooses jobs that were started after a time in UTC; jobs without a start are left out")
def uws_list_after(site: Site) -> None:
    with ended(site) as first, pending(site) as second:
        names = [made.url.rpartition("/")[2] for made in (first, second)]
        begin = starts(site, [Element("jobref", id=names[0])])[0]
        assert begin is not None
        before, after = (f"{begin + timedelta(seconds=shift):%Y-%m-%dT%H:%M:%S}" for shift in (-3600, 3600))
        for time in (before, "2015-10-26T09:15:35", "2015-10-26"):
            told = identifiers(site, ("AFTER", time))
            require(names[0] in told, f"AFTER={time} lacks a job of a later start")
            require(names[1] not in told, f"AFTER={time} lists a job without a start")
        require(names[0] not in identifiers(site, ("AFTER", after)), f"AFTER={after} lists a job of an earlier start")


@clause(UWS, "2.2.1", "AFTER that is no time is an error")
def uws_list_wrong_after(site: Site) -> None:
    for time in ("2015-26-10", "sometext"):
        status = site.get(worker(site), [("AFTER", time)]).status
        require(400 <= status < 500, f"AFTER={time}: status {status}")


@clause(UWS, "2.2.1", "PHASE, AFTER and LAST together choose jobs that fulfil all of them")
def uws_list_together(site: Site) -> None:
    with ended(site) as first, pending(site):
        name = first.url.rpartition("/")[2]
        for params in (
            [("PHASE", "COMPLETED"), ("LAST", "5")],
            [("PHASE", "COMPLETED"), ("AFTER", "2015-10-26T09:00:00")],
            [("AFTER", "2015-10-26T09:00:00"), ("LAST", "3")],
        ):
            require(name in identifiers(site, *params), f"{params} lacks a job that has completed")
        for params in (
            [("PHASE", "PENDING"), ("LAST", "10")],
            [("PHASE", "PENDING"), ("AFTER", "2015-10-26T09:00:00")],
        ):
            require(not identifiers(site, *params), f"{params} lists jobs without a start")
