"""A search of one's own cubes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time

import tessera
from tessera.errors import DataWarning, InvalidInputError, MissingFileError


def test_a_row_says_what_the_cube_says(cubes: dict[str, Path], stars: dict[str, SkyCoord]) -> None:
    found = tessera.search(stars["tess-s0001-4-2"], cubes=cubes["tess-s0001-4-2"])
    (row,) = found.rows
    assert (row.product, row.sector, row.camera, row.ccd) == ("SPOC", 1, 4, 2)
    assert (row.start, row.end) == ("2018-07-25T19:30:47", "2018-07-25T22:00:47")
    assert (row.cadence, row.n_cadences) == (1800, 5)
    assert (row.row, row.column, row.edge) == (20.0, 15.0, 14.5)
    assert row.cube == str(cubes["tess-s0001-4-2"])


def test_many_targets_of_a_folder_each_have_a_row_or_a_reason(
    cubes: dict[str, Path], stars: dict[str, SkyCoord]
) -> None:
    given = [stars["tica-s0027-1-4"], (10.0, 10.0), stars["tess-s0002-4-2"]]
    found = tessera.search(given, cubes=cubes["tess-s0001-4-2"].parent)
    assert [(row.target.number, row.product, row.sector) for row in found.rows] == [(0, "TICA", 27), (2, "SPOC", 2)]
    assert [(item.target.name, item.reason) for item in found.missing] == [
        ("10.000000 +10.000000", "no given cube sees it")
    ]


def test_sectors_and_products_limit_the_search(cubes: dict[str, Path], stars: dict[str, SkyCoord]) -> None:
    everything = list(cubes.values())
    given = list(stars.values())
    assert [row.sector for row in tessera.search(given, cubes=everything, sectors=[2, 27]).rows] == [2, 27]
    assert [row.sector for row in tessera.search(given, cubes=everything, product="tica").rows] == [27]
    found = tessera.search(stars["tess-s0001-4-2"], cubes=everything, sectors=range(2, 28))
    assert [item.reason for item in found.missing] == ["no given cube sees it in sectors 2-27; it is in sector 1"]


def test_a_cube_that_cannot_be_read_is_named_and_the_others_are_searched(
    cubes: dict[str, Path], stars: dict[str, SkyCoord], tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing.fits"
    with pytest.warns(DataWarning, match=r"nothing\.fits is not read: there is no such file"):
        found = tessera.search(stars["tess-s0001-4-2"], cubes=[nothing, cubes["tess-s0001-4-2"]])
    assert len(found) == 1
    assert found.unread == {str(nothing): "there is no such file"}
    with pytest.raises(MissingFileError):
        tessera.search(stars["tess-s0001-4-2"], cubes=nothing)


def test_rows_are_selected_by_numbers_slices_and_masks(cubes: dict[str, Path], stars: dict[str, SkyCoord]) -> None:
    found = tessera.search(list(stars.values()), cubes=list(cubes.values()))
    assert [row.sector for row in found[1].rows] == [2]
    assert [row.sector for row in found[-2:].rows] == [2, 27]
    assert [row.sector for row in found[found["sector"] < 20].rows] == [1, 2]
    assert [row.sector for row in found[[2, 0]].rows] == [27, 1]
    assert [one.rows[0].sector for one in found] == [1, 2, 27]
    assert len(found[[]]) == 0
    with pytest.raises(InvalidInputError, match="there are 3 rows"):
        found[3]
    assert found.table["edge"].unit == "pix"
    assert not np.ma.is_masked(found.table["row"])


def test_cutouts_are_those_of_the_rows(cubes: dict[str, Path], stars: dict[str, SkyCoord], tmp_path: Path) -> None:
    given = [*stars.values(), (10.0, 10.0)]
    found = tessera.search(given, cubes=list(cubes.values()))
    made = found.cut(5, output_dir=tmp_path)
    assert [item.status for item in made] == ["ok", "ok", "ok", "no overlap"]
    assert [item.target.number for item in made] == [0, 1, 2, 3]
    assert sorted(tmp_path.iterdir()) == sorted(item.path for item in made[:3] if item.path)
    assert made[3].reason == "no given cube sees it"
    in_memory = found[0].cut(5)
    assert in_memory[0].hdus[1].data["FLUX"].shape == (5, 5, 5)
    np.testing.assert_array_equal(in_memory[0].hdus[1].data["FLUX"], made[0].hdus[1].data["FLUX"])


def test_a_result_shows_its_rows_and_what_is_missing(cubes: dict[str, Path], stars: dict[str, SkyCoord]) -> None:
    found = tessera.search(["10 10", stars["tess-s0001-4-2"]], cubes=list(cubes.values()))
    lines = str(found).splitlines()
    assert lines[0] == f"{found.rows[0].target.name} on 1 cube, at 88.967707 -75.391221; 1 on none"
    assert lines[1].split()[:3] == ["target", "product", "sector"]
    assert lines[2].split()[-4:] == ["20.0", "15.0", "14.5", "tess-s0001-4-2-cube.fits"]
    assert lines[3:] == ["10 10: no given cube sees it"]
    assert repr(found) == str(found)
    page = found._repr_html_()
    assert page.count("<tr>") == 2
    assert "10 10: no given cube sees it" in page
    made = found.cut(3)
    assert repr(made).splitlines()[0] == "1 cutout; 1 without a file"
    assert "no overlap" in made._repr_html_()


def test_long_results_are_shown_in_part_and_names_are_text(cubes: dict[str, Path], stars: dict[str, SkyCoord]) -> None:
    star = stars["tess-s0001-4-2"]
    table = Table({"name": ["<b>\x1b[31m"] * 50, "ra": [star.ra.deg] * 50, "dec": [star.dec.deg] * 50})
    found = tessera.search(table, cubes=cubes["tess-s0001-4-2"])
    assert len(found) == 50
    assert "... and 10 more rows" in str(found)
    assert "\x1b" not in str(found)
    assert "<b>\x1b" not in found._repr_html_()
    assert "&lt;b&gt;" in found._repr_html_()


def test_cubes_and_targets_of_one_name_have_files_of_their_own(
    cubes: dict[str, Path], stars: dict[str, SkyCoord], tmp_path: Path
) -> None:
    copy = tmp_path / "b" / cubes["tess-s0001-4-2"].name
    copy.parent.mkdir()
    copy.write_bytes(cubes["tess-s0001-4-2"].read_bytes())
    star = stars["tess-s0001-4-2"]
    found = tessera.search([star, star], cubes=[cubes["tess-s0001-4-2"], copy])
    made = found[[0, 2, 3]].cut(5, output_dir=tmp_path / "out")
    assert [item.status for item in made] == ["ok"] * 3
    assert len({item.path for item in made}) == len(list((tmp_path / "out").iterdir())) == 3


def test_headers_have_the_name_and_number_that_were_given(cubes: dict[str, Path], stars: dict[str, SkyCoord]) -> None:
    star = stars["tess-s0001-4-2"]
    table = Table({"name": ["my star"], "tic": [77], "ra": [star.ra.deg], "dec": [star.dec.deg]})
    named, bare = (tessera.search(given, cubes=cubes["tess-s0001-4-2"]).cut(3)[0].hdus for given in (table, star))
    assert (named[0].header["OBJECT"], named[0].header["TICID"]) == ("my star", 77)
    assert (bare[0].header["OBJECT"], bare[0].header["TICID"]) == ("", None)


def test_progress_and_words_are_told(
    cubes: dict[str, Path], stars: dict[str, SkyCoord], capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[int, int]] = []

    def show(done: int, total: int) -> None:
        told.append((done, total))

    found = tessera.search(list(stars.values()), cubes=list(cubes.values()), progress=show, verbose=True)
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert "Found 3 rows; 0 of 3 targets are on no cube" in capsys.readouterr().err
    told.clear()
    found.cut(3, progress=show)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_moving_star_is_found_where_it_was(cubes: dict[str, Path], stars: dict[str, SkyCoord]) -> None:
    now = stars["tess-s0001-4-2"]
    star = SkyCoord(
        now.ra,
        now.dec,
        pm_ra_cosdec=0 * u.mas / u.yr,
        pm_dec=21_000 * u.mas / u.yr,
        obstime=Time(2457000 + 1325.36 - 365.25, format="jd", scale="tdb"),
    )
    (row,) = tessera.search(star, cubes=cubes["tess-s0001-4-2"]).rows
    assert row.row is not None
    assert row.column is not None
    assert 0.9 < np.hypot(row.row - 20.0, row.column - 15.0) < 1.2
