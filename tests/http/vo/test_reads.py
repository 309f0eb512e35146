"""What the protocols of the Virtual Observatory read of the indexes: each one at most once."""

from __future__ import annotations

from collections import Counter

import pytest

from tessera_cloud import keys
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, Api
from tests.support.image_service import IMAGE_SETTINGS, MOSAIC

CUBES = {keys.FOOTPRINT_INDEX, keys.WITHDRAWN}
IMAGES = {keys.DATASETS, *(keys.dataset_index(name) for name in ("sdss", "2mass", "hst", "roman"))}
CUBE = "ID=tess-s0001-4-2"
IMAGE = f"ID=ivo://tessera/images/hst?images/files/{MOSAIC}"


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("/sia2/query", CUBES | IMAGES),
        ("/sia2/query?DPTYPE=cube", CUBES),
        ("/sia2/query?TIME=58324.85", CUBES),
        ("/sia2/query?COLLECTION=hst", IMAGES),
        ("/sia2/query?MAXREC=0", set()),
        (f"/datalink/links?{CUBE}&ID=tess-s0002-4-2", CUBES),
        (f"/datalink/links?{IMAGE}&{CUBE}", CUBES | IMAGES),
        (f"/soda/sync?{CUBE}&CIRCLE=88.95+-75.39+0.01", CUBES),
        (f"/soda/sync?{IMAGE}&CIRCLE=266.4+-28.93+0.01", IMAGES),
    ],
)
def test_a_first_request_reads_each_index_that_it_needs_once_and_the_next_one_none(
    filled: MemoryStore, images: MemoryStore, target: str, wanted: set[str]
) -> None:
    api = Api(MemoryStore(objects=filled.objects | images.objects), IMAGE_SETTINGS)

    def reads() -> Counter[str]:
        api.store.requests.clear()
        answer = api.request("GET", target)
        assert answer.status == 200, answer.content
        read = [key for _, bucket, key in api.store.requests if bucket == API_SETTINGS.cube_bucket]
        return Counter(key for key in read if key in CUBES | IMAGES)

    assert reads() == dict.fromkeys(wanted, 1)
    assert reads() == {}
