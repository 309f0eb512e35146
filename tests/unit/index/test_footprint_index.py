"""The FootprintIndex workflow: what is listed, what is read, what the index says, and what it does not forget."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from tessera.cubes.reader import Cube
from tessera.sky.footprint import Footprint
from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import FootprintIndex, publish, read_index
from tessera_cloud.application.index.list_cubes import find_cubes
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import TransientError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import put_frames, run_build
from tests.support.frames import tiny_sector, tiny_times
from tests.support.sources import (
    BUCKET,
    PREFIX,
    SETTINGS,
    SOURCE,
    key,
    ordered,
    put_cube,
    reads_of_sources,
    rows,
    run_index,
    small_cube,
    small_tica_cube,
    two_cubes,
)

OWN = SETTINGS.cube_bucket


@pytest.fixture
def store() -> MemoryStore:
    return two_cubes()


def build_own(store: MemoryStore, n_frames: int = 5) -> PublishedCube:
    """A cube of sector 1, camera 4, CCD 2 of our own, published."""
    put_frames(store, tiny_sector(n_frames))
    return run_build(store)


# ---------------------------------------------------------------- what the index says


def test_cubes_of_the_source_are_indexed(store: MemoryStore) -> None:
    summary = run_index(store)
    row = rows(store)["tess-s0001-4-2"]
    assert (summary.cubes, summary.read, summary.own, summary.failed) == (2, 2, 0, 0)
    assert (row.bucket, row.key, row.sequence_number) == (BUCKET, key("tess-s0001-4-2"), 1)
    assert (row.size, row.etag) == (len(small_cube()), store.head(BUCKET, key("tess-s0001-4-2")).etag)
    assert row.n_cadences == 5
    assert row.t_min == pytest.approx(tiny_times(0)[0] + 56999.5 - 69.184 / 86400, rel=0, abs=1e-9)
    assert row.t_max == pytest.approx(tiny_times(4)[1] + 56999.5 - 69.184 / 86400, rel=0, abs=1e-9)


def test_a_row_read_from_a_cube_is_that_of_its_build(store: MemoryStore) -> None:
    run_index(store)
    read, built = rows(store)["tess-s0001-4-2"], build_own(MemoryStore())
    same = {"s_region", "t_min", "t_max", "n_cadences", "size", "etag", "sequence_number"}
    assert read.model_dump(include=same) == built.model_dump(include=same)


def test_the_index_has_masts_columns(store: MemoryStore) -> None:
    run_index(store)
    table = json.loads(store.objects[OWN, keys.FOOTPRINT_INDEX])
    assert {"obs_id", "t_min", "t_max", "s_region", "target_name", "sequence_number"} <= table.keys()
    assert {len(column) for column in table.values()} == {2}
    assert table["target_name"] == ["TESS FFI"] * 2


def test_every_cube_gets_its_sidecar(store: MemoryStore) -> None:
    run_index(store)
    for row in rows(store).values():
        cube = Cube.from_sidecar(store.objects[OWN, keys.sidecar(row.etag)])
        assert (cube.obs_id, cube.layout.n_cadences) == (row.obs_id, row.n_cadences)


def test_cubes_of_tica_frames_and_of_long_sector_numbers_are_indexed() -> None:
    store = MemoryStore()
    store.write(BUCKET, f"{PREFIX}tica/tica-s0027-1-4-cube.fits", small_tica_cube())
    put_cube(store, "tess-s1751-2-3", small_cube(2, 3))
    put_cube(store, "tess-s12345-2-3", small_cube(2, 3, 6))
    run_index(store)
    index = read_index(store, OWN)[0]
    assert [(row.obs_id, row.sequence_number) for row in index.cubes] == [
        ("tess-s12345-2-3", 12345),
        ("tess-s1751-2-3", 1751),
        ("tica-s0027-1-4", 27),
    ]
    region = Footprint.parse_s_region(index.cubes[1].s_region)
    assert [row.obs_id for row in index.find(region, frozenset({1751}))] == ["tess-s1751-2-3"]
    assert [row.obs_id for row in index.find(Footprint.parse_s_region(index.cubes[2].s_region), product="TICA")] == [
        "tica-s0027-1-4"
    ]


def test_other_objects_of_the_source_are_passed_over(store: MemoryStore) -> None:
    for name in ("readme.txt", "tess-s0001-5-1-cube.fits", "tess-s01-1-1-cube.fits", "tess-s0001-1-1-cube.fits.md5"):
        store.write(BUCKET, PREFIX + name, b"x")
    store.write(BUCKET, "tess/public/ffi/tess-s0001-1-2-cube.fits", b"x")
    assert [cube.obs_id for cube in find_cubes(store, [SOURCE]).cubes] == ["tess-s0001-1-1", "tess-s0001-4-2"]


def test_the_first_source_and_the_shortest_path_win(store: MemoryStore) -> None:
    store.write(BUCKET, f"{PREFIX}old/tess-s0001-1-1-cube.fits", b"x")
    store.write("mirror", "tess-s0001-4-2-cube.fits", b"x")
    listing = find_cubes(store, [SOURCE, "mirror/"])
    assert [(cube.bucket, cube.key) for cube in listing.cubes] == [
        (BUCKET, key("tess-s0001-1-1")),
        (BUCKET, key("tess-s0001-4-2")),
    ]
    assert listing.ignored == (f"{SOURCE}old/tess-s0001-1-1-cube.fits", "mirror/tess-s0001-4-2-cube.fits")


# ---------------------------------------------------------------- reading no more than is new


def test_nothing_is_read_again_while_nothing_changes(store: MemoryStore) -> None:
    run_index(store)
    assert len(reads_of_sources(store)) == 4
    before = store.objects[OWN, keys.FOOTPRINT_INDEX]
    store.requests.clear()
    summary = run_index(store, "run-2")
    assert (summary.kept, summary.read) == (2, 0)
    assert reads_of_sources(store) == []
    assert ("write", OWN, keys.FOOTPRINT_INDEX) not in store.requests
    assert store.objects[OWN, keys.FOOTPRINT_INDEX] == before


def test_a_replaced_cube_alone_is_read_again(store: MemoryStore) -> None:
    run_index(store)
    etag = put_cube(store, "tess-s0001-1-1", small_cube(1, 1, 7))
    store.requests.clear()
    summary = run_index(store, "run-2")
    assert (summary.kept, summary.read) == (1, 1)
    assert {name for _, _, name in reads_of_sources(store)} == {key("tess-s0001-1-1")}
    assert (rows(store)["tess-s0001-1-1"].etag, rows(store)["tess-s0001-1-1"].n_cadences) == (etag, 7)


def test_a_new_cube_alone_is_read(store: MemoryStore) -> None:
    run_index(store)
    put_cube(store, "tess-s0002-1-1", small_cube(1, 1, 5, 2))
    assert ordered(store, "run-2")[1] == ["tess-s0002-1-1"]


def test_a_lost_index_comes_back_from_the_sidecars(store: MemoryStore) -> None:
    run_index(store)
    before = store.objects.pop((OWN, keys.FOOTPRINT_INDEX))
    store.requests.clear()
    run_index(store, "run-2")
    assert store.objects[OWN, keys.FOOTPRINT_INDEX] == before
    assert reads_of_sources(store) == []


def test_a_lost_sidecar_comes_back(store: MemoryStore) -> None:
    run_index(store)
    sidecar = keys.sidecar(rows(store)["tess-s0001-1-1"].etag)
    before = store.objects.pop((OWN, sidecar))
    assert ordered(store, "run-2")[1] == ["tess-s0001-1-1"]
    run_index(store, "run-3")
    assert Cube.from_sidecar(store.objects[OWN, sidecar]).series.keys() == Cube.from_sidecar(before).series.keys()


def test_headers_and_table_are_read_and_no_pixels() -> None:
    store = MemoryStore()
    put_cube(store, "tess-s0001-4-2", small_cube(n_frames=40))
    asked: list[tuple[int, int]] = []

    class Watched(MemoryStore):
        def read_range(self, bucket: str, key: str, start: int, length: int, etag: Any = None, **more: Any) -> Any:
            asked.append((start, length))
            return super().read_range(bucket, key, start, length, etag, **more)

    run_index(Watched(store.objects))
    data = small_cube(n_frames=40)
    table = data.index(b"XTENSION= 'BINTABLE'")
    assert asked == [(0, 12 * 2880), (table, len(data) - table)]


# ---------------------------------------------------------------- our own cubes


def test_a_cube_of_our_own_wins_over_that_of_the_source(store: MemoryStore) -> None:
    run_index(store)
    own = build_own(store, 6)
    summary = run_index(store, "run-2")
    assert (summary.cubes, summary.own, summary.kept, summary.removed) == (2, 1, 1, 0)
    assert rows(store)["tess-s0001-4-2"] == own


def test_the_source_serves_again_when_our_own_cube_is_gone(store: MemoryStore) -> None:
    own = build_own(store, 6)
    run_index(store)
    assert rows(store)["tess-s0001-4-2"] == own
    store.delete(OWN, keys.current(own.cube_id))
    run_index(store, "run-2")
    assert rows(store)["tess-s0001-4-2"].bucket == BUCKET


def test_our_own_cubes_come_back_into_a_lost_index(store: MemoryStore) -> None:
    own = build_own(store, 6)
    del store.objects[OWN, keys.FOOTPRINT_INDEX]
    summary = run_index(store)
    assert (summary.own, summary.read) == (1, 1)
    assert rows(store)["tess-s0001-4-2"] == own
    assert (OWN, keys.sidecar(own.etag)) in store.objects


def test_a_pointer_that_leads_nowhere_is_told_and_the_source_serves(store: MemoryStore) -> None:
    own = build_own(store, 6)
    store.delete(OWN, own.key)
    store.write(OWN, "cubes/s0099-1-1/current.json", b"{}")
    summary = run_index(store)
    assert {failure.obs_id for failure in summary.failures} == {"tess-s0001-4-2", "s0099-1-1"}
    assert any("gone" in failure.reason for failure in summary.failures)
    assert rows(store)["tess-s0001-4-2"].bucket == BUCKET


class Meddled(MemoryStore):
    """A store in which something happens just before the index is written for the first time."""

    meddle: Any = None

    def write(self, bucket: str, key: str, data: bytes, **conditions: Any) -> str:
        if key == keys.FOOTPRINT_INDEX and self.meddle:
            meddle, self.meddle = self.meddle, None
            meddle()
        return super().write(bucket, key, data, **conditions)


def test_a_cube_that_is_published_meanwhile_is_not_lost(store: MemoryStore) -> None:
    busy = Meddled(store.objects)
    busy.meddle = lambda: build_own(busy, 6)
    summary = run_index(busy)
    assert summary.own == 1
    assert rows(busy)["tess-s0001-4-2"].build_id
    assert len(rows(busy)) == 2


def test_publishing_keeps_the_rows_of_the_sources(store: MemoryStore) -> None:
    run_index(store)
    own = build_own(store, 6)
    assert rows(store)["tess-s0001-4-2"] == own
    assert rows(store)["tess-s0001-1-1"].bucket == BUCKET


def test_an_index_that_always_changes_is_given_up_for_now(store: MemoryStore) -> None:
    class Restless(MemoryStore):
        def write(self, bucket: str, key: str, data: bytes, **conditions: Any) -> str:
            if key == keys.FOOTPRINT_INDEX:
                super().write(bucket, key, FootprintIndex.of(()).to_json() + b" " * len(self.requests))
            return super().write(bucket, key, data, **conditions)

    with pytest.raises(TransientError, match="changed 10 times"):
        run_index(Restless(store.objects))


# ---------------------------------------------------------------- the real polygons


@pytest.mark.parametrize(("camera", "ccd"), [(1, 1), (4, 4)])
def test_the_polygon_of_a_cube_runs_through_the_corners_of_its_frames(camera: int, ccd: int) -> None:
    store = MemoryStore()
    put_cube(store, f"tess-s0001-{camera}-{ccd}", small_cube(camera, ccd))
    run_index(store)
    (row,) = read_index(store, OWN)[0].cubes
    cube = Cube.from_sidecar(store.objects[OWN, keys.sidecar(row.etag)])
    corners = cube.wcs.all_pix2world([[0, 0], [0, 39], [29, 39], [29, 0]], 0)
    ours = SkyCoord(Footprint.parse_s_region(row.s_region).vertices, unit="deg")
    assert ours.separation(SkyCoord(np.asarray(corners), unit="deg")).max() < 0.01 * u.arcsec


def test_the_index_survives_the_round_trip(store: MemoryStore) -> None:
    run_index(store)
    index = read_index(store, OWN)[0]
    again = FootprintIndex.from_json(index.to_json())
    assert again.cubes == index.cubes
    publish(build_own(store), store=store)
