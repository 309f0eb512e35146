"""ObsCore of cubes that are as large as the mission's, and of places where the sky has an edge or a pole."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tessera.sky.footprint import footprint_vectors, sky_box
from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.vo.obscore.regions import Places, region_text
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, Api
from tests.support.obscore import NULL, rows

SECTOR_ONE = PublishedCube(
    obs_id="tess-s0001-4-2",
    sequence_number=1,
    s_region="POLYGON 70 -70 100 -70 100 -80 70 -80 70 -70",
    t_min=58324.8,
    t_max=58352.7,
    n_cadences=1282,
    build_id="",
    bucket="stpubdata",
    key="tess/public/mast/tess-s0001-4-2-cube.fits",
    size=45_543_000_000,
    etag="e",
)


def api_with(*cubes: PublishedCube) -> Api:
    settings = dataclasses.replace(API_SETTINGS, cube_sources=("stpubdata/tess/public/mast/",))
    index = FootprintIndex.of(cubes).to_json()
    return Api(MemoryStore(objects={(settings.cube_bucket, keys.FOOTPRINT_INDEX): index}), settings)


def test_a_whole_public_cube_has_its_frames_and_its_place() -> None:
    (row,) = rows(api_with(SECTOR_ONE).get("/sia2/query").content)
    assert [row[name] for name in ("s_xel1", "s_xel2", "t_xel", "access_estsize")] == [2136, 2078, 1282, 45_543_000]
    assert (row["t_exptime"], row["s_resolution"]) == (1282 * 1425.6, 42.0)
    place = {"bucket_name": SECTOR_ONE.bucket, "key": SECTOR_ONE.key, "region": "us-east-1"}
    assert json.loads(row["cloud_access"]) == {"aws": place}


def test_a_cube_that_only_masts_list_knows_has_no_size_and_no_frames() -> None:
    unread = SECTOR_ONE.model_copy(update={"n_cadences": 0, "size": 0, "etag": ""})
    (row,) = rows(api_with(unread).get("/sia2/query").content)
    assert [row[name] for name in ("s_xel1", "s_xel2", "t_xel", "t_exptime", "access_estsize")] == [NULL] * 5
    assert (row["t_resolution"], row["t_min"]) == (1800, 58324.8)


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (359.9, 45.0), (123.0, 90.0), (77.0, -90.0), (10.0, -89.0)])
def test_the_middle_is_right_where_the_sky_has_an_edge_or_a_pole(ra: float, dec: float) -> None:
    box = sky_box(ra, dec, 20.0, 10.0)
    middles = Places(footprint_vectors([box.format_s_region()]), np.array([0])).middles()
    (found_ra,), (found_dec,), (diameter,) = middles
    assert found_dec == pytest.approx(dec, abs=1e-5)
    if abs(dec) < 90:
        assert (found_ra - ra + 180) % 360 - 180 == pytest.approx(0, abs=1e-4)
    assert diameter == pytest.approx(2 * np.degrees(np.arctan(np.hypot(*np.tan(np.radians([10, 5]))))), abs=1e-4)


def test_a_file_with_several_images_has_one_middle_and_the_union_of_their_regions() -> None:
    first, second = (sky_box(ra, 0.0, 2.0, 2.0).format_s_region() for ra in (10.0, 14.0))
    places = Places(footprint_vectors([first, second, first]), np.array([0, 0, 1]))
    ra, dec, diameter = places.middles()
    assert ra == pytest.approx([12.0, 10.0])
    assert dec == pytest.approx([0.0, 0.0], abs=1e-9)
    assert diameter == pytest.approx([2 * np.hypot(3, 1), 2 * np.hypot(1, 1)], rel=1e-3)
    clockwise = places.is_clockwise()[:2].tolist()
    words = region_text([first, second], clockwise).split()
    assert words[:3] == ["UNION", "ICRS", "(POLYGON"]
    assert words.count("POLYGON") == 1
    assert region_text([first, first], clockwise).startswith("POLYGON ICRS ")
