"""Image cutouts on the command line."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from tessera.cli.main import main
from tests.support.paths import DATA

ROMAN = DATA / "roman_asdf" / "roman_like_wfi07_l2_window.asdf"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.0, 2.0], [51, 41]
    wcs.wcs.cdelt = [-0.001, 0.001]
    data = np.arange(80 * 100, dtype=np.float32).reshape(80, 100)
    path = tmp_path / "field.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data, wcs.to_header(), name="SCI")]).writeto(path)
    return path


def test_targets_become_files(image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["image", "cut", str(image), "-t", "150 2", "-t", "150.01 2.01", "-s", "3x5", "-o", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    with fits.open(lines[0]) as hdus:
        np.testing.assert_array_equal(hdus[1].data, np.arange(8000).reshape(80, 100)[39:42, 48:53])


def test_a_target_beside_the_image_is_told(image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "cut", str(image), "-t", "10 -20", "-o", str(tmp_path / "out")]) == 1
    assert "no overlap" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-t", "150 2", "-s", "3by5"], "size is '3by5'"),
        (["other.asdf", "-t", "150 2"], "only FITS files, or only ASDF files"),
        (["-t", "nowhere"], "nowhere"),
    ],
)
def test_what_makes_no_sense_is_explained(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["image", "cut", str(image), *arguments, "-o", str(tmp_path / "out")]) == 1
    assert message in capsys.readouterr().err


def test_asdf_images_become_asdf_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import asdf  # noqa: PLC0415 - the environment of the image functions

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with asdf.open(ROMAN) as file:
            ra, dec = file["roman"]["meta"]["wcs"](150, 160)
        assert main(["image", "cut", str(ROMAN), "-t", f"{ra} {dec}", "-s", "7", "-o", str(tmp_path)]) == 0
        (path,) = capsys.readouterr().out.splitlines()
        with asdf.open(path) as made:
            assert made["roman"]["data"].shape == (7, 7)
            assert made["roman"]["data"][3, 3] == 160 * 10000 + 150
