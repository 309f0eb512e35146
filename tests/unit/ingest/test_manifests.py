"""Listings become manifests: nothing dropped, nothing mixed, the order of time, and the ids of the builds."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

import pytest

from tessera_cloud import keys
from tessera_cloud.application.builds.identity import frames_hash
from tessera_cloud.application.ingest.manifests import (
    Change,
    Manifest,
    compare,
    group_frames,
    parse_manifest,
)
from tessera_cloud.contracts import BuildRequest
from tessera_cloud.names import CubeId
from tessera_cloud.ports import ObjectInfo
from tests.support.builds import SETTINGS, plan, store_with
from tests.support.catalogs import NAMES, read_catalog, shuffled
from tests.support.frames import tiny_sector
from tests.support.tica import tiny_tica_sector

COUNTS = {"s0001-spoc": 1282, "s0027-spoc": 3360, "s0027-tica": 3360, "s0056-spoc": 11_775}
CCD = re.compile(r"-(\d)-(\d)-0\d{3}-s_ffic|-cam(\d)-ccd(\d)_tess")


def of_product(name: str) -> tuple[str, str]:
    return ("TICA", SETTINGS.tica_prefix) if name.endswith("tica") else ("SPOC", SETTINGS.ffi_prefix)


def group(name: str, infos: list[ObjectInfo]) -> dict[CubeId, Manifest]:
    product, prefix = of_product(name)
    listing = group_frames(infos, prefix=prefix, product=product, sector=int(name[1:5]))
    assert listing.strays == ()
    return listing.manifests


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_real_sectors_are_grouped_without_loss_and_without_mixing(name: str) -> None:
    catalog = read_catalog(name)
    manifests = group(name, shuffled(frame.info for frame in catalog))
    listed = [info.key for manifest in manifests.values() for info in manifest.frames]
    assert Counter(listed) == Counter(frame.key for frame in catalog)
    assert len(manifests) == 16
    for cube_id, manifest in manifests.items():
        ccds = {CCD.search(info.key).groups() for info in manifest.frames}  # type: ignore[union-attr]
        (ccd,) = {tuple(int(number) for number in found if number) for found in ccds}
        assert (cube_id.ccd_id.camera, cube_id.ccd_id.ccd) == ccd
        assert len(manifest.frames) == COUNTS[name]
        assert manifest.total_bytes == COUNTS[name] * 35_527_680


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_the_order_of_a_manifest_is_the_order_of_time(name: str) -> None:
    catalog = read_catalog(name)
    start = {frame.key: frame.start for frame in catalog}
    for manifest in group(name, [frame.info for frame in catalog]).values():
        starts = [start[info.key] for info in manifest.frames]
        assert starts == sorted(starts)


def test_the_order_of_the_listing_does_not_matter() -> None:
    infos = [frame.info for frame in read_catalog("s0001-spoc")]
    assert group("s0001-spoc", shuffled(infos, 1)) == group("s0001-spoc", shuffled(infos, 2))


@pytest.mark.slow
def test_ccds_of_one_sector_may_have_different_numbers_of_frames() -> None:
    """As in sector 65, where CCD 4-4 has 10,296 frames and the others 11,759."""
    infos = [frame.info for frame in read_catalog("s0027-spoc")]
    gone = {info.key for info in [info for info in infos if "-4-4-" in info.key][100:520]}
    fewer = [info for info in infos if info.key not in gone]
    manifests = group("s0027-spoc", shuffled(fewer))
    counts = {str(cube_id): len(manifest.frames) for cube_id, manifest in manifests.items()}
    assert counts.pop("s0027-4-4") == 2940
    assert set(counts.values()) == {3360}


@pytest.mark.slow
def test_both_products_of_a_sector_stay_apart() -> None:
    both = [frame.info for name in ("s0027-spoc", "s0027-tica") for frame in read_catalog(name)]
    for name in ("s0027-spoc", "s0027-tica"):
        product, prefix = of_product(name)
        listing = group_frames(both, prefix=prefix, product=product, sector=27)
        assert {cube_id.product for cube_id in listing.manifests} == {product}
        assert sum(len(manifest.frames) for manifest in listing.manifests.values()) == 53_760
        assert listing.strays == ()


FIRST = "tess/public/ffi/s0001/2018/206/1-1/tess2018206192942-s0001-1-1-0120-s_ffic.fits"


@pytest.mark.parametrize(
    "key",
    [
        FIRST.replace("_ffic", "_ffir"),
        FIRST.replace("s_ffic.fits", "s_ffic.fits.part"),
        "tess/public/ffi/s0001/README",
        "tess/public/ffi/s0001/",
        FIRST.replace("ffic.fits", "ffic.jpg"),
        "README",
    ],
)
def test_what_is_no_frame_is_left_out(key: str) -> None:
    listing = group_frames([ObjectInfo(key, 1, "e")], prefix=SETTINGS.ffi_prefix, product="SPOC", sector=1)
    assert (listing.manifests, listing.strays) == ({}, ())


def test_a_frame_of_another_sector_is_a_stray() -> None:
    key = FIRST.replace("tess2018206192942-s0001", "tess2018206192942-s0002")
    infos = [ObjectInfo(FIRST, 1, "e"), ObjectInfo(key, 1, "e")]
    listing = group_frames(infos, prefix=SETTINGS.ffi_prefix, product="SPOC", sector=1)
    assert [len(manifest.frames) for manifest in listing.manifests.values()] == [1]
    assert listing.strays == (key,)


def test_only_the_sector_that_was_listed_is_grouped() -> None:
    key = FIRST.replace("s0001", "s0002")
    listing = group_frames([ObjectInfo(key, 1, "e")], prefix=SETTINGS.ffi_prefix, product="SPOC", sector=1)
    assert (listing.manifests, listing.strays) == ({}, (key,))


def test_a_tica_frame_in_the_folder_of_another_ccd_is_a_stray() -> None:
    key = "tess/public/tica/s0027/cam1-ccd2/hlsp_tica_tess_ffi_s0027-o1-00116635-cam1-ccd1_tess_v01_img.fits"
    listing = group_frames([ObjectInfo(key, 1, "e")], prefix=SETTINGS.tica_prefix, product="TICA", sector=27)
    assert (listing.manifests, listing.strays) == ({}, (key,))


@pytest.mark.parametrize("product", ["SPOC", "TICA"])
def test_the_build_of_a_manifest_has_its_build_id(product: str) -> None:
    frames = tiny_sector(3, (1200, 500)) if product == "SPOC" else tiny_tica_sector(3, (1200, 500))
    store = store_with(frames)
    prefix = SETTINGS.ffi_prefix if product == "SPOC" else SETTINGS.tica_prefix
    infos = store.list_objects(SETTINGS.ffi_bucket, prefix)
    sector = 1 if product == "SPOC" else int(re.search(r"_s(\d{4})-", frames[0][0])[1])  # type: ignore[index]
    ((cube_id, manifest),) = group_frames(infos, prefix=prefix, product=product, sector=sector).manifests.items()
    ccd_id = cube_id.ccd_id
    request = BuildRequest(sector=ccd_id.sector, camera=ccd_id.camera, ccd=ccd_id.ccd, product=cube_id.product)  # type: ignore[arg-type]
    assert plan(store, request).build_id == manifest.build_id


def frame(number: int, size: int = 1, etag: str = "e") -> ObjectInfo:
    return ObjectInfo(FIRST.replace("192942", f"{number:06d}"), size, etag)


def name(number: int) -> str:
    return frame(number).key.rsplit("/", 1)[-1]


def test_a_change_tells_what_came_went_and_was_replaced() -> None:
    before = parse_manifest(Manifest.of([frame(number) for number in range(5)]).to_json())
    after = Manifest.of([frame(0), frame(1, size=2), frame(2, etag="f"), frame(4), frame(6), frame(5)])
    assert compare(before, after) == Change(added=(name(5), name(6)), removed=(name(3),), replaced=(name(1), name(2)))


def test_the_same_frames_are_no_change() -> None:
    manifest = Manifest.of([frame(number) for number in range(5)])
    assert compare(parse_manifest(manifest.to_json()), manifest) == Change()


@pytest.mark.parametrize("other", [[frame(0)], [frame(0), frame(1, size=2)], [frame(0), frame(1, etag="f")], []])
def test_other_frames_have_another_hash(other: list[ObjectInfo]) -> None:
    assert Manifest.of(other).hash != Manifest.of([frame(0), frame(1)]).hash


def test_a_manifest_is_in_the_order_of_keys_and_its_hash_is_that_of_its_text() -> None:
    frames = [ObjectInfo("b", 20, "e2"), ObjectInfo("a", 3, "e1")]
    manifest = Manifest.of(frames)
    assert manifest.frames == (frames[1], frames[0])
    text = b"1\na 3 e1\nb 20 e2"
    assert manifest.hash == frames_hash(frames) == hashlib.sha256(text).hexdigest()
    assert manifest.build_id == manifest.hash[:12]
    assert manifest.total_bytes == 23
    assert parse_manifest(manifest.to_json()) == [("a", 3, "e1"), ("b", 20, "e2")]
    assert Manifest.of(iter(frames)) == manifest


def test_a_frame_in_a_folder_of_its_own_below_its_place_is_grouped() -> None:
    infos = [ObjectInfo(FIRST, 5, "e"), ObjectInfo(FIRST.replace("2018/206", "2018/207"), 7, "e")]
    listing = group_frames(infos, prefix=SETTINGS.ffi_prefix, product="SPOC", sector=1)
    assert list(listing.manifests) == [CubeId.parse("s0001-1-1")]
    assert listing.manifests[CubeId.parse("s0001-1-1")] == Manifest.of(infos)


def test_names_in_a_change_are_those_of_files_in_the_order_of_their_keys() -> None:
    before = [("x/2/b", 1, "e"), ("x/1/c", 1, "e"), ("plain", 1, "e")]
    assert compare(before, Manifest.of([])).removed == ("plain", "c", "b")


def test_a_manifest_is_kept_beside_those_of_its_cube() -> None:
    key = keys.ingest_manifest(CubeId.parse("tica-s0027-1-4"), "ab" * 32)
    assert key == f"ingest/tica-s0027-1-4/{'ab' * 32}.json"
