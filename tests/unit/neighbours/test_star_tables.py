"""Tables of stars, as archives write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, Table

from tessera.errors import InvalidInputError, UnreadableFileError
from tessera_cloud.application.neighbours.tables import read_stars

GAIA = 4623036865373793408


def gaia() -> Table:
    """Gaia's columns: the second star has no colour, the third no motion, the fourth nothing but a position."""
    g = MaskedColumn([12.0, 13.0, 14.0, 0.0], mask=[False, False, False, True], name="phot_g_mean_mag", unit="mag")
    blue = MaskedColumn([12.5, 0.0, 14.8, 0.0], mask=[False, True, False, True], name="phot_bp_mean_mag")
    red = MaskedColumn([11.3, 12.0, 13.2, 0.0], mask=[False, False, False, True], name="phot_rp_mean_mag")
    motion = MaskedColumn([5.0, -6.0, 0.0, 1.0], mask=[False, False, True, False], name="pmra", unit="mas / yr")
    table = Table([MaskedColumn([GAIA + n for n in range(4)], name="source_id"), g, blue, red, motion])
    table["ra"], table["dec"] = [10.0, -0.5, 359.9, 20.0] * u.deg, [-80.0, 0.1, 45.0, 3.0] * u.deg
    table["pmdec"] = np.array([0.001, 0.002, 0.003, 0.004]) * u.arcsec / u.yr
    table["ref_epoch"] = 2016.0
    return table


@pytest.mark.parametrize("name", ["gaia.fits", "gaia.vot", "gaia.ecsv", "gaia.csv", "gaia.parquet"])
def test_a_table_of_gaia_is_read(tmp_path: Path, name: str) -> None:
    path, table = tmp_path / name, gaia()
    if name.endswith((".csv", ".parquet")):  # they have no units
        table["pmdec"] = table["pmdec"].quantity.to_value(u.mas / u.yr)
    if name.endswith(".parquet"):
        arro3, io = pytest.importorskip("arro3.core"), pytest.importorskip("arro3.io")
        columns = {column: arro3.Array(table[column].tolist(), _arrow_type(column)) for column in table.colnames}
        io.write_parquet(arro3.Table(columns), path)
    else:
        table.write(path, format="votable" if name.endswith(".vot") else None)
    read = read_stars(str(path))
    stars = read.records
    assert read.epoch == 2016.0
    assert read.left_out == {"a magnitude": 1}
    assert stars["id"].tolist() == [GAIA, GAIA + 1, GAIA + 2], "no digit is lost"
    np.testing.assert_allclose(stars["ra"], [10.0, 359.5, 359.9])
    np.testing.assert_allclose(stars["dec"], [-80.0, 0.1, 45.0])
    # Stassun et al. 2019 by hand, for BP - RP of 1.2 and 1.6; G - 0.43 without a colour
    by_hand = [12.0 - 0.00903 + 0.12835 - 0.76071 + 0.03245, 12.57, 14.0 - 0.02140 + 0.22818 - 1.01428 + 0.03245]
    np.testing.assert_allclose(stars["magnitude"], by_hand, atol=2e-5)
    np.testing.assert_allclose(stars["pm_ra"], [5.0, -6.0, np.nan])
    np.testing.assert_allclose(stars["pm_dec"], [1.0, 2.0, np.nan], rtol=1e-6)


def _arrow_type(column: str) -> object:
    from arro3.core import DataType  # noqa: PLC0415 - the test is skipped where it is absent

    return DataType.int64() if column == "source_id" else DataType.float64()


def test_a_table_of_the_tic_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tic.csv"
    path.write_text(
        "ID,ra,dec,pmRA,pmDEC,Tmag,gaiamag\n261136679,84.291188,-80.469119,311.187,1048.85,5.1054,5.4907\n"
        "12,84.3,-80.4,,,,15.5\nx,84.3,-80.4,,,9,9\n13,,-80.4,,,9,9\n14,84.3,-95,,,9,9\n"
    )
    read = read_stars(str(path))
    assert read.records["id"].tolist() == [261136679, 12]
    np.testing.assert_allclose(read.records["magnitude"], [5.1054, 15.07], rtol=1e-6)
    assert read.left_out == {"a position": 2, "a number": 1}
    assert read.epoch is None


def test_names_of_stars_end_in_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("source_id,ra,dec,Tmag\nGaia DR3 4623036865373793408,1,2,3\nTIC 5,1,2,3\nstar,1,2,3\n")
    assert read_stars(str(path)).records["id"].tolist() == [GAIA, 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ra,dec,Tmag\n1,2,3\n", "with the columns ra, dec, tmag'; allowed: the columns ra and dec"),
        ("ra,dec,id\n1,2,3\n", "allowed: the columns ra and dec .* Tmag or phot_g_mean_mag"),
        ("id,ra,dec,Tmag,pmra\n1,2,3,4,5\n", "the column pmra alone'; allowed: both proper motions"),
        ("id,ra,dec,Tmag\n1,2,3,bright\n", "column Tmag is 'bright'; allowed: numbers"),
        ("id,ra,dec,Tmag\n4.6e18,2,3,4\n", "column id is '4.6e[+]18'; allowed: integers; floats lose digits"),
        ("id,ra,dec,Tmag,epoch\n1,2,3,4,2000\n2,2,3,4,2016\n", "column epoch is '2000, 2016'; allowed: one Julian"),
    ],
    ids=["number", "magnitude", "motion", "text", "float", "epochs"],
)
def test_a_wrong_table_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=said):
        read_stars(str(path))


@pytest.mark.parametrize("name", ["none.csv", "none.parquet"])
def test_a_table_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFileError, match=f"{name} cannot be read: there is no such file"):
        read_stars(str(tmp_path / name))


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    pytest.importorskip("arro3.io")
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(UnreadableFileError, match="no Parquet file"):
        read_stars(str(path))
