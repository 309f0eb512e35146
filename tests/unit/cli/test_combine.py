"""`tessera combine`: several cutouts of images become one file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from tessera.cli.main import main
from tests.support.images import tan_header


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two files of one grid, and one whose grid lies a pixel beside it."""
    monkeypatch.chdir(tmp_path)
    for name, value, ra in (("a.fits", 1.0, 150.0), ("b.fits", 3.0, 150.0), ("c.fits", 5.0, 150.0001)):
        primary = fits.PrimaryHDU()
        primary.header.update({"RA_OBJ": 150.0, "DEC_OBJ": 2.2})
        image = fits.ImageHDU(np.full((5, 6), value, np.float32), tan_header(5, 6, ra=ra), "CUTOUT")
        fits.HDUList([primary, image]).writeto(name)
    return ["a.fits", "b.fits", "c.fits"]


def test_the_mean_of_two_files_is_one_file(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["combine", *files[:2]]) == 0
    assert capsys.readouterr() == ("cutout.fits\n", "")
    assert (fits.getdata("cutout.fits", 1) == 2.0).all()


def test_names_come_from_standard_input_and_quiet_prints_nothing(
    files: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(files[:2]).encode()), encoding="utf-8"))
    assert main(["combine", "-", "-o", "out/mean.fits", "-x", "CUTOUT", "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert (fits.getdata("out/mean.fits", 1) == 2.0).all()


def test_another_grid_is_refused_or_reprojected(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["combine", *files]) == 1
    assert "images that share the grid of the first" in capsys.readouterr().err
    assert not Path("cutout.fits").exists()
    assert main(["combine", *files, "--reproject", "interp"]) == 0
    assert fits.getdata("cutout.fits", 1)[2, 2] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("a.fits", "none.fits"), "none.fits cannot be read"),
        (("a.fits", "-o", "a.fits"), "-o is 'a.fits'; allowed: a path other than that of the input a.fits"),
        (("a.fits", "-x", "9"), "exts is"),
    ],
)
def test_what_cannot_be_combined_is_one_line(
    files: list[str], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    assert main(["combine", *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert sorted(item.name for item in Path().iterdir()) == files
