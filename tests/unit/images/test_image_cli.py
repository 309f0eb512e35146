"""Image cutouts on the command line."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tessera.cli.main import main
from tests.support.paths import DATA

ROMAN = DATA / "roman_asdf" / "roman_like_wfi07_l2_window.asdf"


BAD_SIZES = ("3by5", "0", "3x0", "-3", "3x", "x3", "3parsec", "1e999", "", "nan", "3x4x5", "3,5")


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
        *((["-t", "150 2", "-s", size], f"size is '{size}'; allowed: pixels or angles") for size in BAD_SIZES),
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


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ("25", (25, 25)),
        ("3X5", (3, 5)),
        (" 3 x 5 ", (3, 5)),
        ("3pxx5px", (3, 5)),
        ("7.2 arcsec", (2, 2)),
        ("18x36arcsec", (5, 10)),
        ("18arcsecx0.01deg", (5, 10)),
        ('5x36"', (10, 10)),
        ("0.3'x0.6'", (5, 10)),
        ("5pxx36arcsec", (5, 10)),
        ("0.01 DEG", (10, 10)),
    ],
)
def test_sizes_are_pixels_or_angles(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], size: str, shape: tuple[int, int]
) -> None:
    expected = (1, 10) if size == '5x36"' else shape  # 5 arcseconds are 1.4 pixels
    assert main(["image", "cut", str(image), "-t", "150 2", "-s", size, "-o", str(tmp_path / "out")]) == 0
    (path,) = capsys.readouterr().out.splitlines()
    assert fits.getdata(path, 1).shape == expected


@pytest.mark.parametrize(
    ("options", "extensions"),
    [
        (["-x", "SCI", "-x", "ERR"], [1, 2, 3]),
        (["-x", "1,3"], [1, 3]),
        (["-x", "SCI,2"], [3]),
        (["-x", "ERR", "-x", "-1"], [2, 3]),
        (["-x", "sci", "-x", "All"], [1, 2, 3]),
        ([], [1]),
    ],
)
def test_extensions_may_be_several(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], extensions: list[int]
) -> None:
    with fits.open(image) as hdus:
        more = [fits.ImageHDU(hdus[1].data, hdus[1].header, name) for name in ("ERR", "SCI")]
        more[1].ver = 2
        fits.HDUList([*hdus, *more]).writeto(tmp_path / "mef.fits")
    options = [f"--extension={option}" if option == "-1" else option for option in options if option != "-x"]
    arguments = [item for option in options for item in ([option] if option.startswith("--") else ["-x", option])]
    assert main(["image", "cut", str(tmp_path / "mef.fits"), "-t", "150 2", *arguments, "-o", str(tmp_path / "o")]) == 0
    paths = capsys.readouterr().out.splitlines()
    assert [fits.getheader(path, 1)["ORIG_EXT"] for path in paths] == extensions


def test_files_are_known_by_their_content_and_each_has_its_line(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "roman.fits").write_bytes(ROMAN.read_bytes())
    (tmp_path / "image.asdf").write_bytes(image.read_bytes())
    (tmp_path / "text.asdf").write_text("text", encoding="utf-8")
    files = [str(tmp_path / name) for name in ("image.asdf", "roman.fits", "text.asdf", "absent.fits", "absent.asdf")]
    assert main(["image", "cut", *files, "-t", "150 2", "-o", str(tmp_path / "out")]) == 1
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = sorted(line.replace(str(tmp_path), "") for line in captured.out.splitlines())
    assert len(lines) == 5
    for line, start in zip(
        lines, ["/absent.asdf", "/absent.fits", "/out/image_", "/roman.fits", "/text.asdf"], strict=True
    ):
        assert line.startswith(start)
    assert "no overlap" in lines[3]


WORDS = {
    "-t": ["150 2", "150", "", "x", "nan nan", "10:00:00 +2:00:00", "150 2 3", "1e400 2", "\0", "150,2", "gal 10 20"],
    "-p": ["3 4", "3", "-1 -1", "1e300 1", "nan 1", "x y", ""],
    "-s": ["5", "3x5", "0", "1e9", "5parsec", "1e-9arcsec", "90deg", "", "x", "5x", "1e400"],
    "-x": ["SCI", "1", "all", "9", "SCI,1", "SCI,9", ",", "", "1,1", "-1", "ALL,1", "1.5"],
}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries({}, optional={name: st.sampled_from(words) for name, words in WORDS.items()}))
def test_words_of_the_command_line_have_only_two_outcomes(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, str]
) -> None:
    given_options = [f"{name}{word}" if word else f"{name} " for name, word in options.items()]
    code = main(["image", "cut", str(image), *given_options, "-o", str(tmp_path / "out")])
    captured = capsys.readouterr()
    if code == 0:
        assert all(Path(line).is_file() or ": no overlap: " in line for line in captured.out.splitlines())
        assert captured.err == ""
        return
    assert code == 1
    assert len((captured.out + captured.err).splitlines()) >= 1
    assert len(captured.err.splitlines()) <= 1
    assert "Traceback" not in captured.err


def test_an_empty_cutout_says_why_and_where(tmp_path: Path, capsys: pytest.CaptureFixture[str], image: Path) -> None:
    with fits.open(image) as hdus:
        hdus[1].data[:] = 0
        hdus.writeto(tmp_path / "zero.fits")
    assert main(["image", "cut", str(tmp_path / "zero.fits"), "-t", "150 2", "-o", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "empty: all pixels of the cutout that are on the image are 0 (" in line
