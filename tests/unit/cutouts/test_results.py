"""Answers on their way out: small ones stay in memory, large ones go out part by part, failed ones leave nothing."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from tessera import __version__
from tessera_cloud.application.results import INLINE_LIMIT, PART_BYTES, ResultWriter, order_id
from tessera_cloud.errors import TransientError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.same_bytes import assert_same_bytes

BUCKET, KEY = "results", "results/answer.zip"


def noise(n_bytes: int) -> bytes:
    return np.random.default_rng(n_bytes).bytes(n_bytes)


def test_a_small_answer_is_given_back_and_nothing_is_stored() -> None:
    store = MemoryStore()
    with ResultWriter(store, BUCKET, KEY) as out:
        out.write(noise(1000))
        assert out.finish() == noise(1000)
    assert not store.requests


@pytest.mark.parametrize("n_bytes", [INLINE_LIMIT + 1, PART_BYTES, 2 * PART_BYTES + 12_345])
@pytest.mark.parametrize("step", [700_000, 50_000_000])
def test_a_large_answer_becomes_an_object(n_bytes: int, step: int) -> None:
    store, content = MemoryStore(), noise(n_bytes)
    with ResultWriter(store, BUCKET, KEY) as out:
        for start in range(0, n_bytes, step):
            out.write(content[start : start + step])
        assert out.finish() is None
    assert_same_bytes(store.objects[BUCKET, KEY], content)
    assert not store.uploads


def test_a_large_answer_that_is_there_already_stays() -> None:
    store = MemoryStore()
    for _ in range(2):
        with ResultWriter(store, BUCKET, KEY) as out:
            out.write(noise(PART_BYTES + 1))
            assert out.finish() is None
    assert_same_bytes(store.objects[BUCKET, KEY], noise(PART_BYTES + 1))
    assert not store.uploads


def fail_in_the_middle(store: MemoryStore) -> None:
    with ResultWriter(store, BUCKET, KEY) as out:
        out.write(noise(PART_BYTES + 1))
        raise RuntimeError("broken")


def test_an_answer_that_fails_leaves_nothing_behind() -> None:
    store = MemoryStore()
    with pytest.raises(RuntimeError, match="broken"):
        fail_in_the_middle(store)
    assert not store.uploads
    assert not store.objects


class FullStore(MemoryStore):
    """A store that takes one part."""

    def upload_part(self, bucket: str, key: str, upload_id: str, number: int, data: Any) -> str:
        if number > 1:
            raise TransientError("503 SlowDown")
        return super().upload_part(bucket, key, upload_id, number, data)


@pytest.mark.parametrize("n_parts", [2, 3])
def test_a_part_that_fails_under_way_fails_the_answer(n_parts: int) -> None:
    store = FullStore()

    def write() -> None:
        with ResultWriter(store, BUCKET, KEY) as out:
            out.write(noise(n_parts * PART_BYTES))
            out.keep()

    with pytest.raises(TransientError):
        write()
    assert not store.uploads
    assert not store.objects


def test_an_order_id_is_the_hash_of_the_version_and_of_canonical_json() -> None:
    text = f'["{__version__}", {{"a": 1, "b": [2, "c"]}}, "x"]'
    assert order_id({"b": (2, "c"), "a": 1}, "x") == hashlib.sha256(text.encode()).hexdigest()[:32]
    assert order_id({"b": (2, "c"), "a": 1}, "y") != order_id({"b": (2, "c"), "a": 1}, "x")
