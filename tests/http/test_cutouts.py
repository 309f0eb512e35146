"""Cutouts in our own API: positions, regions, and what a file is made of."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from tessera.provenance.crate import CRATE
from tests.support.api import DEC, RA, SHAPE, Answered, Api, sky
from tests.support.frames import tiny_flux, tiny_times
from tests.support.same_bytes import assert_same_bytes

POSITION = {"position": {"ra": RA, "dec": DEC}, "sectors": [1]}


def only(answer: Answered) -> fits.HDUList:
    assert answer.status == 200, answer.content
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    (name,) = [name for name in archive.namelist() if name != CRATE]
    return fits.open(io.BytesIO(archive.read(name)))


def flux(hdus: fits.HDUList) -> np.ndarray[Any, Any]:
    return np.asarray(hdus["PIXELS"].data["FLUX"])


def test_a_query_and_a_body_say_the_same(api: Api) -> None:
    by_query = api.get("/v1/cutouts", ra=RA, dec=DEC, size="3,7", sectors="1")
    by_body = api.post("/v1/cutouts", POSITION | {"size": [3, 7]})
    assert_same_bytes(by_query.content, by_body.content)
    assert flux(only(by_body)).shape == (5, 3, 7)


def test_a_point_of_geojson_is_a_position(api: Api) -> None:
    point = {"type": "Point", "coordinates": [RA, DEC]}
    answer = api.post("/v1/cutouts", {"position": point, "sectors": [1]})
    assert_same_bytes(answer.content, api.post("/v1/cutouts", POSITION).content)


def first_pixel(answer: Answered) -> tuple[int, int]:
    """Row and column of the frame that are the first ones of a cutout."""
    header = only(answer)["PIXELS"].header
    return header["2CRV4P"] - 1, header["1CRV4P"] - 1


# (row, column) of the target, size, and the first pixel by each of the two rules. With the target in the centre pixel,
# the window moves on at the border of two pixels (odd sizes) or at the middle of a pixel (even sizes). TESSCut rounds
# position - size / 2, so its window moves on at the middle of a pixel (odd sizes) or at the border (even sizes). The
# places lie on both sides of these points.
PLACES = [
    ((20.6, 14.6), 3, (20, 14), (19, 13)),
    ((20.1, 14.1), 2, (20, 14), (19, 13)),
    ((20.499, 14.501), 3, (19, 14), (19, 13)),
    ((20.501, 14.499), 3, (20, 13), (19, 13)),
    ((19.999, 14.001), 3, (19, 13), (18, 13)),
    ((20.001, 13.999), 3, (19, 13), (19, 12)),
    ((20.499, 14.501), 2, (20, 14), (19, 14)),
    ((20.501, 14.499), 2, (20, 14), (20, 13)),
    ((19.999, 14.001), 2, (19, 14), (19, 13)),
    ((20.001, 13.999), 2, (20, 13), (19, 13)),
]


@pytest.mark.parametrize(("place", "size", "centre", "tesscut"), PLACES)
def test_the_target_is_in_the_centre_pixel_unless_the_place_of_tesscut_is_asked_for(
    api: Api, place: tuple[float, float], size: int, centre: tuple[int, int], tesscut: tuple[int, int]
) -> None:
    ra, dec = sky(*place)
    query = {"ra": ra, "dec": dec, "size": str(size), "sectors": "1"}
    assert first_pixel(api.get("/v1/cutouts", **query)) == centre
    assert first_pixel(api.get("/v1/cutouts", **query, placement="centre")) == centre
    assert first_pixel(api.get("/v1/cutouts", **query, placement="tesscut")) == tesscut


@pytest.mark.parametrize(("place", "size", "centre", "tesscut"), PLACES)
def test_the_api_of_tesscut_places_windows_as_tesscut_does(
    api: Api, place: tuple[float, float], size: int, centre: tuple[int, int], tesscut: tuple[int, int]
) -> None:
    ra, dec = sky(*place)
    query: dict[str, Any] = {"ra": ra, "dec": dec, "y": size, "x": size, "sector": 1}
    assert centre != tesscut
    assert first_pixel(api.get("/tesscut/api/v0.1/astrocut", **query)) == tesscut
    assert first_pixel(api.post("/tesscut/api/v0.1/astrocut", **query)) == tesscut


def test_slim_files_lack_the_constant_columns(api: Api) -> None:
    names = only(api.post("/v1/cutouts", POSITION | {"layout": "slim"}))["PIXELS"].columns.names
    assert "FLUX" in names
    assert not {"RAW_CNTS", "FLUX_BKG", "FLUX_BKG_ERR"} & set(names)


def test_a_range_of_times_is_kept(api: Api) -> None:
    middle = [sum(tiny_times(cadence)) / 2 for cadence in range(5)]
    hdus = only(api.post("/v1/cutouts", POSITION | {"time": [middle[1], middle[3]]}))
    assert list(hdus["PIXELS"].data["TIME"]) == middle[1:4]
    hdus = only(api.get("/v1/cutouts", ra=RA, dec=DEC, sectors="1", time=f"{middle[2] - 0.001},{middle[2] + 0.001}"))
    assert len(hdus["PIXELS"].data) == 1


def test_a_range_of_cadences_is_kept(api: Api) -> None:
    numbers = only(api.post("/v1/cutouts", POSITION))["PIXELS"].data["CADENCENO"]
    first = int(numbers[1]) if numbers.any() else 1
    hdus = only(api.post("/v1/cutouts", POSITION | {"cadences": [first, first + 1]}))
    assert len(hdus["PIXELS"].data) == 2


def test_a_time_at_which_nothing_was_seen_is_404(api: Api) -> None:
    answer = api.post("/v1/cutouts", POSITION | {"time": [1.0, 2.0]})
    assert (answer.status, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_region_is_cut_by_the_pixels_that_hold_its_corners(api: Api) -> None:
    ring = [sky(row, column) for row, column in ((15.2, 10.1), (15.2, 16.3), (19.4, 16.3), (19.4, 10.1))]
    body = {"region": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}, "sectors": [1]}
    hdus = only(api.post("/v1/cutouts", body))
    np.testing.assert_array_equal(flux(hdus)[2], tiny_flux(2, SHAPE)[15:20, 10:17])


def test_a_size_may_be_an_angle(api: Api) -> None:
    hdus = only(api.post("/v1/cutouts", POSITION | {"size": {"height": 0.01666, "width": 0.025}}))
    assert flux(hdus).shape[1:] == (3, 4)


SIDE = "a whole number from 1 to 10,000"
TRIANGLE = {"type": "Polygon", "coordinates": [[[1, 1], [1, 2], [2, 2]]]}


@pytest.mark.parametrize(
    ("change", "parameter", "allowed"),
    [
        ({"position": {"ra": 400, "dec": 1}}, "position.ra", "a number from -360 to 360"),
        ({"position": {"ra": 1, "dec": -91}}, "position.dec", "a number from -90 to 90"),
        ({"position": {"ra": "x", "dec": 1}}, "position.ra", "a number from -360 to 360"),
        ({"position": {"ra": True, "dec": 1}}, "position.ra", "a number from -360 to 360"),
        ({"position": {"ra": "1_0", "dec": 1}}, "position.ra", "a number from -360 to 360"),
        ({"position": {"ra": 1}}, "position.dec", "a number from -90 to 90"),
        ({"position": {"type": "Point", "coordinates": "x"}}, "position.coordinates", "a list of 2 numbers"),
        ({"position": [1, 2]}, "position", "an object with ra and dec, or an object with type and coordinates"),
        ({"position": None, "region": {"type": "Polygon", "coordinates": [[[1, 1], [1, 2]]]}}, "region.coordinates.0",
         "at least 3 corners"),
        ({"position": None, "region": 3}, "region", "an object with type and coordinates"),
        ({"size": 0}, "size", f"{SIDE}, or a list of 2 whole numbers, or an object with height and width"),
        ({"size": True}, "size", SIDE),
        ({"size": [1]}, "size", SIDE),
        ({"size": [1, 0]}, "size.1", SIDE),
        ({"size": "abc"}, "size", SIDE),
        ({"size": 20000}, "size", SIDE),
        ({"size": {"height": 0, "width": 1}}, "size.height", "a number above 0 and at most 58"),
        ({"size": {"height": 1}}, "size.width", "a number above 0 and at most 58"),
        ({"sectors": []}, "sectors", "at least 1 whole number"),
        ({"sectors": 5}, "sectors", "a list of 1 to 1,000 whole numbers"),
        ({"sectors": [0]}, "sectors.0", "a whole number from 1 to 99,999"),
        ({"sectors": [1.5]}, "sectors.0", "a whole number from 1 to 99,999"),
        ({"product": "FFI"}, "product", "SPOC or TICA"),
        ({"layout": "fat"}, "layout", "full or slim"),
        ({"placement": "round"}, "placement", "centre or tesscut"),
        ({"time": [2.0, 1.0]}, "time", "a list of 2 numbers, the first not above the last"),
        ({"time": [1.0]}, "time", "a list of 2 numbers"),
        ({"cadences": [-1, 5]}, "cadences.0", "a whole number from 0 to 2,147,483,647"),
        ({"quality_mask": 2**31}, "quality_mask", "a whole number from 0 to 2,147,483,647"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_what_is_allowed(
    api: Api, change: dict[str, Any], parameter: str, allowed: str
) -> None:
    answer = api.post("/v1/cutouts", POSITION | change)
    assert answer.status == 400
    error = answer.json()["error"]
    assert (error["code"], error["parameter"]) == ("invalid_request", parameter)
    assert error["message"].startswith(f"{parameter} is ")
    assert f"; allowed: {allowed}" in error["message"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"position": None}, "the request has no position; allowed: one of position, region, target and path"),
        ({"region": TRIANGLE},
         "the request has position and region; allowed: one of position, region, target and path"),
        ({"position": None, "region": TRIANGLE, "size": 3},
         "size is given with region; allowed: region without size, or position with size"),
        ({"position": None, "region": TRIANGLE, "placement": "tesscut"},
         "placement is given with region; allowed: region without placement, or position with placement"),
        ({"position": None, "region": {"type": "Polygon", "coordinates": [[[1, 1], [1, 1], [1, 1]]]}},
         "region has 1 different corners; allowed: at least 3 corners"),
    ],
)  # fmt: skip
def test_fields_that_do_not_go_together_are_told(api: Api, change: dict[str, Any], said: str) -> None:
    answer = api.post("/v1/cutouts", POSITION | change)
    assert (answer.status, answer.json()["error"]["message"]) == (400, said)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"dec": "1"}, "ra"),
        ({"ra": "1", "dec": "x"}, "dec"),
        ({"ra": "1", "dec": "1", "size": "0"}, "size"),
        ({"ra": "1", "dec": "1", "sectors": "0"}, "sectors"),
        ({"ra": "1", "dec": "1", "sectors": "a"}, "sectors"),
        ({"ra": "1", "dec": "1", "time": "5,1"}, "time"),
        ({"ra": "1", "dec": "1", "cadences": "1"}, "cadences"),
        ({"ra": "nan", "dec": "1"}, "ra"),
        ({"ra": ["1", "2"], "dec": "1"}, "ra"),
    ],
)
def test_a_wrong_query_is_named(api: Api, query: dict[str, Any], parameter: str) -> None:
    answer = api.get("/v1/cutouts", **query)
    assert answer.status == 400
    assert answer.json()["error"]["parameter"] == parameter


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"position": 1e999}'])
def test_a_body_that_makes_no_sense_is_400(api: Api, body: bytes) -> None:
    answer = api.request("POST", "/v1/cutouts", body=body, content_type="application/json")
    assert (answer.status, answer.json()["error"]["code"]) == (400, "invalid_request")


def test_where_nobody_has_looked_is_404(api: Api) -> None:
    assert api.get("/v1/cutouts", ra=10, dec=60).status == 404
