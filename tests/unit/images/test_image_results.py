"""Results of batches of images: bad positions, files that are kept, and names."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.utils.masked import Masked

from tessera import (
    ASDFCutout,
    CutoutsCombiner,
    FITSCutout,
    ImageCutoutOptions,
    ImagePixel,
    InvalidInputError,
    asdf_cut,
    fits_cut,
    make_image_cutouts,
)
from tessera.cli.main import main
from tessera.errors import KeptFileError
from tests.support.images import ROMAN, coded, plain_image, sky_at

IMAGE = ROMAN / "roman_like_wfi07_l2_window.asdf"
NO: Any = "no"
FIVE: Any = 5
FSSPEC = ImageCutoutOptions(fsspec_options=FIVE)
SKY = SkyCoord(150.0, 2.2, unit="deg")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return plain_image(tmp_path / "image.fits", coded((60, 80)))


@pytest.mark.parametrize("bad", [np.nan, "masked"])
def test_a_position_that_is_not_known_is_a_result_of_its_own(path: Path, bad: Any, tmp_path: Path) -> None:
    ra: Any = [150.0, 1.0 if bad == "masked" else bad, 150.0]
    if bad == "masked":
        ra = Masked(np.array(ra), mask=[False, True, False])
    made = make_image_cutouts(path, SkyCoord(ra, [2.2, 2.2, 2.2], unit="deg"), 5, output_dir=tmp_path / "out")
    assert [item.status for item in made] == ["ok", "error", "ok"]
    assert made[1].reason.startswith("coordinates[1] is ")
    assert np.isnan(made[1].ra)
    assert len({item.path for item in made}) == 3


def test_targets_may_be_pixels(path: Path, tmp_path: Path) -> None:
    unknown = SkyCoord([np.nan], [1.0], unit="deg")
    made = make_image_cutouts(
        path, [SKY, ImagePixel(20.4, 33), unknown, ImagePixel(500, 3)], 5, output_dir=tmp_path / "o"
    )
    assert [item.status for item in made] == ["ok", "ok", "error", "no overlap"]
    np.testing.assert_array_equal(fits.getdata(made[1].path, 1), coded((60, 80))[18:23, 31:36])
    there = sky_at(path, 33, 20.4)
    np.testing.assert_allclose((made[1].ra, made[1].dec), (there.ra.deg, there.dec.deg), atol=1e-9)
    assert made[2].reason.startswith("coordinates[2] is ")
    with pytest.raises(InvalidInputError, match=r"row is nan; allowed: a number up to 1e\+09"):
        ImagePixel(np.nan, 2)


@pytest.mark.parametrize("text", ["20.4 33", "20.4,33", " 20.4 , 33 "])
def test_pixels_of_the_command_line(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert main(["image", "cut", str(path), "-p", text, "-s", "5", "-o", str(tmp_path / "out")]) == 0
    (written,) = capsys.readouterr().out.splitlines()
    np.testing.assert_array_equal(fits.getdata(written, 1), coded((60, 80))[18:23, 31:36])


@pytest.mark.parametrize("arguments", [["-p", "3"], ["-p", "a b"], ["-p", "1 2 3"], ["-p", "nan 1"], []])
def test_what_is_no_pixel_is_told(path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(["image", "cut", str(path), *arguments]) == 1
    assert "allowed: " in capsys.readouterr().err


def test_a_packed_file_of_any_kind_is_known_by_its_content(path: Path, tmp_path: Path) -> None:
    (tmp_path / "image.fits.xz").write_bytes(lzma.compress(path.read_bytes()))
    (made,) = make_image_cutouts(tmp_path / "image.fits.xz", SKY, 5, output_dir=tmp_path / "out")
    assert made.status == "ok"
    assert made.path is not None
    assert made.path.name.startswith("image_150.")


def test_a_file_that_is_no_cutout_is_kept(path: Path, tmp_path: Path) -> None:
    (made,) = make_image_cutouts(path, SKY, 5, output_dir=tmp_path / "out")
    assert made.path is not None
    for number, (content, kept) in enumerate([(b"notes", True), (path.read_bytes(), True), (b"", False)]):
        made.path.write_bytes(content)
        (again,) = make_image_cutouts(path, SKY, 5, output_dir=tmp_path / "out")
        assert again.status == ("error" if kept else "ok"), number
        assert (made.path.read_bytes() == content) is kept
        assert ("is kept, because it is not such a cutout" in again.reason) is kept
    (again,) = make_image_cutouts(path, SKY, 5, output_dir=tmp_path / "out")
    assert again.status == "ok"


def test_every_door_keeps_what_is_no_cutout(path: Path, tmp_path: Path) -> None:
    made = FITSCutout(path, SKY, 5)
    combiner = CutoutsCombiner(made.fits_cutouts)
    out = tmp_path / "out"
    for write in (made.write_as_fits, made.write_as_zip, made.write_as_img):
        written: Any = write(output_dir=out)
        Path(written if isinstance(written, str) else written[0]).write_text("notes", encoding="utf-8")
    for write in (made.write_as_fits, made.write_as_zip):
        with pytest.raises(KeptFileError, match="is kept, because"):
            write(output_dir=out)
    with pytest.warns(UserWarning, match="is kept, because"):
        assert made.write_as_img(output_dir=out) == [None]
    with pytest.raises(KeptFileError, match="is kept, because"):
        combiner.combine(path)
    assert {file.read_text() for file in out.iterdir()} == {"notes"}


def test_a_file_that_is_damaged_further_on_is_cut_as_far_as_it_can_be(path: Path, tmp_path: Path) -> None:
    content = fits.HDUList([fits.PrimaryHDU(), *(fits.ImageHDU(*fits.getdata(path, header=True)) for _ in range(2))])
    content.writeto(tmp_path / "two.fits")
    data = (tmp_path / "two.fits").read_bytes()
    second = data.rindex(b"XTENSION")
    axis = data.index(b"NAXIS1  =", second)
    (tmp_path / "two.fits").write_bytes(data[:axis] + b"NAXIS1  = -1".ljust(80) + data[axis + 80 :])
    with pytest.warns(UserWarning, match="is cut as far as it can be read: NAXIS1 is -1"):
        made = FITSCutout(tmp_path / "two.fits", SKY, 5, extension="all")
    assert [item.extension for item in made.cutouts_by_file[tmp_path / "two.fits"]] == [1]


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda path, out: FITSCutout(path, SKY, 5, single_outfile=NO), "single_outfile"),
        (lambda path, out: FITSCutout(path, SKY, 5, allow_empty=NO), "allow_empty"),
        (lambda path, out: FITSCutout(path, SKY, 5).write_as_img(invert=NO, output_dir=out), "invert"),
        (lambda path, out: FITSCutout(path, SKY, 5).get_image_cutouts(colorize=NO), "colorize"),
        (lambda path, out: FITSCutout(path, SKY, 5).write_as_fits(out, "a/b"), "cutout_prefix"),
        (lambda path, out: FITSCutout(path, SKY, 5).write_as_fits(out, ""), "prefix"),
        (lambda path, out: FITSCutout(path.read_bytes(), SKY, 5), "input_files"),
        (lambda path, out: fits_cut(path, SKY, 5, memory_only=NO, output_dir=out), "memory_only"),
        (lambda path, out: make_image_cutouts(path, SKY, 5, options=FIVE), "options"),
        (
            lambda path, out: make_image_cutouts(path, SKY, 5, options=ImageCutoutOptions(fsspec_options=FIVE)),
            "fsspec_opt",
        ),
        (lambda path, out: make_image_cutouts(path, SKY, 5, output_dir=path), "output_dir"),
        (lambda path, out: ASDFCutout(IMAGE, SKY, 5, lite=NO), "lite"),
        (lambda path, out: asdf_cut(IMAGE, 1, 2, write_file=NO), "write_file"),
    ],
)
def test_options_are_checked_before_the_work(path: Path, tmp_path: Path, call: Any, argument: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"{argument}\w* is .*; allowed: "):
        call(path, tmp_path / "out")
