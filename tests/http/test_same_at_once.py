"""The same cutouts wanted many times at once: one request makes them, and the others wait for them or find them."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tessera_cloud import keys
from tessera_cloud.application import results
from tessera_cloud.application.cutouts import claims
from tessera_cloud.application.cutouts.answer import CutoutAnswer, answer_now
from tessera_cloud.application.cutouts.fixed import Position
from tessera_cloud.application.cutouts.options import CutoutOptions, Size
from tessera_cloud.application.cutouts.order import CutoutOrder, place_order
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.errors import BusyError, TransientError
from tessera_cloud.ports import Buffer
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, DEC, RA, Api
from tests.support.builds import SETTINGS

MANY = 24


class Slow(MemoryStore):
    """Store whose cubes take a while to read."""

    def read_range(self, *args: Any, **more: Any) -> Buffer:
        time.sleep(0.02)
        return super().read_range(*args, **more)

    @property
    def n_reads(self) -> int:
        return sum(operation == "read_range" for operation, _, _ in self.requests)


@pytest.fixture
def store(filled: MemoryStore) -> Slow:
    return Slow(objects=copy.copy(filled.objects))


def _services(store: MemoryStore) -> Any:
    """Ports and caches of one more process."""
    return Api(store, API_SETTINGS).handlers.services


def order(services: Any, side: int = 3) -> CutoutOrder:
    target = Position(ra=RA, dec=DEC, size=Size(rows=side, columns=side))
    return place_order(CutoutRequest(target=target, options=CutoutOptions(sectors=(1,))), services)


def at_once(makers: list[Callable[[], CutoutAnswer]]) -> list[CutoutAnswer]:
    ready = threading.Barrier(len(makers))

    def run(make: Callable[[], CutoutAnswer]) -> CutoutAnswer:
        ready.wait()
        return make()

    with ThreadPoolExecutor(len(makers)) as pool:
        return list(pool.map(run, makers))


def test_in_one_process_the_first_makes_a_small_answer_and_the_others_get_it(store: Slow) -> None:
    services = _services(store)
    wanted = order(services)
    once = answer_now(wanted, _services(store))
    reads, store.requests[:] = store.n_reads, []
    answers = at_once([lambda: answer_now(wanted, services, time.sleep)] * MANY)
    assert {answer.data for answer in answers} == {once.data}
    assert sum(not answer.cached for answer in answers) == 1
    assert store.n_reads <= reads


def test_across_processes_the_first_makes_a_large_answer_and_the_others_find_it(
    store: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "INLINE_LIMIT", 100)
    monkeypatch.setattr(claims, "_POLL_SECONDS", 0.02)
    processes = [_services(store) for _ in range(6)]
    wanted = order(processes[0])
    answers = at_once([lambda each=each: answer_now(wanted, each, time.sleep) for each in processes * 4])  # type: ignore[misc] # the default binds
    assert {answer.key for answer in answers} == {keys.result(wanted.id)}
    assert sum(not answer.cached for answer in answers) == 1
    assert (SETTINGS.result_bucket, keys.result(wanted.id)) in store.objects


def test_an_archive_that_turns_out_small_is_found_too(store: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _services(store), _services(store)
    wanted = order(first)
    monkeypatch.setattr(type(wanted), "n_bytes", results.INLINE_LIMIT + 1)
    made = answer_now(wanted, first, time.sleep)
    assert made.data == store.objects[SETTINGS.result_bucket, keys.result(wanted.id)]
    assert answer_now(wanted, second, time.sleep) == CutoutAnswer(key=keys.result(wanted.id), cached=True)


def test_who_dies_or_fails_blocks_nobody_for_long(store: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "INLINE_LIMIT", 100)
    services = _services(store)
    wanted = order(services)
    claim = SETTINGS.result_bucket, keys.claim(wanted.id)
    now = services.now().timestamp()
    store.objects[claim] = repr(now - 1).encode()
    slept: list[float] = []
    with pytest.raises(BusyError, match="the same cutouts are being made"):
        answer_now(wanted, services, slept.append)
    assert sum(slept) == pytest.approx(claims.WAIT_SECONDS)
    store.objects[claim] = repr(now - claims.CLAIM_SECONDS).encode()
    monkeypatch.setattr(store, "read_range", _fail)
    with pytest.raises(TransientError):
        answer_now(wanted, services, slept.append)
    monkeypatch.undo()
    monkeypatch.setattr(results, "INLINE_LIMIT", 100)
    assert answer_now(wanted, services, _never).key == keys.result(wanted.id)


def _fail(*_: Any, **__: Any) -> Any:
    raise TransientError("the store is away")


def _never(_: float) -> None:
    raise AssertionError("nobody is waited for")


def test_small_answers_are_forgotten_when_there_are_too_many(store: Slow) -> None:
    services = _services(store)
    services.answers._most_bytes = 8000
    orders = [order(services, side) for side in (1, 2, 3)]
    for wanted in orders:
        answer_now(wanted, services)
    assert [answer_now(wanted, services).cached for wanted in reversed(orders)] == [True, False, False]
    assert not services.answers._making


def test_a_large_answer_that_nobody_makes_yet_costs_two_requests_beside_its_pixels(
    store: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "INLINE_LIMIT", 100)
    services = _services(store)
    wanted = order(services)
    store.requests.clear()
    answer_now(wanted, services, _never)
    key = keys.result(wanted.id)
    asked = [(operation, name) for operation, bucket, name in store.requests if bucket == SETTINGS.result_bucket]
    assert asked == [("write", keys.claim(wanted.id)), ("write", key)]
    store.requests.clear()
    assert answer_now(wanted, _services(store), _never).cached
    assert [asked for asked in store.requests if asked[0] == "head"] == [("head", SETTINGS.result_bucket, key)]
    assert store.n_reads == 0


@pytest.mark.parametrize("claim", [b"0", b"damaged"])
def test_a_claim_that_was_given_up_or_damaged_holds_nobody(
    store: Slow, monkeypatch: pytest.MonkeyPatch, claim: bytes
) -> None:
    monkeypatch.setattr(results, "INLINE_LIMIT", 100)
    services = _services(store)
    wanted = order(services)
    store.objects[SETTINGS.result_bucket, keys.claim(wanted.id)] = claim
    assert not answer_now(wanted, services, _never).cached
