"""JPL Horizons as our adapter reads it, from recorded answers."""

from __future__ import annotations

import itertools
import socket

import pytest
from astroquery.jplhorizons import HorizonsClass

from tessera_cloud.adapters.horizons import EARTH, TESS, Horizons
from tessera_cloud.errors import AmbiguousTargetError, NoEphemerisError, UnknownTargetError, UsageError
from tests.support.horizons import Answer, Query, horizons, observer_table, recorded

START, STOP = 2459740.5, 2459770.5
TRACK = [(2458468.25, 82.22, -1.58), (2458468.75, 82.1, -1.55), (2458469.25, 359.9, 1.0)]


def always(text: str, status: int = 200) -> Answer:
    return lambda query: (status, text)


def test_a_recorded_table_becomes_positions() -> None:
    with horizons(always(recorded("ceres_ephemerides_range"))) as (url, asked):
        found = Horizons(url).find("Ceres", None, START, STOP, 240)
    assert found.target == "1 Ceres (A801 AA)"
    assert found.observer == "TESS"
    assert found.days == (2459740.5, 2459750.5, 2459760.5, 2459770.5)
    assert found.ra == (101.73343, 106.56175, 111.42655, 116.30339)
    assert found.dec == (26.78554, 26.59903, 26.26772, 25.79505)
    (query,) = asked
    assert query["COMMAND"] == "Ceres"
    assert query["CENTER"] == TESS
    assert (query["START_TIME"], query["STOP_TIME"]) == ("JD2459740.500000", "JD2459770.500000")
    assert query["STEP_SIZE"] == "240h"
    assert query["REF_SYSTEM"] == "ICRF"


def test_extra_digits_are_read() -> None:
    with horizons(always(observer_table("354 Eleonora (A893 BA)", TRACK))) as (url, _):
        found = Horizons(url).find("Eleonora", "smallbody", 2458468.0, 2458470.0, 12)
    assert list(zip(found.days, found.ra, found.dec, strict=True)) == TRACK


@pytest.mark.parametrize(
    ("name", "kind", "command"),
    [
        ("Eleonora", None, "Eleonora"),
        ("354", "smallbody", "354;"),
        ("301", "majorbody", "301"),
        ("67P/Churyumov-Gerasimenko", None, "DES=67P; CAP; NOFRAG;"),
        ("C/2025 N1 (ATLAS)", "smallbody", "DES=C/2025 N1; CAP; NOFRAG;"),
        ("3I/ATLAS", None, "DES=3I; CAP; NOFRAG;"),
        ("DES=2003 UB313;", "smallbody", "DES=2003 UB313;"),
        ("\u02bbOumuamua", None, "'Oumuamua"),
        ("\u2019Oumuamua", "smallbody", "'Oumuamua;"),
        ("Proven\u00e7al", None, "Provencal"),
    ],
)
def test_names_numbers_and_designations_are_asked_for_as_horizons_wants_them(
    name: str, kind: str | None, command: str
) -> None:
    with horizons(always(recorded("ceres_ephemerides_range"))) as (url, asked):
        Horizons(url).find(name, kind, START, STOP, 240)
    assert asked[0]["COMMAND"] == command


@pytest.mark.parametrize("kind", [None, "smallbody"])
def test_astroquery_asks_the_same(kind: str | None) -> None:
    with horizons(always(recorded("ceres_ephemerides_range"))) as (url, asked):
        Horizons(url).find("Ceres", kind, START, STOP, 240)
    epochs = {"start": f"JD{START:.6f}", "stop": f"JD{STOP:.6f}", "step": "240h"}
    peer = HorizonsClass(id="Ceres", location=TESS, epochs=epochs, id_type=kind)
    payload = peer.ephemerides_async(quantities="1", extra_precision=True, get_query_payload=True)
    theirs = {key: str(value).strip("\"'") for key, value in payload.items()}

    assert asked[0].items() <= theirs.items()
    assert {key: theirs[key] for key in theirs.keys() - asked[0].keys()} == {  # what Horizons does without being asked
        "SOLAR_ELONG": "0,180",
        "LHA_CUTOFF": "0",
        "SKIP_DAYLT": "NO",
    }


def test_candidates_of_an_ambiguous_name_are_listed() -> None:
    with horizons(always(recorded("141P_matches"))) as (url, _), pytest.raises(AmbiguousTargetError) as error:
        Horizons(url).find("141P", None, START, STOP, 24)
    assert "90001033 2019 141P 141P Machholz 2" in str(error.value)
    assert str(error.value).count("Machholz 2") == 7


def test_planets_and_moons_of_one_name_are_listed() -> None:
    text = """API SOURCE: NASA/JPL Horizons API
 Multiple major-bodies match string "MARS*"

  ID#      Name                               Designation  IAU/aliases/other
  -------  ---------------------------------- -----------  -------------------
        4  Mars Barycenter
      499  Mars
       -3  Mars Orbiter Mission (MOM) (spacec              Mangalyaan

   Number of matches =  3. Use ID# to make unique selection.
"""
    with horizons(always(text)) as (url, _), pytest.raises(AmbiguousTargetError) as error:
        Horizons(url).find("Mars", None, START, STOP, 24)
    assert "designations: 4 Mars Barycenter; 499 Mars; -3 Mars Orbiter Mission" in str(error.value)
    assert "Number of matches" not in str(error.value)


def test_a_text_that_matches_thousands_lists_some() -> None:
    lines = "".join(f"  {number}  Body {number}\n" for number in range(3000))
    text = f'API SOURCE: x\n Multiple major-bodies match string "*"\n\n{lines}\n Use ID# to make unique selection.\n'
    with horizons(always(text)) as (url, _), pytest.raises(AmbiguousTargetError, match=r"; and 2980 more$") as error:
        Horizons(url).find("MB", None, START, STOP, 24)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("name", ["-95", "TESS"])
def test_the_observer_itself_has_no_position(name: str) -> None:
    text = "API SOURCE: NASA/JPL Horizons API\n Observer table for observer=target disallowed.\n"
    with horizons(always(text)) as (url, _), pytest.raises(UsageError, match=r"says: Observer table .* disallowed"):
        Horizons(url).find(name, None, START, STOP, 24)


def test_a_number_that_no_planet_has_is_unknown() -> None:
    text = 'API SOURCE: NASA/JPL Horizons API\n Multiple major-bodies match string "98765*"\n\n No matches found.\n'
    with horizons(always(text)) as (url, _), pytest.raises(UnknownTargetError, match="'98765'"):
        Horizons(url).find("98765", "majorbody", START, STOP, 24)


def test_an_unknown_name_is_told() -> None:
    with horizons(always(recorded("unknown"))) as (url, _), pytest.raises(UnknownTargetError, match="'nosuchrock'"):
        Horizons(url).find("nosuchrock", None, START, STOP, 24)


def test_the_earth_sees_where_the_spacecraft_is_not_known() -> None:
    def answer(query: Query) -> tuple[int, str]:
        if query["CENTER"] == TESS:
            return 200, '$$SOF\n No ephemeris for target "TESS (spacecraft)" prior to A.D. 2018-APR-19 00:00 UT\n'
        return 200, observer_table("354 Eleonora (A893 BA)", TRACK)

    with horizons(answer) as (url, asked):
        found = Horizons(url).find("Eleonora", None, 2458000.0, 2458001.0, 12)
    assert found.observer == "Earth"
    assert [query["CENTER"] for query in asked] == [TESS, EARTH]


def test_what_horizons_says_else_is_passed_on() -> None:
    text = '$$SOF\n Cannot interpret date. Type "?!" or try YYYY-MMM-DD {HH:MN} format.\n'
    with horizons(always(text)) as (url, _), pytest.raises(UsageError, match=r"JPL Horizons says: .*Cannot interpret"):
        Horizons(url).find("Eleonora", None, START, STOP, 24)


def test_a_server_in_trouble_is_asked_again_and_then_given_up() -> None:
    with horizons(always("busy", 503)) as (url, asked), pytest.raises(NoEphemerisError, match="JPL Horizons"):
        Horizons(url, attempts=3).find("Eleonora", None, START, STOP, 24)
    assert len(asked) == 3


CERES = recorded("ceres_ephemerides_range")
PAGE = "<!DOCTYPE html><html><body>JPL Horizons is down for maintenance. $$SOE</body></html>"
ROW = next(line for line in CERES.splitlines() if line.startswith(" 2022-Jun-10"))


@pytest.mark.parametrize("centre", [TESS, EARTH])
@pytest.mark.parametrize(
    ("text", "status"),
    [
        (PAGE, 200),
        (PAGE, 302),
        (PAGE, 404),
        ("too many requests", 429),
        ("", 200),
        ("\0\1 nonsense", 200),
        (CERES.partition("$$EOE")[0], 200),
        (CERES.partition("$$SOE")[0], 200),
        (CERES[:1000], 200),
        (CERES.replace(ROW, ROW[: len(ROW) // 2]), 200),
        (CERES.partition("$$SOE")[0] + "$$SOE\n$$EOE\n", 200),
        (CERES.partition("$$SOE")[0] + f"$$SOE\n{ROW}\n$$EOE\n", 200),
        (CERES.replace("101.73343", "n.a."), 200),
        (CERES.replace("101.73343", "401.73343"), 200),
        (CERES.replace("26.78554", "95.0"), 200),
        (CERES.replace("26.78554", "nan"), 200),
        (CERES.replace("$$EOE", f"{ROW}\n$$EOE"), 200),
        (CERES.replace("1 Ceres (A801 AA)", "x" * 1000), 200),
        (recorded("unknown").partition("No matches")[0].rstrip(), 200),
        (recorded("141P_matches").partition("(7 matches")[0], 200),
    ],
    ids=range(20),
)
def test_what_is_no_whole_answer_is_no_answer(text: str, status: int, centre: str) -> None:
    """A page of a proxy, a refusal, an answer that is cut off. The target may be known nevertheless."""

    def answer(query: Query) -> tuple[int, str]:
        if query["CENTER"] == centre:
            return status, text
        return 200, '$$SOF\n No ephemeris for target "TESS (spacecraft)" prior to A.D. 2018-APR-19 00:00 UT\n'

    with horizons(answer) as (url, _), pytest.raises(NoEphemerisError, match="JPL Horizons does not answer"):
        Horizons(url).find("Ceres", None, START, STOP, 240)


def test_an_answer_that_drips_is_given_up() -> None:
    seconds = itertools.count(0.0, 10.0)
    with horizons(always(CERES)) as (url, _), pytest.raises(NoEphemerisError, match="does not answer"):
        Horizons(url, clock=lambda: next(seconds), timeout=5).find("Ceres", None, START, STOP, 240)


def test_a_server_that_is_not_there_is_transient() -> None:
    with pytest.raises(NoEphemerisError, match="JPL Horizons does not answer"):
        Horizons("http://127.0.0.1:9/api/horizons.api").find("Eleonora", None, START, STOP, 24)


def test_a_silent_server_is_given_up_in_time_to_say_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Horizons(f"http://127.0.0.1:{silent.getsockname()[1]}/api/horizons.api", timeout=1, attempts=3)
        with pytest.raises(NoEphemerisError, match="does not answer"):
            client.find("Eleonora", None, START, STOP, 24)
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):  # it was asked once
            silent.accept()


def test_an_address_without_http_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'ftp://example\.org'; allowed: an address with http or https"):
        Horizons("ftp://example.org")
