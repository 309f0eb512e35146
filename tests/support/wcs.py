"""Real WCS of all CCDs, as the cards of SPOC frames."""

from __future__ import annotations

import bz2
import json
from functools import lru_cache
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tests.support.paths import DATA

FRAME_SHAPE = (2078, 2136)


@lru_cache(maxsize=1)
def _records() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(bz2.decompress((DATA / "TESS_wcs_data.json.bz2").read_bytes()))
    return content


def _powers(order: int, least: int) -> list[tuple[int, int]]:
    return [(degree - q, q) for degree in range(least, order + 1) for q in range(degree + 1)]


def _largest_distortion(coefficients: NDArray[np.float64], crpix: list[float]) -> float:
    """Largest absolute value of a SIP polynomial over the science pixels, in pixels."""
    columns = np.linspace(45, 2092, 65) - crpix[0]
    rows = np.linspace(1, 2048, 65) - crpix[1]
    values = np.polynomial.polynomial.polygrid2d(columns, rows, coefficients)
    return float(np.abs(values).max())


def _sip_cards(prefix: str, coefficients: NDArray[np.float64], least: int) -> list[tuple[str, float, str]]:
    order = len(coefficients) - 1
    return [
        (f"{prefix}_{p}_{q}", float(coefficients[p, q]), "distortion coefficient") for p, q in _powers(order, least)
    ]


def _linear_cards(record: dict[str, Any]) -> list[tuple[str, Any, str]]:
    matrix = record["cd"]
    return [
        ("WCSAXES", 2, "number of WCS axes"),
        ("CTYPE1", "RA---TAN-SIP", "Gnomonic projection + SIP distortions"),
        ("CTYPE2", "DEC--TAN-SIP", "Gnomonic projection + SIP distortions"),
        ("CRVAL1", record["crval0"][0], "RA at CRPIX1, CRPIX2"),
        ("CRVAL2", record["crval0"][1], "DEC at CRPIX1, CRPIX2"),
        ("CRPIX1", record["crpix0"][0], "X reference pixel"),
        ("CRPIX2", record["crpix0"][1], "Y reference pixel"),
        *((f"CD{i + 1}_{j + 1}", matrix[i][j], "Transformation matrix") for i in (0, 1) for j in (0, 1)),
    ]


def ffi_wcs_header(sector: int, camera: int, ccd: int) -> fits.Header:
    """WCS cards of a CCD's frames, in the order of real frames.

    Parameters
    ----------
    sector : int
        Sector, 1 to 108.
    camera, ccd : int
        Camera and CCD, 1 to 4.
    """
    record = _records()[str(sector)][str(camera)][str(ccd)]
    a, b, ap, bp = (np.array(record[f"sip_{name}"]) for name in ("a", "b", "ap", "bp"))
    cards: list[tuple[str, Any, str]] = _linear_cards(record)
    cards += [("A_ORDER", len(a) - 1, "Polynomial order, axis 1"), ("B_ORDER", len(b) - 1, "Polynomial order, axis 2")]
    cards += _sip_cards("A", a, 2) + _sip_cards("B", b, 2)
    cards += [
        ("AP_ORDER", len(ap) - 1, "Inv polynomial order, axis 1"),
        ("BP_ORDER", len(bp) - 1, "Inv polynomial order, axis 2"),
    ]
    cards += _sip_cards("AP", ap, 1) + _sip_cards("BP", bp, 1)
    cards += [
        ("A_DMAX", _largest_distortion(a, record["crpix0"]), "maximum distortion, axis 1"),
        ("B_DMAX", _largest_distortion(b, record["crpix0"]), "maximum distortion, axis 2"),
    ]
    return fits.Header(cards)
