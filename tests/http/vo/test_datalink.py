"""DataLink over HTTP: what belongs to a cube or an image, and that each address answers."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time
from PIL import Image

from tessera.cubes.reader import Cube
from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import FootprintIndex, parse_index
from tessera_cloud.application.switch import pause
from tessera_cloud.http.charging import KIND
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, BASE, DEC, RA, Answered, Api
from tests.support.covers import written
from tests.support.image_service import IMAGE_SETTINGS
from tests.support.votable import read_votable

LINKS = "/datalink/links"
CUBE = "ivo://tessera/cubes?tess-s0001-4-2"
PARTS = (
    b'--x\r\nContent-Disposition: form-data; name="ID"\r\n\r\ntess-s0001-4-2\r\n'
    b'--x\r\nContent-Disposition: form-data; name="Id"\r\n\r\ntess-s0002-4-2\r\n--x--\r\n'
)
"""A form of two parts."""
Row = dict[str, Any]


def rows_of(answer: Answered) -> list[Row]:
    """Rows of a table of links; None for an empty cell."""
    assert answer.status == 200
    table = read_votable(answer.content).get_first_table().to_table()
    return [{name: _value(row[name]) for name in table.colnames} for row in table]


def _value(value: Any) -> Any:
    return None if np.ma.is_masked(value) or value == "" else value


def services_of(answer: Answered) -> dict[str, Any]:
    """Descriptions of services by their IDs."""
    return {found.ID: found for found in read_votable(answer.content).resources[1:] if found.ID}


def with_semantics(rows: list[Row], term: str) -> list[Row]:
    return [row for row in rows if row["semantics"] == term]


def named(rows: list[Row], name: str) -> Row:
    """The row of a kind of link."""
    (row,) = (row for row in rows if row["local_semantics"] == name)
    return row


def test_a_cube_has_its_file_cutouts_a_preview_and_its_origin(api: Api) -> None:
    answer = api.get(LINKS, ID=CUBE)
    assert answer.headers["content-type"] == "application/x-votable+xml;content=datalink"
    assert [row["semantics"] for row in rows_of(answer)] == [
        *("#this", "#cutout", "#cutout", "#preview", "#auxiliary", "#progenitor", "#auxiliary", "#auxiliary"),
    ]
    infos = read_votable(answer.content).resources[0].infos
    assert ("standardID", "ivo://ivoa.net/std/DataLink#links-1.1") in [(info.name, info.value) for info in infos]


def test_each_row_has_one_of_address_service_and_error(api: Api) -> None:
    answer = api.get(LINKS, ID=[CUBE, "ivo://tessera/cubes?tess-s0099-1-1", "tica-s0027-1-4"])
    for row in rows_of(answer):
        assert sum(bool(row[name]) for name in ("access_url", "service_def", "error_message")) == 1
    services = {row["service_def"] for row in rows_of(answer)} - {None}
    assert services == set(services_of(answer))


@pytest.mark.parametrize("name", ["preview", "sidecar", "frames", "origin", "coverage"])
def test_the_address_of_a_row_answers_with_its_media_type(api: Api, name: str) -> None:
    written(api.store)
    row = named(rows_of(api.get(LINKS, ID=CUBE)), name)
    answer = api.get(row["access_url"])
    assert answer.status == 200
    assert answer.headers["content-type"].partition(";")[0] == row["content_type"]


def test_the_sidecar_opens_as_the_cube(api: Api) -> None:
    row = named(rows_of(api.get(LINKS, ID=CUBE)), "sidecar")
    assert Cube.from_sidecar(api.get(row["access_url"]).content).obs_id == "tess-s0001-4-2"


def test_frames_are_named_with_their_addresses_and_times(api: Api) -> None:
    table = read_votable(api.get("/datalink/frames", ID=CUBE).content).get_first_table().to_table()
    name = "tess2018206192942-s0001-4-2-0120-s_ffic.fits"
    folder = "https://stpubdata.s3.amazonaws.com/tess/public/ffi/s0001/2018/206/4-2/"
    assert (table["name"][0], table["access_url"][0], len(table)) == (name, folder + name, 5)
    first = Time(1325.314 + 2457000, format="jd", scale="tdb").utc.mjd
    assert first - 1 < table["t_min"][0] < first + 1
    assert np.all(table["t_max"] > table["t_min"])


def test_cutouts_tell_what_the_cube_covers(api: Api) -> None:
    answer = api.get(LINKS, ID=CUBE)
    for service, standard in (("sync", "SODA#sync-1.0"), ("async", "SODA#async-1.0")):
        found = services_of(answer)[f"cutout1-{service}"]
        about = {param.name: param.value for param in found.params}
        assert about["standardID"] == f"ivo://ivoa.net/std/{standard}"
        assert about["accessURL"] == f"{BASE}/soda/{service}"
        inputs = {param.name: param for param in found.groups[0].entries}
        assert inputs["ID"].value == CUBE
        assert [*inputs] == ["ID", "CIRCLE", "POLYGON", "POS", "TIME", "BAND", "POL", "RESPONSEFORMAT"]
        ra, dec, radius = map(float, inputs["CIRCLE"].values.max)
        corners = np.reshape([float(value) for value in inputs["POLYGON"].values.max], (-1, 2))
        distances = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(corners, unit="deg")).deg
        assert distances.max() == pytest.approx(radius, abs=1e-9)
        start, end = inputs["TIME"].values.min, inputs["TIME"].values.max
        assert 58324 < start < end < 58326


def test_the_preview_is_of_the_middle(api: Api) -> None:
    (row,) = with_semantics(rows_of(api.get(LINKS, ID=CUBE)), "#preview")
    query = parse_qs(urlsplit(row["access_url"]).query)
    place = SkyCoord(query["ra"][0], query["dec"][0], unit="deg")
    assert place.separation(SkyCoord(RA, DEC, unit="deg")) < 60 * u.arcsec
    assert {*query} == {"cube", "ra", "dec", "size", "background", "points", "image", "stretch", "scale"}


@pytest.mark.parametrize("given", ["tess-s0001-4-2", "TESS-S0001-4-2", "IVO://Tessera/Cubes?TESS-S0001-4-2"])
def test_a_cube_has_several_spellings(api: Api, given: str) -> None:
    rows = rows_of(api.get(LINKS, ID=given))
    assert {row["ID"] for row in rows} == {given}
    assert len(rows) == 8


def test_what_is_not_found_has_a_row_with_the_word_of_the_standard(api: Api) -> None:
    unknown, known = rows_of(api.get(LINKS, ID=["ivo://tessera/cubes?none", CUBE]))[:2]
    assert unknown["error_message"].startswith("NotFoundFault: ID is 'ivo://tessera/cubes?none'; allowed: ")
    assert (unknown["semantics"], unknown["access_url"], known["ID"]) == ("#this", None, CUBE)


def test_an_identifier_of_any_characters_is_repeated(api: Api) -> None:
    given = "ivo://tessera/cubes?étoile\N{SNOWMAN}<&>"
    (row,) = rows_of(api.get(LINKS, ID=given))
    assert row["ID"] == given


def test_an_image_without_a_place_has_its_file_alone(images: MemoryStore) -> None:
    api = Api(MemoryStore(objects=dict(images.objects)), IMAGE_SETTINGS)
    key = keys.dataset_index("2mass")
    index = json.loads(api.store.read(API_SETTINGS.cube_bucket, key)[0])
    index["rows"][0]["images"] = []
    api.store.write(API_SETTINGS.cube_bucket, key, json.dumps(index).encode())
    given = f"ivo://tessera/images/2mass?{index['rows'][0]['found']['key']}"
    assert [row["semantics"] for row in rows_of(api.get(LINKS, ID=given))] == ["#this"]
    assert api.get("/datalink/preview", ID=given).status == 404


def test_no_identifier_gives_an_empty_table_that_describes_the_service(api: Api) -> None:
    answer = api.get(LINKS)
    assert rows_of(answer) == []
    (itself,) = read_votable(answer.content).resources[1:]
    assert itself.utype == "adhoc:this"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"ID=tess-s0001-4-2&id=tess-s0002-4-2&X=1", "application/x-www-form-urlencoded"),
        (PARTS, "multipart/form-data; boundary=x"),
    ],
)
def test_forms_are_read(api: Api, body: bytes, content_type: str) -> None:
    rows = rows_of(api.request("POST", LINKS, body=body, content_type=content_type))
    assert list(dict.fromkeys(row["ID"] for row in rows)) == ["tess-s0001-4-2", "tess-s0002-4-2"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"RESPONSEFORMAT": "csv"}, "RESPONSEFORMAT is 'csv'; allowed: votable, "),
        ({"MAXREC": "-1"}, "MAXREC is '-1'; allowed: a whole number from 0"),
        ({"MAXREC": ["1", "2"]}, "MAXREC is given 2 times: 1, 2; allowed: once"),
        ({"IDS": CUBE}, "ids is not a parameter"),
    ],
)
def test_a_wrong_request_is_told_in_a_votable(api: Api, query: dict[str, Any], said: str) -> None:
    answer = api.get(LINKS, **query)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/x-votable+xml")
    (info,) = read_votable(answer.content).resources[0].infos
    assert (info.name, info.value) == ("QUERY_STATUS", "ERROR")
    assert info.content.startswith(f"UsageFault: {said}")


def test_links_of_one_identifier_stay_together(api: Api) -> None:
    both = [CUBE, "tess-s0002-4-2"]
    answer = api.get(LINKS, ID=both, MAXREC=10)
    assert {row["ID"] for row in rows_of(answer)} == {CUBE}
    last = read_votable(answer.content).resources[0].infos[-1]
    assert (last.name, last.value) == ("QUERY_STATUS", "OVERFLOW")
    assert {row["ID"] for row in rows_of(api.get(LINKS, ID=both, MAXREC=16))} == set(both)
    assert rows_of(api.get(LINKS, ID=both, MAXREC=0)) == []


def test_more_identifiers_than_are_answered_are_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.http.vo.datalink.routes.MOST_IDS", 2)
    answer = api.get(LINKS, ID=["a", "b", "c"])
    assert [row["ID"] for row in rows_of(answer)] == ["a", "b"]
    assert read_votable(answer.content).resources[0].infos[-1].value == "OVERFLOW"


def test_our_own_cube_is_reached_by_a_link_that_counts_once_a_day(api: Api) -> None:
    settings = dataclasses.replace(API_SETTINGS, client_daily_gb=1.0)
    api = Api(api.store, settings)
    (row,) = with_semantics(rows_of(api.get(LINKS, ID=CUBE)), "#this")
    for _ in range(2):
        answer = api.get(row["access_url"])
        assert answer.status == 303
        assert "/cubes/s0001-4-2/" in answer.location
        assert answer.location.endswith(f"type={row['content_type']}")
        assert counted(api) == row["content_length"] > 0
    assert api.request("HEAD", row["access_url"]).status == 200


def counted(api: Api) -> int:
    """Bytes that all clients were charged."""
    state = api.handlers.state
    return sum(total for (kind, name), (total, _) in state.counters.items() if kind == KIND and name.count("/") == 1)


def test_a_client_that_had_its_share_gets_no_link(api: Api) -> None:
    size = with_semantics(rows_of(api.get(LINKS, ID=CUBE)), "#this")[0]["content_length"]
    api = Api(api.store, dataclasses.replace(API_SETTINGS, client_daily_gb=1.1 * size / 1e9))
    for cube in (CUBE, "tess-s0002-4-2"):
        assert api.get("/datalink/file", ID=cube).status == 303
    refused = api.get("/datalink/file", ID=CUBE)
    assert (refused.status, refused.content[:14]) == (429, b"TransientFault")
    assert refused.headers["retry-after"]


def test_a_file_beyond_the_share_of_a_day_has_no_link(api: Api) -> None:
    api = Api(api.store, dataclasses.replace(API_SETTINGS, client_daily_gb=1e-6))
    (row,) = with_semantics(rows_of(api.get(LINKS, ID=CUBE)), "#this")
    assert row["access_url"] is None
    for method in ("GET", "HEAD"):
        assert api.request(method, f"/datalink/file?ID={CUBE}").status == 413
    refused = api.get("/datalink/file", ID=CUBE).content.decode().strip()
    assert row["error_message"] == refused
    assert refused.endswith("a client gets at most 1e-06 GB in a day, so cut parts of it")
    assert counted(api) == 0


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("application/x-votable+xml;content=datalink", 200),
        ("application/x-votable xml; content=datalink", 200),
        ('application/x-votable+xml;serialization="TABLEDATA"', 200),
        ("text/xml;charset=UTF-8", 200),
        ("application/x-votable+xml;serialization=BINARY2", 400),
        ("text/xml;content=datalink", 400),
        ("csv", 400),
    ],
)
def test_only_formats_that_are_written_are_taken(api: Api, form: str, status: int) -> None:
    assert api.get(LINKS, ID=[CUBE, ""], RESPONSEFORMAT=form, MAXREC=10**30).status == status


def test_a_blank_identifier_is_none(api: Api) -> None:
    assert rows_of(api.get(LINKS, ID=["", " "])) == []


@pytest.mark.parametrize("path", ["/datalink/file", "/datalink/preview", "/datalink/sidecar", "/datalink/frames"])
@pytest.mark.parametrize(("query", "status"), [({}, 400), ({"ID": "none"}, 404), ({"ID": [CUBE, CUBE]}, 400)])
def test_a_file_that_nobody_can_get_is_an_error(api: Api, path: str, query: dict[str, Any], status: int) -> None:
    assert api.get(path, **query).status == status


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("roman?roman/roman_like_wfi07_l2_window.asdf", 300),
        ("hst?images/files/hst_skycell-p2007x09y05_wfc3_ir_f160w_coarse_drz.fits", 300),
        ("2MASS?GALACTIC/gc_msx_e.fits", 149),
    ],
)
def test_an_image_has_its_file_cutouts_and_a_preview(images: MemoryStore, name: str, size: int) -> None:
    api = Api(images, IMAGE_SETTINGS)
    this, *cutouts, preview = rows_of(api.get(LINKS, ID=f"ivo://tessera/images/{name}"))
    assert [row["semantics"] for row in (this, *cutouts, preview)] == ["#this", "#cutout", "#cutout", "#preview"]
    assert api.get(this["access_url"]).status == 303
    answer = api.get(preview["access_url"])
    assert (answer.status, answer.headers["content-type"]) == (200, preview["content_type"])
    assert Image.open(io.BytesIO(answer.content)).size == (size, size)
    assert api.get("/datalink/frames", ID=this["ID"]).status == 404


def test_a_public_file_has_the_address_of_its_bucket(images: MemoryStore) -> None:
    api = Api(images, IMAGE_SETTINGS)
    given = "ivo://tessera/images/sdss?sdss/reprojected_sdss_g.fits.bz2"
    (row,) = with_semantics(rows_of(api.get(LINKS, ID=given)), "#this")
    assert row["access_url"] == "https://pictures.s3.amazonaws.com/sdss/reprojected_sdss_g.fits.bz2"
    assert row["content_type"] == "application/x-bzip2"


def test_the_cube_of_the_other_product_and_the_coverage_are_linked_to(api: Api) -> None:
    index = parse_index(api.store.read(API_SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX)[0])
    twin = index.cubes[0].model_copy(update={"obs_id": "tica-s0001-4-2"})
    api.store.write(API_SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX, FootprintIndex.of([*index.cubes, twin]).to_json())
    other, coverage = (named(rows_of(api.get(LINKS, ID=CUBE)), name) for name in ("other-product", "coverage"))
    assert other["content_type"] == "application/x-votable+xml;content=datalink"
    assert {row["ID"] for row in rows_of(api.get(other["access_url"]))} == {"ivo://tessera/cubes?tica-s0001-4-2"}
    assert coverage["access_url"] == f"{BASE}/v1/coverage/SPOC/s0001.fits"


@pytest.mark.parametrize("name", ["file", "sidecar", "frames"])
def test_links_stay_while_the_service_is_paused_and_files_do_not(api: Api, name: str) -> None:
    pause(api.handlers.services, reason="the budget of the day is spent", by="budget")
    row = named(rows_of(api.get(LINKS, ID=CUBE)), name)
    answer = api.get(row["access_url"])
    assert (answer.status, answer.content.decode()) == (
        503,
        "TransientFault: the service is paused: the budget of the day is spent\n",
    )
