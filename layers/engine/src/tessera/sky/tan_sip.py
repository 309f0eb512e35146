"""Convert sky positions to pixels with a TAN-SIP WCS for each position, all at once.

astropy converts many positions with one WCS. Each frame of a sector has a WCS of its own, and astropy would need 4 s
for the 12,000 frames of a long sector. The projection and the matrix are closed formulas. The SIP polynomials are
inverted by fixed-point iteration, as astropy does. Sources: Calabretta and Greisen 2002 (A&A 395, 1077), section 5.1.3,
and Shupe et al. 2005 (ASPC 347, 491).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.sky.positions import FAR, Floats

_NEEDED = ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
_ORDERS = ("A_ORDER", "B_ORDER")
_OTHER = re.compile(r"CDELT\d|PC\d_\d|LATPOLE")
_ITERATIONS = 50
_CLOSE = 1e-9
"""Change of an iteration in pixels at which a position is found."""


def is_tan_sip(rows: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows of an info table have a TAN-SIP WCS that `tan_sip_pixels` can convert; shape (n,)."""
    names = set(rows.dtype.names or ())
    texts = {"CTYPE1": b"RA---TAN-SIP", "CTYPE2": b"DEC--TAN-SIP", "CUNIT1": b"deg", "CUNIT2": b"deg"}
    wanted = {*_NEEDED, *_ORDERS, "CTYPE1", "CTYPE2"}
    polynomials = [name for name in names if re.fullmatch(r"[AB]_\d_\d", name)]
    if wanted - names or any(map(_OTHER.fullmatch, names)) or any(rows.dtype[name].kind != "f" for name in polynomials):
        return np.zeros(len(rows), bool)
    good = np.isfinite([_column(rows, name) for name in _NEEDED]).all(axis=0)
    for name, text in texts.items():  # CUNIT may be missing
        good &= (
            np.char.rstrip(rows[name]) == text if name in names and rows.dtype[name].kind == "S" else name not in wanted
        )
    cd = {name: _column(rows, name) for name in _NEEDED}
    good &= cd["CD1_1"] * cd["CD2_2"] - cd["CD1_2"] * cd["CD2_1"] != 0
    pole = _column(rows, "LONPOLE") if "LONPOLE" in names else np.full(len(rows), np.nan)
    good &= (pole == 180) | (np.isnan(pole) & (np.abs(cd["CRVAL2"]) < 90))
    return np.asarray(
        good & np.all([(_column(rows, name) >= 2) & (_column(rows, name) <= 9) for name in _ORDERS], axis=0)
    )


def _column(rows: NDArray[Any], name: str) -> Floats:
    return np.asarray(rows[name], np.float64)


def _terms(rows: NDArray[Any], name: str) -> list[tuple[int, int, Floats]]:
    """Powers and coefficients of a polynomial; missing coefficients are zero."""
    order = _column(rows, f"{name}_ORDER")
    terms = []
    for column in rows.dtype.names or ():
        if match := re.fullmatch(rf"{name}_(\d)_(\d)", column):
            p, q = int(match[1]), int(match[2])
            terms.append((p, q, np.where(max(p, q) <= order, np.nan_to_num(_column(rows, column)), 0.0)))
    return terms


def _sum(terms: list[tuple[int, int, Floats]], u: list[Floats], v: list[Floats]) -> Floats:
    total = np.zeros_like(u[0])
    for p, q, coefficient in terms:
        total += coefficient * u[p] * v[q]
    return total


def tan_sip_pixels(rows: NDArray[Any], ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
    """Find the pixel of each position with the WCS of its row.

    Parameters
    ----------
    rows : structured ndarray, shape (n,)
        Cards of the WCS, for which `is_tan_sip` is true.
    ra, dec : ndarray, shape (n,)
        Positions, ICRS degrees; NaN for an unknown position.

    Returns
    -------
    tuple of ndarray, shape (n,)
        Rows and columns; the centre of the first pixel is 0. NaN when there is no solution.
    """
    crval1, crval2, crpix1, crpix2, cd11, cd12, cd21, cd22 = (_column(rows, name) for name in _NEEDED)
    lon, lat, lat0 = np.radians(ra - crval1), np.radians(dec), np.radians(crval2)
    distance = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(lon)
    with np.errstate(all="ignore"):
        xi = np.degrees(np.cos(lat) * np.sin(lon) / distance)
        eta = np.degrees((np.cos(lat0) * np.sin(lat) - np.sin(lat0) * np.cos(lat) * np.cos(lon)) / distance)
        determinant = cd11 * cd22 - cd12 * cd21
        wanted_u, wanted_v = (cd22 * xi - cd12 * eta) / determinant, (cd11 * eta - cd21 * xi) / determinant
        a, b = _terms(rows, "A"), _terms(rows, "B")
        u, v, change = wanted_u, wanted_v, np.full(len(ra), np.inf)
        for _ in range(_ITERATIONS):
            powers = [[values**power for power in range(10)] for values in (u, v)]
            next_u, next_v = wanted_u - _sum(a, *powers), wanted_v - _sum(b, *powers)
            change = np.maximum(np.abs(next_u - u), np.abs(next_v - v))
            u, v = next_u, next_v
            if not (change > _CLOSE).any():
                break
    good = (change <= 1000 * _CLOSE) & (distance > np.cos(np.radians(FAR)))
    return np.where(good, v + crpix2 - 1, np.nan), np.where(good, u + crpix1 - 1, np.nan)
