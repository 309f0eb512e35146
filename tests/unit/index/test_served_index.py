"""Which index answers requests: ours, MAST's where ours has gaps, and how often either is read."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from tessera.sky.footprint import sky_box
from tessera_cloud import keys
from tessera_cloud.application.caches import IndexCache
from tessera_cloud.application.index.footprint_index import FootprintIndex, publish
from tessera_cloud.application.index.served import parse_published, served_index, settle
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import BusyError, FatalError, TransientError
from tessera_cloud.settings import Settings
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import SETTINGS as BARE
from tests.support.paths import DATA

MAST = (DATA / "tess_ffi_footprints.json").read_bytes()
SOURCE = "stpubdata/tess/public/mast/"
PLACE = "tess/public/footprints/tess_ffi_footprint_cache.json"
SETTINGS = dataclasses.replace(BARE, cube_sources=(SOURCE,), published_footprints=f"stpubdata/{PLACE}")
REGION = "POLYGON 313.776747 -47.870851 310.091131 -36.701617 324.468200 -33.330300 330.129023 -44.413032"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore({("stpubdata", PLACE): MAST})


def cube(obs_id: str = "tess-s0001-1-1", **more: Any) -> PublishedCube:
    about: dict[str, Any] = {
        "obs_id": obs_id,
        "sequence_number": int(obs_id[6:-4]),
        "s_region": REGION,
        "t_min": 58324.8,
        "t_max": 58352.7,
        "n_cadences": 1282,
        "build_id": "0123456789ab",
        "bucket": SETTINGS.cube_bucket,
        "key": f"cubes/{obs_id[5:]}/0123456789ab/{obs_id}-cube.fits",
        "size": 45_000_000_000,
        "etag": "0123456789abcdef-700",
    }
    return PublishedCube(**about | more)


def from_source(obs_id: str) -> PublishedCube:
    return cube(obs_id, bucket="stpubdata", key=f"tess/public/mast/{obs_id}-cube.fits", build_id="")


def write_index(store: MemoryStore, *cubes: PublishedCube) -> None:
    store.write(SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX, FootprintIndex.of(cubes).to_json())


def serve(cache: IndexCache, store: MemoryStore, now: float = 0.0) -> FootprintIndex:
    return served_index(cache, store=store, settings=SETTINGS, now=now)


def test_before_any_index_masts_footprint_file_serves(store: MemoryStore) -> None:
    index = serve(IndexCache(), store)
    assert len(index.cubes) == 1280
    (first,) = index.find(sky_box(320.0, -40.0, 0, 0), frozenset({1}))
    assert (first.obs_id, first.bucket, first.key) == (
        "tess-s0001-1-1",
        "stpubdata",
        "tess/public/mast/tess-s0001-1-1-cube.fits",
    )
    assert (first.etag, first.size) == ("", 0)


def test_a_cube_of_our_own_does_not_hide_the_rest_of_the_sky(store: MemoryStore) -> None:
    publish(cube(), store=store)
    index = serve(IndexCache(), store)
    assert len(index.cubes) == 1280
    assert index.cubes[0] == cube()


def test_an_index_with_cubes_of_every_source_serves_alone(store: MemoryStore) -> None:
    write_index(store, cube(), from_source("tess-s0002-1-1"))
    assert [row.obs_id for row in serve(IndexCache(), store).cubes] == ["tess-s0001-1-1", "tess-s0002-1-1"]
    assert not any(bucket == "stpubdata" for _, bucket, _ in store.requests)


def test_without_a_published_file_there_is_our_index_alone() -> None:
    store = MemoryStore()
    assert serve(IndexCache(), store).cubes == ()
    publish(cube(), store=store)
    assert serve(IndexCache(), store).cubes == (cube(),)


@pytest.mark.parametrize("data", [b"", b"<html>maintenance</html>", b'{"obs_id": ["tess'])
def test_a_published_file_that_cannot_be_read_is_never_an_empty_sky(data: bytes) -> None:
    store = MemoryStore()
    store.write("stpubdata", PLACE, data)
    with pytest.raises(BusyError, match="MAST's list of footprints cannot be read"):
        serve(IndexCache(), store)


def test_the_published_file_of_before_serves_while_the_new_one_cannot_be_read(store: MemoryStore) -> None:
    cache = IndexCache()
    assert len(serve(cache, store).cubes) == 1280
    store.write("stpubdata", PLACE, b"<html>maintenance</html>")
    assert len(serve(cache, store, 3600.0).cubes) == 1280


# ---------------------------------------------------------------- how often


def test_within_a_minute_nothing_is_asked_again(store: MemoryStore) -> None:
    cache = IndexCache()
    first = serve(cache, store)
    store.requests.clear()
    assert serve(cache, store, 59.9) is first
    assert store.requests == []


def test_an_unchanged_index_is_headed_and_not_read(store: MemoryStore) -> None:
    write_index(store, from_source("tess-s0001-1-1"))
    cache = IndexCache()
    first = serve(cache, store)
    store.requests.clear()
    assert serve(cache, store, 60.0) is first
    assert store.requests == [
        ("head", SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX),
        ("read", SETTINGS.cube_bucket, keys.WITHDRAWN),
    ]


def test_a_changed_index_serves_after_a_minute(store: MemoryStore) -> None:
    write_index(store, from_source("tess-s0001-1-1"))
    cache = IndexCache()
    serve(cache, store)
    publish(cube("tess-s0002-1-1"), store=store)
    assert len(serve(cache, store, 59.0).cubes) == 1
    assert len(serve(cache, store, 61.0).cubes) == 2


def test_an_index_that_goes_away_leaves_masts_file(store: MemoryStore) -> None:
    write_index(store, from_source("tess-s0001-1-1"))
    cache = IndexCache()
    assert len(serve(cache, store).cubes) == 1
    store.delete(SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX)
    assert len(serve(cache, store, 60.0).cubes) == 1280


@pytest.mark.slow
def test_masts_file_is_read_every_quarter_of_an_hour(store: MemoryStore) -> None:
    cache = IndexCache()
    for minute in range(31):
        serve(cache, store, 60.0 * minute)
    assert store.requests.count(("read", "stpubdata", PLACE)) == 3


def test_an_older_index_serves_while_the_store_does_not_answer(store: MemoryStore) -> None:
    class Busy(MemoryStore):
        def head(self, bucket: str, key: str) -> Any:
            raise TransientError("503 SlowDown")

        def read(self, bucket: str, key: str) -> Any:
            raise TransientError("503 SlowDown")

    cache = IndexCache()
    first = serve(cache, store)
    assert serve(cache, Busy(), 60.0) is first
    with pytest.raises(TransientError):
        serve(IndexCache(), Busy())


# ---------------------------------------------------------------- MAST's file


def test_rows_of_tica_frames_lead_to_their_cubes() -> None:
    table = {
        "obs_id": ["hlsp_tica_s0027-cam1-ccd4", "hlsp_tica_s1751-cam2-ccd3"],
        "s_region": [REGION] * 2,
        "t_min": [59035.778] * 2,
        "t_max": [59060.139] * 2,
    }
    index = parse_published(json.dumps(table).encode(), SOURCE)
    assert [row.obs_id for row in index.cubes] == ["tica-s0027-1-4", "tica-s1751-2-3"]
    assert index.cubes[1].key == "tess/public/mast/tica/tica-s1751-2-3-cube.fits"


def test_rows_that_are_about_something_else_are_left_out() -> None:
    table = {
        "obs_id": ["tess-s0001-1-1", "hst_123", "tess-s0001-9-1"]
        + [f"tess-s{end}" for end in ("0001-1-2", "0001-1-3", "0001-1-4", "0000-1-1")],
        "s_region": [REGION, REGION, REGION, None, "CIRCLE 1 2 3", REGION.rsplit(" ", 2)[0], REGION],
        "t_min": [1.0] * 7,
        "t_max": [2.0] * 7,
    }
    assert [row.obs_id for row in parse_published(json.dumps(table).encode(), SOURCE).cubes] == ["tess-s0001-1-1"]


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b'{"obs_id": []}', b'{"obs_id": 1, "s_region": 2}'])
def test_another_file_is_refused_with_what_is_needed(data: bytes) -> None:
    with pytest.raises(FatalError, match="obs_id, s_region, t_min, t_max"):
        parse_published(data, SOURCE)


@pytest.mark.parametrize("written", ["stpubdata/tess/public/mast", "stpubdata/tess/public/mast/"])
def test_a_source_is_a_folder_with_or_without_a_slash(written: str) -> None:
    environ = {"TESSERA_FFI_BUCKET": "frames", "TESSERA_CUBE_BUCKET": "cubes", "TESSERA_RESULT_BUCKET": "results"}
    environ |= {"TESSERA_CUBE_SOURCES": f"mirror, {written}", "TESSERA_PUBLISHED_FOOTPRINTS": f"stpubdata/{PLACE}"}
    settings = Settings.from_env(environ)
    assert settings.cube_sources == ("mirror/", SOURCE)
    assert settings.public_buckets == {"mirror", "stpubdata"}
    first = parse_published(MAST, settings.cube_sources[1]).cubes[0]
    assert first.key == "tess/public/mast/tess-s0001-1-1-cube.fits"
    assert parse_published(MAST, settings.cube_sources[0]).cubes[0].key == "tess-s0001-1-1-cube.fits"


# ---------------------------------------------------------------- settling


def laid(store: MemoryStore, data: bytes = b"a cube") -> PublishedCube:
    """A row of MAST's file, and its cube."""
    row = serve(IndexCache(), store).cubes[0]
    store.write(row.bucket, row.key, data)
    return row


def heads(store: MemoryStore) -> int:
    return sum(operation == "head" for operation, _, _ in store.requests)


def test_a_published_row_is_settled_by_asking_for_the_cube(store: MemoryStore) -> None:
    row = laid(store)
    settled = settle(row, store, IndexCache(), 0.0)
    assert settled is not None
    assert (settled.size, settled.etag) == (6, store.head(row.bucket, row.key).etag)
    assert settled.model_copy(update={"size": 0, "etag": ""}) == row


def test_a_published_row_without_a_cube_is_none(store: MemoryStore) -> None:
    assert settle(serve(IndexCache(), store).cubes[0], store, IndexCache(), 0.0) is None


def test_a_cube_of_our_own_is_not_asked_for(store: MemoryStore) -> None:
    assert settle(cube(), store, IndexCache(), 0.0) == cube()
    assert store.requests == []


def test_a_cube_of_a_source_is_asked_for_every_ten_minutes(store: MemoryStore) -> None:
    row, cache = laid(store), IndexCache()
    store.requests.clear()
    for minute in range(25):
        assert settle(row, store, cache, 60.0 * minute) is not None
    assert heads(store) == 3


def test_a_cube_of_a_source_that_is_replaced_is_noticed_in_ten_minutes(store: MemoryStore) -> None:
    row, cache = laid(store), IndexCache()
    before = settle(row, store, cache, 0.0)
    laid(store, b"another cube")
    assert settle(row, store, cache, 599.0) == before
    after = settle(row, store, cache, 600.0)
    assert after is not None
    assert (after.size, after.etag) == (12, store.head(row.bucket, row.key).etag)


def test_a_cube_of_a_source_that_goes_is_noticed_in_ten_minutes(store: MemoryStore) -> None:
    row, cache = laid(store), IndexCache()
    settle(row, store, cache, 0.0)
    store.delete(row.bucket, row.key)
    store.requests.clear()
    assert settle(row, store, cache, 600.0) is None
    assert settle(row, store, cache, 601.0) is None
    assert heads(store) == 1


def test_an_indexed_cube_is_taken_as_it_was_while_the_store_does_not_answer() -> None:
    class Busy(MemoryStore):
        def head(self, bucket: str, key: str) -> Any:
            raise TransientError("503 SlowDown")

    row = from_source("tess-s0001-1-1")
    assert settle(row, Busy(), IndexCache(), 0.0) == row
    with pytest.raises(TransientError):
        settle(row.model_copy(update={"etag": ""}), Busy(), IndexCache(), 0.0)
