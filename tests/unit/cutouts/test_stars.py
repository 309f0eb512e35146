"""What is known about a star is in the headers of its target pixel file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import MaskedColumn, QTable, Table

from tessera import make_cutouts
from tessera.cutouts.open_cube import open_cube
from tessera.cutouts.stars import read_stars
from tessera.errors import InvalidInputError
from tessera.tess.star import Star, tic_number
from tests.support.builds import build_cube
from tests.support.frames import tiny_sector
from tests.support.paths import DATA

MISSION = DATA / "tess25155310-s01-first-cadences.fits.gz"
ROW = {
    "ID": "25155310",
    "Tmag": 10.55500031,
    "pmRA": 63.0735,
    "pmDEC": 53.6783,
    "Teff": 5800.0,
    "logg": 4.28003979,
    "MH": -0.06,
}
ROW |= {"rad": 1.26999998, "TICVER": 7, "Vmag": 11.2, "version": "20171221"}
CARDS = ("OBJECT", "TICID", "PMRA", "PMDEC", "PMTOTAL", "TESSMAG", "TEFF", "LOGG", "MH", "RADIUS", "TICVER")
EMPTY = ("", None, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)
"""Values of these cards in the files of the live TESSCut service."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cubes") / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(tiny_sector(5, (40, 30))))
    return path


@pytest.fixture(scope="module")
def place(path: Path) -> SkyCoord:
    with open_cube(path) as file:
        return SkyCoord(*file.cube.wcs.all_pix2world(14.0, 20.0, 0), unit="deg")


def header(path: Path, target: SkyCoord, stars: Any = None) -> fits.Header:
    (result,) = make_cutouts(path, target, 5, stars=stars)
    return fits.getheader(io.BytesIO(result.data or b""))


def cards(found: fits.Header) -> tuple[Any, ...]:
    return tuple(found[card] for card in CARDS)


def test_a_row_of_the_tic_becomes_the_cards_that_the_mission_writes(path: Path, place: SkyCoord) -> None:
    real, ours = fits.getheader(MISSION), header(path, place, ROW)
    for card in CARDS:
        assert ours[card] == (pytest.approx(real[card], rel=1e-7) if isinstance(real[card], float) else real[card])
        assert type(ours[card]) is type(real[card])


def test_a_file_without_a_star_is_the_same_byte_for_byte(path: Path, place: SkyCoord) -> None:
    plain, none, nothing = (
        make_cutouts(path, place, 5, stars=stars)[0].data for stars in (None, [None], [{"Tmag": np.nan, "name": ""}])
    )
    assert plain == none == nothing
    assert cards(header(path, place)) == EMPTY


def test_what_is_not_known_of_a_star_of_the_tic_has_no_value(path: Path, place: SkyCoord) -> None:
    found = header(path, place, {"ID": 10000732589, "Tmag": 16.328, "Teff": None})
    assert cards(found) == ("TIC 10000732589", 10000732589, None, None, None, 16.328, *[None] * 5)


def test_a_name_alone_changes_nothing_but_the_name(path: Path, place: SkyCoord) -> None:
    assert cards(header(path, place, {"name": " π Men " + 90 * "x"})) == ("? Men " + 62 * "x", *EMPTY[1:])


def test_rows_of_a_table_belong_to_the_targets_in_their_order(path: Path, place: SkyCoord) -> None:
    table = Table({"ID": ["11", "22"], "Tmag": MaskedColumn([9.5, 1.0], mask=[False, True])})
    with_units = QTable({"ID": [11, 22], "pmRA": [0.001, np.nan] * u.arcsec / u.yr, "pmDEC": [0, 1] * u.mas / u.yr})
    made = make_cutouts(path, [place, place], 5, stars=table)
    found = [fits.getheader(io.BytesIO(result.data or b"")) for result in made]
    assert [(one["TICID"], one["TESSMAG"]) for one in found] == [(11, 9.5), (22, None)]
    first, second = read_stars(with_units, 2)
    assert (first and (first.tic, first.pm_ra, first.pm_dec)) == pytest.approx((11, 1.0, 0.0))
    assert second == Star(tic=22, pm_dec=1.0)
    plain = Table({"rad": u.Quantity([695700.0], u.km)})  # a column with a unit, of numbers
    assert [star and star.radius for star in read_stars(plain, 1)] == pytest.approx([1.0])
    assert read_stars(table[0], 1) == [Star(tic=11, tmag=9.5)]
    assert read_stars({"ID": 25155310.0, "TICVER": "8"}, 1) == [Star(tic=25155310, ticver=8)]


@pytest.mark.parametrize(
    ("stars", "words"),
    [
        ([ROW, ROW], "stars is '2 rows'; allowed: 1 row, one for each target"),
        ("TIC 5", "stars is 'TIC 5'; allowed: a table, or one mapping or None per target, with some of name, ID"),
        (5, "stars is 5; allowed: a table"),
        ([{"TIC": 5}], r"stars\[0\] is .*; allowed: a table, or one mapping"),
        ({"ID": -5}, r"stars\[0\]\['ID'\] is -5; allowed: a whole number from 1"),
        ({"ID": 5.5}, r"stars\[0\]\['ID'\] is 5.5; allowed: a whole number"),
        ({"ID": "TIC 5"}, r"stars\[0\]\['ID'\] is 'TIC 5'; allowed: a whole number"),
        ({"ID": True}, r"stars\[0\]\['ID'\] is True; allowed: a whole number"),
        ({"Teff": "hot"}, r"stars\[0\]\['Teff'\] is 'hot'; allowed: a number"),
        ({"Teff": np.inf}, r"stars\[0\]\['Teff'\] is inf; allowed: a finite number"),
        ({"pmRA": 5 * u.m}, r"stars\[0\]\['pmRA'\] is .*; allowed: a number in mas / yr"),
        ({"name": 5}, r"stars\[0\]\['name'\] is 5; allowed: a text"),
    ],
)
def test_what_is_not_a_row_of_the_tic_is_refused(path: Path, place: SkyCoord, stars: Any, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        make_cutouts(path, place, 5, stars=stars)


def test_only_names_of_the_tic_have_a_number_in_it() -> None:
    assert [tic_number(name) for name in ("TIC 261136679", " tic261136679 ", "TIC0005")] == [261136679, 261136679, 5]
    assert [tic_number(name) for name in ("pi Men", "TIC", "KIC 5", "TIC 5 b", "TIC -5")] == [None] * 5
