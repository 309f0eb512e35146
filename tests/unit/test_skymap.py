"""The WCS that is made of a frame's cards is astropy's own."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from tessera.errors import NoWcsError
from tessera.skymap import frame_wcs
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
