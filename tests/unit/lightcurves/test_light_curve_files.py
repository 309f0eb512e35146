"""Light curves are written whole, read back by astropy and lightkurve, and replace nothing of others."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from astropy.timeseries import TimeSeries

from tessera import LightCurve, TargetPixels
from tessera.errors import InvalidInputError, KeptFileError
from tests.support.checks import checksums_hold, fitsverify_complaints
from tests.support.paths import DATA, TPF_6X6
from tests.unit.lightcurves.conftest import PERIOD

FORMATS = ("csv", "ecsv", "fits", "png")


@pytest.fixture
def curve(star_pixels: TargetPixels) -> LightCurve:
    return star_pixels.to_lightcurve(quality="none")


def tica_curve() -> LightCurve:
    flux = np.array([3.0, np.nan])
    return LightCurve(np.array([2044.0, 2044.1]), flux, np.full(2, np.nan), np.array([0, 4], np.int32), "TJD", "e-")


def test_a_csv_has_the_columns_of_the_preview_and_all_digits(curve: LightCurve, tmp_path: Path) -> None:
    path = curve.write(tmp_path / "new" / "star.csv")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "time_btjd,flux,flux_err,quality"
    rows = list(csv.DictReader(lines))
    np.testing.assert_allclose([float(row["time_btjd"]) for row in rows], curve.time, atol=1e-9)
    np.testing.assert_allclose([float(row["flux"]) for row in rows], curve.flux, rtol=1e-8)
    np.testing.assert_allclose([float(row["flux_err"]) for row in rows], curve.flux_err, rtol=1e-8)
    assert [int(row["quality"]) for row in rows] == curve.quality.tolist()
    unknown = tica_curve().write(tmp_path / "tica.csv").read_text(encoding="utf-8")
    assert unknown == "time_tjd,flux,flux_err,quality\n2044.000000000,3,,0\n2044.100000000,,,4\n"


def test_an_ecsv_reads_back_with_units_and_facts(curve: LightCurve, tmp_path: Path) -> None:
    table = Table.read(curve.write(tmp_path / "star.ecsv"))
    assert table.colnames == ["time_btjd", "flux", "flux_err", "quality", "background"]
    numbered = replace(curve, cadence_numbers=np.arange(len(curve), dtype=np.int32))
    assert numbered.to_table().colnames == [*table.colnames, "cadence_number"]
    assert (table["time_btjd"].unit, table["flux"].unit) == (u.d, u.electron / u.s)
    np.testing.assert_array_equal(table["time_btjd"], curve.time)
    np.testing.assert_array_equal(table["flux"], curve.flux)
    assert (table.meta["sector"], table.meta["camera"], table.meta["ccd"]) == (1, 4, 2)
    assert table.meta["time"].endswith("days since JD 2457000, TDB, at the barycentre of the solar system")
    tica = Table.read(tica_curve().write(tmp_path / "tica.ecsv"))
    assert tica["flux"].unit == u.electron
    assert tica.meta["time"].endswith("at the spacecraft")


@pytest.mark.parametrize("which", ["star", "tica", "mission"])
def test_a_fits_file_is_valid(which: str, curve: LightCurve, tmp_path: Path) -> None:
    mission = TargetPixels.read(DATA / "tess25155310-s01-first-cadences.fits.gz").to_lightcurve
    made = {"star": lambda: curve, "tica": tica_curve, "mission": mission}[which]()
    path = made.write(tmp_path / "curve.fits")
    assert checksums_hold(path.read_bytes())
    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")
        table = hdus[1].data
        np.testing.assert_array_equal(table["TIME"], made.time)
        for name in ("FLUX", "SAP_FLUX"):
            np.testing.assert_array_equal(table[name], made.flux)
            np.testing.assert_array_equal(table[f"{name}_ERR"], made.flux_err)
        np.testing.assert_array_equal(table["QUALITY"], made.quality)
        assert hdus[1].header["TIMEREF"] == ("LOCAL" if which == "tica" else "SOLARSYSTEM")
        assert hdus[1].header["BACKAPP"] == (which != "tica")
        assert hdus[0].header["TELESCOP"] == "TESS"
        if made.mask is not None:
            np.testing.assert_array_equal(hdus["APERTURE"].data & 2 > 0, made.mask)
    assert made.write(tmp_path / "again.fits").read_bytes() == path.read_bytes()
    assert fitsverify_complaints(path) == []


@pytest.mark.filterwarnings("ignore:.*did not parse as fits unit")  # of the mission's files, too
def test_astropy_reads_the_fits_file_as_a_time_series(curve: LightCurve, tmp_path: Path) -> None:
    series = TimeSeries.read(curve.write(tmp_path / "star.fits"), format="tess.fits")
    np.testing.assert_allclose((series.time.jd1 - 2457000) + series.time.jd2, curve.time, atol=1e-9)
    np.testing.assert_array_equal(series["sap_flux"].value, curve.flux)
    assert series["sap_flux"].unit == u.electron / u.s


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # lightkurve's
@pytest.mark.xdist_group("lightkurve")
def test_lightkurve_reads_the_fits_file_as_a_light_curve_of_tess(star_pixels: TargetPixels, tmp_path: Path) -> None:
    import lightkurve  # noqa: PLC0415 - takes two seconds to import

    curve = star_pixels.to_lightcurve()
    path = str(curve.write(tmp_path / "star.fits"))
    for read in (lightkurve.read(path), lightkurve.read(path, flux_column="sap_flux"), curve.to_lightkurve()):
        assert type(read).__name__ == "TessLightCurve"
        np.testing.assert_array_equal(read.time.value, curve.time)
        assert (read.time.format, read.time.scale) == ("btjd", "tdb")
        np.testing.assert_array_equal(read.flux.value, curve.flux)
        np.testing.assert_array_equal(read.flux_err.value, curve.flux_err)
        np.testing.assert_array_equal(np.asarray(read["quality"]), curve.quality)
        assert read.flux.unit == u.electron / u.s
        assert read.meta["SECTOR"] == 1
    everything = star_pixels.to_lightcurve(quality="none").write(tmp_path / "all.fits")
    assert len(lightkurve.read(str(everything))) == len(curve)
    assert lightkurve.read(str(tica_curve().write(tmp_path / "tica.fits"))).flux.value[0] == 3


@pytest.mark.parametrize("kind", FORMATS)
def test_only_a_light_curve_of_ours_is_replaced(kind: str, curve: LightCurve, tmp_path: Path) -> None:
    path = curve.write(tmp_path / f"star.{kind}")
    first = path.read_bytes()
    assert curve.write(path).read_bytes() == first
    assert sorted(item.name for item in tmp_path.iterdir()) == [path.name]
    (tmp_path / f"empty.{kind}").touch()
    curve.write(tmp_path / f"empty.{kind}")
    foreign = tmp_path / f"foreign.{kind}"
    for content in (b"my work\n", TPF_6X6.read_bytes(), b"\x89PNG\r\n\x1a\n", b"# %ECSV 1.0\n", b"time,flux\n"):
        foreign.write_bytes(content)
        with pytest.raises(KeptFileError, match="is kept, because it is not a light curve by tessera"):
            curve.write(foreign)
        assert foreign.read_bytes() == content


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_cannot_be_finished_is_not_left(
    kind: str, curve: LightCurve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*arguments: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full_disk)
    with pytest.raises(OSError, match="No space left"):
        curve.write(tmp_path / f"star.{kind}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["star.txt", "star", "star.fits.gz", "s3://bucket/star.csv"])
def test_other_names_are_refused(name: str, curve: LightCurve, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"allowed: a (name that ends with \.csv, |path on this machine)"):
        curve.write(name if "//" in name else tmp_path / name)


def test_a_light_curve_is_folded_at_a_period(curve: LightCurve) -> None:
    phase = curve.phase(PERIOD, epoch=0.0)
    assert -0.5 <= phase.min() < phase.max() <= 0.5
    np.testing.assert_allclose(np.exp(2j * np.pi * phase), np.exp(2j * np.pi * curve.time / PERIOD), atol=1e-9)
    assert curve.phase(PERIOD)[0] == 0
    model = curve.flux.mean() + 500 * np.sin(2 * np.pi * phase)
    assert np.corrcoef(model, curve.flux)[0, 1] > 0.99
    for wrong in (0, -1, np.nan):
        with pytest.raises(InvalidInputError, match="allowed: a number of days above 0"):
            curve.phase(wrong)
