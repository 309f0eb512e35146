"""SIA 2.0 over small cubes and images: what the rows say, in which form, and what an answer costs."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any
from urllib.parse import urlencode

import pytest

from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.vo.obscore.rows import DATALINK
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, BASE, Answered, Api
from tests.support.image_service import DATASETS, IMAGE_SETTINGS, MOSAIC, put_datasets
from tests.support.obscore import NULL, rows
from tests.support.votable import read_votable


def row_of(api: Api, name: str) -> dict[str, Any]:
    (row,) = (row for row in rows(api.get("/sia2/query").content) if row["obs_id"] == name)
    return row


def test_a_row_of_a_cube_says_what_the_index_knows(everything: Api) -> None:
    cube = next(each for each in current_index(everything.handlers.services).cubes if each.ccd_id.sector == 27)
    row = row_of(everything, "tica-s0027-1-4")
    name = "ivo://tessera/cubes?tica-s0027-1-4"
    utc = 69.184 / 86400
    assert row["t_min"] == pytest.approx(cube.t_min - utc, abs=1e-9)
    assert row["t_max"] == pytest.approx(cube.t_max - utc, abs=1e-9)
    assert row["access_estsize"] == math.ceil(cube.size / 1000)
    assert row["access_url"] == f"{BASE}/datalink/links?{urlencode({'ID': name})}"
    wanted = {
        "dataproduct_type": "cube",
        "calib_level": 2,
        "obs_collection": "TESS",
        "obs_publisher_did": name,
        "access_format": DATALINK,
        "t_xel": 3,
        "t_resolution": 600,
        "em_min": 6e-7,
        "em_max": 1e-6,
        "o_ucd": "phot.count",
        "pol_xel": 0,
        "facility_name": "TESS",
        "instrument_name": "Photometer",
        "s_xel1": NULL,
        "t_exptime": pytest.approx(3 * 475.2),
        "s_resolution": 42.0,
        "pol_states": NULL,
        "cloud_access": NULL,
    }
    assert {column: row[column] for column in wanted} == wanted


def test_the_region_is_counter_clockwise_on_the_sky_and_around_the_middle(everything: Api) -> None:
    for row in rows(everything.get("/sia2/query").content):
        words = row["s_region"].split()
        assert words[:2] == ["POLYGON", "ICRS"]
        ra, dec = ([float(word) for word in words[first::2]] for first in (2, 3))
        assert (ra[0], dec[0]) != (ra[-1], dec[-1])
        x = [(value - row["s_ra"]) * math.cos(math.radians(row["s_dec"])) for value in ra]
        y = [value - row["s_dec"] for value in dec]
        turns = [x[n - 1] * y[n] - x[n] * y[n - 1] for n in range(len(x))]
        assert max(turns) < 0, "east is left, so counter-clockwise on the sky is clockwise in ra and dec"
        assert row["s_fov"] / 2 == pytest.approx(max(map(math.hypot, x, y)), rel=0.01)


def test_a_row_of_an_image_says_where_everybody_may_read_it(everything: Api) -> None:
    row = row_of(everything, "reprojected_sdss_g.fits.bz2")
    place = {"bucket_name": "pictures", "key": "sdss/reprojected_sdss_g.fits.bz2", "region": "us-east-1"}
    assert json.loads(row["cloud_access"]) == {"aws": place}
    assert (row["dataproduct_type"], row["facility_name"], row["s_xel1"], row["s_xel2"]) == ("image", "SDSS", 682, 496)
    assert [row[name] for name in ("t_min", "em_min", "instrument_name")] == [NULL] * 3
    assert row_of(everything, MOSAIC)["cloud_access"] is NULL


def form(*values: tuple[str, str]) -> bytes:
    parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in values]
    return ("".join(parts) + "--x--\r\n").encode()


def test_all_ways_to_ask_give_the_same_answer(everything: Api) -> None:
    wanted = (("POS", "CIRCLE 88.95 -75.39 0.1"), ("POS", "CIRCLE 8.78 -44.07 0.01"), ("maxrec", "5"))
    kinds: dict[str, Answered] = {
        "GET": everything.request("GET", f"/sia2/query?{urlencode(wanted)}"),
        "HEAD": everything.request("HEAD", f"/sia2/query?{urlencode(wanted)}"),
        "form": everything.request(
            "POST",
            "/sia2/query",
            body=urlencode(wanted).encode(),
            content_type="application/x-www-form-urlencoded",
        ),
        "parts": everything.request(
            "POST", "/sia2/query", body=form(*wanted), content_type="multipart/form-data; boundary=x"
        ),
    }
    assert {kind: answer.status for kind, answer in kinds.items()} == dict.fromkeys(kinds, 200)
    assert len({answer.content for answer in kinds.values()}) == 1
    assert len(rows(kinds["GET"].content)) == 3


@pytest.mark.parametrize(
    ("wanted", "content_type", "delimiter"),
    [("csv", "text/csv", ","), ("text/csv", "text/csv", ","), ("TSV", "text/tab-separated-values", "\t")],
)
def test_text_has_the_rows_of_the_votable(everything: Api, wanted: str, content_type: str, delimiter: str) -> None:
    answer = everything.get("/sia2/query", RESPONSEFORMAT=wanted)
    assert answer.headers["content-type"] == content_type
    written = list(csv.DictReader(io.StringIO(answer.content.decode()), delimiter=delimiter))
    told = rows(everything.get("/sia2/query").content)
    for name in ("obs_id", "s_region", "access_url", "cloud_access"):
        assert [row[name] for row in written] == [row[name] or "" for row in told]
    assert [row["t_min"] for row in written] == [
        "" if row["t_min"] is NULL else repr(float(row["t_min"])) for row in told
    ]


@pytest.mark.parametrize("kind", ["text/xml", "application/x-votable+xml", "application/x-votable xml"])
def test_a_votable_has_the_content_type_that_the_client_wants(everything: Api, kind: str) -> None:
    answer = everything.get("/sia2/query", RESPONSEFORMAT=kind)
    assert answer.headers["content-type"] == kind.replace(" ", "+")


def test_a_large_answer_is_stored_and_the_client_sent_there(everything: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    inline = everything.get("/sia2/query").content
    monkeypatch.setattr("tessera_cloud.application.results.INLINE_LIMIT", 1000)
    answer = everything.get("/sia2/query")
    assert answer.status == 303
    assert answer.location.endswith("&name=sia2.xml&type=application/x-votable+xml")
    bucket = API_SETTINGS.result_bucket
    key = answer.location.split("?")[0].removeprefix(f"https://{bucket}.example/")
    assert everything.store.objects[bucket, key] == inline


def test_texts_of_any_language_come_through(images: MemoryStore) -> None:
    datasets = [{**dataset, "mission": "Observatório <&>'"} for dataset in DATASETS]
    store = MemoryStore(objects=dict(images.objects))
    put_datasets(store, datasets)
    document = read_votable(Api(store, IMAGE_SETTINGS).get("/sia2/query", COLLECTION="sdss").content)
    table = document.get_first_table()
    assert {field.name for field in table.fields if field.datatype == "unicodeChar"} == {"facility_name"}
    assert set(table.to_table()["facility_name"]) == {"Observatório <&>'"}
