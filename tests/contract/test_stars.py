"""What MAST's TESS Input Catalog says about a star."""

from __future__ import annotations

import importlib.util
import itertools
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tessera.tess.star import Star
from tessera_cloud.adapters.star_catalogue import MastStars
from tests.support.horizons import Answer, Query, horizons

NUMBERS = {"ID": 25155310, "Tmag": 10.555, "pmRA": 63.0735, "pmDEC": 53.6783, "Teff": 5800, "logg": 4.28, "MH": -0.06}
ROW: dict[str, Any] = NUMBERS | {"rad": 1.27, "version": "20190415"}
STAR = Star("", 25155310, 10.555, 63.0735, 53.6783, 5800.0, 4.28, -0.06, 1.27)


def rows(*found: Any) -> Answer:
    return lambda query: (200, json.dumps({"status": "COMPLETE", "data": found}))


def test_a_star_is_found_by_its_number() -> None:
    with horizons(rows(ROW)) as (url, asked):
        assert MastStars(url).find(25155310) == STAR
    (query,) = asked
    request = json.loads(query["request"])
    assert request["service"] == "Mast.Catalogs.Filtered.Tic"
    assert request["params"]["filters"] == [{"paramName": "ID", "values": ["25155310"]}]
    assert request["params"]["columns"] == "ID,Tmag,pmRA,pmDEC,Teff,logg,MH,rad"


def test_the_columns_are_those_of_a_recorded_answer() -> None:
    package = importlib.util.find_spec("astroquery.mast")
    assert package is not None
    folder = Path(package.origin or "").parent / "tests/data"
    document = json.loads((folder / "tic.json").read_text(encoding="utf-8"))
    names = {field["name"] for field in document["fields"]}
    with horizons(lambda query: (200, json.dumps(document))) as (url, asked):
        assert MastStars(url).find(10000732589) == Star(tic=10000732589, tmag=16.328)
        assert MastStars(url).find(5) is None  # none of the rows
    assert set(json.loads(asked[0]["request"])["params"]["columns"].split(",")) <= names


@pytest.mark.parametrize("value", [None, "", "5800", True, float("nan"), float("inf"), [5], -1e400])
def test_what_is_no_number_is_not_known(value: Any) -> None:
    with horizons(rows({"ID": "7", "Teff": value, "logg": 4})) as (url, _):
        assert MastStars(url).find(7) == Star(tic=7, logg=4.0)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (500, ""),
        (404, "{}"),
        (429, "{}"),
        (200, "<html>maintenance</html>"),
        (200, ""),
        (200, "[]"),
        (200, "3"),
        (200, "{}"),
        (200, "[" * 100_000),
        (200, '{"data": null}'),
        (200, '{"data": [null, 3, {"ID": 7}, {}]}'),
        (200, '{"status": "EXECUTING", "data": []}'),
        (200, '{"data": [{"ID": 25155310, "Tm'),
    ],
)
def test_trouble_of_the_catalogue_is_a_star_that_is_not_known(status: int, text: str) -> None:
    with horizons(lambda query: (status, text)) as (url, asked):
        assert MastStars(url).find(25155310) is None
    assert len(asked) == 1


def test_nobody_waits_long() -> None:
    given_up = threading.Event()

    def slow(query: Query) -> tuple[int, str]:
        given_up.wait(60)
        return rows(ROW)(query)

    with horizons(slow) as (url, _):
        assert MastStars(url, timeout=0.1).find(25155310) is None
        given_up.set()
    seconds = itertools.count(0.0, 10.0)
    with horizons(rows(ROW)) as (url, _):
        assert MastStars(url, clock=lambda: next(seconds)).find(25155310) is None


def test_a_catalogue_that_is_not_there_knows_nothing() -> None:
    assert MastStars("http://127.0.0.1:9").find(5) is None


def test_a_server_is_an_address() -> None:
    with pytest.raises(ValueError, match="allowed: an address with http"):
        MastStars("/etc/passwd")
