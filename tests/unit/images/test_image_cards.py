"""Cards that describe the whole image are updated or removed in a cutout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from tessera import make_image_cutouts
from tests.support.images import coded, plain_image, sky_at

pytestmark = pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning")
SHAPE = (60, 80)


def header_of(path: Path, sky: SkyCoord, size: Any) -> fits.Header:
    (made,) = make_image_cutouts(path, sky, size)
    assert made.hdus is not None
    return made.hdus[1].header


def test_s_region_is_that_of_the_cutout(tmp_path: Path) -> None:
    path = plain_image(tmp_path / "a.fits", coded(SHAPE), cards={"S_REGION": "POLYGON ICRS 1 2 3 4 5 6"})
    header = header_of(path, sky_at(path, 30, 20), (11, 7))
    words = header["S_REGION"].split()
    assert words[:2] == ["POLYGON", "ICRS"]
    corners = np.array(words[2:], float).reshape(-1, 2)
    expected = WCS(header).all_pix2world([[-0.5, -0.5], [10.5, -0.5], [10.5, 6.5], [-0.5, 6.5]], 0)
    np.testing.assert_allclose(corners, expected, atol=1e-8)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("[1:80,1:60]", "[1:11,1:7]"),
        ("[30:35,20:70]", "[5:10,3:7]"),
        ("[35:30,20:20]", "[10:5,3:3]"),
        ("[ 1:40 , 1:20 ]", "[1:11,1:3]"),
        ("[1:10,1:60]", None),
        ("[81:90,1:60]", None),
        ("whole", None),
    ],
)
@pytest.mark.parametrize("keyword", ["DATASEC", "TRIMSEC", "BIASSEC", "DATASECA"])
def test_sections_in_pixels_of_the_image_are_moved(
    keyword: str, section: str, expected: str | None, tmp_path: Path
) -> None:
    path = plain_image(tmp_path / "a.fits", coded(SHAPE), cards={keyword: section})
    header = header_of(path, sky_at(path, 30, 20), (11, 7))  # columns 26 to 36 and rows 18 to 24, from 1
    assert header.get(keyword) == expected
    if expected is None:
        assert f"{keyword} = {section} (of the whole image)" in list(header["HISTORY"])


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("CCDSEC", "[1:80,1:60]"),
        ("DETSEC", "[4097:4176,1:60]"),
        ("DETSECB", "[1:2,3:4]"),
        ("DATAMAX", 20136),
        ("GOODMEAN", 1.5),
        ("COR1RA1", 12.5),
        ("CENTERA1", 40),
    ],
)
def test_what_cannot_be_right_is_removed_and_kept_in_history(keyword: str, value: Any, tmp_path: Path) -> None:
    path = plain_image(tmp_path / "a.fits", coded(SHAPE), cards={keyword: value, "EXPTIME": 5.0, "DTV1": 7.0})
    header = header_of(path, sky_at(path, 30, 20), 5)
    assert keyword not in header
    assert f"{keyword} = {value} (of the whole image)" in list(header["HISTORY"])
    assert (header["EXPTIME"], header["DTV1"]) == (5.0, 7.0)


def test_sizes_of_the_image_become_those_of_the_cutout(tmp_path: Path) -> None:
    path = plain_image(tmp_path / "a.fits", coded(SHAPE), cards={"IMAGEW": 80, "IMAGEH": 60})
    header = header_of(path, sky_at(path, 30, 20), (11, 7))
    assert (header["IMAGEW"], header["IMAGEH"]) == (11, 7)


def test_a_scaled_physical_system_keeps_its_scale(tmp_path: Path) -> None:
    cards = {"LTV1": 10.0, "LTM1_1": 0.5, "CRPIX1P": 3.0, "CRVAL1P": 100.0, "CDELT1P": 2.0, "WCSNAMEP": "PHYSICAL"}
    path = plain_image(tmp_path / "a.fits", coded(SHAPE), cards={**cards, "CTYPE1P": "RAWX", "CTYPE2P": "RAWY"})
    header = header_of(path, sky_at(path, 30, 20), 5)  # the first column is 28
    assert (header["LTV1"], header["LTM1_1"]) == (10.0 - 28, 0.5)
    assert (header["CRPIX1P"], header["CRVAL1P"], header["CDELT1P"]) == (3.0 - 28, 100.0, 2.0)
