"""An API with small cubes in it."""

from __future__ import annotations

import copy

import pytest

from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import Api, store_of_cubes
from tests.support.image_service import image_api


@pytest.fixture(scope="session")
def filled() -> MemoryStore:
    return store_of_cubes(tica=True)


@pytest.fixture(scope="session")
def images() -> MemoryStore:
    """Datasets of images, with their indexes."""
    return image_api().store


@pytest.fixture
def api(filled: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr("tessera_cloud.http.cutouts.wait_routes.WAIT_SECONDS", 0.0)
    return Api(MemoryStore(objects=copy.copy(filled.objects)))
