"""Positions as people write them: one parser for the library, the command line and HTTP."""

from __future__ import annotations

import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from tessera.errors import InvalidInputError
from tessera.sky.position_text import parse_position

RA, DEC = 88.95166666666667, -75.39111111111112
SAME = [
    "88.95166666666667 -75.39111111111112",
    "88.95166666666667,-75.39111111111112",
    "88.95166666666667; -75.39111111111112",
    "88.95166666666667\t-75.39111111111112",
    "(88.95166666666667, -75.39111111111112)",
    "88.95166666666667-75.39111111111112",
    "+88.95166666666667 \N{MINUS SIGN}75.39111111111112",
    "88.95166666666667\N{DEGREE SIGN}, \N{EN DASH}75.39111111111112\N{DEGREE SIGN}",
    "88.95166666666667 deg -75.39111111111112 degrees",
    "8895166666666.667e-11 -75.39111111111112",
    "5.930111111111111h -75.39111111111112d",
    "1.5524994584698226 rad -1.3158231156257696 rad",
    "05:55:48.4 -75:23:28",
    "05:55:48.4, -75:23:28",
    "5:55:48.4;-75:23:28",
    "05:55:48.4 -75.39111111111112",
    "05 55 48.4 -75 23 28",
    "5h55m48.4s -75d23m28s",
    "5h55m48.4s-75d23m28s",
    "5 h 55 m 48.4 s -75 d 23 m 28 s",
    "5\N{MODIFIER LETTER SMALL H}55\N{MODIFIER LETTER SMALL M}48.4s -75\N{DEGREE SIGN}23\N{PRIME}28\N{DOUBLE PRIME}",
    "88d57m06s -75d23m28s",
    "88\N{DEGREE SIGN}57'06\" -75\N{DEGREE SIGN}23'28\"",
    "J055548.4-752328",
    "055548.4-752328",
    "RA=88.95166666666667 Dec=-75.39111111111112",
    "RA: 05:55:48.4, Dec: -75:23:28",
    "dec -75:23:28 ra 05:55:48.4",
    "ICRS 88.95166666666667 -75.39111111111112",
    "05:55:48.4 -75:23:28 (J2000)",
]


@pytest.mark.parametrize("text", SAME)
def test_one_position_has_many_spellings(text: str) -> None:
    assert parse_position(text) == pytest.approx((RA, DEC), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "lon", "lat", "frame"),
    [
        ("galactic 287.6 -29.8", 287.6, -29.8, "galactic"),
        ("l=287.6 b=-29.8", 287.6, -29.8, "galactic"),
        ("287.6, -29.8 gal", 287.6, -29.8, "galactic"),
        ("ecl 287.6 -29.8", 287.6, -29.8, "barycentricmeanecliptic"),
        ("287:36:00 -29:48:00 galactic", 287.6, -29.8, "galactic"),
        ("fk5 88.95 -75.39", 88.95, -75.39, "fk5"),
        ("B1950 05:55:48 -75:23:24", 88.95, -75.39, "fk4"),
        ("ecliptic 10 20", 10.0, 20.0, "barycentricmeanecliptic"),
        ("supergalactic 10 20", 10.0, 20.0, "supergalactic"),
    ],
)
def test_a_text_may_name_its_frame(text: str, lon: float, lat: float, frame: str) -> None:
    sky = SkyCoord(lon, lat, unit="deg", frame=frame).icrs
    assert parse_position(text) == pytest.approx((sky.ra.deg, sky.dec.deg), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("88.95 -95", "latitude from -90 to 90"),
        ("400 1", "longitude from -360 to 360"),
        ("25:00:00 +1:00:00", "longitude from -360 to 360"),
        ("25h00m00s +1d00m00s", "hours from 0 to 24"),
        ("12:61:00 +1:00:00", "below 60"),
        ("1:02:61 3:04:05", "below 60"),
        ("1:00:00 +91:00:00", "latitude from -90 to 90"),
        ("10 20h", "latitude from -90 to 90"),
        ("88.95 -75 23 28", "both angles in degrees, or both sexagesimal, or units"),
        ("1e400 2", "longitude from -360 to 360"),
    ],
)
def test_a_position_that_is_not_on_the_sky_or_has_two_meanings_is_refused(text: str, allowed: str) -> None:
    with pytest.raises(InvalidInputError, match=f"where is '.*'; allowed: .*{allowed}"):
        parse_position(text, "where")


@pytest.mark.parametrize(
    "text",
    [
        "pi Men",
        "47 Tuc",
        "HD 209458",
        "TIC 261136679",
        "2018 XY",
        "3C 273",
        "J0437-4715",
        "TOI 700 d",
        "LHS 3844 b",
        "GJ 1 d 2",
        "",
        "88.95",
        "05:55:48",
        "1 2 3",
        "1 2 3 4 5",
        "88,95 -75,39",
        "nan nan",
        "inf 0",
        "galactic",
        "1,2,3",
        "\N{ARABIC-INDIC DIGIT ONE} \N{ARABIC-INDIC DIGIT TWO}",
        "b Cen",
        "alpha Cen B",
        "L 98-59",
        "10 d",
        "4U 1820-30",
    ],
)
def test_a_name_is_no_position(text: str) -> None:
    assert parse_position(text) is None


@given(st.floats(0, 359.999), st.floats(-90, 90), st.sampled_from([" ", ", ", ";", "\t"]))
def test_degrees_are_read_back(ra: float, dec: float, between: str) -> None:
    assert parse_position(f"{ra!r}{between}{dec!r}") == (ra, dec)


@given(st.floats(0, 359.99), st.floats(-89.99, 89.99), st.sampled_from([":", " ", "hmsdms"]))
def test_sexagesimal_text_is_read_as_astropy_writes_it(ra: float, dec: float, sep: str) -> None:
    sky = SkyCoord(ra, dec, unit="deg")
    text = sky.to_string("hmsdms", precision=7, **({} if sep == "hmsdms" else {"sep": sep}))
    found = parse_position(text)
    assert found is not None
    assert SkyCoord(*found, unit="deg").separation(sky).arcsec < 1e-5


@given(st.text(alphabet="0123456789+-.:,;hdms°'\" eRADEC()lbJ\N{MINUS SIGN}", max_size=30))
def test_any_text_is_a_position_on_the_sky_or_refused(text: str) -> None:
    try:
        found = parse_position(text)
    except InvalidInputError:
        return
    assert found is None or (0 <= found[0] <= 360 and -90 <= found[1] <= 90)
