"""Builds of TICA frames, and builds that leave unreadable frames out."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from pydantic import ValidationError

from tessera import TicaCubeFactory
from tessera.errors import InvalidValueError, UnreadableFrameError
from tessera.sky.footprint import Footprint
from tessera.tess.ids import CcdId
from tessera_cloud import keys
from tessera_cloud.application.builds import plan_cube as cube_plan
from tessera_cloud.application.builds.plan_document import read_plan
from tessera_cloud.application.index.footprint_index import read_index, read_pointer
from tessera_cloud.contracts import BuildRequest, FrameSource
from tessera_cloud.errors import NoFramesError, TooManyUnreadableFramesError
from tessera_cloud.names import CubeId, frame_ccd
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import REQUEST, SETTINGS, frame_key, plan, put_frames, run_build, store_with
from tests.support.frames import NamedFrame, tiny_flux, tiny_sector
from tests.support.same_bytes import assert_same_bytes, without_record
from tests.support.tica import tica_frame, tica_times, tiny_tica_sector

SHAPE = (40, 30)
N = 5
TICA = BuildRequest(sector=27, camera=1, ccd=4, product="TICA")
TICA_FRAMES = tiny_tica_sector(N, SHAPE)
NAME = "hlsp_tica_tess_ffi_s0027-o1-00117591-cam1-ccd4_tess_v01_img.fits"


def test_tica_frames_lie_where_mast_keeps_them() -> None:
    assert keys.frame("tess/public/tica/", NAME, "TICA") == f"tess/public/tica/s0027/cam1-ccd4/{NAME}"
    assert frame_ccd("TICA", NAME) == CcdId(27, 1, 4)


@pytest.mark.parametrize(
    ("product", "name"), [("SPOC", NAME), ("TICA", tiny_sector(1)[0][0]), ("TICA", NAME.replace("cam1", "cam5"))]
)
def test_a_name_of_something_else_is_refused(product: str, name: str) -> None:
    with pytest.raises(InvalidValueError, match="frame name"):
        frame_ccd(product, name)


@pytest.mark.parametrize("product", ["SPOC", "TICA"])
def test_the_id_of_a_cube_survives_the_round_trip(product: str) -> None:
    cube_id = CubeId(CcdId(1234, 1, 4), product)
    assert CubeId.parse(cube_id.obs_id) == CubeId.parse(str(cube_id)) == cube_id


def test_nothing_of_the_two_cubes_of_a_ccd_shares_a_key() -> None:
    spoc, tica = CubeId(CcdId(27, 1, 4)), CubeId(CcdId(27, 1, 4), "TICA")
    for key in (keys.current, lambda of: keys.cube(of, "x"), lambda of: keys.build(of, "x")):
        assert key(spoc) == key(spoc.ccd_id) != key(tica)
    assert keys.current(tica) == "cubes/tica-s0027-1-4/current.json"
    assert keys.current_of(keys.cube(tica, "abc")) == keys.current(tica)
    assert keys.plan_of(keys.cube(tica, "abc")) == f"{keys.build(tica, 'abc')}plan.json"
    assert keys.current_of(keys.current(tica)) is None


@pytest.fixture(scope="module")
def tica_store() -> MemoryStore:
    store = store_with(TICA_FRAMES)
    run_build(store, TICA)
    return store


def tica_cube(store: MemoryStore) -> bytes:
    (published,) = read_index(store, SETTINGS.cube_bucket)[0].cubes
    return store.objects[published.bucket, published.key]


def test_a_tica_cube_has_one_plane_and_the_pixels_of_its_frames(tica_store: MemoryStore) -> None:
    hdus = fits.open(io.BytesIO(tica_cube(tica_store)))
    expected = np.stack([tiny_flux(cadence, SHAPE) for cadence in range(N)], axis=-1)[..., np.newaxis]
    np.testing.assert_array_equal(hdus[1].data, expected)
    assert list(hdus[2].data["FFI_FILE"]) == [name for name, _ in TICA_FRAMES]


def test_a_tica_cube_is_that_of_the_library(tica_store: MemoryStore, tmp_path: Path) -> None:
    for name, data in TICA_FRAMES:
        (tmp_path / name).write_bytes(data)
    made = TicaCubeFactory().make_cube([tmp_path / name for name, _ in TICA_FRAMES], tmp_path / "cube.fits", sector=27)
    ours, theirs = (fits.open(io.BytesIO(data)) for data in (tica_cube(tica_store), Path(made).read_bytes()))
    assert ours[1].header["DATASUM"] == theirs[1].header["DATASUM"]
    np.testing.assert_array_equal(ours[2].data, theirs[2].data)


def test_a_tica_cube_is_published_under_its_own_name(tica_store: MemoryStore) -> None:
    (published,) = read_index(tica_store, SETTINGS.cube_bucket)[0].cubes
    assert published.obs_id == "tica-s0027-1-4"
    assert published.key.endswith("/tica-s0027-1-4-cube.fits")
    assert read_pointer(tica_store, published.bucket, keys.current(TICA.cube_id))[0] == published
    assert published.t_min == pytest.approx(tica_times(0)[0] + 56999.5, abs=1e-9)
    assert published.t_max == pytest.approx(tica_times(N - 1)[1] + 56999.5, abs=1e-9)
    assert Footprint.parse_s_region(published.s_region).vertices.shape == (4, 2)
    index = json.loads(tica_store.objects[SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX])
    assert index["target_name"] == ["TICA FFI"]


def test_only_spoc_cubes_are_found_unless_others_are_asked_for(tica_store: MemoryStore) -> None:
    index = read_index(tica_store, SETTINGS.cube_bucket)[0]
    region = Footprint.parse_s_region(index.cubes[0].s_region)
    assert index.find(region) == []
    assert [cube.obs_id for cube in index.find(region, product="TICA")] == ["tica-s0027-1-4"]


def test_frames_of_the_other_product_are_left_alone() -> None:
    spoc = tiny_sector(3, SHAPE, sector=27, camera=1, ccd=4)
    store = store_with([*TICA_FRAMES, *spoc])
    request = BuildRequest(sector=27, camera=1, ccd=4)
    assert run_build(store, request).n_cadences == 3
    assert run_build(store, TICA).n_cadences == N
    assert [cube.obs_id for cube in read_index(store, SETTINGS.cube_bucket)[0].cubes] == [
        "tess-s0027-1-4",
        "tica-s0027-1-4",
    ]


def test_tica_frames_may_come_from_elsewhere() -> None:
    store = MemoryStore()
    for name, data in TICA_FRAMES:
        store.write("elsewhere", keys.frame("mine/", name, "TICA"), data)
    request = TICA.model_copy(update={"source": FrameSource(bucket="elsewhere", prefix="mine/")})
    assert run_build(store, request).n_cadences == N
    with pytest.raises(NoFramesError, match="no TICA frames of s0027-1-4 below s3://frames/tess/public/tica/s0027/"):
        plan(store, TICA)


def test_an_unknown_product_is_refused() -> None:
    with pytest.raises(ValidationError, match="product"):
        BuildRequest.model_validate({"sector": 1, "camera": 1, "ccd": 1, "product": "QLP"})


# ---------------------------------------------------------------- unreadable frames

FRAMES = tiny_sector(6, SHAPE)
SKIP = REQUEST.model_copy(update={"on_unreadable": "skip"})


def damaged(*cadences: int) -> list[NamedFrame]:
    return [(name, data[:9000] if cadence in cadences else data) for cadence, (name, data) in enumerate(FRAMES)]


def test_unreadable_frames_are_left_out_by_name_and_reason() -> None:
    store = store_with(damaged(1, 4))
    published = run_build(store, SKIP)
    assert published.n_cadences == 4
    assert [left.name for left in published.left_out] == [FRAMES[1][0], FRAMES[4][0]]
    assert all(left.reason for left in published.left_out)
    ref = plan(store, SKIP)
    assert read_plan(store, ref.bucket, ref.prefix).left_out == published.left_out
    assert read_pointer(store, published.bucket, keys.current(REQUEST.ccd_id))[0] == published
    rest = store_with([FRAMES[n] for n in (0, 2, 3, 5)])
    made = [store.objects[published.bucket, published.key], rest.objects[published.bucket, run_build(rest).key]]
    assert_same_bytes(*map(without_record, made))  # the records name two builds


def test_the_index_does_not_carry_the_frames_that_were_left_out() -> None:
    store = store_with(damaged(1))
    run_build(store, SKIP)
    assert b"left_out" not in store.objects[SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX]


def test_by_default_an_unreadable_frame_stops_the_build() -> None:
    with pytest.raises(UnreadableFrameError, match=FRAMES[4][0]):
        plan(store_with(damaged(4)))


def test_nothing_is_left_out_when_nothing_is_wrong() -> None:
    assert run_build(store_with(FRAMES), SKIP) == run_build(store_with(FRAMES))


def test_a_build_of_unreadable_frames_only_fails_with_the_first() -> None:
    with pytest.raises(UnreadableFrameError, match=FRAMES[0][0]):
        plan(store_with(damaged(*range(6))), SKIP)


def test_a_build_does_not_leave_out_most_of_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cube_plan, "MAX_LEFT_OUT", 1)
    with pytest.raises(TooManyUnreadableFramesError, match=r"2 of 6 frames are unreadable"):
        plan(store_with(damaged(1, 2)), SKIP)


def test_a_frame_that_was_mended_makes_another_build() -> None:
    store = store_with(damaged(1))
    first = run_build(store, SKIP)
    put_frames(store, [FRAMES[1]])
    second = run_build(store, SKIP, hours=1)
    assert second.build_id != first.build_id
    assert (second.n_cadences, second.left_out) == (6, ())


def test_the_most_that_may_be_left_out_fits_the_state_of_an_execution() -> None:
    left_out = [{"name": "n" * 64, "reason": "r" * cube_plan._REASON_LENGTH}] * cube_plan.MAX_LEFT_OUT
    blocks = list(range(2078))
    assert len(json.dumps({"plan": {"blocks": blocks}, "cube": {"left_out": left_out}})) < 200 * 1024


def test_tasks_are_few_enough_to_send_their_requests_in_time() -> None:
    store = store_with(FRAMES)
    settings = replace(SETTINGS, max_gets_per_second=0.02)
    assert plan(store, settings=settings).max_concurrency == 1
    assert plan(store).max_concurrency <= SETTINGS.block_concurrency


def test_the_other_frames_of_a_tica_folder_are_left_alone() -> None:
    store = store_with(TICA_FRAMES)
    other = tica_frame(0, tiny_flux(0, SHAPE), camera=1, ccd=3)
    store.write(SETTINGS.ffi_bucket, frame_key(TICA_FRAMES[0][0]).replace(TICA_FRAMES[0][0], other[0]), other[1])
    assert run_build(store, TICA).n_cadences == N
