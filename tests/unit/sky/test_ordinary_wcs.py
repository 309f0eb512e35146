"""A WCS that is accepted without astropy gives a position for every pixel; all others are left to astropy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.sky.footprint import frame_footprint
from tessera.sky.wcs import frame_wcs, is_ordinary
from tests.support.wcs import FRAME_SHAPE, ffi_wcs_header

CARDS = dict(ffi_wcs_header(1, 4, 2))
FULL = CARDS | {"CUNIT1": "deg", "CUNIT2": "deg", "RADESYS": "ICRS", "EQUINOX": 2000.0, "LONPOLE": 180.0}
CCDS = [(sector, camera, ccd) for sector in (1, 6, 27) for camera in (1, 2, 3, 4) for ccd in (1, 2, 3, 4)]
VALUES = [
    None,
    "",
    "deg",
    "RA---TAN",
    True,
    0,
    1,
    2,
    9,
    10,
    90.0,
    -1.0,
    180,
    1e-3,
    1e6,
    1e300,
    10**400,
    math.inf,
    math.nan,
]
PLACES = [*FULL, "CDELT1", "PC1_1", "LATPOLE", "A_5_5", "A_0_0", "AP_9_9", "A_9_9"]


@pytest.mark.parametrize("ccd", CCDS, ids=str)
def test_frames_of_all_ccds_have_an_ordinary_wcs(ccd: tuple[int, int, int]) -> None:
    assert is_ordinary(dict(ffi_wcs_header(*ccd)), *FRAME_SHAPE)


@pytest.mark.parametrize(
    "change",
    [
        {"CTYPE1": "RA---TAN"},
        {"CTYPE2": None},
        {"CRVAL2": 90.0},
        {"CRVAL1": "12"},
        {"CRPIX1": math.nan},
        {"CD1_1": 0.0, "CD1_2": 0.0},
        {"CD1_1": None},
        {"PC1_1": 1.0},
        {"LATPOLE": 10.0},
        {"LONPOLE": 0.0},
        {"EQUINOX": "J2000"},
        {"RADESYS": "FK5"},
        {"CUNIT1": "rad"},
        {"A_ORDER": 1},
        {"B_ORDER": None},
        {"AP_ORDER": None},
        {"A_2_0": math.inf},
        {"A_2_0": 1e300},
        {"BP_1_0": "1"},
    ],
    ids=str,
)
def test_another_wcs_is_left_to_astropy(change: dict[str, Any]) -> None:
    assert is_ordinary(FULL, *FRAME_SHAPE)
    assert not is_ordinary(FULL | change, *FRAME_SHAPE)


@given(st.dictionaries(st.sampled_from(PLACES), st.sampled_from(VALUES), max_size=3))
def test_an_ordinary_wcs_has_a_footprint(change: dict[str, Any]) -> None:
    cards = FULL | change
    if is_ordinary(cards, 40, 30):
        assert np.isfinite(frame_footprint(frame_wcs(cards), 40, 30).vertices).all()
