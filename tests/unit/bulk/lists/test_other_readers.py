"""Lists of random rows, as pandas and astropy read them, and positions as astropy's SkyCoord parses them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from tessera.bulk.lists.read import read_list
from tessera.bulk.options import BulkOptions
from tessera.bulk.target_rows import TargetRows
from tessera.errors import InvalidInputError

RNG = np.random.default_rng(16)
N_ROWS = 300
RA, DEC = RNG.uniform(0, 360, N_ROWS), np.degrees(np.arcsin(RNG.uniform(-1, 1, N_ROWS)))
SKY = SkyCoord(RA, DEC, unit="deg")


def read(given: object) -> TargetRows:
    return read_list(given, BulkOptions())


def test_numbers_are_the_same_as_those_of_pandas_to_the_last_bit() -> None:
    frame = pd.DataFrame({"source_id": RNG.integers(0, 2**62, N_ROWS), "ra": RA, "dec": DEC, "pmra": RA, "pmdec": DEC})
    frame["ref_epoch"] = 2016.0
    frame.loc[::7, ["pmra", "pmdec"]] = np.nan
    for digits in (None, "%.3f", "%.12e"):
        text = frame.to_csv(index=False, float_format=digits)
        rows, theirs = read(text.encode()), pd.read_csv(io.StringIO(text), float_precision="round_trip")
        for ours, name in (("ra", "ra"), ("dec", "dec"), ("pm_ra", "pmra"), ("pm_dec", "pmdec")):
            np.testing.assert_array_equal(getattr(rows, ours), theirs[name])
        np.testing.assert_array_equal(np.isnan(rows.epoch), theirs["pmra"].isna())


@pytest.mark.parametrize("separator", [":", " ", "hms"])
def test_sexagesimal_columns_are_the_positions_of_skycoord(separator: str) -> None:
    ra = SKY.ra.to_string(u.hour, sep=separator, precision=6, pad=True)
    dec = SKY.dec.to_string(u.deg, sep="dms" if separator == "hms" else separator, precision=5, alwayssign=True)
    text = "\n".join(["RAJ2000\tDEJ2000", *(f"{one}\t{two}" for one, two in zip(ra, dec, strict=True))])
    rows = read(text.encode())
    theirs = SkyCoord(ra, dec, unit=(u.hourangle, u.deg))
    assert rows.problems == ()
    np.testing.assert_allclose(rows.ra, theirs.ra.deg, atol=1e-11, rtol=0)
    np.testing.assert_allclose(rows.dec, theirs.dec.deg, atol=1e-11, rtol=0)
    assert rows.name[0] == f"{ra[0]} {dec[0]}"


FORMS_AND_UNITS = [
    *((form, unit) for form in ("ascii.ecsv", "fits", "votable") for unit in ("deg", "rad", "arcsec", "mas")),
    ("ascii.ecsv", "hourangle"),
    ("votable", "hourangle"),
]


@pytest.mark.parametrize(("form", "unit"), FORMS_AND_UNITS)
def test_angles_of_any_unit_are_those_of_astropy(form: str, unit: str, tmp_path: Path) -> None:
    table = Table({"ra": SKY.ra.to(unit).value * u.Unit(unit), "dec": SKY.dec.to(unit).value * u.Unit(unit)})
    path = tmp_path / "list"
    table.write(path, format=form)
    rows = read(path.read_bytes())
    np.testing.assert_allclose(rows.ra, RA, rtol=1e-12)
    np.testing.assert_allclose(rows.dec, DEC, rtol=1e-12, atol=1e-12)


def test_positions_that_ecsv_keeps_as_an_object_are_read(tmp_path: Path) -> None:
    for name, sky in (("icrs", SKY), ("galactic", SKY.galactic)):
        path = tmp_path / f"{name}.ecsv"
        Table({"star": [f"s{k}" for k in range(N_ROWS)], "sky": sky}).write(path)
        rows = read(path)
        np.testing.assert_allclose(rows.ra, RA, rtol=1e-11)
        assert rows.name[:2] == ("s0", "s1")


def test_the_first_table_of_a_fits_file_counts_and_columns_of_many_values_are_ignored() -> None:
    columns = [
        fits.Column("RA", "D", array=RA),
        fits.Column("DEC", "D", array=DEC),
        fits.Column("OTHER", "PE()", array=np.array([np.zeros(k % 3) for k in range(N_ROWS)], dtype=object)),
        fits.Column("FLUX", "5E", array=np.zeros((N_ROWS, 5))),
    ]
    out = io.BytesIO()
    image = fits.CompImageHDU(np.zeros((50, 50), np.int16))
    fits.HDUList([fits.PrimaryHDU(np.zeros((3, 3))), image, fits.BinTableHDU.from_columns(columns)]).writeto(out)
    np.testing.assert_array_equal(read(out.getvalue()).ra, RA)


def test_a_column_of_pairs_is_no_column_of_positions() -> None:
    rows = read({"ra": np.zeros((3, 2)), "dec": [1, 2, 3]})
    assert [problem.row for problem in rows.problems] == [1, 2, 3]
    with pytest.raises(InvalidInputError, match=r"targets is .*; allowed: an object with the columns ra and dec"):
        read((RA, DEC))
