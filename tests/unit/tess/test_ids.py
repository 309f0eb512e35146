"""Names of detectors and frames as MAST spells them."""

from __future__ import annotations

import pytest

from tessera.errors import InvalidValueError
from tessera.tess.ids import CcdId, FrameName, cube_stem, frames_text

FRAME = "tess2018206192942-s0001-4-2-0120-s_ffic.fits"


def test_a_detector_in_a_sector_has_masts_names() -> None:
    ccd_id = CcdId(1, 4, 2)
    assert (str(ccd_id), ccd_id.obs_id) == ("s0001-4-2", "tess-s0001-4-2")
    assert ccd_id.cube_name == "tess-s0001-4-2-cube.fits"
    assert str(CcdId(1751, 1, 3)) == "s1751-1-3"
    assert CcdId(12_345, 1, 3).obs_id == "tess-s12345-1-3"


@pytest.mark.parametrize("text", ["s0027-1-4", "tess-s0027-1-4"])
def test_names_are_read_as_they_are_written(text: str) -> None:
    assert CcdId.parse(text) == CcdId(sector=27, camera=1, ccd=4)


@pytest.mark.parametrize(
    "text",
    ["", "s027-1-4", "s0027-0-4", "s0027-5-4", "s0027-1-0", "s0027-1-5", "s0027-1-4-", "0027-1-4", "s0027-1-4-tess-"],
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        CcdId.parse(text)
    assert str(caught.value) == f"ccd id is {text!r}; allowed: the form s0001-1-1"


@pytest.mark.parametrize("numbers", [(1, 1, 1), (1, 4, 4), (99_999, 2, 3)])
def test_sectors_count_from_1_and_cameras_and_ccds_to_4(numbers: tuple[int, int, int]) -> None:
    assert CcdId(*numbers).sector == numbers[0]


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0, 1, 1), "sector is 0; allowed: an integer from 1"),
        ((-3, 1, 1), "sector is -3; allowed: an integer from 1"),
        ((1, 0, 1), "camera is 0; allowed: 1, 2, 3 or 4"),
        ((1, 5, 1), "camera is 5; allowed: 1, 2, 3 or 4"),
        ((1, 1, 0), "ccd is 0; allowed: 1, 2, 3 or 4"),
        ((1, 1, 5), "ccd is 5; allowed: 1, 2, 3 or 4"),
    ],
)
def test_a_number_that_no_detector_has_is_named(numbers: tuple[int, int, int], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        CcdId(*numbers)
    assert str(caught.value) == message


def test_the_name_of_a_frame_tells_its_day_and_detector() -> None:
    frame = FrameName.parse(FRAME)
    assert frame == FrameName(FRAME, "2018", "206", CcdId(1, 4, 2))
    assert frame.folder == "s0001/2018/206/4-2"


@pytest.mark.parametrize(
    "name", [FRAME + ".gz", "x" + FRAME, FRAME.replace("ffic", "ffir"), FRAME.replace("s0001", "s001"), ""]
)
def test_the_name_of_another_file_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError, match=r"^frame name is .*; allowed: tess<YYYYDDDHHMMSS>-s<SSSS>-"):
        FrameName.parse(name)


@pytest.mark.parametrize(
    ("cube", "stem"),
    [
        ("folder/tess-s0001-1-1-cube.fits", "folder/tess-s0001-1-1"),
        ("tess-s0001-1-1-cube.json", "tess-s0001-1-1"),
        ("s3://bucket/img.fits", "s3://bucket/img"),
        (frames_text("tess-s0001-1-1", "my frames"), "my frames/tess-s0001-1-1"),
    ],
)
def test_the_stem_of_a_cube(cube: str, stem: str) -> None:
    assert cube_stem(cube) == stem


def test_the_ccd_of_a_cube_is_that_of_its_header_or_its_name() -> None:
    assert CcdId.of_cube(5, 1, 2, "img-cube.fits") == CcdId(5, 1, 2)
    assert CcdId.of_cube(None, 1, 2, "tica-s0027-1-4-cube.fits") == CcdId(27, 1, 4)
    with pytest.raises(InvalidValueError, match=r"name of the cube is 'img-cube.fits'; allowed: a name such as tess-s"):
        CcdId.of_cube(None, 1, 2, "img-cube.fits")
