"""Positions become pixels with a WCS for each of them, as astropy's WCS of each header has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from tessera.sky.tan_sip import is_tan_sip, tan_sip_pixels
from tests.support.wcs import ffi_wcs_header

CCDS = [(sector, camera, ccd) for sector in (1, 6, 27) for camera in (1, 4) for ccd in (1, 2, 3, 4)]


def rows_of(headers: list[fits.Header | dict[str, Any]]) -> np.ndarray:
    """The cards of headers as rows of an info table; a card that a header does not have is NaN or empty."""
    names = list(dict.fromkeys(name for header in headers for name in header if name not in ("COMMENT", "HISTORY", "")))
    some = {name: next(header[name] for header in headers if name in header) for name in names}
    dtypes = [(name, "S20" if isinstance(value, str) else "f8") for name, value in some.items()]
    missing: dict[str, Any] = {name: "" if isinstance(value, str) else np.nan for name, value in some.items()}
    return np.array([tuple(header.get(name, missing[name]) for name in names) for header in headers], dtypes)


@pytest.mark.parametrize("place", [None, (0.0, 10.0), (200.0, 89.99), (120.0, -89.9)])
def test_pixels_of_all_ccds_are_those_of_astropy(place: tuple[float, float] | None) -> None:
    headers = [ffi_wcs_header(*ccd) for ccd in CCDS]
    if place is not None:
        for header in headers:
            header["CRVAL1"], header["CRVAL2"] = place
    random = np.random.default_rng(1)
    pixels = random.uniform([45, 1], [2092, 2048], (len(CCDS), 2))
    sky = np.array([WCS(header).all_pix2world([pixel], 0)[0] for header, pixel in zip(headers, pixels, strict=True)])
    rows = rows_of(headers)
    assert is_tan_sip(rows).all()
    found = tan_sip_pixels(rows, *sky.T)
    np.testing.assert_allclose(np.column_stack(found[::-1]), pixels, rtol=0, atol=1e-5)


def test_positions_that_are_far_or_unknown_have_no_pixel() -> None:
    headers = [ffi_wcs_header(1, 4, 2)] * 4
    ra, dec = headers[0]["CRVAL1"], headers[0]["CRVAL2"]
    found = tan_sip_pixels(rows_of(headers), np.array([ra, ra, ra + 180, np.nan]), np.array([dec, dec + 40, -dec, dec]))
    assert np.isfinite(found).tolist() == [[True, False, False, False]] * 2
    assert found[0][0] == pytest.approx(headers[0]["CRPIX2"] - 1, abs=2)


@pytest.mark.parametrize(
    "change",
    [
        {"CTYPE1": "RA---TAN"},
        {"CTYPE2": ""},
        {"CRVAL2": np.nan},
        {"CRVAL2": 90.0, "LONPOLE": np.nan},
        {"LONPOLE": 0.0},
        {"A_ORDER": 0},
        {"CUNIT1": "rad"},
        {"CD1_1": 0.0, "CD1_2": 0.0},
    ],
    ids=str,
)
def test_another_wcs_is_left_to_astropy(change: dict[str, Any]) -> None:
    plain, other = dict(ffi_wcs_header(1, 4, 2)), dict(ffi_wcs_header(1, 4, 2))
    rows = rows_of([plain | {"LONPOLE": 180.0, "CUNIT1": "deg"}, other | {"LONPOLE": 180.0, "CUNIT1": "deg"} | change])
    assert is_tan_sip(rows).tolist() == [True, False]


def test_a_table_without_the_cards_is_left_to_astropy() -> None:
    rows = rows_of([ffi_wcs_header(1, 4, 2)])
    assert is_tan_sip(rows).all()
    assert not is_tan_sip(rows[[name for name in rows.dtype.names or () if name != "CD1_2"]]).any()
    assert not is_tan_sip(rows_of([dict(ffi_wcs_header(1, 4, 2)) | {"CDELT1": 1.0}])).any()
