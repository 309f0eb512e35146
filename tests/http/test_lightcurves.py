"""One light curve of all sectors: the library's, from one request."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

import tessera
from tessera import Client, CutoutOptions, InvalidInputError, NothingFoundError, StitchedCurve
from tessera.lightcurves.detrending.vector_files import vectors_fits
from tessera.lightcurves.detrending.vectors import CotrendingVectors
from tessera_cloud import measure_keys
from tessera_cloud.application import results
from tessera_cloud.application.lightcurves import sizes
from tessera_cloud.http.lightcurves.models import StitchedLightCurve
from tessera_cloud.http.models import ErrorDocument
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import Answered, Api, proxy_event
from tests.support.builds import SETTINGS, run_build, store_with
from tests.support.sectors import SEEN, frames_of, star_place
from tests.support.service import service_of

RA, DEC = star_place()
PATH = "/v1/lightcurve"


@pytest.fixture(scope="module", name="sectors")
def _sectors() -> MemoryStore:
    store = store_with([frame for seen in SEEN for frame in frames_of(seen)])
    for seen in SEEN:
        run_build(store, seen.request)
    return store


@pytest.fixture
def api(sectors: MemoryStore) -> Api:
    return Api(MemoryStore(objects=copy.copy(sectors.objects)))


@pytest.fixture(scope="module", name="local")
def _local(sectors: MemoryStore, tmp_path_factory: pytest.TempPathFactory) -> tessera.SearchResult:
    """The same cubes in a folder, searched."""
    folder: Path = tmp_path_factory.mktemp("cubes")
    for (_, key), content in sectors.objects.items():
        if key.endswith("-cube.fits"):
            (folder / Path(key).name).write_bytes(content)
    return tessera.search((RA, DEC), cubes=folder)


def ask(api: Api, ending: str = "", **query: Any) -> Answered:
    return api.get(PATH + ending, **{"ra": RA, "dec": DEC, "size": "9,11"} | query)


def test_all_forms_have_the_light_curve_of_the_library(api: Api, local: tessera.SearchResult) -> None:
    answer, expected = ask(api), local.stitch((9, 11))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    found = answer.json()
    StitchedLightCurve.model_validate(found, extra="forbid")
    theirs = json.loads(expected.to_json())
    assert found["lightcurve"] == theirs["lightcurve"]
    assert found["gaps"] == theirs["gaps"]
    assert [one["cube"] for one in found["sectors"]] == ["tess-s0001-4-2", "tess-s0002-4-2", "tess-s0005-4-2"]
    for mine, other in zip(found["sectors"] + found["left_out"], theirs["sectors"] + theirs["left_out"], strict=True):
        assert mine | {"cube": ""} == other | {"cube": ""}
    file = ask(api, ".fits")
    assert (file.status, file.headers["content-type"]) == (200, "application/fits")
    assert file.headers["content-disposition"] == f'attachment; filename="spoc_{RA:.6f}_{DEC:.6f}_lightcurve.fits"'
    read = StitchedCurve.read(file.content)
    np.testing.assert_array_equal(read.flux, expected.flux)
    assert json.loads(read.to_json()) == found
    rows = list(csv.DictReader(ask(api, ".csv").content.decode().splitlines()))
    np.testing.assert_allclose([float(row["flux"]) for row in rows], expected.flux, rtol=1e-8)


def test_options_are_those_of_the_library(api: Api, local: tessera.SearchResult) -> None:
    digits = f"{0b1 << (12 * 4 - 1 - 22):012x}"[:12] + "0" * 13  # the pixel in row 2, column 0
    for query, options in (
        ({"detrend": "pld"}, {"detrend": "pld"}),
        ({"flags": "true", "quality": "none"}, {"options": CutoutOptions(flags=True), "quality": "none"}),
        ({"aperture": "all", "level": "shift"}, {"mask": "all", "level": "shift"}),
        ({"background": "rows", "quality": "none", "gap": "5"}, {"background": "rows", "quality": "none", "gap": 5}),
        (
            {"background": "none", "quality": "32", "aperture": digits},
            {"background": False, "mask": digits, "quality": 32},
        ),
    ):
        expected = json.loads(local.stitch((9, 11), **options).to_json())
        found = ask(api, **query).json()
        for name in ("lightcurve", "gaps", "level", "detrended", "units", "background_subtracted"):
            assert found[name] == expected[name], name


def test_sectors_and_times_limit_it(api: Api) -> None:
    assert [one["sector"] for one in ask(api, sectors="1,5").json()["sectors"]] == [1, 5]
    limited = ask(api, time="1354,1355").json()
    assert [one["sector"] for one in limited["sectors"]] == [2]
    assert [one["sector"] for one in limited["left_out"]] == [2, 1, 5]
    assert "no cadence is kept" in limited["left_out"][1]["reason"]
    named = api.get(PATH, name=f"{RA} {DEC}", size="9,11").json()
    assert named["lightcurve"] == ask(api).json()["lightcurve"]


def test_a_large_answer_is_elsewhere_and_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "INLINE_LIMIT", 1000)
    for ending, kind in (("", "application/json"), (".csv", "text/csv"), (".fits", "application/fits")):
        answer = ask(api, ending)
        assert answer.status == 303
        assert kind in answer.location
    keys = [key for bucket, key in api.store.objects if bucket == SETTINGS.result_bucket]
    assert sorted(Path(key).suffix for key in keys if not key.endswith(".claim")) == [".csv", ".fits", ".json"]
    api.store.requests.clear()
    assert ask(api, ".fits").status == 303
    assert not [each for each in api.store.requests if each[0] == "read_range" and each[1] != SETTINGS.result_bucket]


def test_a_client_that_has_it_is_not_sent_it_again(api: Api) -> None:
    first = ask(api)
    event = proxy_event("GET", PATH, PATH, urlencode({"ra": RA, "dec": DEC, "size": "9,11"}))
    for headers, value in (("headers", first.headers["etag"]), ("multiValueHeaders", [first.headers["etag"]])):
        event[headers] |= {"If-None-Match": value}
    again = api.handlers.invoke("cutout_api", event)
    assert (again["statusCode"], again.get("body") or "") == (304, "")
    assert ask(api, level="none").headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    ("query", "status", "parameter", "words"),
    [
        ({"level": "mean"}, 400, "level", "divide"),
        ({"gap": "0"}, 400, "gap", "0"),
        ({"quality": "best"}, 400, "quality", "none, default, hard, hardest, or the sum"),
        ({"quality": "4294967296"}, 400, "quality", "the sum of quality bits"),
        ({"aperture": "ff"}, 400, "aperture", "25 hexadecimal digits"),
        ({"aperture": "star"}, 400, "aperture", "default, all, or hexadecimal digits"),
        ({"size": "101"}, 400, "size", "1 to 100 pixels"),
        ({"detrend": "cbv"}, 404, "position", "there are no cotrending vectors of it"),
        ({"name": "pi Men"}, 400, "ra", "ra and dec"),
        ({"ra": RA + 90}, 404, "position", "/v1/map"),
        ({"sectors": "9"}, 404, "sectors", "1, 2, 5"),
        ({"time": "1,2"}, 404, "time", "1325.0"),
        ({"cadences": "90000,90001"}, 404, "cadences", "no cadence of sectors 1, 2, 5 is left"),
    ],
)
def test_what_is_wrong_is_named(api: Api, query: dict[str, Any], status: int, parameter: str, words: str) -> None:
    answer = ask(api, **query)
    assert answer.status == status, answer.content
    error = answer.json()["error"]
    assert error["parameter"] == parameter
    assert words in f"{error['message']} {error['allowed']}"


@pytest.mark.parametrize("query", [{}, {"level": "shift", "gap": 5}, {"background": "rows"}])
def test_the_answers_that_are_small_enough_are_named_and_make_the_whole(
    api: Api, client: Client, monkeypatch: pytest.MonkeyPatch, query: dict[str, Any]
) -> None:
    other = Api(MemoryStore(objects=copy.copy(api.store.objects)))  # which does not keep the answer for the first
    whole = StitchedCurve.read(ask(other, ".fits", **query).content)
    monkeypatch.setattr(sizes, "MAX_VALUES", 2 * 99 * 24)
    answer = ask(api, ".fits", **query)
    error = answer.json()["error"]
    ErrorDocument.model_validate(answer.json(), extra="forbid")
    assert (answer.status, error["parts"]) == (413, [[1, 2], [5]])
    assert "size is 9,11; in 3 sectors it has 7,128 pixels x cadences" in error["message"]
    assert "Ask 2 times: sectors=1,2; sectors=5. Client.lightcurve does so" in error["message"]
    assert {ask(api, sectors=sectors).status for sectors in ("1,2", "5")} == {200}
    joined = client.lightcurve((RA, DEC), (9, 11), **query)
    for name in ("time", "flux", "flux_err", "quality", "sector", "cadence_numbers"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))
    for name in ("sectors", "gaps", "level", "flux_unit", "background_subtracted", "made"):
        assert getattr(joined, name) == getattr(whole, name), name
    assert sorted(map(repr, joined.left_out)) == sorted(map(repr, whole.left_out))
    few = client.lightcurve((RA, DEC), (9, 11), sectors=[1, 5])
    assert [one.sector for one in few.sectors] == [1, 5]


def test_a_part_in_which_no_sector_can_be_used_is_left_out_with_the_reason(
    api: Api, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "MAX_VALUES", 2 * 99 * 24)
    with pytest.raises(NothingFoundError, match="there are no cotrending vectors of it"):
        client.lightcurve((RA, DEC), (9, 11), detrend="cbv")
    [cube] = [key for _, key in api.store.objects if key.endswith("tess-s0005-4-2-cube.fits")]
    usual = client.lightcurve((RA, DEC), (9, 11), sectors=5, quality="none")
    values, gap = np.sin(np.arange(24) / 3.0)[np.newaxis], np.zeros(24, bool)
    vectors = CotrendingVectors(usual.time, usual.cadence_numbers, gap, values)
    content = vectors_fits(vectors, [("SECTOR", 5, "")], 4, 2)
    api.store.write(SETTINGS.cube_bucket, measure_keys.beside(cube, "-vectors.fits"), content)
    curve = client.lightcurve((RA, DEC), (9, 11), detrend="cbv")
    assert [one.sector for one in curve.sectors] == [5]
    assert [one.sector for one in curve.left_out if "no cotrending vectors" in one.reason] == [1, 2]


def test_a_window_that_is_too_large_for_one_sector_is_told_what_is_not(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "MAX_VALUES", 99 * 24 - 1)
    answer = ask(api, ".fits")
    error = answer.json()["error"]
    assert (answer.status, error["parameter"], error["value"], error.get("parts")) == (413, "size", "9,11", None)
    assert error["allowed"] == "up to 9,9 where a sector has 24 cadences"
    assert ask(api, size="9", sectors=1).status == 200


def test_sectors_are_split_into_few_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MAX_VALUES", 10)
    assert sizes.split_sectors([(1, 4), (2, 6), (3, 1), (9, 10), (10, 5), (11, 5)]) == [[1, 2], [3], [9], [10, 11]]


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    with service_of(api) as server, Client(server.url, patience=0) as client:
        yield client


def test_the_client_gets_it_in_one_call(client: Client, local: tessera.SearchResult) -> None:
    expected = local.stitch((9, 11), level="shift")
    for target in ((RA, DEC), f"{RA} {DEC}"):
        curve = client.lightcurve(target, (9, 11), level="shift")
        np.testing.assert_array_equal(curve.flux, expected.flux)
        assert [one.ccd for one in curve.sectors] == [2, 2, 2]
    few = client.lightcurve((RA, DEC), sectors=[1, 5], background="rows", quality=32, gap=90)
    assert ([one.sector for one in few.sectors], len(few.gaps)) == ([1, 5], 1)
    mask = np.zeros((9, 11), bool)
    mask[4, 5] = True
    assert {one.n_pixels for one in client.lightcurve((RA, DEC), (9, 11), aperture=mask).sectors} == {1}
    with pytest.raises(InvalidInputError, match="level is 'mean'"):
        client.lightcurve((RA, DEC), level="mean")  # type: ignore[arg-type]
    with pytest.raises(NothingFoundError):
        client.lightcurve((RA, DEC), sectors=9)


def test_a_search_of_the_service_stitches_what_the_service_cuts(client: Client, local: tessera.SearchResult) -> None:
    curve = tessera.search((RA, DEC), service=client).stitch((9, 11))
    np.testing.assert_array_equal(curve.flux, local.stitch((9, 11)).flux)
    assert [one.name for one in curve.left_out] == ["s0002-4-3"]
