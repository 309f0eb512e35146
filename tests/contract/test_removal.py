"""Records are removed in memory as in a table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tessera_cloud.adapters.dynamodb import DynamoDbState
from tessera_cloud.ports import StateStore
from tessera_cloud.testing.memory_state import MemoryState
from tests.contract.test_control import TABLE, dynamodb


@pytest.fixture(params=["memory", "dynamodb"])
def state(request: pytest.FixtureRequest) -> Iterator[StateStore]:
    if request.param == "memory":
        yield MemoryState()
        return
    with mock_aws():
        yield DynamoDbState(dynamodb("https://dynamodb.us-east-1.amazonaws.com"), TABLE)


def test_a_record_is_removed_only_as_it_was_read(state: StateStore) -> None:
    state.put("ccd", "a", {"n": 1}, over=0)
    item = state.get("ccd", "a")
    assert item is not None
    state.put("ccd", "a", {"n": 2}, over=1)
    state.remove(item)
    changed = state.get("ccd", "a")
    assert changed is not None
    assert changed.value == {"n": 2}
    state.remove(changed)
    state.remove(changed)
    assert state.get("ccd", "a") is None
    assert state.put("ccd", "a", {}, over=0) == 1
