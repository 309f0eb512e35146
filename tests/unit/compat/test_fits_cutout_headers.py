"""Headers of cutouts: what is moved, what stays, what goes, and what is wrong with a sky."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from tessera import DataWarning, FITSCutout, InvalidQueryError
from tests.support.images import coded, plain_image, sky_at, tan_header

pytestmark = pytest.mark.filterwarnings("ignore::tessera.errors.DataWarning")  # those not looked for
SKY = SkyCoord(150.0, 2.2, unit="deg")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return plain_image(tmp_path / "plain.fits", coded((60, 80)))


@pytest.fixture
def truth(plain: Path) -> np.ndarray:
    pixels: np.ndarray = fits.getdata(plain)
    return pixels


def test_the_physical_wcs_is_in_the_file_and_leads_back(plain: Path, truth: np.ndarray, tmp_path: Path) -> None:
    (path,) = FITSCutout(plain, sky_at(plain, 3, 50), 11, fill_value=-1).write_as_fits(tmp_path)
    with fits.open(path) as hdus:
        physical = WCS(hdus[1].header, key="P")
        rows, columns = np.nonzero(hdus[1].data != -1)
        there = physical.all_pix2world(np.column_stack([columns, rows]), 0).astype(int) - 1
        np.testing.assert_array_equal(hdus[1].data[rows, columns], truth[there[:, 1], there[:, 0]])
        again = FITSCutout(hdus, sky_at(plain, 3, 50), 3).fits_cutouts[0]
    physical = WCS(again[1].header, key="P")
    column, row = physical.all_pix2world([[1, 1]], 0)[0].astype(int) - 1
    assert again[1].data[1, 1] == truth[row, column]


def test_cd_stays_cd(tmp_path: Path) -> None:
    cards = {"CD1_1": -1e-4, "CD1_2": 2e-5, "CD2_1": 2e-5, "CD2_2": 1e-4}
    header = tan_header(20, 20)
    for keyword in ("CDELT1", "CDELT2"):
        header.remove(keyword, ignore_missing=True)
    header.update(cards)
    fits.PrimaryHDU(coded((20, 20)), header).writeto(tmp_path / "cd.fits")
    (made,) = FITSCutout(tmp_path / "cd.fits", SKY, 5).fits_cutouts
    assert {keyword: made[1].header[keyword] for keyword in cards} == cards
    assert not [
        keyword
        for keyword in made[1].header
        if keyword.startswith(("PC1", "PC2", "CDELT")) and not keyword.endswith("P")
    ]


def test_alternates_and_ltv_move_too(tmp_path: Path) -> None:
    cards = {"CTYPE1A": "LINEAR", "CTYPE2A": "LINEAR", "CRPIX1A": 5.0, "CRVAL1A": 100.0, "LTV1": -7.0, "LTV2": 3.0}
    path = plain_image(tmp_path / "a.fits", coded((60, 80)), cards=cards)
    (made,) = FITSCutout(path, SKY, 10).fits_cutouts
    assert made[1].header["CRPIX1A"] == 5.0 - 34
    assert (made[1].header["LTV1"], made[1].header["LTV2"]) == (-7.0 - 34, 3.0 - 24)


def test_stale_sip_is_removed_and_told(tmp_path: Path) -> None:
    path = plain_image(tmp_path / "drz.fits", coded((60, 80)), cards={"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-3})
    (made,) = FITSCutout(path, SKY, 10).fits_cutouts
    assert "A_2_0" not in made[1].header
    assert "3 SIP cards removed" in str(made[1].header["HISTORY"])
    np.testing.assert_array_equal(made[1].data, coded((60, 80))[24:34, 34:44])


@pytest.mark.parametrize(
    ("cards", "reason"),
    [
        ({"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, "no celestial WCS"),
        ({"CTYPE1": "RA---TAB", "CTYPE2": "DEC--TAB"}, "coordinates in tables"),
        ({"CPDIS1": "LOOKUP", "DP1.EXTVER": 4}, "WCSDVARR, 4 is not in the file"),
        ({"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"}, "WCS cannot be read"),
    ],
)
def test_what_is_wrong_with_a_sky_is_told(tmp_path: Path, cards: dict[str, Any], reason: str) -> None:
    path = plain_image(tmp_path / "bad.fits", coded((20, 20)), cards=cards)
    with pytest.warns(DataWarning, match=reason), pytest.raises(InvalidQueryError):
        FITSCutout(path, SKY, 5)


@pytest.mark.parametrize("projection", ["TAN", "SIN", "ZEA", "ARC", "STG", "CAR", "AIT", "MOL", "CEA"])
@pytest.mark.parametrize("centre", [(0.0005, 1.0), (359.999, -30.0), (120.0, 89.9), (10.0, -89.95)])
def test_any_projection_near_poles_and_where_longitudes_begin(
    projection: str, centre: tuple[float, float], tmp_path: Path
) -> None:
    header = tan_header(200, 300, ra=centre[0], dec=centre[1])
    whole_sky = projection in ("CAR", "AIT", "MOL", "CEA")
    if whole_sky:
        header["CRVAL2"] = 0.0
    for axis, name in ((1, "RA---"), (2, "DEC--")):
        header[f"CTYPE{axis}"] = name + projection
    fits.PrimaryHDU(coded((200, 300)), header).writeto(tmp_path / "sky.fits")
    for column, row in ((149.2, 99.7), (3.4, 5.1), (290.0, 190.0)):
        sky = sky_at(tmp_path / "sky.fits", column, row)
        made = FITSCutout(tmp_path / "sky.fits", sky, (7, 9), limit_rounding_method="ceil", fill_value=-1)
        item = made.cutouts_by_file[tmp_path / "sky.fits"][0]
        assert item.data[4, 3] == round(row) * 10_000 + round(column) + 1
        expected = (3 + column - round(column), 4 + row - round(row))
        np.testing.assert_allclose(item.wcs.world_to_pixel(sky), expected, atol=1e-6)


def test_cards_of_the_sky_are_not_inherited(tmp_path: Path) -> None:
    primary = fits.PrimaryHDU()
    primary.header.update({"CD1_1": 5.0, "EQUINOX": 1950.0, "TELESCOP": "T"})
    image = fits.ImageHDU(coded((60, 80)), tan_header(60, 80))
    image.header["INHERIT"] = True
    fits.HDUList([primary, image]).writeto(tmp_path / "mef.fits")
    header = FITSCutout(tmp_path / "mef.fits", SKY, 10).fits_cutouts[0][1].header
    assert header["TELESCOP"] == "T"
    assert "CD1_1" not in header
    assert "EQUINOX" not in header


def test_axes_of_the_wcs_that_the_image_does_not_have_are_left_out(tmp_path: Path) -> None:
    header = fits.Header({"WCSAXES": 3, **dict(tan_header(60, 80)), "CTYPE3": "FREQ", "CRVAL3": 1.4e9, "CRPIX3": 1.0})
    header["WCSAXES"] = 3
    fits.PrimaryHDU(coded((60, 80)), header).writeto(tmp_path / "three.fits")
    (made,) = FITSCutout(tmp_path / "three.fits", SKY, 10).fits_cutouts
    assert WCS(made[1].header).naxis == 2
    np.testing.assert_array_equal(made[1].data, coded((60, 80))[24:34, 34:44])


@pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning")
def test_cards_that_are_no_valid_fits_are_mended_and_kept(tmp_path: Path) -> None:
    content = plain_image(tmp_path / "a.fits", coded((60, 80))).read_bytes()
    bad = b"EXPTIME = 12abc / bad".ljust(80)
    end = content.index(b"END" + b" " * 77)
    (tmp_path / "b.fits").write_bytes(content[:end] + bad + content[end : end + 80] + content[end + 160 :])
    (path,) = FITSCutout(tmp_path / "b.fits", SKY, 10).write_as_fits(tmp_path / "out")
    assert fits.getheader(path, 1)["EXPTIME"] == "12abc"
