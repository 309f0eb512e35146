"""Ephemerides as people have them: each is the same path, or is refused with its row, its value and what is allowed."""

from __future__ import annotations

import io
import itertools
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.table import MaskedColumn, Table
from astropy.time import Time
from astropy.utils.masked import Masked
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.cli.main import main
from tessera.errors import InputWarning, InvalidInputError
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.ephemeris_table import parse_ephemeris, read_ephemeris
from tests.support.paths import DATA

UTC = Time(["2018-07-25T00:00:00", "2018-07-26T12:00:00"], scale="utc")
SKY = SkyCoord(["05h55m52.5s", "23h59m01s"], ["-75d23m28s", "+00d00m30s"])
JD, MJD = UTC.jd.tolist(), UTC.mjd.tolist()
TJD = [1325.0, 1326.5]
DATES = ["2018-07-25 00:00", "2018-07-26 12:00"]
DEGREES = (SKY.ra.deg.tolist(), SKY.dec.deg.tolist())
COLONS = (["05:55:52.5", "23:59:01"], ["-75:23:28", "+00:00:30"])
BLANKS = (["05 55 52.5", "23 59 01"], ["-75 23 28", "+00 00 30"])
LETTERS = (["5h55m52.5s", "23h59m1s"], ["-75d23m28s", "0d0m30s"])


def table(head: str, *columns: list[Any], separator: str = ",") -> bytes:
    names = separator.join(head.split(","))
    rows = [separator.join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join([names, *rows]).encode()


UTC_TABLES = {
    "colons": table("time,ra,dec", JD, *COLONS),
    "blanks": table("jd,RA,Dec", JD, *BLANKS),
    "letters": table("mjd,ra,dec", MJD, *LETTERS),
    "semicolons": table("jd_utc,RAJ2000,DEJ2000", JD, *DEGREES, separator=";"),
    "decimal commas": table("mjd,ra,dec", MJD, *DEGREES, separator=";").replace(b".", b","),
    "tabs": table("Date (UTC),R.A.,Dec.", DATES, *BLANKS, separator="\t"),
    "blanks between fields": table("datetime_jd,ra,dec", JD, *DEGREES, separator=" "),
    "comma and blank": table("jd,ra,dec", JD, *DEGREES, separator=", "),
    "vertical bars": table(",jd,ra,dec,", ["", ""], JD, *COLONS, ["", ""], separator="|"),
    "names in a comment": b"# made by hand\n# " + table("jd,ra,dec", JD, *DEGREES, separator=" "),
    "hours": table("MJD,RA (h),Dec [deg]", MJD, SKY.ra.hourangle.tolist(), DEGREES[1]),
    "radians": table("MJD,ra_rad,dec_rad", MJD, SKY.ra.rad.tolist(), SKY.dec.rad.tolist()),
    "sexagesimal degrees": table(
        "MJD,ra_deg,dec_deg", MJD, [Angle(ra, "deg").to_string(sep=":") for ra in DEGREES[0]], COLONS[1]
    ),
    "one column": table("time,position", JD, ['"05:55:52.5 -75:23:28"', '"23:59:01 +00:00:30"']),
    "JPL's dates": table("Date__(UT)__HR:MN,ra,dec", ["2018-Jul-25 00:00", "2018-Jul-26 12:00"], *DEGREES),
    "zones": table("date-obs,ra,dec", ["2018-07-25T02:00:00+02:00", "2018-07-26T07:30:00-0430"], *DEGREES),
    "trailing commas": table("jd,ra,dec", JD, DEGREES[0], [f"{dec},," for dec in DEGREES[1]]),
    "more columns": table(
        "ra_rate,jd,RA_app,ra,pmra,dec,delta", [9, 9], JD, [9, 9], DEGREES[0], [9, 9], DEGREES[1], [9, 9]
    ),
    "CRLF": table("jd,ra,dec", JD, *DEGREES).replace(b"\n", b"\r\n") + b"\r\n\r\n",
    "UTF-16": table("jd,ra,dec", JD, *DEGREES).decode().encode("utf-16"),
    "TDB": table("jd_tdb,ra,dec", UTC.tdb.jd.tolist(), *DEGREES),
    "TT in the dates": table("t,ra,dec", [f"{text} TT" for text in UTC.tt.iso], *DEGREES),
    "TAI": table("mjd (TAI),ra,dec", UTC.tai.mjd.tolist(), *DEGREES),
    "TJD": table("JD-2457000 (TDB),ra,dec", (UTC.tdb.jd - 2457000).tolist(), *DEGREES),
    "texts in JSON": json.dumps({"time": list(map(str, JD)), "ra": COLONS[0], "dec": COLONS[1]}).encode(),
    "rows in JSON": json.dumps(
        [{"date": d, "radec": f"{r}, {c}"} for d, r, c in zip(DATES, *DEGREES, strict=True)]
    ).encode(),
}


def check_places(made: Ephemeris) -> None:
    days, ra, dec = made.places
    np.testing.assert_allclose(days, (UTC.tdb.jd1 - 2457000) + UTC.tdb.jd2, rtol=0, atol=5e-8)
    np.testing.assert_allclose(ra, DEGREES[0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(dec, DEGREES[1], rtol=0, atol=1e-9)


@pytest.mark.parametrize("data", UTC_TABLES.values(), ids=UTC_TABLES)
def test_tables_of_people_are_the_same_path(data: bytes) -> None:
    made = parse_ephemeris(data)
    check_places(made)
    assert made.clock == "observer"


@pytest.mark.parametrize(
    ("name", "zero"),
    [("BJD", 2457000), ("bjd_tdb", 2457000), ("BTJD", 0), ("BJD - 2457000", 0), ("time_btjd", 0)],
)
def test_times_that_are_called_barycentric_are(name: str, zero: float) -> None:
    made = parse_ephemeris(table(f"{name},ra,dec", [zero + day for day in TJD], *DEGREES))
    assert (made.clock, made.span) == ("barycentre", tuple(TJD))


HORIZONS = """
Target body name: 433 Eros (A898 PA)              {source: JPL#659}
Center body name: CENTRE                          {source: TESS}
*******************************************************************************
HEAD
*******************************************************************************
$$SOE
ROWS
$$EOE
*******************************************************************************
"""
AS_TEXT = (
    " Date__(UT)__HR:MN     R.A._____(ICRF)_____DEC    APmag   S-brt",
    (
        " 2018-Jul-25 00:00     05 55 52.50 -75 23 28.0   10.853   n.a.\n"
        " 2018-Jul-26 12:00 *m  23 59 01.00 +00 00 30.0   10.8   n.a."
    ),
)
AS_CSV = (
    " Date__(UT)__HR:MN, , ,R.A._(ICRF), DEC_(ICRF), R.A._(a-app), APmag,",
    (
        " 2018-Jul-25 00:00,*,m, 05 55 52.50,-75 23 28.0, 1.5, 10.8,\n"
        " 2018-Jul-26 12:00, , , 23 59 01.00,+00 00 30.0, 1.5, 10.8,"
    ),
)
WITH_JD = (
    " Date_________JDUT     R.A.___(ICRF)___DEC    APmag",
    "\n".join(f" {JD[n]:.9f} {' C'[n]}  {DEGREES[0][n]:.12f} {DEGREES[1][n]:.12f}   10.853" for n in range(2)),
)


def horizons(head: str, rows: str, centre: str = "TESS (-95)") -> bytes:
    return HORIZONS.replace("CENTRE", centre).replace("HEAD", head).replace("ROWS", rows).encode()


@pytest.mark.parametrize("parts", [AS_TEXT, AS_CSV, WITH_JD], ids=["text", "CSV", "JD and degrees"])
@pytest.mark.parametrize("as_json", [False, True])
def test_answers_of_horizons_are_read_as_they_are(parts: tuple[str, str], as_json: bool) -> None:
    data = horizons(*parts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_places(
            parse_ephemeris(json.dumps({"signature": {}, "result": data.decode()}).encode() if as_json else data)
        )


def test_an_answer_of_horizons_for_another_observer_says_so() -> None:
    with pytest.warns(InputWarning, match=r"as seen from Earth \(399\), not from TESS"):
        check_places(parse_ephemeris(horizons(*AS_TEXT, centre="Earth (399)")))


@pytest.mark.parametrize(
    "data",
    [
        horizons(*AS_TEXT).partition(b"$$EOE")[0],
        horizons(AS_TEXT[0].replace("(ICRF)", "(a-app)"), AS_TEXT[1]),
        horizons("JDTDB,            Calendar Date (TDB),      X,   Y,", "2458324.5, A.D. 2018-Jul-25 00:00, 1.0, 2.0,"),
        horizons(AS_TEXT[0], " 2018-Jul-25 00:00   n.a.  n.a."),
        horizons(AS_CSV[0], " 2018-Jul-25 00:00,*,m, 05 55 52.50,"),
        horizons(" Date__(UT)__HR:MN   APmag  R.A._____(ICRF)_____DEC", AS_TEXT[1]),
        b'{"signature": {}, "result": "No ephemeris for target \\"433 Eros\\" after A.D. 2599"}',
    ],
    ids=["cut off", "apparent", "vectors", "no numbers", "a short row", "another quantity first", "an error"],
)
def test_answers_of_horizons_without_astrometric_positions_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="ephemeris"):
        parse_ephemeris(data)


REFUSED = {
    "TJD as jd": (
        table("jd,ra,dec", TJD, *DEGREES),
        {},
        r"jd of row 1 is 1325.0; .* looks like TJD \(time_format='tjd'\)",
    ),
    "MJD as btjd": (table("btjd,ra,dec", MJD, *DEGREES), {}, "btjd of row 1 is 58324.0; .* looks like MJD"),
    "JD as mjd": (table("time,ra,dec", JD, *DEGREES), {"time_format": "mjd"}, "looks like JD"),
    "two formats": (
        table("time,ra,dec", [JD[0], MJD[1]], *DEGREES),
        {},
        "time of row 2 is 58325.5; .* and this like MJD",
    ),
    "dates and numbers": (table("time,ra,dec", [JD[0], DATES[1]], *DEGREES), {}, "time of row 2 is '2018-07-26 12:00'"),
    "dates as numbers": (table("jd,ra,dec", DATES, *DEGREES), {}, "jd of row 1 is '2018-07-25 00:00'"),
    "numbers as dates": (table("jd,ra,dec", JD, *DEGREES), {"time_format": "iso"}, "time_format is 'iso'"),
    "seconds": (
        table("time,ra,dec", [1.53e9, 1.54e9], *DEGREES),
        {},
        "time of row 1 is 1530000000.0; allowed: a number of days",
    ),
    "two scales": (
        table("t,ra,dec", [f"{DATES[0]} TDB", f"{DATES[1]} UTC"], *DEGREES),
        {},
        "t of row 2 .* same scale",
    ),
    "another scale": (
        table("t,ra,dec", [f"{date}Z" for date in DATES], *DEGREES),
        {"time_scale": "tdb"},
        "time_scale is 'tdb'",
    ),
    "a day that is not": (
        table("t,ra,dec", ["2018-02-30", "2018-03-01"], *DEGREES),
        {},
        "t of row 1 is '2018-02-30'",
    ),
    "days first": (table("t,ra,dec", ["25/07/2018", "26/07/2018"], *DEGREES), {}, "t of row 1 is '25/07/2018'"),
    "an unknown scale": (table("t,ra,dec", DATES, *DEGREES), {"time_scale": "utcc"}, "did you mean 'utc'"),
    "a local scale": (table("t,ra,dec", DATES, *DEGREES), {"time_scale": "local"}, "time_scale is 'local'"),
    "an unknown clock": (table("t,ra,dec", DATES, *DEGREES), {"clock": "barycenter"}, "did you mean 'barycentre'"),
    "no time in a row": (table("time,ra,dec", [JD[0], ""], *DEGREES), {}, "time of row 2 is ''"),
    "NaN": (table("time,ra,dec", JD, ["nan", 1], DEGREES[1]), {}, "ra of row 1 is 'nan'"),
    "beyond the pole": (table("time,ra,dec", JD, DEGREES[0], [1, 91]), {}, "dec of row 2 is 91.0"),
    "minutes of 75": (table("time,ra,dec", JD, ["05:75:00", "06:00:00"], COLONS[1]), {}, "row 1 is '05:75:00"),
    "25 hours": (table("time,ra,dec", JD, ["25:15:00h", "06:00:00"], COLONS[1]), {}, "row 1 is '25:15:00h"),
    "degrees beside sexagesimal": (
        table("time,ra,dec", JD, ["88.9", "06:00:00"], COLONS[1]),
        {},
        "row 1 is '88.9, -75:23:28'",
    ),
    "apparent": (table("time,RA_app,DEC_app", JD, *DEGREES), {}, "No column is a right ascension"),
    "rates": (table("time,ra,dec_rate", JD, *DEGREES), {}, "No column is a declination"),
    "B1950": (table("time,RA (B1950),Dec (B1950)", JD, *DEGREES), {}, "No column is a right ascension"),
    "one row": (table("time,ra,dec", JD[:1], [1], [2]), {}, "at least two times"),
    "no rows": (b"time,ra,dec\n", {}, "at least two times"),
    "two places at a time": (table("time,ra,dec", [JD[0]] * 2, *DEGREES), {}, "one position at each time"),
    "a short row": (table("time,ra,dec", JD, DEGREES[0], ["1", "2"])[:-2], {}, "ephemeris of row 2 .* 3 fields"),
    "a long row": (table("time,ra,dec", JD, DEGREES[0], ["1", "2,3"]), {}, "ephemeris of row 2 .* 3 fields"),
    "columns of two lengths": (b'{"jd": [2458325, 2458326], "ra": [1], "dec": [1, 2]}', {}, "columns of equal length"),
    "null": (b'{"jd": [2458325, null], "ra": [1, 2], "dec": [1, 2]}', {}, "jd of row 2 is None"),
    "true": (b'{"jd": [true, false], "ra": [1, 2], "dec": [1, 2]}', {}, "jd of row 1 is True"),
    "deep JSON": (b"[" * 100_000, {}, "The table cannot be read"),
    "a cube": (b"SIMPLE  =                    T", {}, "ephemeris is"),
    "bytes": (bytes(range(128, 256)), {}, "it is not text"),
}


@pytest.mark.parametrize(("data", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_lost_or_meant_otherwise_is_refused_with_its_row(
    data: bytes, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        parse_ephemeris(data, **options)


def ecsv(**columns: Any) -> bytes:
    text = io.StringIO()
    Table(columns).write(text, format="ascii.ecsv")
    return text.getvalue().encode()


def test_masked_rows_of_a_table_are_refused() -> None:
    masked = MaskedColumn(DEGREES[0], mask=[False, True])
    with pytest.raises(InvalidInputError, match="ra of row 2 is None"):
        parse_ephemeris(ecsv(jd=JD, ra=masked, dec=DEGREES[1]))
    seconds = u.Quantity(JD, u.day).to(u.s)
    check_places(parse_ephemeris(ecsv(jd=seconds, ra=SKY.ra.to(u.hourangle), dec=SKY.dec.to(u.arcmin))))
    with pytest.raises(InvalidInputError, match="unit of ra is 'm'"):
        parse_ephemeris(ecsv(jd=JD, ra=[1, 2] * u.m, dec=DEGREES[1]))
    with pytest.raises(InvalidInputError, match="time_scale is 'tdb'; allowed: 'utc', the scale of the column time"):
        parse_ephemeris(ecsv(time=UTC, position=SKY), time_scale="tdb")


def masked(values: Any) -> Any:
    return Masked(values, mask=[False, True])


@pytest.mark.parametrize(
    ("time", "ra", "dec", "message"),
    [
        (UTC, masked(DEGREES[0] * u.deg), DEGREES[1], "ra of row 2 is nan"),
        (UTC, DEGREES[0], np.ma.array(DEGREES[1], mask=[True, False]), "dec of row 1 is nan"),
        (Time(masked(np.array(JD)), format="jd"), *DEGREES, "time of row 2 is nan"),
        (UTC, DEGREES[0], [95.0, 1.0], "dec of row 1 is 95.0; allowed: degrees from -90 to 90"),
        (UTC, [1e5, 1.0], DEGREES[1], "ra of row 1 is 100000.0; allowed: degrees from -360 to 360"),
        (JD, *DEGREES, "time is .*; allowed: an astropy Time"),
        (UTC, [1, 2] * u.m, DEGREES[1], "ra is .*; allowed: degrees, or angles with a unit"),
        (UTC, ["east", "west"], DEGREES[1], "ra is .*; allowed: degrees, or angles with a unit"),
        (Time(DATES, scale="local"), *DEGREES, "time scale is 'local'"),
    ],
)
def test_an_ephemeris_uses_nothing_that_is_hidden_or_impossible(time: Any, ra: Any, dec: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Ephemeris(time, ra, dec)


def test_angles_with_a_unit_are_converted() -> None:
    check_places(Ephemeris(UTC, SKY.ra.to(u.hourangle), SKY.dec.to(u.rad)))
    hidden = Table({"time": UTC, "position": SkyCoord(masked(DEGREES[0] * u.deg), masked(DEGREES[1] * u.deg))})
    with pytest.raises(InvalidInputError, match="ra of row 2 is nan"):
        Ephemeris.from_table(hidden)


def test_a_file_is_named_in_errors_and_may_be_a_url(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my path.csv"
    path.write_bytes(table("time,ra,dec", JD, *DEGREES))
    check_places(read_ephemeris(path.as_uri()))
    path.write_bytes(table("time,ra,dec", TJD, *DEGREES))
    with pytest.raises(InvalidInputError, match=r"my path.csv: time of row 1 is 1325.0"):
        read_ephemeris(path, time_format="jd")
    arguments = ["moving", "cut", "cube.fits", "-o", str(tmp_path), "-e"]
    for bad, said in ((path, "time_scale is 'foo'"), (tmp_path, str(tmp_path)), (tmp_path / "none.csv", "none.csv")):
        assert main([*arguments, str(bad), "--time-scale", "foo"]) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert said in error


def test_a_file_that_is_far_too_large_for_a_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cube.fits"
    with path.open("wb") as file:
        file.truncate(200_000_000_000)
    with pytest.raises(InvalidInputError, match="at most 100,000,000 bytes"):
        read_ephemeris(path)


def test_the_table_of_a_comet_is_read_as_it_is() -> None:
    assert len(read_ephemeris(DATA / "moving_targets/3iatlas_ephem_sector1751_20260128.csv").places[0]) == 799


_TOKENS = st.sampled_from(
    [
        *("time", "jd", "jd_tdb", "btjd", "date", "ra", "dec", "RA_h", "position", "x", "$$SOE", "\x00", "nan", "inf"),
        *(
            "2458325.5",
            "2458326.5",
            "1325.5",
            "58325",
            "2018-07-25",
            "2018-Jul-25",
            "05:55:52",
            "-75:23:28",
            "12",
            "-3.5",
        ),
        "1e400",
    ]
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    rows=st.lists(st.lists(_TOKENS, min_size=1, max_size=4), max_size=4),
    head=st.sampled_from(
        ["time,ra,dec", "jd,ra,dec", "date,position", "", "btjd;ra;dec", "mjd\tra (h)\tdec", "# jd ra dec"]
    ),
    separator=st.sampled_from([",", ";", "\t", " ", "|"]),
    options=st.fixed_dictionaries(
        {
            "time_format": st.sampled_from([None, "jd", "mjd", "tjd", "btjd", "iso", "JD", "foo", 3]),
            "time_scale": st.sampled_from([None, "utc", "tdb", "TT", "ut1", "local", "", b"utc"]),
            "clock": st.sampled_from([None, "observer", "barycentre", "earth"]),
        }
    ),
)
def test_a_table_is_a_path_or_is_refused(
    rows: list[list[str]], head: str, separator: str, options: dict[str, Any]
) -> None:
    data = "\n".join(itertools.chain([head], (separator.join(row) for row in rows))).encode()
    try:
        made = parse_ephemeris(data, **options)
    except InvalidInputError as error:
        refused = str(error)
    else:
        days, ra, dec = made.places
        assert all(map(math.isfinite, (*days, *ra, *dec)))
        assert 0 < days[0] < days[-1] < 200_000
        return
    assert "; allowed: " in refused
    assert "\n" not in refused
