"""The WCS that is made of a frame's cards is astropy's own, and its pixels lead back to the sky."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from tessera.errors import NoWcsError
from tessera.sky.positions import path_pixels, sky_to_pixel
from tessera.sky.sphere import unit_vectors
from tessera.sky.wcs import frame_wcs
from tests.support.wcs import ffi_wcs_header

PIXELS = np.random.default_rng(1).uniform(-20, 2150, (50, 2))
PC = {"PC1_2": 0.25, "CDELT1": -0.006, "CDELT2": 0.0055, "CUNIT1": "deg", "CUNIT2": "deg"}


def without(cards: dict[str, Any], *starts: str) -> dict[str, Any]:
    return {keyword: value for keyword, value in cards.items() if not keyword.startswith(starts)}


def some_cards() -> dict[str, dict[str, Any]]:
    cards = dict(ffi_wcs_header(4, 2, 3))
    plain = without(cards, "A", "B") | {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"}
    return {
        "as SPOC writes them": cards,
        "without inverse polynomials": without(cards, "AP", "BP"),
        "without distortion": plain,
        "scales instead of a matrix": without(plain, "CD") | PC,
        "another pole and frame": plain | {"LONPOLE": 170.0, "RADESYS": "FK5", "EQUINOX": 2000.0},
        "with what is no WCS": cards | {"TELESCOP": "TESS", "A_DMAX": 3.1, "LATPOLE": None, "CUNIT1": ""},
        "half a matrix": without(plain, "CD1_2", "CD2_1"),
    }


@pytest.mark.parametrize("name", some_cards())
def test_the_wcs_of_cards_is_that_of_a_header(name: str) -> None:
    cards = some_cards()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = {keyword: value for keyword, value in cards.items() if value not in (None, "")}
        expected = WCS(fits.Header(list(known.items())), relax=True)
    ours = frame_wcs(cards)
    sky = expected.all_pix2world(PIXELS, 0)
    np.testing.assert_allclose(ours.all_pix2world(PIXELS, 0), sky, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours.all_world2pix(sky, 0), expected.all_world2pix(sky, 0), rtol=0, atol=1e-9)
    assert ours.wcs.to_header() == expected.wcs.to_header()
    assert (ours.sip is None) == (expected.sip is None)


def test_cards_without_a_celestial_wcs_are_refused() -> None:
    with pytest.raises(NoWcsError, match="CTYPE2 is None"):
        frame_wcs({"CTYPE2": ""})


def test_a_pixel_is_found_only_where_the_way_back_leads_to_the_position() -> None:
    wcs = frame_wcs(dict(ffi_wcs_header(1, 4, 2)))
    towards = unit_vectors(*(np.array([value]) for value in wcs.wcs.crval))
    vectors = towards + np.random.default_rng(1).normal(size=(2000, 3)) * 0.3
    x, y, z = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).T
    ra, dec = np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(z))
    rows, columns = path_pixels(wcs, ra, dec)
    found = np.isfinite(rows)
    np.testing.assert_array_equal(found, np.isfinite(columns))
    assert 100 < found.sum() < 1900
    back = unit_vectors(*wcs.all_pix2world(np.column_stack([columns, rows])[found], 0).T)
    assert np.degrees(np.linalg.norm(back - unit_vectors(ra[found], dec[found]), axis=1)).max() < 1e-5
    for index in (np.flatnonzero(found)[0], np.flatnonzero(~found)[0]):
        one = sky_to_pixel(wcs, ra[index], dec[index])
        assert (one is not None) == found[index]
        if one is not None:
            np.testing.assert_allclose(one, (rows[index], columns[index]), rtol=0, atol=1e-4)
