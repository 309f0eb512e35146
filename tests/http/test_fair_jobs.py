"""Jobs wait for their turn: a share for each client, an order that is fair, and no job lost when a task dies."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tessera_cloud import keys
from tessera_cloud.adapters.dynamodb import DynamoDbState
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.jobs import queue, submit, turns
from tessera_cloud.application.jobs.archive import finish_job
from tessera_cloud.application.jobs.plans import wanted_of
from tessera_cloud.application.jobs.queue import JobQueue, read_queue
from tessera_cloud.application.jobs.records import MOST_ASKERS, Asker, JobRef, read_job
from tessera_cloud.application.jobs.steps import CutTask, cut_item, plan_job
from tessera_cloud.application.jobs.work import cutouts
from tessera_cloud.bootstrap import Services
from tessera_cloud.errors import NotAllowedError, TooManyRequestsError
from tests.support.api import DEC, JOBS, RA, Api
from tests.support.builds import SETTINGS, at

LARGE = {"position": {"ra": RA, "dec": DEC}, "size": [12, 11]}
TABLE: dict[str, Any] = {
    "TableName": "state",
    "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "name", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("kind", "name")],
    "BillingMode": "PAY_PER_REQUEST",
}


def limit(api: Api, **limits: Any) -> Services:
    """Change the limits of the service."""
    ports = {name: value for name, value in vars(api.handlers.services).items() if name in ("state", "executions")}
    settings = dataclasses.replace(api.handlers.services.settings, **limits)
    api.handlers.services = dataclasses.replace(api.handlers.services, settings=settings)
    vars(api.handlers.services).update(ports)
    return api.handlers.services


def begin(order: CutoutOrder, asker: Asker, services: Services) -> submit.JobStatus:
    """Ask for the job of an order."""
    return submit.submit(wanted_of(order), asker, services, cutouts(services.settings))


def withdraw(job_id: str, token: str, services: Services) -> submit.JobStatus:
    """Cancel a job."""
    return submit.cancel(job_id, token, services, cutouts(services.settings))


@pytest.fixture
def full(api: Api) -> Api:
    """A service that runs two jobs at a time, and allows three to a client."""
    limit(api, max_jobs=2, client_jobs=3)
    return api


@pytest.fixture
def in_dynamodb(full: Api) -> Iterator[None]:
    """Keep records in DynamoDB, by moto."""
    of_nobody: dict[str, Any] = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    with mock_aws():
        client = boto3.client("dynamodb", **of_nobody)
        client.create_table(**TABLE)
        vars(full.handlers.services)["state"] = DynamoDbState(client, "state")
        yield


def ask(api: Api, number: int, address: str) -> Any:
    return api.post("/v1/jobs", LARGE | {"quality_mask": number}, address=address)


def job(api: Api, number: int, address: str) -> dict[str, Any]:
    answer = ask(api, number, address)
    assert answer.status == 202, answer.content
    document: dict[str, Any] = answer.json()
    return document


def cancel(api: Api, found: dict[str, Any], token: str | None = None) -> Any:
    return api.request("DELETE", f"{found['url']}?cancel_token={token or found['cancel_token']}")


def state(api: Api, found: dict[str, Any]) -> tuple[str, int | None]:
    document = api.get(found["url"]).json()
    return document["status"], document["turn"]


def test_a_job_waits_for_its_turn_and_starts_when_another_ends(full: Api) -> None:
    jobs = [job(full, number, f"192.0.2.{number}") for number in range(1, 5)]
    assert [(each["status"], each["turn"]) for each in jobs] == [
        ("running", None),
        ("running", None),
        ("queued", 1),
        ("queued", 2),
    ]
    assert len(full.running_jobs()) == 2
    full.run_jobs()
    assert [state(full, each) for each in jobs] == [("succeeded", None)] * 4
    assert read_queue(full.handlers.services.state, "queue") == JobQueue()


@pytest.mark.usefixtures("in_dynamodb")
def test_dynamodb_holds_the_queue_too(full: Api) -> None:
    test_a_job_stops_when_all_who_asked_for_it_have_cancelled(full)
    test_a_job_waits_for_its_turn_and_starts_when_another_ends(full)


def test_a_client_whose_share_is_used_up_is_told_so_and_others_are_not(full: Api) -> None:
    jobs = [job(full, number, "192.0.2.1") for number in range(3)]
    refused = ask(full, 3, "192.0.2.1")
    assert (refused.status, refused.headers["retry-after"]) == (429, "20")
    assert refused.json()["error"] == {
        "code": "too_many_requests",
        "message": "you have 3 jobs that have not ended; allowed: at most 3; try again when one has ended",
        "parameter": None,
        "value": None,
        "allowed": None,
    }
    assert ask(full, 0, "192.0.2.1").json()["id"] == jobs[0]["id"]
    assert job(full, 3, "192.0.2.2")["turn"] == 1  # before the third job of the client that has two running
    assert cancel(full, jobs[2]).status == 200
    assert job(full, 4, "192.0.2.1")["status"] == "queued"


def test_a_client_of_tesscut_is_refused_in_its_own_form(full: Api) -> None:
    for number in range(3):
        job(full, number, "127.0.0.1")
    answer = full.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, y=12, x=11)
    assert (answer.status, list(answer.json()), answer.headers["retry-after"]) == (429, ["msg"], "20")


def test_a_job_that_has_just_ended_does_not_count_although_its_place_is_still_there(full: Api) -> None:
    jobs = [job(full, number, "192.0.2.1") for number in range(3)]
    services = full.handlers.services
    before = read_queue(services.state, "queue")
    full.run_jobs()
    queue.change_queue(services.state, "queue", lambda _: before)  # as if whoever ended the jobs had died then
    assert job(full, 9, "192.0.2.1")["status"] == "running"
    assert jobs[0]["id"] not in [place.job for place in read_queue(services.state, "queue").places]


# ---------------------------------------------------------------- who may cancel


def test_only_who_asked_may_cancel(full: Api) -> None:
    mine, other = job(full, 1, "192.0.2.1"), job(full, 2, "192.0.2.2")
    for token in ("", "?cancel_token=", "?cancel_token=guessed", f"?cancel_token={other['cancel_token']}"):
        answer = full.request("DELETE", f"{mine['url']}{token}", address="192.0.2.1")
        assert (answer.status, answer.json()["error"]["code"]) == (403, "forbidden")
        assert answer.json()["error"]["message"] == (
            "cancel_token is not one of this job; allowed: the cancel_token of the answer to your request for the job"
        )
    assert state(full, mine)[0] == "running"
    assert full.get(mine["url"]).json()["cancel_token"] is None
    assert mine["cancel_token"] not in full.get(f"{mine['url']}").content.decode()


def test_a_job_stops_when_all_who_asked_for_it_have_cancelled(full: Api) -> None:
    first, second = job(full, 1, "192.0.2.1"), job(full, 1, "192.0.2.2")
    assert first["id"] == second["id"]
    assert first["cancel_token"] != second["cancel_token"]
    assert job(full, 1, "192.0.2.1")["cancel_token"] == first["cancel_token"]
    assert cancel(full, first).json()["status"] == "running"
    assert cancel(full, first).status == 403
    assert cancel(full, second).json()["status"] == "cancelled"
    assert full.running_jobs() == []
    assert read_queue(full.handlers.services.state, "queue") == JobQueue()


def test_a_job_is_cancelled_while_it_waits_and_is_never_started(full: Api) -> None:
    jobs = [job(full, number, f"192.0.2.{number}") for number in range(4)]
    assert cancel(full, jobs[2]).json()["status"] == "cancelled"
    assert state(full, jobs[3]) == ("queued", 1)
    full.run_jobs()
    assert state(full, jobs[2]) == ("cancelled", None)
    assert state(full, jobs[3]) == ("succeeded", None)
    assert len(full.handlers.executions.executions) == 3


def test_the_job_of_a_client_that_vanished_is_made_all_the_same(full: Api) -> None:
    found = job(full, 1, "192.0.2.1")
    full.run_jobs()
    assert state(full, found)[0] == "succeeded"


# ---------------------------------------------------------------- many at the same time


def order_of(api: Api) -> CutoutOrder:
    """The order of a job that nobody waits for any more."""
    found = job(api, 0, "192.0.2.99")
    api.run_jobs()
    data, _ = api.store.read(SETTINGS.result_bucket, keys.job_order(found["id"]))
    return CutoutOrder.model_validate_json(data)


def other_order(order: CutoutOrder, number: int) -> CutoutOrder:
    options = order.request.options.model_copy(update={"quality_mask": number})
    return CutoutOrder(request=order.request.model_copy(update={"options": options}), cubes=order.cubes)


def test_a_thousand_orders_of_one_client_do_not_keep_three_others_from_their_turn(api: Api) -> None:
    services = limit(api, max_jobs=4, client_jobs=3)
    order = order_of(api)

    def place(number: int, client: str) -> str:
        try:
            return begin(other_order(order, number), Asker(client=client, token=f"{number}"), services).phase
        except TooManyRequestsError:
            return "refused"

    wanted = [(number, "greedy") for number in range(1, 1001)]
    for number, client in enumerate(("ann", "bob", "cem"), 2000):
        wanted.insert((number - 1999) * 250, (number, client))
    with ThreadPoolExecutor(8) as pool:
        phases = list(pool.map(lambda each: place(*each), wanted))
    of_greedy = Counter(phase for (_, client), phase in zip(wanted, phases, strict=True) if client == "greedy")
    assert of_greedy["refused"] == 997
    assert [phase for (_, client), phase in zip(wanted, phases, strict=True) if client != "greedy"].count(
        "refused"
    ) == 0
    started = read_queue(services.state, "queue").started
    assert len(started) == len(api.running_jobs()) == 4
    assert Counter(place.clients[0] for place in started)["greedy"] <= 3
    assert len(api.run_jobs()) == 6


def test_the_same_order_at_the_same_moment_is_one_job(api: Api) -> None:
    services = limit(api, max_jobs=4, client_jobs=3)
    order = other_order(order_of(api), 1)
    before = len(api.handlers.executions.executions)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: begin(order, Asker(client=f"c{n}", token=f"t{n}"), services), range(24)))
    assert {each.record.attempt for each in found} == {1}
    assert len(api.handlers.executions.executions) == before + 1
    record, _ = read_job(services.state, order.id)
    assert record is not None
    assert sorted(asker.token for asker in record.askers) == sorted(f"t{n}" for n in range(24))
    (place,) = read_queue(services.state, "queue").places
    assert len(place.clients) == queue.MOST_CLIENTS


def test_a_crowd_can_neither_fill_the_record_nor_stop_the_job_of_others(api: Api) -> None:
    services = limit(api, max_jobs=1)
    order = other_order(order_of(api), 1)
    begin(order, Asker(client="honest", token="mine"), services)
    crowd = [Asker(client=f"{number:016x}", token=f"t{number}") for number in range(MOST_ASKERS + 20)]
    got = [begin(order, asker, services).token for asker in crowd]
    assert got == [asker.token for asker in crowd[: MOST_ASKERS - 1]] + [""] * 21
    assert len(read_queue(services.state, "queue").places[0].clients) == queue.MOST_CLIENTS
    for token in got:
        with suppress(NotAllowedError):
            withdraw(order.id, token, services)
    assert withdraw(order.id, "mine", services).phase == "running"  # for those who got no token


def test_no_more_jobs_wait_than_the_record_can_hold(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_WAITING", 2)
    limit(api, max_jobs=1)
    for number in range(3):
        job(api, number, f"192.0.2.{number}")
    refused = ask(api, 3, "192.0.2.3")
    assert refused.status == 429
    assert refused.json()["error"]["message"].startswith("2 jobs wait already; allowed: at most 2")


# ---------------------------------------------------------------- whoever dies


class DeathError(Exception):
    """The task is killed."""


class Mortal:
    """A port through which a task dies at one of its changes: before it is made, or just after."""

    CHANGES = ("put", "write", "start", "stop")

    def __init__(self, port: Any, life: list[int], *, after: bool) -> None:
        self._port, self._life, self._after = port, life, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._change(found) if name in self.CHANGES else found

    def _change(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def change(*args: Any, **more: Any) -> Any:
            self._life[0] -= 1
            if self._life[0] == 0 and not self._after:
                raise DeathError
            answer = call(*args, **more)
            if self._life[0] == 0:
                raise DeathError
            return answer

        return change


def killed(services: Services, life: int, task: Callable[[Services], object], *, after: bool) -> bool:
    """Whether a task died at its change number `life`."""
    mortal = dataclasses.replace(services)
    left = [life]
    ports = {"state": services.state, "executions": services.executions}
    vars(mortal).update({name: Mortal(port, left, after=after) for name, port in ports.items()})
    object.__setattr__(mortal, "store", Mortal(services.store, left, after=after))
    try:
        task(mortal)
    except DeathError:
        return True
    return False


def finish(services: Services, found: submit.JobStatus) -> None:
    ref = JobRef(job=found.record.id, attempt=found.record.attempt, machine=JOBS)
    for item in plan_job(ref, services).items:
        cut_item(CutTask(job=ref.job, item=item), services)
    finish_job(ref, services)


def task_of(step: str, running: submit.JobStatus, order: CutoutOrder) -> Callable[[Services], object]:
    """A task that changes records: it works on a job that runs, or submits an order."""
    if step == "submit":
        return lambda mortal: begin(order, Asker(client="ann", token="a"), mortal)
    if step == "finish":
        return lambda mortal: finish(mortal, running)
    if step == "fail":
        return lambda mortal: turns.tend(turns.TendTask(machine=JOBS, job=running.record.id, attempt=1), mortal)
    if step == "cancel":
        return lambda mortal: withdraw(running.record.id, "a", mortal)
    return lambda mortal: turns.sweep(mortal, cutouts(mortal.settings))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["submit", "finish", "fail", "cancel", "sweep"])
def test_no_job_is_lost_and_no_place_is_kept_wherever_a_task_dies(api: Api, step: str, *, after: bool) -> None:
    services = limit(api, max_jobs=1, client_jobs=9)
    order = order_of(api)
    for life in range(1, 30):
        api.handlers.clock = at(hours=life)
        first, second, third = (other_order(order, 10 * life + number) for number in range(3))
        running = begin(first, Asker(client="ann", token="a"), services)
        waiting = begin(second, Asker(client="bob", token="b"), services)
        assert (running.phase, waiting.phase) == ("running", "queued")
        if step == "sweep":
            api.handlers.executions.end(JOBS, running.record.execution, "TIMED_OUT")
        died = killed(services, life, task_of(step, running, third), after=after)
        api.handlers.clock = at(hours=life + 0.05)
        settle(api, services, running.record.execution if step == "fail" else "")
        assert read_queue(services.state, "queue") == JobQueue()
        for each in (first, second, third):
            record, _ = read_job(services.state, each.id)
            assert record is None or record.ended, f"death at change {life} of {step} loses a job"
        if not died:
            assert life > 2
            return
    raise AssertionError("the step has more changes than were tried")


def test_the_sweep_starts_nothing_while_the_service_is_paused(full: Api) -> None:
    found, state_store = job(full, 1, "192.0.2.1"), full.handlers.services.state
    full.handlers.executions.executions.clear()  # whoever should have started it died
    paused = {"paused": True, "reason": "too much was spent", "since": 0.0, "by": "operator"}
    version = state_store.put("switch", "service", paused, over=0)
    full.sweep_jobs()
    assert full.running_jobs() == []
    state_store.put("switch", "service", paused | {"paused": False}, over=version)
    full.sweep_jobs()
    assert [name.partition("-")[0] for name in full.running_jobs()] == [found["id"]]


def settle(api: Api, services: Services, failed: str) -> None:
    """Let the machine and the schedule do what they do until nothing is left."""
    if failed and api.handlers.executions.executions[JOBS, failed].status == "RUNNING":
        api.handlers.executions.end(JOBS, failed, "FAILED", error="Lambda.Unknown")
    for _ in range(4):
        turns.sweep(services, cutouts(services.settings))
        api.run_jobs()
