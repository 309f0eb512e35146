"""Absurd headers are refused with a sentence, in bounded time and memory."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera import ImageCutoutOptions, InvalidInputError, make_image_cutouts
from tests.support.images import coded, plain_image, tan_header
from tests.support.paths import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:File may have been truncated")
SKY = SkyCoord(150.0, 2.2, unit="deg")


def with_cards(content: bytes, after: bytes, **cards: str) -> bytes:
    """Replace cards of the header in which `after` occurs, or put new ones in the place of blank cards behind END."""
    start = content.index(after) // 2880 * 2880
    for keyword, value in cards.items():
        card = f"{keyword:8}= {value:>20}".ljust(80).encode()
        place = content.find(f"{keyword:8}=".encode(), start)
        if place < 0:
            place = content.index(b"END" + b" " * 77, start)
            content = content[:place] + card + b"END".ljust(80) + content[place + 160 :]
        else:
            content = content[:place] + card + content[place + 80 :]
    return content


def reason_of(path: Path, content: bytes, extension: Any = None) -> str:
    path.write_bytes(content)
    made = make_image_cutouts(path, SKY, 5, options=ImageCutoutOptions(extension))
    assert {item.status for item in made} <= {"error", "no overlap"}
    assert all("\n" not in item.reason for item in made)
    return " ".join(item.reason for item in made)


@pytest.mark.parametrize(
    ("cards", "reason"),
    [
        ({"BSCALE": "0"}, "BSCALE is 0; allowed: a number other than 0"),
        ({"BSCALE": "'x'"}, "BSCALE is 'x'"),
        ({"BZERO": "1E400"}, "BZERO is inf"),
        ({"CDELT1": "1E-300"}, "its pixels are 1e-300 degrees on axis 1; allowed: 1e-13 to 180"),
        ({"CDELT2": "0"}, ""),
        ({"CDELT2": "1E9"}, "allowed: 1e-13 to 180"),
        ({"CRPIX1": "1E300"}, "CRPIX1 is 1e+300; allowed: numbers up to 1e+09"),
        ({"A_ORDER": "99999999", "CTYPE1": "'RA---TAN-SIP'"}, "A_ORDER is 99999999; allowed: an integer from 0 to 9"),
        ({"B_ORDER": "-3", "CTYPE1": "'RA---TAN-SIP'"}, "B_ORDER is -3"),
        ({"NAXIS1": "-300"}, "NAXIS1 is -300; allowed: an integer from 0 or more"),
        ({"NAXIS": "5000"}, "NAXIS is 5000; allowed: an integer from 0 up to 999"),
        ({"BITPIX": "7"}, "BITPIX is 7; allowed: 8, 16, 32, 64, -32, -64"),
        ({"NAXIS1": "99999999999", "NAXIS2": "99999999999"}, "no file has so many pixels"),
        ({"NAXIS1": "9999999999"}, "ends at byte"),
    ],
)
def test_an_absurd_card_is_named(cards: dict[str, str], reason: str, tmp_path: Path) -> None:
    content = plain_image(tmp_path / "a.fits", coded((60, 80))).read_bytes()
    assert reason in reason_of(tmp_path / "b.fits", with_cards(content, b"SIMPLE", **cards))


@pytest.mark.parametrize(
    ("cards", "reason"),
    [
        ({"ZNAXIS1": "900000", "ZNAXIS2": "900000", "ZTILE1": "900000", "ZTILE2": "900000"}, "tiles, but it has 60"),
        ({"ZTILE1": "0"}, "ZTILE1 is 0; allowed: an integer from 1"),
        ({"ZNAXIS": "0"}, "ZNAXIS is 0"),
        ({"ZBITPIX": "3"}, "ZBITPIX is 3"),
        ({"TFIELDS": "999999999"}, "TFIELDS is 999999999; allowed: an integer from 0 up to 999"),
        ({"BSCALE": "0"}, "BSCALE is 0"),
    ],
)
def test_an_absurd_compressed_image_is_named(cards: dict[str, str], reason: str, tmp_path: Path) -> None:
    image = fits.CompImageHDU(coded((60, 80), "i4"), tan_header(60, 80))
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(tmp_path / "a.fits")
    content = with_cards((tmp_path / "a.fits").read_bytes(), b"XTENSION", **cards)
    assert reason in reason_of(tmp_path / "b.fits", content)


def test_a_tile_of_many_gigabytes_is_refused(tmp_path: Path) -> None:
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(coded((60, 80), "i4"), tan_header(60, 80))]).writeto(
        tmp_path / "a.fits"
    )
    cards = {"ZNAXIS1": "99999", "ZNAXIS2": "6000000", "ZTILE1": "99999", "ZTILE2": "100000"}
    content = with_cards((tmp_path / "a.fits").read_bytes(), b"XTENSION", **cards)
    assert "its tiles have 39,999,600,000 bytes" in reason_of(tmp_path / "b.fits", content)


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    content = plain_image(tmp_path / "a.fits", coded((60, 80))).read_bytes()
    assert "has no END card" in reason_of(tmp_path / "b.fits", content[:2880].replace(b"END  ", b"ENDE=") * 200)
    endless = content[:80] + b" " * (9 << 20)
    assert "has more than 8,388,608 bytes" in reason_of(tmp_path / "c.fits", endless)


def test_what_is_no_fits_file_is_said_by_its_content(tmp_path: Path) -> None:
    for content, reason in (
        (b"", "begins with b''"),
        (b"#ASDF 1.0.0\n" * 9, "is an ASDF file"),
        (b"SIMPLE  = T", "only 11 bytes"),
    ):
        assert reason in reason_of(tmp_path / "image.fits", content)


def test_a_cutout_that_does_not_fit_into_memory_is_a_result(tmp_path: Path) -> None:
    path = plain_image(tmp_path / "a.fits", np.ones((60, 80), "u1"))
    (made,) = make_image_cutouts(path, SKY, 100_000)
    assert made.status == "error"
    assert "at most 1,073,741,824 pixels" in made.reason


def test_damaged_files_have_only_two_outcomes() -> None:
    command = [sys.executable, "-m", "tests.support.absurd_images", "0", "110"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)
    assert (answer.stdout, answer.returncode) == ("", 0), answer.stderr


OPTIONS: dict[str, list[Any]] = {
    "extension": [None, "all", 0, -1, 7, "SCI", ("SCI", 1), "1,2", [], {}, 1.5, b"x", float("nan"), [["SCI"]]],
    "placement": ["centre", "round", "ceil", "floor", "center", "", None, 3, ["centre"]],
    "fill_value": [0, -1, 1e300, float("nan"), float("inf"), "0", None, True, 1j, [0], 10**400],
    "fsspec_options": [None, {}, {"anon": True}, "anon", 5, [1]],
}
SIZES: list[Any] = [
    *(1, 5, 5.5, 0.1, (3, 4), [7], np.array([2, 3]), 3 * u.arcsec, (1, 2) * u.pix, 1e5, 10**30, 0, -3, float("nan")),
    *(float("inf"), "5", "5x5", None, True, [], (1, 2, 3), {}, 3 * u.m, (3 * u.arcsec, 4), np.ones((2, 2)), 1j),
]
TARGETS: list[Any] = [
    SKY,
    "150 2.2",
    [SKY, "10 -20"],
    "150",
    "",
    None,
    5,
    [],
    [None],
    (150.0, 2.2),
    "nan nan",
    "999 999",
    {},
]


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60)
@given(st.fixed_dictionaries({name: st.sampled_from(values) for name, values in OPTIONS.items()}), st.data())
def test_options_have_only_two_outcomes(options: dict[str, Any], data: st.DataObject) -> None:
    image = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(coded((20, 30), "i2"), tan_header(20, 30), "SCI")])
    size, target = data.draw(st.sampled_from(SIZES)), data.draw(st.sampled_from(TARGETS))
    told, made = "", []
    try:
        made = make_image_cutouts(image, target, size, options=ImageCutoutOptions(**options))
    except InvalidInputError as error:
        told = str(error)
    if told:
        assert re.fullmatch(r"(?s).* is .*; allowed: .*", told)
        assert len(told) < 600
        return
    assert made
    for result in made:
        assert result.reason or result.hdus is not None
