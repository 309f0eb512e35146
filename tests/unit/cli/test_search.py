"""`tessera search`, as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from astropy.table import Table

from tessera.cli.main import main
from tests.support.cubes import target_of
from tests.support.horizons import horizons
from tests.support.sources import small_cube, small_tica_cube

STAR = {"resolver": "TIC", "canonicalName": "TIC 5"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two cubes."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "tess-s0001-4-2-cube.fits").write_bytes(small_cube())
    (folder / "tica-s0027-1-4-cube.fits").write_bytes(small_tica_cube())
    return folder


@pytest.fixture(scope="module")
def place(folder: Path) -> str:
    sky = target_of(folder / "tess-s0001-4-2-cube.fits")
    return f"{sky.ra.deg:.6f} {sky.dec.deg:.6f}"


@pytest.fixture
def resolver(place: str) -> Iterator[str]:
    ra, dec = map(float, place.split())
    answer = json.dumps({"resolvedCoordinate": [STAR | {"ra": ra, "decl": dec}], "status": ""})
    with horizons(lambda query: (200, answer if query["name"] == "TIC 5" else '{"status": ""}')) as (url, _):
        yield url


def test_a_table_says_where_a_star_is_seen(folder: Path, resolver: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "TIC 5", "--cube", str(folder), "--resolver", resolver]) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert " ".join(heading.split()) == "target product sector camera ccd start end cadence row column edge cube"
    cube = folder / "tess-s0001-4-2-cube.fits"
    assert " ".join(row.split()) == f"TIC 5 SPOC 1 4 2 2018-07-25 2018-07-25 1800 s 20.0 15.0 14.5 {cube}"


def test_what_nothing_sees_is_told_on_standard_error(
    folder: Path, place: str, resolver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    targets = ["10 10", place, "nobody"]
    assert main(["search", *targets, "--cube", str(folder), "--sector", "1,3-4", "--resolver", resolver]) == 1
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 2
    first, second = told.err.splitlines()
    assert first == "tessera: 10 10: no given cube sees it in sectors 1, 3, 4"
    assert second.startswith("tessera: nobody: target is 'nobody'; allowed: a name that MAST's resolver knows, or a")
    assert main(["search", place, "--cube", str(folder), "--sector", "3-5"]) == 1
    reason = "no given cube sees it in sectors 3-5; it is in sector 1"
    assert capsys.readouterr().err == f"tessera: {place}: {reason}\n"
    assert main(["search", "10 10", "--cube", str(folder)]) == 1
    assert capsys.readouterr().out == ""


def test_json_has_one_documented_shape(folder: Path, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", place, "10 10", "--cube", str(folder), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["rows", "missing", "unread"]
    assert found["rows"][0] == {
        "target": place,
        "tic": None,
        "ra": float(place.split(maxsplit=1)[0]),
        "dec": float(place.split()[1]),
        "product": "SPOC",
        "sector": 1,
        "camera": 4,
        "ccd": 2,
        "start": "2018-07-25T19:30:47",
        "end": "2018-07-25T22:00:47",
        "cadence": 1800,
        "n_cadences": 5,
        "row": 20.0,
        "column": 15.0,
        "edge": 14.5,
        "cube": str(folder / "tess-s0001-4-2-cube.fits"),
    }
    assert found["missing"] == [
        {"target": "10 10", "tic": None, "ra": 10.0, "dec": 10.0, "reason": "no given cube sees it"}
    ]
    assert found["unread"] == {}


def test_targets_come_from_tables(folder: Path, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ra, dec = place.split()
    (tmp_path / "a.csv").write_text(f"name,ra,dec\nmine,{ra},{dec}\nother,1,2\n")
    Table({"ra": [float(ra)], "dec": [float(dec)]}).write(tmp_path / "b.ecsv")
    names = [str(tmp_path / "a.csv"), str(tmp_path / "b.ecsv")]
    assert main(["search", *names, "--cube", str(folder), "--product", "spoc", "-q"]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "tessera: other: no given SPOC cube sees it\n")
    assert main(["search", *names, "--cube", str(folder), "--json"]) == 1
    assert [row["target"] for row in json.loads(capsys.readouterr().out)["rows"]] == ["mine", f"{ra} {float(dec):+.6f}"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["5"], "target is '5'; allowed: 'TIC 5' for a number of the TESS Input Catalog"),
        (
            ["10 10", "--service", "http://127.0.0.1:9"],
            "--service is 'http://127.0.0.1:9'; allowed: either --cube or --service",
        ),
        (["none.csv"], "none.csv cannot be read: there is no such file"),
        (["TIC 5", "--resolver", "ftp://host"], "resolver is 'ftp://host'; allowed: an address with http or https"),
    ],
)
def test_an_error_is_one_line(
    folder: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", *arguments, "--cube", str(folder)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


@pytest.mark.parametrize("sectors", ["0", "x", "5-2", "1,", "99999"])
def test_sectors_are_numbers_and_ranges(sectors: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["search", "10 10", "--sector", sectors])
    assert ended.value.code == 2
    assert "allowed: sectors from 1 to 9999, such as 5, 1,4 or 27-39" in capsys.readouterr().err
