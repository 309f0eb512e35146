"""Clients wait for a job: some are held, and the others are answered at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from astropy.coordinates import SkyCoord
from astroquery.exceptions import NoResultsWarning
from astroquery.mast import TesscutClass, conf
from astroquery.mast.services import ServiceAPI

import tessera
from tessera_cloud.application.jobs import waiting
from tessera_cloud.application.jobs.waiting import most_held
from tessera_cloud.application.jobs.work import cutouts
from tessera_cloud.bootstrap import Services
from tessera_cloud.http.cutouts.wait_routes import MAX_HOPS
from tests.support.api import API_SETTINGS, DEC, RA, Api
from tests.support.builds import at
from tests.support.service import Server, service_of

LARGE = {"position": {"ra": RA, "dec": DEC}, "size": [12, 11]}


@pytest.fixture
def job(api: Api) -> str:
    answer = api.post("/v1/jobs", LARGE)
    assert answer.status == 202
    return str(answer.json()["id"])


def wait(api: Api, job: str, sleep: Callable[[float], object] = lambda seconds: None) -> tuple[str | None, bool]:
    now = [0.0]

    def pass_time(seconds: float) -> None:
        now[0] += seconds
        sleep(seconds)

    services = api.handlers.services
    work = cutouts(services.settings)
    record, held = waiting.wait(job, services, work, seconds=20.0, clock=lambda: now[0], sleep=pass_time)
    return record.ended, held


def crowd(api: Api, job: str, many: int, inside: Callable[[], object]) -> None:
    """Call something while many clients wait."""

    def next_one(seconds: float) -> None:
        if many > 1:
            crowd(api, job, many - 1, inside)
        else:
            inside()
        raise StopIteration

    with pytest.raises(StopIteration):
        wait(api, job, next_one)


@pytest.mark.parametrize(("reserved", "held"), [(0, 4), (1, 1), (5, 4), (100, 80)])
def test_a_fifth_of_what_is_reserved_answers_at_once(reserved: int, held: int) -> None:
    assert most_held(dataclasses.replace(API_SETTINGS, wait_concurrency=reserved)) == held


def test_a_client_beyond_those_that_are_held_is_answered_at_once(api: Api, job: str) -> None:
    found: list[tuple[str | None, bool]] = []
    crowd(api, job, 3, lambda: found.append(wait(api, job)))
    crowd(api, job, 4, lambda: found.append(wait(api, job, lambda seconds: pytest.fail("it was held"))))
    assert found == [(None, True), (None, False)]
    assert wait(api, job) == (None, True)  # those who were let go do not count, even if their wait ended in an error


def test_a_client_that_is_not_held_is_told_so_and_gets_what_is_ready(api: Api, job: str) -> None:
    said: list[Any] = []
    crowd(api, job, 4, lambda: said.append(api.get(f"/v1/jobs/{job}/wait")))
    text = "The cutouts are not finished yet, and too many clients wait. Ask again in a minute, or see https://"
    assert said[0].status == 200
    assert said[0].json()["msg"].startswith(text)

    def end_and_ask() -> None:
        api.run_jobs()
        said.append(api.get(f"/v1/jobs/{job}/wait"))

    crowd(api, job, 4, end_and_ask)
    assert (said[1].status, "/results/" in said[1].location) == (303, True)


def test_who_dies_while_waiting_is_counted_for_some_minutes_only(api: Api, job: str) -> None:
    services: Services = api.handlers.services
    start = services.now().timestamp()
    epoch = int(start // waiting.EPOCH_SECONDS)
    services.state.add(waiting.KIND, f"waiting-{epoch}", 4, expires=start + 600)  # four that died
    assert wait(api, job) == (None, False)
    first = (epoch + 1) * waiting.EPOCH_SECONDS - start
    api.handlers.clock = at(hours=(first + 1) / 3600)
    assert wait(api, job) == (None, False)  # they could still be alive
    api.handlers.clock = at(hours=(first + 31) / 3600)
    assert wait(api, job) == (None, True)


def test_waiting_needs_no_state_machine(api: Api, job: str) -> None:
    services = api.handlers.services
    vars(services)["executions"] = None
    assert api.get(f"/v1/jobs/{job}/wait").status == 303


# ---------------------------------------------------------------- clients as they are


@pytest.fixture
def server(api: Api) -> Iterator[Server]:
    with service_of(api) as server:
        yield server


def test_browsers_follow_the_chain_to_the_zip() -> None:
    to_us, to_the_zip, to_https = MAX_HOPS, 1, 1
    assert to_us + to_the_zip + to_https <= 20


def test_requests_follows_the_chain_to_its_end_and_no_further(server: Server) -> None:
    answer = requests.post(
        f"{server.url}/tesscut/api/v0.1/astrocut", data={"ra": RA, "dec": DEC, "y": 12, "x": 11}, timeout=9
    )
    assert [hop.status_code for hop in answer.history] == [303] * 18
    assert answer.json()["msg"].startswith("The cutouts are not finished yet. Ask again later")


def test_astroquery_shows_what_the_service_says(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServiceAPI, "SERVICE_URL", server.url)
    monkeypatch.setattr(conf, "timeout", 1_000_000_000)  # days may pass quickly here
    with pytest.warns(NoResultsWarning, match="not finished yet"):
        assert TesscutClass().get_cutouts(coordinates=SkyCoord(RA, DEC, unit="deg"), size=(12, 11)) == []


def test_our_own_client_never_waits_in_this_way(api: Api, server: Server) -> None:
    with tessera.Client(server.url, sleep=lambda _: api.run_jobs()) as client:
        assert client.job((RA, DEC), 12).wait(timeout=5).status == "succeeded"
    assert not [line for line in server.lines if "wait" in line]
    assert not [name for _, _, name in api.handlers.state.requests if name.startswith("waiting")]
