"""Lists of targets: their price, what is made of a request, and what is refused."""

from __future__ import annotations

import dataclasses
import datetime
import gzip
import io
import json
from collections.abc import Sequence
from typing import Any

import arro3.core
import arro3.io
import numpy as np
import pytest
from astropy.table import Table

from tessera.targets.places import StarPlace
from tessera_cloud import keys
from tessera_cloud.application.bulk.submit import read_list_of, read_order
from tessera_cloud.application.bulk.uploads import UPLOAD_BYTES
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.errors import UsageError
from tessera_cloud.http.bulk import given
from tests.support.api import DEC, LISTS, RA, Answered, Api, sky
from tests.support.builds import SETTINGS

CSV = f"ra,dec,size\n{RA},{DEC},5\n{RA},95,5\nfoo bar,{DEC},3\n{RA},{DEC},\n".encode()
ROWS = [{"ra": RA, "dec": DEC}, {"ra": sky(30, 20)[0], "dec": sky(30, 20)[1], "size": 3}]


def send(api: Api, body: bytes, path: str = "/v1/bulk/plan", kind: str = "text/csv", **more: Any) -> Answered:
    return api.request("POST", path, body=body, content_type=kind, **more)


def limit(api: Api, **limits: Any) -> None:
    services = api.handlers.services
    bulk = dataclasses.replace(services.settings.bulk, **limits)
    settings = dataclasses.replace(services.settings, bulk=bulk)
    api.handlers.services = dataclasses.replace(services, settings=settings)


def error(answer: Answered) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["error"]
    return found


def upload(api: Api, data: bytes) -> str:
    """Id of an upload whose file has arrived."""
    made = api.post("/v1/bulk/uploads", {"bytes": len(data)})
    assert made.status == 201
    api.store.write(SETTINGS.result_bucket, keys.upload(made.json()["upload"]), data)
    return str(made.json()["upload"])


def test_a_price_counts_rows_cubes_and_cutouts_and_says_which_rows_it_does_not_understand(api: Api) -> None:
    answer = send(api, CSV)
    plan = answer.json()
    assert answer.status == 200
    assert [plan[name] for name in ("rows", "targets", "n_problems", "cubes", "cutouts")] == [4, 2, 2, 2, 4]
    assert [problem["row"] for problem in plan["problems"]] == [2, 3]
    assert "95" in plan["problems"][0]["reason"]
    assert "foo bar" in plan["problems"][1]["reason"]
    assert plan["usd"] == pytest.approx(sum(plan["usd_parts"].values()), abs=1e-3)
    assert (plan["allowed"], plan["limits"]) == (True, [])


def test_a_price_reads_the_index_and_sidecars_and_nothing_else(api: Api) -> None:
    assert send(api, CSV).status == 200  # writes sidecars that are missing
    written, other = dict(api.store.objects), Api(api.store)
    api.store.requests.clear()
    assert send(other, CSV).status == 200
    read = {(operation, key.split("/")[0]) for operation, _, key in api.store.requests}
    assert read == {("read", "index"), ("read", "sidecars")}
    assert api.store.objects == written
    api.store.requests.clear()
    assert send(other, CSV, "/v1/bulk/plan?size=7").status == 200
    assert api.store.requests == []  # cubes are remembered


@pytest.mark.parametrize("kind", ["csv", "ecsv", "votable", "parquet", "json", "columns", "cells", "body", "gzip"])
def test_every_form_of_a_list_has_the_same_price(api: Api, kind: str) -> None:
    table = Table({"ra": [RA, RA], "dec": [DEC, 91.0]})
    expected = send(api, b"ra,dec\n%r,%r\n%r,91\n" % (RA, DEC, RA), "/v1/bulk/plan?size=5&outputs=tpf").json()
    query, encoding = "?size=5&outputs=tpf", ""
    if kind == "json":
        body, media = json.dumps([{"ra": RA, "dec": DEC}, {"ra": RA, "dec": 91}]).encode(), "application/json"
    elif kind == "columns":
        body, media = json.dumps({"ra": [RA, RA], "dec": [DEC, 91]}).encode(), "application/json"
    elif kind == "cells":  # a column that is one cell is for all rows
        body, media = json.dumps({"ra": RA, "dec": [DEC, 91], "size": 5}).encode(), "application/json"
        query = "?outputs=tpf"
    elif kind == "body":
        targets = [{"ra": RA, "dec": DEC}, {"ra": RA, "dec": 91}]
        body, media = json.dumps({"targets": targets, "size": 5, "outputs": ["tpf"]}).encode(), "application/json"
        query = ""
    elif kind == "gzip":
        body, media, encoding = gzip.compress(b"ra,dec\n%r,%r\n%r,91\n" % (RA, DEC, RA)), "text/csv", "gzip"
    else:
        body, media = _file(table, kind)
    answer = send(api, body, f"/v1/bulk/plan{query}", media, encoding=encoding)
    assert answer.status == 200, answer.content
    assert answer.json() | {"problems": []} == expected | {"problems": []}
    assert [problem["row"] for problem in answer.json()["problems"]] == [2]


def _file(table: Table, kind: str) -> tuple[bytes, str]:
    """Bytes and content type of a table."""
    if kind == "parquet":
        out = io.BytesIO()
        columns: dict[str, Any] = {
            name: arro3.core.Array.from_numpy(np.asarray(table[name])) for name in table.colnames
        }
        arro3.io.write_parquet(arro3.core.Table.from_pydict(columns), out)
        return out.getvalue(), "application/vnd.apache.parquet"
    data = io.BytesIO() if kind == "votable" else io.StringIO()
    table.write(data, format={"csv": "ascii.csv", "ecsv": "ascii.ecsv"}.get(kind, kind))
    text = data.getvalue()
    media = {"csv": "text/csv", "ecsv": "text/plain", "votable": "application/x-votable+xml"}[kind]
    return text if isinstance(text, bytes) else text.encode(), media


@pytest.mark.parametrize(("name", "value"), [("background", False), ("detrend", "pld")])
def test_options_are_the_same_in_the_query_and_in_the_body(api: Api, name: str, value: object) -> None:
    query = (
        "outputs=tpf,parquet&size=5,7&sectors=1&aperture=all&layout=slim&packing=files&best_only=true"
        f"&epoch=2016&{name}={str(value).lower()}"
    )
    options = {
        "outputs": ["parquet", "tpf"], "size": [5, 7], "sectors": [1], "aperture": "all",
        "layout": "slim", "packing": "files", "best_only": True, "epoch": 2016.0, name: value,
    }  # fmt: skip
    body = json.dumps(ROWS).encode()
    first = send(api, body, f"/v1/bulk?{query}", "application/json").json()
    assert first["plan"]["cubes"] == 1
    order = read_order(api.store, SETTINGS.result_bucket, first["id"])
    assert (order.size, order.sectors, order.layout, order.options.epoch) == ((5, 7), (1,), "slim", 2016.0)
    assert order.best_only
    assert getattr(order.options, name) == value
    compact = json.dumps(ROWS, separators=(",", ":")).encode()
    assert send(api, compact, f"/v1/bulk?{query}", "application/json").json()["id"] == api.post(
        "/v1/bulk", {"targets": ROWS, **options}
    ).json()["id"]  # fmt: skip


def test_the_same_list_twice_is_one_job_and_other_options_or_cubes_are_another(api: Api) -> None:
    first, again, other = (send(api, CSV, f"/v1/bulk{query}").json() for query in ("", "?size=11", "?size=12"))
    assert first["id"] == again["id"] != other["id"]
    assert first["cancel_token"] == again["cancel_token"]
    started = [name for machine, name in api.handlers.executions.executions if machine == LISTS]
    assert len(started) == 2
    place = SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX
    index = FootprintIndex.from_json(api.store.objects[place])
    api.store.objects[place] = FootprintIndex.of(index.cubes[:1]).to_json()
    changed = send(Api(api.store), CSV, "/v1/bulk").json()
    assert (changed["plan"]["cubes"], changed["id"] != first["id"]) == (1, True)


def test_the_list_of_a_request_is_kept_as_it_was_sent(api: Api) -> None:
    job = send(api, CSV, "/v1/bulk").json()
    order = read_order(api.store, SETTINGS.result_bucket, job["id"])
    assert read_list_of(order, api.handlers.services) == CSV
    assert (order.form, order.n_bytes, order.upload) == ("csv", len(CSV), "")


def test_an_upload_is_priced_and_worked_on_like_a_request(api: Api) -> None:
    found = upload(api, CSV)
    assert api.request("POST", f"/v1/bulk/plan?upload={found}").json() == send(api, CSV).json()
    job = api.post("/v1/bulk", {"upload": found, "format": "csv"}).json()
    assert job["id"] == send(api, CSV, "/v1/bulk").json()["id"]
    order = read_order(api.store, SETTINGS.result_bucket, job["id"])
    assert order.upload == found
    assert read_list_of(order, api.handlers.services) == CSV


def test_an_upload_that_is_replaced_after_it_was_asked_for_is_not_worked_on(api: Api) -> None:
    found = upload(api, CSV)
    order = read_order(api.store, SETTINGS.result_bucket, api.post("/v1/bulk", {"upload": found}).json()["id"])
    api.store.write(SETTINGS.result_bucket, keys.upload(found), CSV + b"1,2,3\n")
    with pytest.raises(UsageError, match="replaced after it was asked for"):
        read_list_of(order, api.handlers.services)
    del api.store.objects[SETTINGS.result_bucket, keys.upload(found)]
    with pytest.raises(UsageError, match="the list is gone"):
        read_list_of(order, api.handlers.services)


def test_an_upload_that_has_not_arrived_or_is_empty_or_too_large_is_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = api.post("/v1/bulk/uploads", {"bytes": 10}).json()
    assert waiting["max_bytes"] == UPLOAD_BYTES
    answer = api.request("POST", f"/v1/bulk?upload={waiting['upload']}")
    assert (answer.status, error(answer)["parameter"]) == (404, "upload")
    assert "whose file has arrived" in error(answer)["message"]
    api.store.write(SETTINGS.result_bucket, keys.upload(waiting["upload"]), b"")
    assert "is an empty file" in error(api.request("POST", f"/v1/bulk?upload={waiting['upload']}"))["message"]
    monkeypatch.setattr("tessera_cloud.application.bulk.uploads.UPLOAD_BYTES", 20)
    answer = api.request("POST", f"/v1/bulk?upload={upload(api, CSV)}")
    assert (answer.status, error(answer)["message"]) == (
        413,
        f"the upload has {len(CSV)} bytes; allowed: at most 20 bytes",
    )


def test_a_long_upload_has_no_price_at_once_but_is_worked_on(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "PRICED_ROWS", 3)
    found = upload(api, CSV)
    answer = api.post("/v1/bulk/plan", {"upload": found})
    assert (answer.status, error(answer)["parameter"]) == (413, "upload")
    assert "POST /v1/bulk plans a longer list as its first step" in error(answer)["message"]
    job = api.post("/v1/bulk", {"upload": found})
    assert (job.status, job.json()["plan"], job.json()["status"]) == (202, None, "running")
    monkeypatch.undo()
    monkeypatch.setattr("tessera_cloud.application.bulk.uploads.KEPT_BYTES", 20)
    assert api.post("/v1/bulk/plan", {"upload": found}).status == 413
    assert api.post("/v1/bulk", {"upload": found}).json()["id"] == job.json()["id"]


def test_what_exceeds_a_limit_is_priced_and_refused_by_name(api: Api) -> None:
    limit(api, most_usd=-1.0)
    plan = send(api, CSV).json()
    assert plan["allowed"] is False
    assert [each["limit"] for each in plan["limits"]] == ["usd"]
    answer = send(api, CSV, "/v1/bulk")
    assert (answer.status, error(answer)["parameter"]) == (413, "usd")
    assert error(answer)["message"].endswith("allowed: at most -1")
    assert error(answer)["limits"] == plan["limits"]
    assert api.handlers.executions.executions == {}


def test_a_request_with_too_many_rows_or_bytes_is_told_to_upload(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    many = b"ra,dec\n" + b"1,1\n" * 10_001
    for body, has in [(many, "more than 10,000 rows"), (b"x" * 4_000_001, "4,000,001 bytes")]:
        answer = send(api, body)
        assert (answer.status, error(answer)["value"]) == (413, has)
        assert error(answer)["message"].endswith("see POST /v1/bulk/uploads")
    assert send(api, b"ra,dec\n" + b"1,1\n" * 10_000).status == 200


def test_a_packed_body_may_not_become_too_large(api: Api) -> None:
    bomb = gzip.compress(b"\x00" * 50_000_000)
    assert len(bomb) < 100_000
    answer = send(api, bomb, encoding="gzip")
    assert (answer.status, error(answer)["value"]) == (413, "more than 40,000,000 bytes")
    assert send(api, bomb).status == 400
    assert error(send(api, b"ra,dec\n", encoding="br"))["message"] == "Content-Encoding is 'br'; allowed: gzip, or none"
    assert error(send(api, CSV, encoding="gzip"))["parameter"] == "Content-Encoding"
    assert error(send(api, gzip.compress(CSV)[:-9], encoding="gzip"))["message"].endswith("gzip and complete")


def test_a_packed_body_of_several_parts_is_read_whole(api: Api) -> None:
    parts = [gzip.compress(line) for line in CSV.splitlines(keepends=True)]
    assert send(api, b"".join(parts), encoding="gzip").json() == send(api, CSV).json()


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"", "text/csv", "body is missing"),
        (b" \n ", "text/csv", "body is missing"),
        (b"\xef\xbb\xbf", "text/csv", ""),
        (b"ra,dec\n", "text/csv", "a list without rows"),
        (b"ra,dec\nx,y\n", "text/csv", "no row of the list can be used: row 1: "),
        (b"color,shape\nred,round\n", "text/csv", ""),
        (b"name\n" + b"x" * 100_000, "text/csv", "no row of the list can be used: row 1: "),
        (b"\x00\xff\x00", "text/csv", "bytes that are no text"),
        (b"PK\x03\x04", "application/zip", "a zip archive or a spreadsheet"),
        (b"<html></html>", "text/html", "a web page"),
        (b"PAR1xxxx", "application/vnd.apache.parquet", ""),
        (b"<VOTABLE>", "application/x-votable+xml", ""),
        (CSV, "application/json", "body is not JSON"),
        (b"[1, 2", "application/json", "body is not JSON"),
        (
            b"--x\r\n\r\nra,dec\n1,2\n--x--",
            "multipart/form-data; boundary=x",
            "Content-Type is 'multipart/form-data'; allowed",
        ),
        (b"null", "application/json", "body is null; allowed: an object with targets, or a list of targets"),
        (b"{}", "application/json", "the request has no targets"),
        (b"[]", "application/json", "a list without rows"),
        (b'{"target": ["pi Men"]}', "application/json", "did you mean targets?"),
        (b'{"targets": 5}', "application/json", "targets is 5; allowed: a list, or an object"),
        (b'{"targets": ["pi Men"], "sise": 5}', "application/json", "did you mean size?"),
        (b'{"targets": ["pi Men"], "size": 0}', "application/json", "size is 0; allowed: a whole number from 1 to 101"),
        (b'{"targets": ["pi Men"], "outputs": []}', "application/json", "outputs is []; allowed: at least 1 text"),
        (b'{"targets": ["pi Men"], "background": 3}', "application/json", "background is 3; allowed: true or false"),
        (b'{"targets": [], "targets": []}', "application/json", "body has targets twice"),
        (b'{"targets": [[NaN, 1]]}', "application/json", "body has NaN"),
        (b'{"targets": ' + b"[" * 100_000, "application/json", "nested too deeply"),
        (b'{"upload": "../index"}', "application/json", "upload is '../index'; allowed: the id of an upload"),
        (
            b'{"targets": ["pi Men"], "upload": "k3Q9Xv2mT0yWn1c8RzLd4A"}',
            "application/json",
            "allowed: targets, or upload",
        ),
    ],
)
def test_a_body_that_is_no_list_is_refused_in_one_sentence(api: Api, body: bytes, kind: str, said: str) -> None:
    for path in ("/v1/bulk/plan", "/v1/bulk"):
        answer = send(api, body, path, kind)
        assert answer.status == 400, answer.content
        assert said in error(answer)["message"]
        assert len(error(answer)["message"]) < 900
    assert api.handlers.executions.executions == {}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sise=5", "did you mean size?"),
        ("size=0", "size is '0'; allowed: 1 to 101 pixels"),
        ("epoch=2457000", "epoch is '2457000'; allowed: "),
        ("epoch=nan", "epoch is 'nan'; allowed: "),
        ("size=5x7", "allowed: 1 to 101 pixels, such as 11, or rows and columns, such as 11,7"),
        ("size=5&size=6", "size is given 2 times"),
        ("outputs=fits", "outputs is 'fits'; allowed: parquet, lightcurves and tpf, one or several"),
        ("aperture=xyz", "aperture is 'xyz'; allowed: "),
        ("sectors=0", "sectors is '0'"),
        ("background=maybe", "background is 'maybe'; allowed: true or false"),
        ("detrend=flat", "detrend is 'flat'; allowed: "),
        ("detrend=cbv", "because there are no cotrending vectors of tess-s000"),
        ("format=xls", "format is 'xls'; allowed: csv or "),
        ("upload=k3Q9Xv2mT0yWn1c8RzLd4A", "the request has a body and upload"),
    ],
)
def test_a_wrong_option_is_refused_by_name(api: Api, query: str, said: str) -> None:
    answer = send(api, CSV, f"/v1/bulk/plan?{query}")
    assert answer.status == 400
    assert said in error(answer)["message"]


def test_options_stand_in_the_body_or_in_the_query_but_not_in_both(api: Api) -> None:
    answer = api.post("/v1/bulk/plan?size=5", {"targets": ROWS})
    assert error(answer)["message"] == "size is not a parameter of this operation; allowed: fields of the body"


def test_rows_may_be_names_and_unknown_names_are_told(api: Api) -> None:
    plan = api.post("/v1/bulk/plan", {"targets": ["pi Men", "no such star", {"ra": RA, "dec": DEC}]}).json()
    assert (plan["targets"], plan["n_on_no_cube"]) == (2, 1)
    assert [(problem["row"], problem["name"]) for problem in plan["problems"]] == [(2, "no such star")]


def test_numbers_of_the_catalogue_are_looked_up_together_and_in_time(api: Api) -> None:
    catalogue = Catalogue({n: StarPlace(RA, DEC) for n in range(1, 3000)})
    api.handlers.services = dataclasses.replace(api.handlers.services, open_star_places=lambda settings: catalogue)
    body = b"tic\n" + b"".join(b"%d\n" % n for n in range(1, 3002))
    plan = send(api, body).json()
    assert (plan["targets"], [problem["row"] for problem in plan["problems"]]) == (2999, [3000, 3001])
    assert catalogue.asked == [1000, 1000, 1000, 1]
    catalogue.asked.clear()
    catalogue.slow = api
    plan = send(api, body).json()
    assert (catalogue.asked, plan["targets"]) == ([1000, 1000], 2000)
    assert plan["problems"][0]["row"] == 2001
    assert "takes too long" in plan["problems"][0]["reason"]


class Catalogue:
    """A catalogue of stars in memory. It takes six seconds for each answer if it is slow."""

    def __init__(self, places: dict[int, StarPlace]) -> None:
        self.places, self.asked = places, list[int]()
        self.slow: Api | None = None

    def find_places(self, tics: Sequence[int]) -> dict[int, StarPlace]:
        self.asked.append(len(tics))
        if self.slow is not None:
            now = self.slow.handlers.now() + datetime.timedelta(seconds=6)
            self.slow.handlers.clock = lambda: now
        return {tic: self.places[tic] for tic in tics if tic in self.places}


def test_a_list_without_a_target_on_a_cube_has_a_price_and_no_work(api: Api) -> None:
    body = b"ra,dec\n200,40\n%r,%r\n" % (RA, -DEC)
    plan = send(api, body).json()
    assert (plan["cutouts"], plan["n_on_no_cube"], plan["allowed"]) == (0, 2, True)
    answer = send(api, body, "/v1/bulk")
    assert (answer.status, error(answer)["message"]) == (404, "none of the 2 targets of the list is on a SPOC cube")
    answer = send(api, CSV, "/v1/bulk?sectors=9,12")
    assert error(answer)["message"] == "none of the 2 targets of the list is on a SPOC cube of the sectors 9, 12"
    assert api.handlers.executions.executions == {}


def test_cubes_that_cannot_be_opened_in_time_are_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.http.bulk.routes.OPEN_SECONDS", -1.0)
    answer = send(api, CSV)
    assert (answer.status, error(answer)["code"]) == (503, "busy")
    assert error(answer)["message"].startswith("2 of 2 cubes are not opened yet; ask again")
