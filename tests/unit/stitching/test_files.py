"""Files of stitched light curves, read back by ourselves, astropy and lightkurve."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from tessera import SearchResult, StitchedCurve
from tessera.errors import KeptFileError, TpfFormatError, UnreadableFileError
from tests.support.checks import checksums_hold, fitsverify_complaints


@pytest.fixture
def path(stitched: StitchedCurve, tmp_path: Path) -> Path:
    return stitched.write(tmp_path / "star.fits")


def test_the_fits_file_is_valid_and_has_all_sectors(stitched: StitchedCurve, path: Path) -> None:
    assert checksums_hold(path.read_bytes())
    assert fitsverify_complaints(path) == []
    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")
        names = [hdu.name for hdu in hdus[1:]]
        sectors = [name for number in (1, 2, 5) for name in (f"S{number:04d}", f"S{number:04d}_APERTURE")]
        assert names == ["LIGHTCURVE", "SECTORS", "GAPS", "LEFTOUT", *sectors, "PROVENANCE"]
        header = hdus[0].header
        assert (header["NSECTORS"], header["SECTORS"], header["LEVEL"]) == (3, "1,2,5", "divide")
        assert (header["NGAPS"], header["NLEFTOUT"], header["SECT2"]) == (5, 1, 2)
        assert header["FACTOR2"] == pytest.approx(stitched.sectors[1].factor)
        assert header["LONGGAP"] == max(gap.days for gap in stitched.gaps)
        assert "SECTOR" not in header  # it is not of one sector
        joined = hdus["LIGHTCURVE"].data
        np.testing.assert_array_equal(joined["FLUX"], stitched.flux)
        np.testing.assert_array_equal(joined["SAP_FLUX"], np.concatenate([each.flux for each in stitched.curves]))
        assert set(zip(joined["SECTOR"], joined["CCD"], strict=True)) == {(1, 2), (2, 2), (5, 2)}
        for number, curve in zip((1, 2, 5), stitched.curves, strict=True):
            np.testing.assert_array_equal(hdus[f"S{number:04d}"].data["SAP_FLUX"], curve.flux)
            np.testing.assert_array_equal(hdus[f"S{number:04d}_APERTURE"].data > 0, curve.mask)
            assert hdus[f"S{number:04d}"].header["SECTOR"] == number


def test_a_file_is_read_back_and_written_again_as_it_was(stitched: StitchedCurve, path: Path) -> None:
    read = StitchedCurve.read(path)
    assert (read.sectors, read.gaps, read.left_out) == (stitched.sectors, stitched.gaps, stitched.left_out)
    np.testing.assert_array_equal(read.flux, stitched.flux)
    assert repr(read) == repr(stitched)
    again = read.write(path.with_name("again.fits"))
    assert again.read_bytes() == path.read_bytes()
    assert StitchedCurve.read(path.read_bytes()).to_json() == stitched.to_json()


def test_other_files_are_not_stitched_light_curves(stitched: StitchedCurve, path: Path) -> None:
    single = stitched.curves[0].write(path.with_name("one.fits"))
    with pytest.raises(TpfFormatError, match=r"one\.fits is not a stitched light curve: it has no extension SECTORS"):
        StitchedCurve.read(single)
    with pytest.raises(UnreadableFileError, match=r"none\.fits"):
        StitchedCurve.read(path.with_name("none.fits"))
    with fits.open(path) as hdus:
        del hdus["S0002"]
        hdus.writeto(path.with_name("damaged.fits"))
    with pytest.raises(TpfFormatError, match=r"damaged\.fits is damaged"):
        StitchedCurve.read(path.with_name("damaged.fits"))


def test_a_trend_that_was_removed_is_kept_and_scaled(
    found: SearchResult, stitched: StitchedCurve, tmp_path: Path
) -> None:
    curve = found.stitch((9, 11), detrend="pld")
    assert curve.trend is not None
    np.testing.assert_allclose(curve.measured[0], stitched.measured[0])
    factors = {one.sector: one.factor for one in curve.sectors}
    before = curve.measured[0] * np.array([factors[number] for number in curve.sector.tolist()])
    np.testing.assert_allclose(curve.flux + curve.trend, before)
    assert (curve.detrended, {one.detrended[:4] for one in curve.sectors}) == ("pld", {"pld:"})
    path = curve.write(tmp_path / "star.fits")
    assert fitsverify_complaints(path) == []
    assert StitchedCurve.read(path).write(tmp_path / "again.fits").read_bytes() == path.read_bytes()
    text = curve.write(tmp_path / "star.csv").read_text(encoding="utf-8")
    assert text.startswith("time_btjd,flux,flux_err,quality,trend,sector,camera,ccd\n")
    curve.write(tmp_path / "star.csv")
    np.testing.assert_allclose(json.loads(curve.to_json())["lightcurve"]["trend"], curve.trend, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # lightkurve's
@pytest.mark.xdist_group("lightkurve")
def test_lightkurve_reads_it_without_an_option(stitched: StitchedCurve, path: Path) -> None:
    import lightkurve  # noqa: PLC0415 - takes two seconds to import

    for read in (lightkurve.read(str(path)), stitched.to_lightkurve()):
        assert type(read).__name__ == "TessLightCurve"
        np.testing.assert_array_equal(read.time.value, stitched.time)
        np.testing.assert_array_equal(read.flux.value, stitched.flux)
        np.testing.assert_array_equal(read.flux_err.value, stitched.flux_err)
        np.testing.assert_array_equal(np.asarray(read["sector"]), stitched.sector)
        assert read.flux.unit == u.dimensionless_unscaled
    several = lightkurve.LightCurveCollection([curve.to_lightkurve() for curve in stitched.curves]).stitch()
    np.testing.assert_allclose(several.flux.value, stitched.flux, rtol=1e-12)
    raw = lightkurve.read(str(path)).select_flux("sap_flux", "sap_flux_err")
    np.testing.assert_array_equal(raw.flux.value, stitched.measured[0])
    assert raw.flux.unit == u.electron / u.s
    assert len(lightkurve.read(str(path)).remove_outliers().flatten(101)) > 0


def test_csv_ecsv_and_json_say_the_same(stitched: StitchedCurve, tmp_path: Path) -> None:
    text = stitched.write(tmp_path / "star.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert list(rows[0]) == ["time_btjd", "flux", "flux_err", "quality", "sector", "camera", "ccd"]
    np.testing.assert_allclose([float(row["flux"]) for row in rows], stitched.flux, rtol=1e-8)
    assert [int(row["sector"]) for row in rows] == stitched.sector.tolist()
    table = Table.read(stitched.write(tmp_path / "star.ecsv"))
    assert [one["level"] for one in table.meta["sectors"]] == [one.level for one in stitched.sectors]
    assert (len(table.meta["gaps"]), len(table.meta["left_out"])) == (5, 1)
    assert (table["sap_flux"].unit, table["flux"].unit) == (u.electron / u.s, None)
    document = json.loads(stitched.to_json())
    assert document["lightcurve"]["sector"] == stitched.sector.tolist()
    np.testing.assert_allclose(document["lightcurve"]["flux"], stitched.flux, rtol=1e-8)
    assert document["gaps"][0] == {
        "start": stitched.gaps[0].start,
        "stop": stitched.gaps[0].stop,
        "before": 1,
        "after": 1,
        "days": stitched.gaps[0].days,
    }
    assert document["sectors"][1]["edge"] == 14.5
    assert (document["ra"], document["product"]) == (stitched.facts["ra"], "SPOC")


def test_a_picture_and_a_notebook_show_it(stitched: StitchedCurve, tmp_path: Path) -> None:
    assert stitched.write(tmp_path / "star.png").read_bytes().startswith(b"\x89PNG")
    assert stitched.plot().get_ylabel() == "Flux (divided by the level of each sector)"
    html = stitched._repr_html_()
    assert all(words in html for words in ("StitchedCurve", "1, 2, 5", "s0002-4-3: camera 4, CCD 2 is taken"))


@pytest.mark.parametrize("ending", [".csv", ".ecsv", ".fits", ".png"])
def test_only_light_curves_of_ours_are_replaced(stitched: StitchedCurve, tmp_path: Path, ending: str) -> None:
    path = stitched.write(tmp_path / f"star{ending}")
    first = path.read_bytes()
    assert stitched.write(path).read_bytes() == first
    path.write_bytes(b"mine")
    with pytest.raises(KeptFileError):
        stitched.write(path)
