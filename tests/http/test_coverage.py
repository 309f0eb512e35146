"""The coverage of the sky, as tools of the Virtual Observatory fetch it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from mocpy import MOC, STMOC

from tessera_cloud import keys
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, RA, Answered, Api, _answered, proxy_event
from tests.support.builds import SETTINGS

BUCKET = SETTINGS.cube_bucket
NAMES = "all or a sector such as s0001, then .fits, .json, -st.fits or -st.json"


@pytest.fixture(scope="module")
def written(filled: MemoryStore) -> MemoryStore:
    api = Api(MemoryStore(objects=dict(filled.objects)))
    api.handlers.invoke("write_coverage", {})
    return api.store


@pytest.fixture
def covered(written: MemoryStore) -> Api:
    return Api(MemoryStore(objects=dict(written.objects)))


def error(answer: Answered) -> dict[str, Any]:
    document: dict[str, Any] = answer.json()["error"]
    return document


def test_what_there_is_is_listed_with_the_addresses_of_the_files(covered: Api) -> None:
    document = covered.get("/v1/coverage").json()
    assert (document["space_order"], document["time_order"]) == (10, 28)
    found = [(item["product"], item["sector"], item["cubes"]) for item in document["coverage"]]
    assert found == [
        ("all", None, 3),
        ("all", 1, 1),
        ("all", 2, 1),
        ("all", 27, 1),
        ("SPOC", None, 2),
        ("SPOC", 1, 1),
        ("SPOC", 2, 1),
        ("TICA", None, 1),
        ("TICA", 27, 1),
    ]
    for item in document["coverage"]:
        assert list(item["files"]) == ["fits", "json", "st_fits", "st_json"]
        assert [covered.get(url).status for url in item["files"].values()] == [200] * 4


@pytest.mark.parametrize(
    ("file", "content_type", "name"),
    [
        ("SPOC/s0001.fits", "application/fits", "tess-spoc-s0001-moc.fits"),
        ("SPOC/s0001.json", "application/json", "tess-spoc-s0001-moc.json"),
        ("SPOC/all-st.fits", "application/fits", "tess-spoc-stmoc.fits"),
        ("all/s0027-st.json", "application/json", "tess-s0027-stmoc.json"),
        ("all/all.fits", "application/fits", "tess-all-moc.fits"),
        ("TICA/all.json", "application/json", "tess-tica-moc.json"),
    ],
)
def test_a_file_has_its_content_type_and_a_name_to_be_saved_under(
    covered: Api, file: str, content_type: str, name: str
) -> None:
    answer = covered.get(f"/v1/coverage/{file}")
    assert (answer.status, answer.headers["content-type"]) == (200, content_type)
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=300"


def test_the_files_are_those_that_mocpy_reads(covered: Api) -> None:
    from astropy import units  # noqa: PLC0415 - only here
    from astropy.time import Time  # noqa: PLC0415 - only here

    space = MOC.from_fits(io.BytesIO(covered.get("/v1/coverage/SPOC/s0001.fits").content))
    assert space == MOC.from_json(covered.get("/v1/coverage/SPOC/s0001.json").json())
    place = [RA] * units.deg, [DEC] * units.deg
    assert space.contains_lonlat(*place).all()
    both = STMOC.from_json(covered.get("/v1/coverage/SPOC/all-st.json").json())
    (sector_1, *_) = (item for item in covered.get("/v1/coverage").json()["coverage"] if item["sector"] == 1)
    middle = Time([(sector_1["t_min"] + sector_1["t_max"]) / 2], format="mjd", scale="utc")
    assert both.contains(middle, *place).all()


@pytest.mark.parametrize("path", ["/v1/coverage", "/v1/coverage/SPOC/s0001.fits", "/v1/coverage/SPOC/s0001.json"])
def test_what_the_client_has_is_not_sent_again(covered: Api, path: str) -> None:
    first = covered.get(path)
    resource = path if path == "/v1/coverage" else "/v1/coverage/{product}/{file}"
    event = proxy_event("GET", path, resource, "")
    event["headers"]["If-None-Match"] = first.headers["etag"]
    covered.store.requests.clear()
    assert _answered(covered.handlers.invoke("service_api", event)).status == 304
    assert covered.store.requests == [("read", BUCKET, keys.COVERAGE_DOCUMENT)]


def test_another_coverage_has_another_etag(covered: Api) -> None:
    first = covered.get("/v1/coverage/all/all.fits").headers["etag"]
    assert first != covered.get("/v1/coverage/SPOC/all.fits").headers["etag"]
    assert first != covered.get("/v1/coverage/all/all.json").headers["etag"]


@pytest.mark.parametrize("file", ["spoc/S1.FITS", "Spoc/s01.fits", "SPOC/s0001.fits"])
def test_case_and_leading_zeros_do_not_matter(covered: Api, file: str) -> None:
    assert covered.get(f"/v1/coverage/{file}").headers["content-disposition"].endswith('"tess-spoc-s0001-moc.fits"')


@pytest.mark.parametrize("path", ["/v1/coverage", "/v1/coverage/SPOC/all.fits"])
def test_before_the_first_index_the_answer_says_that_nothing_is_written_yet(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status, error(answer)["code"]) == (404, "not_found")
    assert error(answer)["message"].startswith("the coverage is not written yet")


@pytest.mark.parametrize(
    ("path", "parameter", "value", "allowed"),
    [
        ("QLP/all.fits", "product", "QLP", "all or SPOC or TICA"),
        ("SPOC/s1751.fits", "file", "s1751.fits", "a sector of SPOC in /v1/coverage"),
        ("TICA/s0001.fits", "file", "s0001.fits", "a sector of TICA in /v1/coverage"),
        ("SPOC/1.fits", "file", "1.fits", NAMES),
        (
            "SPOC/s0001.zip",
            "file",
            "s0001.zip",
            NAMES,
        ),
        ("SPOC/s0001", "file", "s0001", NAMES),
    ],
)
def test_a_file_that_does_not_exist_is_404_and_the_answer_says_what_does(
    covered: Api, path: str, parameter: str, value: str, allowed: str
) -> None:
    answer = covered.get(f"/v1/coverage/{path}")
    found = error(answer)
    assert (answer.status, found["parameter"], found["value"], found["allowed"]) == (404, parameter, value, allowed)
    assert value in found["message"]


def test_a_sector_of_four_digits_is_a_sector(covered: Api) -> None:
    index = json.loads(covered.store.objects[BUCKET, keys.FOOTPRINT_INDEX])
    first = index["obs_id"].index("tess-s0001-4-2")
    index["obs_id"][first], index["sequence_number"][first] = "tess-s1751-4-2", 1751
    covered.store.write(BUCKET, keys.FOOTPRINT_INDEX, json.dumps(index).encode())
    covered.handlers.invoke("write_coverage", {})
    answer = covered.get("/v1/coverage/SPOC/s1751-st.fits")
    assert answer.headers["content-disposition"] == 'attachment; filename="tess-spoc-s1751-stmoc.fits"'
    assert covered.get("/v1/coverage/SPOC/s0001.fits").status == 404


def test_a_large_file_becomes_a_result_and_the_client_is_sent_there(
    covered: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = covered.get("/v1/coverage/SPOC/all-st.json").content
    monkeypatch.setattr("tessera_cloud.http.catalogue.coverage_routes.INLINE_LIMIT", len(whole) - 1)
    answer = covered.get("/v1/coverage/SPOC/all-st.json")
    assert answer.status == 303
    assert "tess-spoc-stmoc.json" in answer.location
    assert "type=application/json" in answer.location
    (key,) = (key for bucket, key in covered.store.objects if bucket == SETTINGS.result_bucket)
    assert key in answer.location
    assert covered.store.objects[SETTINGS.result_bucket, key] == whole
    covered.store.requests.clear()
    covered.get("/v1/coverage/SPOC/all-st.json")
    assert ("write", SETTINGS.result_bucket, key) not in covered.store.requests


def test_a_file_that_was_superseded_while_it_is_fetched_is_read_under_its_new_name(covered: Api) -> None:
    """The document changes between the two reads of a request: the request reads it again."""
    path = "/v1/coverage/SPOC/s0001.fits"
    before = covered.get(path).content
    old = next(key for _, key in covered.store.objects if "SPOC/s0001-" in key and key.endswith(".fits"))
    covered.store.delete(BUCKET, old)
    assert covered.get(path).status == 503
    covered.handlers.invoke("write_coverage", {})
    assert covered.get(path).content == before


def test_an_unknown_parameter_is_refused(covered: Api) -> None:
    answer = covered.get("/v1/coverage", product="SPOC")
    assert answer.status == 400
