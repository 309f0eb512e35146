"""An aperture that was chosen for a preview is in the file."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from tessera import TargetPixels
from tests.support.api import DEC, RA, Answered, Api, sky
from tests.support.archives import file_names

CHOSEN = np.array([[0, 1, 0, 0, 1], [1, 1, 1, 0, 0], [0, 1, 0, 0, 0]], np.bool_)
"""Row by row 01001 11100 01000, so 0100 1111 0001 000(0)."""
DIGITS = "4f10"
PLACE = {"ra": RA, "dec": DEC, "size": "3,5", "sectors": "1"}


def only(answer: Answered) -> bytes:
    assert answer.status == 200, answer.content
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    (name,) = file_names(archive)
    return archive.read(name)


def test_the_file_marks_the_pixels_of_an_aperture(api: Api) -> None:
    data = only(api.get("/v1/cutouts", **PLACE, aperture=DIGITS))
    with fits.open(io.BytesIO(data), checksum=True) as hdus:
        np.testing.assert_array_equal(hdus["APERTURE"].data, np.where(CHOSEN, 3, 1))
        assert (hdus["APERTURE"].header["NPIXSAP"], hdus["APERTURE"].header["NPIXMISS"]) == (6, 0)
    np.testing.assert_array_equal(TargetPixels.read(data).mask("pipeline"), CHOSEN)


def test_the_light_curve_of_the_file_is_that_of_the_preview(api: Api) -> None:
    query = {"ra": RA, "dec": DEC, "size": "3,5", "aperture": DIGITS}
    shown = api.get("/v1/preview", cube="tess-s0001-4-2", background="false", **query).json()
    assert shown["aperture"] == CHOSEN.astype(int).tolist()
    pixels = TargetPixels.read(only(api.get("/v1/cutouts", sectors="1", **query)))
    curve = pixels.to_lightcurve(mask="pipeline", background=False)
    np.testing.assert_allclose(np.asarray(curve.flux, float), shown["lightcurve"]["flux"], rtol=1e-6)


def marked(data: bytes) -> Any:
    """Pixels that APERTURE marks."""
    with fits.open(io.BytesIO(data)) as hdus:
        return hdus["APERTURE"].data == 3


def test_the_default_aperture_of_a_file_is_that_of_its_preview(api: Api) -> None:
    """Also if cadences are left out of the file, and where the window is partly beside the frame."""
    for ra, dec, size in ((RA, DEC, "9,7"), (*sky(1, 28), "7,9")):
        place = {"ra": ra, "dec": dec, "size": size}
        shown = api.get("/v1/preview", cube="tess-s0001-4-2", **place).json()
        answer = api.get("/v1/cutouts", **place, sectors="1", aperture="default", cadences="1,2")
        assert 0 < np.sum(shown["aperture"]) < np.size(shown["aperture"])
        np.testing.assert_array_equal(marked(only(answer)), np.array(shown["aperture"]) == 1)


def test_digits_are_those_of_a_preview_wherever_the_window_is(api: Api) -> None:
    """TESSCut's window begins a column earlier here, so the last column of the preview is not in the file."""
    ra, dec = sky(20.2, 14.7)
    query = {"ra": ra, "dec": dec, "size": "3,5", "sectors": "1", "aperture": DIGITS}
    ours, theirs = (marked(only(api.get("/v1/cutouts", **query, placement=each))) for each in ("centre", "tesscut"))
    np.testing.assert_array_equal(ours, CHOSEN)
    np.testing.assert_array_equal(theirs[:, 1:], CHOSEN[:, :-1])
    assert not theirs[:, 0].any()


def test_each_cube_may_have_its_own_aperture(api: Api) -> None:
    query = PLACE | {"sectors": "1,2"}

    def masks(aperture: str) -> dict[str, Any]:
        archive = zipfile.ZipFile(io.BytesIO(api.get("/v1/cutouts", **query, aperture=aperture).content))
        return {name[:14]: marked(archive.read(name)) for name in file_names(archive)}

    found = masks(f"all,tess-s0002-4-2:{DIGITS}")
    assert found["tess-s0001-4-2"].all()
    np.testing.assert_array_equal(found["tess-s0002-4-2"], CHOSEN)
    assert not masks(f"tess-s0002-4-2:{DIGITS}")["tess-s0001-4-2"].any()


def test_the_same_apertures_in_another_order_are_the_same_job(api: Api) -> None:
    place = {"position": {"ra": RA, "dec": DEC}, "size": [3, 5]}
    own = (f"tess-s0002-4-2:{DIGITS}", "tess-s0001-4-2:all")
    texts = (f"{own[0]},default,{own[1]}", f"default,{own[1]},{own[0].replace('f', 'F')}")
    ids = {api.post("/v1/jobs", place | {"aperture": text}).json()["id"] for text in texts}
    other = api.post("/v1/jobs", place | {"aperture": "default"}).json()["id"]
    assert len(ids) == 1
    assert other not in ids


def test_pixels_beside_the_frame_are_in_no_aperture(api: Api) -> None:
    ra, dec = sky(0, 14)
    data = only(api.get("/v1/cutouts", ra=ra, dec=dec, size="3,5", sectors="1", aperture="fffe"))
    with fits.open(io.BytesIO(data)) as hdus:
        assert hdus["APERTURE"].data.tolist() == [[0] * 5, [3] * 5, [3] * 5]
        assert (hdus["APERTURE"].header["NPIXSAP"], hdus["APERTURE"].header["NPIXMISS"]) == (10, 5)


def test_a_body_and_a_query_with_an_aperture_say_the_same(api: Api) -> None:
    by_query = api.get("/v1/cutouts", **PLACE, aperture=DIGITS.upper())
    body = {"position": {"ra": RA, "dec": DEC}, "size": [3, 5], "sectors": [1], "aperture": DIGITS}
    assert only(api.post("/v1/cutouts", body)) == only(by_query)
    assert only(api.get("/v1/cutouts", **PLACE)) != only(by_query)
    with fits.open(io.BytesIO(only(api.get("/v1/cutouts", **PLACE)))) as hdus:
        assert hdus["APERTURE"].data.tolist() == np.ones((3, 5)).tolist()
        assert hdus["APERTURE"].header["NPIXSAP"] is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"aperture": "4f"}, "aperture is '4f'; allowed: 4 hexadecimal digits, one bit for each of 3 x 5 pixels"),
        ({"aperture": "4f11"}, "aperture is '4f11'; allowed: 4 hexadecimal digits"),
        ({"aperture": "0000"}, "at least one of them 1"),
        ({"aperture": "xyzw"}, "aperture is 'xyzw'; allowed: default, all or hexadecimal digits such as 07c0"),
        ({"aperture": "default,4f10"}, "aperture is 'default,4f10'; allowed: one for all cubes, and one for each cube"),
        ({"aperture": "tess-s0001-4-2:4f"}, "aperture is '4f'; allowed: 4 hexadecimal digits"),
        (
            {"aperture": "tess-s0009-1-1:4f10"},
            "aperture is 'tess-s0009-1-1'; allowed: apertures of the cubes that are cut: tess-s0001-4-2, tess-",
        ),
        (
            {"size": {"height": 0.1, "width": 0.1}},
            "aperture is given with a size in degrees; allowed: an aperture with",
        ),
        (
            {"position": None, "size": None, "region": {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2]]]}},
            "aperture is given with region; allowed: an aperture with position and pixels",
        ),
    ],
)
def test_an_aperture_that_does_not_fit_is_refused(api: Api, change: dict[str, Any], words: str) -> None:
    body = {"position": {"ra": RA, "dec": DEC}, "size": [3, 5], "aperture": DIGITS} | change
    answer = api.post("/v1/cutouts", {name: value for name, value in body.items() if value is not None})
    assert answer.status == 400
    assert answer.json()["error"]["parameter"] == "aperture"
    assert words in answer.json()["error"]["message"]
