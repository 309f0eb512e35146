"""A client gets its share of a day, counts again what it is linked to again, and is told when to come back."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest

from tessera_cloud.application.caches import ShareCache
from tessera_cloud.errors import TransientError
from tessera_cloud.testing.memory_state import MemoryState
from tests.support.api import DEC, RA, Api
from tests.support.builds import at

CUTOUT: dict[str, Any] = {"ra": RA, "dec": DEC, "size": 3}
LARGE: dict[str, Any] = {"position": {"ra": RA, "dec": DEC}, "size": [12, 11]}


def give(api: Api, n_bytes: float) -> None:
    services = api.handlers.services
    api.handlers.services = dataclasses.replace(
        services, settings=dataclasses.replace(services.settings, client_daily_gb=n_bytes / 1e9)
    )


def test_the_answer_that_exceeds_the_share_is_the_last_of_the_day(api: Api) -> None:
    size = len(api.get("/v1/cutouts", **CUTOUT).content)
    give(api, 1.5 * size)
    answers = [api.get("/v1/cutouts", **CUTOUT) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    error = answers[-1].json()["error"]
    assert (error["code"], error["message"].endswith("of today; ask again after midnight UTC")) == (
        "too_many_requests",
        True,
    )
    midnight = datetime.datetime.combine(at(0)().date() + datetime.timedelta(days=1), datetime.time(), datetime.UTC)
    assert int(answers[-1].headers["retry-after"]) == int((midnight - at(0)()).total_seconds()) + 1
    told = api.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, x=3, y=3)
    assert (told.status, list(told.json())) == (429, ["msg"])

    api.handlers.clock = lambda: midnight
    assert api.get("/v1/cutouts", **CUTOUT).status == 200


def test_nothing_is_cut_for_a_client_without_a_share(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    give(api, 1)
    assert api.get("/v1/cutouts", **CUTOUT).status == 200
    monkeypatch.setattr("tessera_cloud.application.cutouts.answer.answer_now", pytest.fail)
    assert api.get("/v1/cutouts", **CUTOUT, quality_mask=1).status == 429
    assert api.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, x=3, y=3).status == 429


def test_without_a_limit_nothing_is_counted(api: Api) -> None:
    give(api, 0)
    assert api.get("/v1/cutouts", **CUTOUT).status == 200
    assert api.handlers.state.counters == {}


def test_a_job_is_counted_once_a_day_and_each_ride_to_it_again(api: Api) -> None:
    give(api, 1e9)
    job = api.post("/v1/jobs", LARGE).json()
    api.run_jobs()
    size = api.get(job["url"]).json()["result"]["bytes"]
    api.get(job["url"])
    (total,) = [total for (kind, name), (total, _) in api.handlers.state.counters.items() if name.count("/") == 1]
    assert total == size
    assert api.get(job["wait_url"]).status == 303
    (total,) = [total for (kind, name), (total, _) in api.handlers.state.counters.items() if name.count("/") == 1]
    assert total == 2 * size


def test_a_client_without_a_share_begins_no_job(api: Api) -> None:
    give(api, 1)
    assert api.get("/v1/cutouts", **CUTOUT).status == 200
    assert api.post("/v1/jobs", LARGE).status == 429
    assert api.handlers.executions.executions == {}


def test_a_table_that_does_not_answer_refuses_nobody(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    give(api, 1)

    def refuse(*_: object, **__: object) -> int:
        raise TransientError("add to counter: Throttling")

    monkeypatch.setattr(MemoryState, "add", refuse)
    assert [api.get("/v1/cutouts", **CUTOUT).status for _ in range(2)] == [200, 200]


def test_a_process_that_knows_of_a_share_asks_the_table_once_for_an_answer(api: Api) -> None:
    give(api, 1e9)
    asked = []
    for mask in range(3):
        api.handlers.state.requests.clear()
        assert api.get("/v1/cutouts", **CUTOUT, quality_mask=mask).status == 200
        asked.append(sum(kind == "spend" for _, kind, _ in api.handlers.state.requests))
    assert asked == [2, 1, 1]
    assert all(expires for _, expires in api.handlers.state.counters.values())


def test_a_share_that_other_processes_use_up_is_refused_here_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    give(api, 1e9)
    assert api.get("/v1/cutouts", **CUTOUT).status == 200
    (counter,) = api.handlers.state.counters
    api.handlers.state.add(*counter, 10**9)
    assert api.get("/v1/cutouts", **CUTOUT, quality_mask=1).status == 429
    monkeypatch.setattr("tessera_cloud.application.cutouts.answer.answer_now", pytest.fail)
    assert api.get("/v1/cutouts", **CUTOUT, quality_mask=2).status == 429
    assert api.post("/v1/jobs", LARGE).status == 429


def test_the_counters_that_a_process_remembers_are_few_and_never_go_back() -> None:
    shares = ShareCache(most=2)
    for name, total in (("a", 1), ("b", 5), ("b", 3), ("c", 7)):
        shares.keep(name, total)
    assert [shares.get(name) for name in "abc"] == [None, 5, 7]
