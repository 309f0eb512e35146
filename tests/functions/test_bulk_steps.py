"""The steps of a list, killed and repeated at any moment: nothing is missing, and nothing is made twice."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest

from tessera.bulk.plan.costs import Prices
from tessera_cloud import keys
from tessera_cloud.application.bulk.cubes import SeenCube
from tessera_cloud.application.bulk.order import BandTask
from tessera_cloud.application.bulk.price import terms_of
from tessera_cloud.application.bulk.status import list_state
from tessera_cloud.application.index.withdrawn import withdraw
from tessera_cloud.application.jobs.submit import cancel, job_status
from tessera_cloud.application.jobs.work import lists
from tessera_cloud.bootstrap import Services
from tessera_cloud.names import CubeId
from tessera_cloud.patience import Pace
from tessera_cloud.ports import ObjectInfo
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import store_of_cubes
from tests.support.builds import SETTINGS, at
from tests.support.bulk_machine import ALL, BULK_SETTINGS, CURVES, BulkWorld, a_list
from tests.support.handlers import Handlers


class KilledError(BaseException):
    """The process ended."""


@dataclass
class MortalStore(MemoryStore):
    """A store whose user is killed before its n-th request from now on."""

    left: int = -1

    def _note(self, operation: str, bucket: str, key: str) -> None:
        with self._lock:
            self.left -= 1
            if self.left == 0:
                raise KilledError
        super()._note(operation, bucket, key)


@pytest.fixture(scope="module")
def cubes() -> MemoryStore:
    return store_of_cubes()


def world_of(cubes: MemoryStore) -> BulkWorld:
    return BulkWorld(Handlers(MortalStore(objects=dict(cubes.objects))))


@pytest.fixture
def world(cubes: MemoryStore) -> BulkWorld:
    return world_of(cubes)


def insist(world: BulkWorld, step: Callable[[], Any], moments: list[int]) -> Any:
    """Take a step whose task is killed some times before one lives."""
    store = world.store
    assert isinstance(store, MortalStore)
    for moment in moments:
        store.left = moment
        try:
            return step()
        except KilledError:
            continue
    store.left = -1
    return step()


def result(world: BulkWorld, job: str) -> dict[str, bytes]:
    world.check_products(job)
    return world.products(job)


def counts(world: BulkWorld, job: str) -> tuple[int, int, int, int | None]:
    """Progress of a list: cutouts that were made, failed, and have no pixel on the frame; and all."""
    backend = world.handlers.services
    state = list_state(job_status(job, backend, lists(backend.settings)), backend)
    return state.done, state.failed, state.no_overlap, state.cutouts


@pytest.mark.parametrize("seed", [1])
def test_tasks_that_are_killed_at_random_moments_leave_the_products_of_a_calm_run(
    cubes: MemoryStore, seed: int
) -> None:
    calm, world, rng = world_of(cubes), world_of(cubes), random.Random(seed)
    wanted = calm.ask(ALL)
    calm.run(wanted)

    def moments() -> list[int]:
        return [rng.randrange(1, 25) for _ in range(3)]

    job = world.ask(ALL)
    items = insist(world, lambda: world.plan(job), moments())
    for item in items:
        insist(world, lambda item=item: world.handlers.invoke("cut_band", item), moments())  # type: ignore[misc]
    insist(world, lambda: world.finish(job), moments())

    assert job == wanted
    assert result(world, job) == result(calm, wanted)
    assert world.record(job).outcome == calm.record(wanted).outcome


def test_a_band_may_be_killed_before_each_of_its_requests(cubes: MemoryStore) -> None:
    world = world_of(cubes)
    job = world.ask()
    item = world.plan(job)[0]
    before = dict(world.store.objects)
    world.handlers.invoke("cut_band", item)
    after = dict(world.store.objects)
    world.store.objects.clear()
    world.store.objects.update(before)
    world.store.requests.clear()
    world.handlers.invoke("cut_band", item)
    n_requests = len(world.store.requests)
    assert n_requests > 5
    for moment in range(1, n_requests + 1):
        world.store.objects.clear()
        world.store.objects.update(before)
        insist(world, lambda: world.handlers.invoke("cut_band", item), [moment])
        assert world.store.objects == after


def test_a_band_with_a_record_reads_nothing_again(world: BulkWorld) -> None:
    job = world.ask()
    items = world.plan(job)
    world.handlers.invoke("cut_band", items[0])
    world.store.requests.clear()

    assert world.handlers.invoke("cut_band", items[0]) == {"made": 4}
    assert [operation for operation, _, _ in world.store.requests] == ["read"]


def test_two_attempts_at_once_make_the_products_of_one(cubes: MemoryStore, world: BulkWorld) -> None:
    alone = world_of(cubes)
    alone.run(alone.ask())
    job = world.ask()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda attempt: world.run(job, attempt), (1, 2)))

    assert result(world, job) == result(alone, job)


def test_a_list_that_is_finished_without_some_bands_says_which_rows_it_lacks(world: BulkWorld) -> None:
    job = world.ask()
    items = world.plan(job)
    world.handlers.invoke("cut_band", items[1])
    outcome = world.finish(job)

    assert (outcome["status"], outcome["n_succeeded"], outcome["n_failed"]) == ("partial", 4, 4)
    assert keys.bulk_status(job, 0) not in {key for _, key in world.store.objects}  # a late task may write it
    lost = [status for status in world.statuses(job) if status.cube == items[0]["cube"]["obs_id"]]
    assert [(status.row, status.status) for status in lost] == [(row, "error") for row in range(1, 5)]
    world.check_products(job)


def test_a_list_that_was_cancelled_goes_on_where_it_was(world: BulkWorld) -> None:
    job = world.ask()
    world.handlers.invoke("cut_band", world.plan(job)[0])
    backend = world.handlers.services
    cancel(job, "t", backend, lists(backend.settings))
    assert [each.status for each in world.handlers.executions.executions.values()] == ["ABORTED"]
    world.finish(job)
    assert world.record(job).ended == "cancelled"

    assert world.ask() == job
    items = world.plan(job, attempt=2)
    world.store.requests.clear()
    for item in items:
        world.handlers.invoke("cut_band", item)
    read = {key for operation, _, key in world.store.requests if operation == "read_range"}
    assert read == {items[1]["cube"]["key"]}
    assert world.finish(job, attempt=2)["status"] == "succeeded"
    assert world.record(job).ended == "succeeded"


@dataclass(frozen=True)
class TimedServices(Services):
    """Services whose paces have a clock that stands still, and which are kept."""

    paces: list[Pace] = field(default_factory=list)

    def pace_of(self, rate: float) -> Pace:
        """Pace at a rate, which never waits."""
        self.paces.append(Pace(rate, clock=lambda: 0.0, sleep=lambda _seconds: None))
        return self.paces[-1]


@pytest.mark.parametrize("public", [True, False])
def test_reads_of_a_public_bucket_keep_to_the_pace_of_the_task_and_others_do_not(
    cubes: MemoryStore, *, public: bool
) -> None:
    world = world_of(cubes)
    job = world.ask()
    items = world.plan(job)
    known = {each.name: getattr(world.handlers.services, each.name) for each in fields(world.handlers.services)}
    bucket = items[0]["cube"]["bucket"]
    sources = (f"{bucket}/cubes/",) if public else ()
    known["settings"] = replace(
        known["settings"], cube_sources=sources, cube_bucket=f"our-{bucket}" if public else bucket
    )
    services = TimedServices(**known)
    for (other, key), data in list(world.store.objects.items()):
        if other == bucket:
            world.store.objects[f"our-{bucket}", key] = data
    world.handlers.services = services

    assert world.handlers.invoke("cut_band", items[0]) == {"made": 4}
    rate = BULK_SETTINGS.max_gets_per_second / len(items)
    assert [(pace.rate, pace.requests) for pace in services.paces] == ([(rate, 1)] if public else [])


def test_a_list_makes_no_more_cutouts_than_its_status_table_has_room_for(
    world: BulkWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera_cloud.application.bulk.price.MOST_LINES", 6)
    job = world.ask(ALL)
    answer = world.handlers.invoke("plan_bulk", {"job": job, "attempt": 1})

    assert re.fullmatch(r"number of cutouts of the list is \d+; allowed: at most 2; .*", answer["refused"])
    assert answer["n_bands"] == 0


def test_a_target_whose_aperture_is_beside_the_frame_is_no_failure(world: BulkWorld) -> None:
    job = world.ask(data=a_list([(20.3, 14.2), (-2.4, 14.2)]))
    outcome = world.run(job)

    assert (outcome["status"], outcome["n_succeeded"], outcome["n_failed"]) == ("succeeded", 2, 0)
    assert {(each.row, each.status) for each in world.statuses(job)} == {(1, "ok"), (2, "no overlap")}
    assert counts(world, job) == (2, 0, 2, 4)


def test_rows_are_done_when_all_their_cubes_are(world: BulkWorld) -> None:
    backend = world.handlers.services

    def rows_done() -> int:
        return list_state(job_status(job, backend, lists(backend.settings)), backend).rows_done

    job = world.ask(data=a_list([(20.3, 14.2), (21.3, 14.2), (22.3, 14.2)]) + b"no position,,\nsouth,10,10\n")
    assert rows_done() == 0
    first, second = world.plan(job)
    assert rows_done() == 2
    world.handlers.invoke("cut_band", first)
    assert rows_done() == 3
    world.handlers.invoke("cut_band", second)
    assert rows_done() == 5
    world.finish(job)
    assert rows_done() == 5


def test_a_cube_that_is_replaced_after_the_plan_costs_its_rows_and_is_planned_again(world: BulkWorld) -> None:
    job = world.ask()
    items = world.plan(job)
    cube = items[0]["cube"]
    place = cube["bucket"], cube["key"]
    before = world.store.objects[place]
    world.store.objects[place] = before[:-1] + b"\x01"
    for item in items:
        world.handlers.invoke("cut_band", item)

    assert world.finish(job)["status"] == "partial"
    reasons = {status.reason for status in world.statuses(job) if status.cube == cube["obs_id"]}
    assert reasons == {"the cube was replaced or removed after the list was planned; ask for the list again"}
    world.store.objects[place] = before
    assert world.run(job, attempt=2)["status"] == "succeeded"
    world.check_products(job)


def test_a_cube_that_cannot_be_opened_is_a_reason_for_its_rows(world: BulkWorld) -> None:
    for bucket, key in list(world.store.objects):
        if key.startswith(keys.SIDECARS):
            del world.store.objects[bucket, key]
        elif "s0002" in key and key.endswith("cube.fits"):
            world.store.objects[bucket, key] = b"broken"
    job = world.ask()
    outcome = world.run(job)

    assert (outcome["status"], outcome["n_succeeded"], outcome["n_failed"]) == ("partial", 4, 4)
    assert counts(world, job) == (4, 4, 0, 8)
    broken = [status for status in world.statuses(job) if status.cube == "tess-s0002-4-2"]
    assert [(status.row, status.status) for status in broken] == [(row, "error") for row in range(1, 5)]
    assert all(status.reason.startswith("the cube cannot be read: ") for status in broken)


def test_a_withdrawn_cube_is_not_read(world: BulkWorld) -> None:
    job = world.ask()
    items = world.plan(job)
    cube = CubeId.parse("tess-s0001-4-2")
    world.handlers.clock = at(1)
    withdraw(cube, "", store=world.store, bucket=SETTINGS.cube_bucket, now=world.handlers.now().timestamp())
    for item in items:
        world.handlers.invoke("cut_band", item)

    assert world.finish(job)["status"] == "partial"
    assert {each.reason for each in world.statuses(job) if each.status == "error"} == {"the cube was withdrawn"}


def test_targets_of_a_cube_that_is_read_and_that_cannot_be_made_are_a_reason(world: BulkWorld) -> None:
    job = world.ask()
    for item in world.plan(job):
        world.handlers.invoke("cut_band", item)
    place = SETTINGS.result_bucket, keys.bulk_record(job, 0)
    record = json.loads(world.store.objects[place]) | {"n_ok": 3, "n_failed": 1}
    world.store.objects[place] = json.dumps(record).encode()
    outcome = world.finish(job)

    assert (outcome["status"], outcome["reason"]) == (
        "partial",
        "cutouts that could not be made: 1; status.csv has the reasons",
    )


@pytest.mark.parametrize(("hours", "made"), [(20, 1), (30, 2)])
def test_products_that_would_be_deleted_before_the_others_are_made_again(
    world: BulkWorld, hours: float, made: int
) -> None:
    job = world.ask()
    world.handlers.invoke("cut_band", world.plan(job)[0])
    world.finish(job)
    world.handlers.clock = at(hours)
    assert world.run(job, attempt=2)["status"] == "succeeded"
    now = world.handlers.now().timestamp()
    times = [time for (_, key), time in world.store.written.items() if "Npix" in key]
    assert times.count(now) == made


def test_requests_for_cubes_of_ours_have_a_price(world: BulkWorld) -> None:
    cubes = [SeenCube(BandTask.model_validate(item).cube, None) for item in world.plan(world.ask())]
    public = replace(BULK_SETTINGS, cube_sources=(cubes[0].published.bucket,), cube_bucket="ours")
    ours = replace(cubes[1], published=cubes[1].published.model_copy(update={"bucket": "ours"}))

    prices = [terms_of(public, CURVES, seen).costs.usd_per_request for seen in (cubes, [cubes[0], ours])]
    assert prices == [0.0, Prices().get]


@dataclass
class HastyStore(MemoryStore):
    """A store in which somebody replaces each list as soon as its size was read."""

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """See `MemoryStore.head`."""
        found = super().head(bucket, key)
        if key.endswith("/list"):
            self.objects[bucket, key] = b"ra,dec\n1,1\n"
        return found


def test_a_list_that_is_replaced_while_it_is_read_is_refused_in_a_sentence(cubes: MemoryStore) -> None:
    world = BulkWorld(Handlers(HastyStore(objects=dict(cubes.objects))))
    answer = world.handlers.invoke("plan_bulk", {"job": world.ask(), "attempt": 1})

    assert answer["refused"] == "the uploaded list was replaced after it was asked for; ask for it again"


def test_a_list_of_too_many_files_is_refused(world: BulkWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.bulk.price.MOST_FILES", 8)
    answer = world.handlers.invoke("plan_bulk", {"job": world.ask(replace(ALL, packing="files")), "attempt": 1})

    assert "result_files is 24; allowed: at most 8" in answer["refused"]


def test_what_another_plan_of_the_list_left_is_deleted(world: BulkWorld) -> None:
    job = world.ask()
    world.run(job)
    first = set(world.products(job))
    for bucket, key in list(world.store.objects):
        if "s0001" in key and key.endswith("cube.fits"):
            del world.store.objects[bucket, key]
    world.handlers.services.cubes.sights.clear()
    world.handlers.services.index.doubted = world.handlers.now().timestamp()
    outcome = world.run(job, attempt=2)

    assert outcome["n_succeeded"] == 4
    world.check_products(job)
    assert set(world.products(job)) != first
