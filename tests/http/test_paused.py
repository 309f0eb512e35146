"""A paused service refuses what costs money, in a sentence, and goes on with the rest; resuming undoes it."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any

import pytest

from tessera_cloud.application.caches import SwitchCache
from tessera_cloud.application.limit_spending import look_after
from tessera_cloud.application.switch import FRESH_SECONDS, Switch, pause, read_switch, resume, write_switch
from tessera_cloud.errors import TransientError
from tessera_cloud.http.documents.openapi import GROUPS
from tessera_cloud.testing.memory_state import MemoryLinks, MemoryState
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import BUILDS, DEC, JOBS, RA, Answered, Api
from tests.support.image_service import IMAGE_SETTINGS, SDSS, TRIPLE

REASON = "the budget of the day is spent"
TESSCUT: dict[str, Any] = {"ra": RA, "dec": DEC, "x": 3, "y": 3}
WANTED: dict[str, Any] = {"position": {"ra": RA, "dec": DEC}, "size": 3}


def stop(api: Api) -> None:
    pause(api.handlers.services, reason=REASON, by="budget")


def later(api: Api, seconds: float) -> None:
    """Move the clock of the service."""
    start = api.handlers.clock()
    api.handlers.clock = lambda: start + datetime.timedelta(seconds=seconds)


def is_paused(answer: Answered) -> bool:
    return answer.status == 503 and "paused" in answer.content.decode()


@pytest.mark.parametrize("path", ["/tesscut/api/v0.1/astrocut", "/tesscut/api/v0.1/moving_target/astrocut"])
def test_a_client_of_tesscut_is_told_in_its_own_form(api: Api, path: str) -> None:
    stop(api)
    for answer in (api.get(path, **TESSCUT), api.post(path, **TESSCUT)):
        assert (answer.status, answer.json()) == (503, {"msg": f"the service is paused: {REASON}"})
        assert answer.headers["retry-after"] == "600"


def test_our_own_api_names_the_code(api: Api) -> None:
    stop(api)
    for answer in (
        api.get("/v1/cutouts", ra=RA, dec=DEC, size=3),
        api.post("/v1/cutouts", WANTED),
        api.post("/v1/jobs", WANTED),
        api.get(f"/v1/jobs/{'0' * 32}"),
        api.get(f"/v1/jobs/{'0' * 32}/wait"),
        api.get("/v1/preview", cube="tess-s0001-4-2", ra=RA, dec=DEC),
        api.get("/v1/preview.csv", cube="tess-s0001-4-2", ra=RA, dec=DEC),
        api.get("/v1/preview.png", cube="tess-s0001-4-2", ra=RA, dec=DEC),
        api.post("/v1/builds", {"sector": 1, "camera": 4, "ccd": 2}, signed=True),
    ):
        assert answer.status == 503, answer
        error = answer.json()["error"]
        assert (error["code"], error["message"]) == ("paused", f"the service is paused: {REASON}")
        assert answer.headers["retry-after"] == "600"
        assert answer.headers["cache-control"] == "no-store"
    assert api.handlers.executions.executions == {}


def test_images_are_paused_too(images: MemoryStore) -> None:
    api = Api(images, IMAGE_SETTINGS)
    assert api.get(f"/v1/images/{SDSS}/cutout", **TRIPLE, size=5).status == 200
    later(api, FRESH_SECONDS)
    stop(api)
    later(api, FRESH_SECONDS)
    assert is_paused(api.get(f"/v1/images/{SDSS}/cutout", **TRIPLE, size=5))
    for path in ("/zcut/api/v0.1/astrocut", "/hapcut/api/v0.1/astrocut"):
        assert api.get(path, **TRIPLE, size=5).json() == {"msg": f"the service is paused: {REASON}"}
    assert api.get("/v1/images").status == 200
    assert api.get("/v1/images/search", **TRIPLE).status == 200


def test_the_catalogue_and_the_documentation_are_still_answered(api: Api) -> None:
    stop(api)
    for path in ("/v1/cubes", "/v1/map", "/docs", "/openapi.json", f"/v1/footprints?ra={RA}&dec={DEC}"):
        assert api.get(path).status == 200, path
    assert api.get("/tesscut/api/v0.1/sector", ra=RA, dec=DEC).json()["results"]


def test_a_job_may_be_cancelled_while_the_service_is_paused(api: Api) -> None:
    stop(api)
    assert api.request("DELETE", f"/v1/jobs/{'0' * 32}").status == 404


def test_health_tells_why_and_since_when(api: Api) -> None:
    assert api.get("/v1/health").json()["paused"] is None
    later(api, FRESH_SECONDS)
    stop(api)
    since = api.handlers.now().isoformat(timespec="seconds")
    document = api.get("/v1/health").json()
    assert document["paused"] == {"reason": f"the service is paused: {REASON}", "since": since, "by": "budget"}
    assert document["status"] == "ok"


def test_every_operation_that_makes_or_links_results_is_paid() -> None:
    """A new operation must be put on one of the two sides."""
    free = {each.path for group in GROUPS for each, _ in group.operations if not each.paid}
    paid = {each.path for group in GROUPS for each, _ in group.operations if each.paid}
    assert paid == {
        "/datalink/file",
        "/datalink/frames",
        "/datalink/preview",
        "/datalink/sidecar",
        "/hapcut/api/v0.1/astrocut",
        "/soda/async/{job}/results/{result}",
        "/soda/sync",
        "/tesscut/api/v0.1/astrocut",
        "/tesscut/api/v0.1/moving_target/astrocut",
        "/v1/builds",
        "/v1/bulk",
        "/v1/bulk/plan",
        "/v1/bulk/uploads",
        "/v1/bulk/{job}",
        "/v1/bulk/{job}/wait",
        "/v1/cutouts",
        "/v1/cutouts.fits",
        "/v1/images/{dataset}/cutout",
        "/v1/jobs",
        "/v1/jobs/{job}",
        "/v1/jobs/{job}/wait",
        "/v1/lightcurve",
        "/v1/lightcurve.csv",
        "/v1/lightcurve.fits",
        "/v1/preview",
        "/v1/preview.csv",
        "/v1/preview.npy",
        "/v1/preview.png",
        "/zcut/api/v0.1/astrocut",
    }
    assert paid & free == {
        "/v1/builds",
        "/v1/bulk/{job}",
        "/v1/jobs/{job}",
    }  # listing builds, and cancelling a job or list


def test_a_process_notices_within_seconds_and_reads_the_switch_once_meanwhile(api: Api) -> None:
    later(api, 0)
    assert api.get("/v1/cutouts", ra=RA, dec=DEC, size=3).status == 200
    stop(api)
    later(api, FRESH_SECONDS - 1)
    assert api.get("/v1/cutouts", ra=RA, dec=DEC, size=3).status == 200
    later(api, 1)
    before = len(api.handlers.state.requests)
    assert [is_paused(api.get("/v1/cutouts", ra=RA, dec=DEC, size=3)) for _ in range(3)] == [True] * 3
    assert api.handlers.state.requests[before:] == [("get", "switch", "service")]
    resume(api.handlers.services, by="operator")
    later(api, FRESH_SECONDS)
    assert api.get("/v1/cutouts", ra=RA, dec=DEC, size=3).status == 200
    assert api.get("/v1/health").json()["paused"] is None


def test_a_pause_closes_links_and_stops_jobs_and_builds_and_a_resumed_job_goes_on(api: Api) -> None:
    job = api.post("/v1/jobs", WANTED).json()
    api.handlers.executions.start(BUILDS, "tess-s0001-4-2-abc", {})
    assert pause(api.handlers.services, reason=REASON, by="operator") == 2
    assert {each.status for each in api.handlers.executions.executions.values()} == {"ABORTED"}
    assert vars(api.handlers.links) == {"closed": True}
    assert pause(api.handlers.services, reason=REASON, by="operator") == 0
    api.handlers.invoke("tend_jobs", {"machine": JOBS})  # the sweep of each minute

    resume(api.handlers.services, by="operator")
    later(api, FRESH_SECONDS)
    assert vars(api.handlers.links) == {"closed": False}
    assert api.get(job["url"]).json()["reason"] == "the service was paused; ask again"
    assert api.post("/v1/jobs", WANTED).json()["id"] == job["id"]
    assert [name.startswith(job["id"]) for name in api.run_jobs()] == [True]
    assert api.get(job["url"]).json()["status"] == "succeeded"
    assert [each.status for (machine, _), each in api.handlers.executions.executions.items() if machine == JOBS] == [
        "ABORTED",
        "SUCCEEDED",
    ]


def test_the_operators_pause_replaces_that_of_the_budget_and_not_the_other_way_round(api: Api) -> None:
    services = api.handlers.services
    pause(services, reason=REASON, by="budget")
    pause(services, reason="we move to another region", by="operator")
    pause(services, reason=REASON, by="budget")
    switch = read_switch(api.handlers.state)
    assert (switch.by, switch.reason) == ("operator", "we move to another region")


class BrokenState(MemoryState):
    """A table that does not answer."""

    broken = False

    def get(self, kind: str, name: str) -> Any:
        if self.broken:
            raise TransientError("read record: Throttling")
        return super().get(kind, name)


def test_a_table_that_does_not_answer_changes_nothing(api: Api) -> None:
    state = BrokenState()
    api.handlers.services = dataclasses.replace(
        api.handlers.services, open_state=lambda settings: state, switch=SwitchCache()
    )
    state.broken = True
    assert api.get("/v1/cutouts", ra=RA, dec=DEC, size=3).status == 200
    state.broken = False
    stop(api)
    later(api, FRESH_SECONDS)
    assert is_paused(api.get("/v1/cutouts", ra=RA, dec=DEC, size=3))
    state.broken = True
    later(api, FRESH_SECONDS)
    assert is_paused(api.get("/v1/cutouts", ra=RA, dec=DEC, size=3))


def test_writers_of_the_switch_do_not_overwrite_each_other_for_ever() -> None:
    class Busy(MemoryState):
        def put(self, kind: str, name: str, value: Any, *, over: int, expires: float | None = None) -> int:
            super().put(kind, name, value, over=over)
            return super().put(kind, name, value, over=over)

    with pytest.raises(TransientError, match="changed 5 times"):
        write_switch(Busy(), read_switch(MemoryState()))


def test_a_job_that_waits_for_its_turn_begins_after_the_pause(api: Api) -> None:
    api.handlers.services = dataclasses.replace(
        api.handlers.services, settings=dataclasses.replace(api.handlers.services.settings, max_jobs=0)
    )
    job = api.post("/v1/jobs", WANTED).json()
    api.handlers.services = dataclasses.replace(
        api.handlers.services, settings=dataclasses.replace(api.handlers.services.settings, max_jobs=1)
    )
    stop(api)
    api.handlers.invoke("tend_jobs", {"machine": JOBS})
    assert api.run_jobs() == []
    resume(api.handlers.services, by="operator")
    api.handlers.invoke("tend_jobs", {"machine": JOBS})
    assert [name.startswith(job["id"]) for name in api.run_jobs()] == [True]


class Links(MemoryLinks):
    """Links that call something once, after they were closed."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__()
        self.call: Callable[[], object] | None = call

    def close(self) -> None:
        super().close()
        call, self.call = self.call, None
        if call:
            call()


def with_links(api: Api, call: Callable[[], object]) -> MemoryLinks:
    links = Links(call)
    vars(api.handlers.services)["links"] = links
    return links


def test_links_work_after_a_resume_at_the_same_moment_as_a_pause(api: Api) -> None:
    services = api.handlers.services
    links = with_links(api, lambda: resume(services, by="operator"))
    pause(services, reason=REASON, by="budget")
    assert (links.closed, read_switch(services.state).paused) == (False, False)


def test_links_that_do_not_agree_with_the_switch_are_set_by_the_clock(api: Api) -> None:
    services = api.handlers.services
    links = with_links(api, lambda: None)
    links.closed = True  # whoever resumed died before
    assert look_after(services) == "nothing"
    assert not links.closed
    write_switch(services.state, Switch(paused=True))  # whoever paused died then
    assert look_after(services) == "still paused"
    assert links.closed


def test_jobs_are_stopped_although_the_links_cannot_be_closed(api: Api) -> None:
    def refuse() -> None:
        raise TransientError("write the policy: SlowDown")

    job = api.post("/v1/jobs", WANTED).json()
    with_links(api, refuse)
    with pytest.raises(TransientError, match="SlowDown"):
        stop(api)
    assert api.running_jobs() == []
    later(api, FRESH_SECONDS)
    assert api.get(job["url"]).status == 503


def test_an_operator_who_pauses_again_changes_the_reason(api: Api) -> None:
    for reason in ("we look for a defect", "we move to another region"):
        pause(api.handlers.services, reason=reason, by="operator")
    assert api.get("/v1/health").json()["paused"]["reason"] == "the service is paused: we move to another region"


def test_an_alarm_whose_event_was_lost_pauses_the_service_but_not_after_an_operator_has_resumed(api: Api) -> None:
    services = api.handlers.services
    now = services.now().timestamp()
    api.handlers.alarms.ringing[services.settings.spend_alarm] = now - 60.0
    assert look_after(services) == "paused"
    resume(services, by="operator")
    assert look_after(services) == "nothing"
    api.handlers.alarms.ringing[services.settings.spend_alarm] = now + 60.0  # it has been OK, and rings again
    assert look_after(services) == "paused"


def test_alarms_that_do_not_answer_neither_pause_nor_resume_the_service(api: Api) -> None:
    def silent(name: str) -> float:
        raise TransientError(f"describe alarm {name}: Throttling")

    services = api.handlers.services
    vars(api.handlers.alarms)["rings_since"] = silent
    assert look_after(services) == "nothing"
    stop(api)
    later(api, 86_400)
    with pytest.raises(TransientError, match="Throttling"):
        look_after(services)
    assert read_switch(services.state).paused


def test_no_alarm_is_asked_where_there_is_none(api: Api) -> None:
    services = api.handlers.services
    alone = dataclasses.replace(services, settings=dataclasses.replace(services.settings, spend_alarm=""))
    api.handlers.alarms.ringing[""] = services.now().timestamp() + 60.0

    assert look_after(alone) == "nothing"
