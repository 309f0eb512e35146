"""The functions of lists do their work within their policies; see `test_calls`."""

from __future__ import annotations

import pytest

from tessera_cloud import keys
from tests.support.api import LISTS, store_of_cubes
from tests.support.builds import SETTINGS
from tests.support.bulk_machine import ALL, BulkWorld
from tests.support.handlers import sample_event
from tests.template.test_calls import PolicedHandlers, PolicedPort, PolicedStore


@pytest.fixture
def world() -> BulkWorld:
    handlers = PolicedHandlers(PolicedStore(objects=dict(store_of_cubes().objects)))
    world = BulkWorld(handlers)
    store = world.store
    assert isinstance(store, PolicedStore)
    ports = {"state": handlers.state, "executions": handlers.executions}
    vars(handlers.services).update({name: PolicedPort(port, store) for name, port in ports.items()})
    return world


def forget_sidecars(world: BulkWorld) -> None:
    for bucket, key in [place for place in world.store.objects if place[1].startswith(keys.SIDECARS)]:
        del world.store.objects[bucket, key]
    world.handlers.services.cubes.cubes.clear()


def test_a_list_may_be_worked_on_from_its_plan_to_its_manifest(world: BulkWorld) -> None:
    forget_sidecars(world)
    job = world.ask(ALL)

    assert world.run(job)["status"] == "succeeded"
    world.check_products(job)


def test_a_list_that_was_uploaded_may_be_read(world: BulkWorld) -> None:
    job = world.ask()
    key = SETTINGS.result_bucket, keys.bulk_order(job)
    order = world.store.objects[key].replace(b'"upload":""', b'"upload":"u1"')
    if b'"upload":"u1"' not in order:
        order = order.replace(b"{", b'{"upload":"u1",', 1)
    world.store.objects[key] = order
    world.store.objects[SETTINGS.result_bucket, keys.upload("u1")] = world.store.objects.pop(
        (SETTINGS.result_bucket, keys.bulk_list(job))
    )

    assert world.run(job)["status"] == "succeeded"


def test_what_another_plan_left_may_be_deleted_and_products_may_be_replaced(
    world: BulkWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera_cloud.application.results.PART_BYTES", 5_300_000)
    job = world.ask()
    world.run(job)
    plan = SETTINGS.result_bucket, keys.bulk_plan(job)
    world.store.objects[plan] = world.store.objects[plan].replace(b'"digest":"', b'"digest":"other')

    assert world.run(job, attempt=2)["status"] == "succeeded"
    world.check_products(job)


def test_a_list_that_failed_may_be_recorded_and_the_next_one_started(world: BulkWorld) -> None:
    job, other = world.ask(), world.ask(ALL)
    error = {"Error": "FatalError", "Cause": '{"errorMessage": "the disk is full", "errorType": "FatalError"}'}
    event = {"machine": LISTS, "queue": "lists", "job": job, "attempt": 1, "error": error}

    assert world.handlers.invoke("tend_bulk", event) == error
    assert world.record(job).outcome.reason == "the disk is full"  # type: ignore[union-attr]
    assert [name[:32] for _, name in world.handlers.executions.executions] == [job, other]
    assert world.handlers.invoke("tend_bulk", {"machine": LISTS, "queue": "lists"}) == {}


def test_a_pause_may_stop_a_list(world: BulkWorld) -> None:
    job = world.ask()
    world.handlers.invoke("limit_spending", sample_event("limit_spending"))

    (execution,) = world.handlers.executions.executions.values()
    assert execution.status == "ABORTED"
    world.handlers.invoke("tend_bulk", {"machine": LISTS, "queue": "lists"})
    assert world.record(job).outcome.reason == "the service was paused; ask again"  # type: ignore[union-attr]
