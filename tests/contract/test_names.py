"""Names of stars: MAST's resolver over HTTP, and the list for machines without a network."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tessera.io import answers
from tessera.targets.places import NamedPlace
from tessera_cloud.adapters import name_resolver
from tessera_cloud.adapters.name_resolver import BundledNames, MastResolver, _bundled
from tessera_cloud.errors import BusyError, TransientError
from tessera_local.demo.demonstration import EXAMPLES
from tests.support.horizons import Answer, Query, horizons


def row(resolver: str, ra: Any = 84.29, dec: Any = -80.46, **more: Any) -> dict[str, Any]:
    """As MAST's resolver writes one."""
    document = {"searchString": "x", "resolver": resolver, "canonicalName": f"{resolver} x", "ra": ra, "decl": dec}
    return (
        document | {"radius": 0.0, "objectType": "*", "cached": True, "matchType": "EXACT", "searchRadius": -1} | more
    )


def rows(*found: Any) -> Answer:
    return lambda query: (200, json.dumps({"resolvedCoordinate": list(found), "status": ""}))


def test_a_name_becomes_a_position() -> None:
    with horizons(rows(row("SIMBAD"))) as (url, asked):
        found = MastResolver(url).find("  pi Men & <b> ")
    assert found == NamedPlace("SIMBAD x", 84.29, -80.46, "MAST (SIMBAD)")
    assert asked == [{"name": "pi Men & <b>", "outputFormat": "json", "resolveAll": "false"}]


@pytest.mark.parametrize(
    ("name", "asked_for", "resolver"),
    [("TIC 261136679", "TIC 261136679", "TIC"), ("tic261136679", "TIC 261136679", "TIC"), ("KIC 1", "KIC 1", "KEPLER")],
)
def test_a_number_of_a_catalogue_is_looked_up_there(name: str, asked_for: str, resolver: str) -> None:
    with horizons(rows(row("SIMBAD", 1.0, 1.0), row(resolver, 2.0, 2.0))) as (url, asked):
        found = MastResolver(url).find(name)
    assert found == NamedPlace(f"{resolver} x", 2.0, 2.0, f"MAST ({resolver})")
    assert (asked[0]["name"], asked[0]["resolveAll"]) == (asked_for, "true")


@pytest.mark.parametrize(
    "document",
    [
        {"resolvedCoordinate": [], "status": ""},
        {"status": "OK"},
        {"resolvedCoordinate": None},
        {"resolvedCoordinate": ["x", {"ra": None, "decl": 1}, row("NED", "x"), row("NED", 1.0, 95.0)]},
    ],
)
def test_an_answer_without_a_position_is_nobody(document: Any) -> None:
    with horizons(lambda query: (200, json.dumps(document))) as (url, _):
        assert MastResolver(url).find("nobody") is None


def test_right_ascension_is_from_0_to_360() -> None:
    with horizons(rows(row("NED", "-1.5", "2"))) as (url, _):
        assert MastResolver(url).find("x") == NamedPlace("NED x", 358.5, 2.0, "MAST (NED)")


def test_trouble_that_passes_is_not_seen() -> None:
    answers = iter([(503, "busy"), (200, json.dumps({"resolvedCoordinate": [row("NED")]}))])
    with horizons(lambda query: next(answers)) as (url, asked):
        assert MastResolver(url).find("x") is not None
    assert len(asked) == 2


def test_a_name_that_the_server_does_not_find_is_unknown() -> None:
    with horizons(lambda query: (404, json.dumps({"resolvedCoordinate": [], "status": ""}))) as (url, _):
        assert MastResolver(url).find("nobody") is None


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (500, ""),
        (429, "{}"),
        (403, json.dumps({"resolvedCoordinate": []})),
        (404, "<html>moved</html>"),
        (302, "<html>elsewhere</html>"),
        (200, "<html>maintenance</html>"),
        (200, ""),
        (200, "[]"),
        (200, "{}"),
        (200, "3"),
        (200, "[" * 100_000),
        (200, '{"resolvedCoordinate": [{"ra": 1.0, "de'),
        (200, '{"status": "ERROR: the database is away"}'),
    ],
)
def test_trouble_that_stays_may_pass_later(status: int, text: str) -> None:
    with horizons(lambda query: (status, text)) as (url, asked), pytest.raises(BusyError, match="MAST's name resolver"):
        MastResolver(url).find("x")
    assert len(asked) == 2


def test_an_answer_that_drips_is_given_up() -> None:
    seconds = itertools.count(0.0, 10.0)
    with horizons(rows(row("SIMBAD"))) as (url, asked), pytest.raises(BusyError, match="does not answer"):
        MastResolver(url, clock=lambda: next(seconds)).find("x")
    assert len(asked) == 1


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_BYTES", 100)
    with horizons(rows(row("SIMBAD"))) as (url, _), pytest.raises(BusyError, match="does not answer"):
        MastResolver(url).find("x")


def test_nobody_waits_long() -> None:
    def slow(query: Query) -> tuple[int, str]:
        time.sleep(0.6)
        return 200, "{}"

    with horizons(slow) as (url, _), pytest.raises(TransientError):
        MastResolver(url, timeout=0.2, attempts=1).find("x")


def test_a_server_is_an_address() -> None:
    with pytest.raises(ValueError, match="allowed: an address with http"):
        MastResolver("/etc/passwd")


def test_the_stars_of_the_demonstration_are_known() -> None:
    for example in EXAMPLES:
        assert BundledNames().find(example.name) == NamedPlace(example.name, example.ra, example.dec, "bundled list")


def test_the_list_is_of_positions_on_the_sky_and_no_spelling_means_two() -> None:
    places = _bundled()
    assert len(set(places.values())) >= 50
    assert all(0 <= place.ra < 360 and -90 <= place.dec <= 90 for place in places.values())
    rows = json.loads(Path(name_resolver.__file__).with_name("names.json").read_text(encoding="utf-8"))
    assert len(places) == sum(1 + len(row.get("also", ())) for row in rows)
    assert BundledNames().find("nobody") is None
