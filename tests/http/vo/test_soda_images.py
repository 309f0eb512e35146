"""Cutouts of images by SODA: the box of a shape on FITS and ASDF images."""

from __future__ import annotations

import io
import itertools
import zipfile
from typing import Any

import asdf
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from tessera.roman.file import quiet_asdf
from tessera_cloud.application import results
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import Answered, Api
from tests.support.archives import file_names
from tests.support.image_service import BUCKET, CENTRE, IMAGE_SETTINGS, ROMAN_PLACE
from tests.support.images import FITS_IMAGES

IVO = f"ivo://{IMAGE_SETTINGS.ivo_authority}/images"
GALACTIC = f"{IVO}/2mass?galactic/gc_2mass_k.fits"
ROMAN = f"{IVO}/roman?roman/roman_like_wfi07_l2_window.asdf"
SHAPES = {
    "CIRCLE": "{ra} {dec} {r}",
    "POLYGON": "{ra} {dec} {east} {dec} {ra} {north}",
    "POS": "RANGE {ra} {east} {dec} {north}",
}


@pytest.fixture
def api(images: MemoryStore) -> Api:
    return Api(MemoryStore(objects=dict(images.objects)), IMAGE_SETTINGS)


def shape(name: str, place: dict[str, float], r: float) -> dict[str, str]:
    ra, dec = place["ra"], place["dec"]
    return {name: SHAPES[name].format(ra=ra, dec=dec, r=r, east=ra + r, north=dec + r)}


def only(answer: Answered) -> fits.HDUList:
    assert (answer.status, answer.headers["content-type"]) == (200, "application/fits"), answer.content
    return fits.open(io.BytesIO(answer.content))


def edge_of(name: str, place: dict[str, float], r: float) -> SkyCoord:
    """Many points on the edge of a shape."""
    middle, steps = SkyCoord(**place, unit="deg"), np.linspace(0, 1, 2000)
    if name == "CIRCLE":
        return middle.directional_offset_by(steps * 360 * u.deg, r * u.deg)
    corners = [(0.0, 0.0), (r, 0.0), *([] if name == "POLYGON" else [(r, r)]), (0.0, r), (0.0, 0.0)]
    sides = [np.outer(1 - steps, one) + np.outer(steps, other) for one, other in itertools.pairwise(corners)]
    east, north = np.concatenate(sides).T
    return SkyCoord(place["ra"] + east, place["dec"] + north, unit="deg")


def part_of(data: Any, columns: Any, rows: Any) -> Any:
    """Pixels of the box around some points of an image."""
    first, last = ([int(np.floor(end(axis) + 0.5)) for axis in (rows, columns)] for end in (np.min, np.max))
    return data[first[0] : last[0] + 1, first[1] : last[1] + 1]


@pytest.mark.parametrize("name", SHAPES)
def test_the_box_of_a_shape_is_cut_out_of_a_fits_image(api: Api, name: str) -> None:
    given = shape(name, CENTRE, 0.01)
    with only(api.get("/soda/sync", ID=GALACTIC, **given)) as hdus, fits.open(FITS_IMAGES / "gc_2mass_k.fits") as image:
        pixels = WCS(image[0].header).world_to_pixel(edge_of(name, CENTRE, 0.01))
        np.testing.assert_array_equal(hdus[1].data, part_of(image[0].data, *pixels))


def test_the_box_of_a_shape_is_cut_out_of_an_asdf_image_as_fits(api: Api) -> None:
    content = api.store.objects[BUCKET, "roman/roman_like_wfi07_l2_window.asdf"]
    answer = api.get("/soda/sync", ID=ROMAN, **shape("POLYGON", ROMAN_PLACE, 0.0003))
    with quiet_asdf(), only(answer) as hdus, asdf.open(io.BytesIO(content)) as image:
        edge = edge_of("POLYGON", ROMAN_PLACE, 0.0003)
        pixels = image["roman"]["meta"]["wcs"].invert(edge.ra.deg, edge.dec.deg, with_bounding_box=False)
        np.testing.assert_array_equal(hdus[1].data, part_of(np.asarray(image["roman"]["data"]), *pixels))


def test_a_shape_larger_than_the_image_gives_what_is_on_it(api: Api) -> None:
    answer = api.get("/soda/sync", ID=GALACTIC, CIRCLE=f"{CENTRE['ra']} {CENTRE['dec']} 3")
    with only(answer) as hdus, fits.open(FITS_IMAGES / "gc_2mass_k.fits") as image:
        np.testing.assert_array_equal(hdus[1].data, image[0].data)


def test_images_of_several_ids_come_in_one_zip(api: Api) -> None:
    ids = [GALACTIC, GALACTIC.replace("gc_2mass_k", "gc_msx_e")]
    answer = api.get("/soda/sync", ID=ids, **shape("CIRCLE", CENTRE, 0.01))
    names = file_names(zipfile.ZipFile(io.BytesIO(answer.content)))
    assert [name[:8] for name in names] == ["gc_2mass", "gc_msx_e"]


def test_nothing_of_an_image_is_no_content_and_unknown_times_and_bands_are_refused(api: Api) -> None:
    where = {"CIRCLE": f"{CENTRE['ra']} {CENTRE['dec']} 0.01"}
    assert api.get("/soda/sync", ID=GALACTIC, CIRCLE="10 10 0.1").status == 204
    for name, value, what in (("TIME", "58000 58001", "times"), ("BAND", "6e-7 7e-7", "wavelengths")):
        answer = api.get("/soda/sync", ID=GALACTIC, **where, **{name: value})
        assert answer.status == 400
        assert answer.content.decode().startswith(f"UsageError: {name} is ")
        assert f"because {what} of images are not known" in answer.content.decode()
    assert api.get("/soda/sync", ID=GALACTIC, **where, TIME="-Inf +Inf").status == 200


def test_a_large_cutout_that_is_found_again_has_the_same_name(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "INLINE_LIMIT", 20_000)
    circle = f"{CENTRE['ra']} {CENTRE['dec']} 3"
    first, again = (api.get("/soda/sync", ID=GALACTIC, CIRCLE=circle) for _ in range(2))
    assert (first.status, again.location) == (303, first.location)
    assert "gc_2mass_k_266.4" in first.location


def test_packed_images_of_several_ids_have_one_limit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.vo.soda.answer.MOST_PACKED_BYTES", 100)
    answer = api.get("/soda/sync", ID=f"{IVO}/sdss?sdss/reprojected_sdss_g.fits.bz2", POS="RANGE -Inf +Inf -Inf +Inf")
    assert answer.status == 413
    assert "bytes of packed files of images in all; allowed: at most 100; ask for them one" in answer.content.decode()
