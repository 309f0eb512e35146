"""Extensions are named as astropy names them, and a bad one is a result and not silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from tessera import FITSCutout, ImageCutoutOptions, InvalidInputError, make_image_cutouts
from tests.support.images import coded, tan_header

SKY = SkyCoord(150.0, 2.2, unit="deg")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Extensions 1 to 6: SCI, ERR, SCI 2, ERR 2, '7' and 'A,2'."""
    hdus = [fits.PrimaryHDU()]
    for name, version in (("SCI", 1), ("ERR", 1), ("SCI", 2), ("ERR", 2), ("7", 1), ("A,2", 1)):
        hdus.append(fits.ImageHDU(coded((9, 9)), tan_header(9, 9), name, ver=version))
    made = tmp_path_factory.mktemp("mef") / "mef.fits"
    fits.HDUList(hdus).writeto(made)
    return made


@pytest.mark.parametrize(
    ("extension", "numbers"),
    [
        (("SCI", 2), [3]),
        ([("SCI", 2)], [3]),
        (("sci", np.int64(1)), [1]),
        ([("SCI", 1), ("ERR", 2)], [1, 4]),
        ("SCI,2", [3]),
        (" err , 1 ", [2]),
        (["SCI,2", 2], [2, 3]),
        (("SCI", "ERR"), [1, 2, 3, 4]),
        (["SCI", 2], [1, 2, 3]),
        ((1, 3), [1, 3]),
        ("1,3", [1, 3]),
        ("SCI,ERR", [1, 2, 3, 4]),
        ("3", [3]),
        (np.int16(4), [4]),
        (np.array([1, 2]), [1, 2]),
        (range(1, 4), [1, 2, 3]),
        (-1, [6]),
        ("-2", [5]),
        ("7", [5]),
        ("a,2", [6]),
        (np.str_("SCI"), [1, 3]),
        ([1, 1, "SCI,1"], [1]),
    ],
)
def test_extensions_are_chosen_as_astropy_names_them(path: Path, extension: Any, numbers: list[int]) -> None:
    made = make_image_cutouts(path, SKY, 3, options=ImageCutoutOptions(extension))
    assert [(item.extension, item.status) for item in made] == [(number, "ok") for number in numbers]
    cutouts = FITSCutout(path, SKY, 3, extension=extension).cutouts_by_file[path]
    assert [item.extension for item in cutouts] == numbers


@pytest.mark.parametrize("extension", [("SCI", 3), 0, 9, -9, "DQ", "SCI,9", "1,9", ("SCI", 2.0)])
def test_an_extension_that_is_not_there_is_a_result(path: Path, extension: Any) -> None:
    if extension == ("SCI", 2.0):
        with pytest.raises(InvalidInputError, match="extension is"):
            make_image_cutouts(path, SKY, 3, options=ImageCutoutOptions(extension))
        return
    made = make_image_cutouts(path, SKY, 3, options=ImageCutoutOptions(extension))
    assert made[-1].status == "error"
    assert "is not an image with pixels" in made[-1].reason


@pytest.mark.parametrize("extension", [{"SCI": 1}, b"SCI", ("SCI", True), [("SCI",)], [[1]], "  ", slice(2), object()])
def test_what_is_no_extension_is_refused(path: Path, extension: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"extension is .*allowed: None, 'all', a number, a name, \(name"):
        make_image_cutouts(path, SKY, 3, options=ImageCutoutOptions(extension))


def test_a_bad_extension_does_not_hide_the_others(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    bad: list[tuple[bytes, list[str]]] = [
        (b"BSCALE  =                    0", ["ok", "error", "ok", "ok", "ok", "ok"]),
        (b"NAXIS1  = -9", ["ok", "error"]),
    ]
    for number, (card, status) in enumerate(bad):
        start = content.index(b"XTENSION", content.index(b"XTENSION") + 80)
        old = content.index(card[:8] if number else b"PCOUNT  ", start)
        broken = content[:old] + card.ljust(80) + content[old + 80 :]
        (tmp_path / "bad.fits").write_bytes(broken)
        made = make_image_cutouts(tmp_path / "bad.fits", SKY, 3, options=ImageCutoutOptions("all"))
        assert [item.status for item in made] == status
        assert card.split(b"=")[0].decode().strip() in made[1].reason
