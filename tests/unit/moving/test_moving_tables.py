"""Tables of users: CSV, ECSV and JSON with times of every kind are the same ephemeris; and the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time

from tessera.cli.main import main
from tessera.errors import InvalidInputError
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.ephemeris_table import parse_ephemeris, read_ephemeris
from tests.support.builds import build_cube
from tests.support.frames import centred_wcs, tiny_sector
from tests.support.paths import DATA

DAYS = np.array([1325.0, 1325.5, 1326.0])
TIME = Time(2457000, DAYS, format="jd", scale="tdb")
RA, DEC = [359.9, 0.0, 0.1], [-1.5, -1.4, -1.3]


def csv(times: list[object], head: str = "time,ra,dec") -> bytes:
    rows = [f"{time},{ra},{dec}" for time, ra, dec in zip(times, RA, DEC, strict=True)]
    return "\n".join([head, *rows]).encode()


def ecsv() -> bytes:
    text = io.StringIO()
    Table({"time": TIME.utc, "position": SkyCoord(RA, DEC, unit="deg").galactic}).write(text, format="ascii.ecsv")
    return text.getvalue().encode()


def hours() -> bytes:
    text = io.StringIO()
    table = Table({"jd": TIME.utc.jd, "RA": np.array(RA) / 15 * u.hourangle, "Dec": DEC * u.deg})
    table.write(text, format="ascii.ecsv")
    return text.getvalue().encode()


UTC = TIME.utc.jd.tolist()
TABLES = {
    "jd": csv(UTC),
    "mjd": csv(TIME.utc.mjd.tolist()),
    "tjd": csv(DAYS.tolist()),
    "named": csv(UTC, "datetime_jd,RA,DEC"),
    "iso": csv([f"{text}Z" for text in TIME.utc.isot], "TIME,ra,dec"),
    "commented": b"# by hand\n" + csv(UTC),
    "with a mark of byte order": b"\xef\xbb\xbf" + csv(UTC),
    "ecsv": ecsv(),
    "ecsv with units": hours(),
    "columns": json.dumps({"name": "x", "time": UTC, "ra": RA, "dec": DEC}).encode(),
    "rows": json.dumps([{"jd": t, "ra": r, "dec": d} for t, r, d in zip(UTC, RA, DEC, strict=True)]).encode(),
}


@pytest.mark.parametrize("data", TABLES.values(), ids=TABLES)
def test_tables_of_every_kind_are_the_same_ephemeris(data: bytes) -> None:
    made = parse_ephemeris(data)
    days, ra, dec = made.places
    assert made.clock == "observer"
    np.testing.assert_allclose(days, DAYS, rtol=0, atol=2e-8)  # a hundredth of a second at most, of the leap seconds
    np.testing.assert_allclose((ra - RA + 180) % 360 - 180, 0, atol=1e-9)
    np.testing.assert_allclose(dec, DEC)


def test_scale_format_and_clock_may_be_told() -> None:
    later = parse_ephemeris(csv(UTC), time_scale="tdb").span[0] - parse_ephemeris(csv(UTC)).span[0]
    assert later * 86400 == pytest.approx(-69.184, abs=1e-3)
    assert parse_ephemeris(csv(TIME.tdb.mjd.tolist()), time_format="MJD", time_scale="TDB").span[0] == 1325
    assert parse_ephemeris(csv(DAYS.tolist()), clock="barycentre", name="x").clock == "barycentre"
    assert parse_ephemeris(csv(DAYS.tolist(), "BTJD,ra,dec")).clock == "barycentre"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"when,ra,dec\n1,2,3\n2,3,4",
        b"time,ra\n1,2\n2,3",
        b"time,ra,dec\n1,2,3",
        b"time,ra,dec\n1,2,3\n2,,4",
        b"time,ra,dec\n1,2,3\n2,east,4",
        b"time,ra,dec\nyesterday,2,3\ntoday,2,4",
        b'{"time": 1}',
        b"[1, 2]",
        b"{",
    ],
)
def test_what_is_no_such_table_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="allowed"):
        parse_ephemeris(data)


def test_a_table_without_a_time_is_told_which_columns_have_one() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_ephemeris(b"when,ra,dec\n2458338,98.2,-75.9\n2458340,98.3,-75.9\n")
    assert str(caught.value) == (
        "No column is a time. ephemeris is ['when', 'ra', 'dec']; allowed: a table with a time (such as time, jd, mjd, "
        "tjd, btjd, bjd, date or datetime_jd) and a position (ra and dec, or position); names may have a scale "
        "(jd_utc, jd_tdb) and units (ra_deg, RA (h))"
    )


def test_a_format_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="time_format"):
        parse_ephemeris(csv(UTC), time_format="mayan")


def test_the_table_of_a_comet_is_read_as_it_is() -> None:
    made = read_ephemeris(DATA / "moving_targets/3iatlas_ephem_sector1751_20260128.csv")
    assert made.span == pytest.approx((4055.5108007441895, 4063.4908007472113))
    assert len(made.places[0]) == 799


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    path = tmp_path / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(tiny_sector(6)))
    return path


def table_at(path: Path, row: float, column: float) -> str:
    from astropy.wcs import WCS  # noqa: PLC0415 - here only

    ra, dec = WCS(centred_wcs((40, 30))).all_pix2world([[column, row]], 0)[0]
    path.write_text(f"time,ra,dec\n1325,{ra},{dec}\n1326,{ra},{dec}\n", encoding="utf-8")
    return str(path)


def test_the_command_line_cuts(cube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = table_at(tmp_path / "path.csv", 20, 15)
    out = tmp_path / "out"
    assert main(["moving", "cut", str(cube), "-e", table, "-s", "3x5", "-o", str(out), "--name", "433 Eros"]) == 0
    (path,) = out.iterdir()
    assert path.name == "tess-s0001-4-2_433_Eros_5x3_astrocut.fits"
    assert f"{path}: 6 cadences, 3 reads, 720 bytes" in capsys.readouterr().out
    with fits.open(path) as hdus:
        assert hdus[1].data["FLUX"].shape == (6, 3, 5)
        assert hdus[0].header["OBJECT"] == "433 Eros"


def test_the_command_line_says_what_it_cannot(cube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beside = table_at(tmp_path / "beside.csv", 200, 15)
    assert main(["moving", "cut", str(cube), "-e", beside, "-o", str(tmp_path)]) == 1
    assert "no overlap: the target is never on the frames" in capsys.readouterr().out
    assert main(["moving", "cut", str(cube), "-e", beside, "-s", "big"]) == 1
    assert "size is 'big'" in capsys.readouterr().err
    assert main(["moving", "cut", str(cube), "-e", str(tmp_path / "none.csv")]) == 1
    on_edge = table_at(tmp_path / "edge.csv", 0, 15)
    assert main(["moving", "cut", str(cube), "-e", on_edge, "-o", str(tmp_path)]) == 0
    assert "6 of 6 cadences reach beyond the frame" in capsys.readouterr().out


def test_an_ephemeris_says_what_it_is() -> None:
    assert "observer" in repr(Ephemeris(TIME, np.array(RA), np.array(DEC)))


def test_nothing_is_known_in_a_long_gap() -> None:
    days = np.concatenate([np.arange(10.0), 700 + np.arange(10.0)])
    ephemeris = Ephemeris(Time(days + 2458000, format="jd", scale="tdb"), days / 10, days / 20)
    ra, dec = ephemeris.at(np.array([1000.5, 1009.0, 1009.5, 1350.0, 1699.9, 1700.0, 1705.5]))
    assert np.isfinite(ra).tolist() == np.isfinite(dec).tolist() == [True, True, False, False, False, True, True]
    assert ra[-1] == pytest.approx(70.55, abs=1e-3)
