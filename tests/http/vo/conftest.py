"""An API with small cubes and datasets of images in it."""

from __future__ import annotations

import pytest

from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import Api
from tests.support.image_service import IMAGE_SETTINGS


@pytest.fixture(scope="session")
def everything(filled: MemoryStore, images: MemoryStore) -> Api:
    """Cubes of three CCDs, and four datasets of images. Tests change nothing in it."""
    return Api(MemoryStore(objects=filled.objects | images.objects), IMAGE_SETTINGS)
