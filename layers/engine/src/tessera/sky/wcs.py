"""WCS of a cube: the WCS of a frame, and the linear WCS of a cutout.

astropy.wcs is imported at the first WCS, because that takes a quarter of a second and many processes make none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from tessera.errors import NoWcsError
from tessera.sky.sphere import unit_vectors
from tessera.windows import Window

if TYPE_CHECKING:
    from astropy.wcs import WCS, Sip

_AXES = ("1", "2")
_SIP_TERM = re.compile(r"(AP|BP|A|B)_(\d)_(\d)")
_PLACES = ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")
_MATRIX = ("CD1_1", "CD1_2", "CD2_1", "CD2_2")
_TEXTS = {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "CUNIT1": "deg", "CUNIT2": "deg", "RADESYS": "ICRS"}
_UNUSUAL = re.compile(r"CDELT[12]|PC[12]_[12]|LATPOLE")
_LARGE = 1e6
"""Limit of numbers and of terms of a distortion, in pixels, in an ordinary WCS."""
_WCS_ERRORS = (ValueError, TypeError, ArithmeticError, LookupError)
"""Errors that astropy.wcs and NumPy raise for a WCS that cannot be used. Most are kinds of ValueError."""


def is_ordinary(cards: Mapping[str, object], n_rows: int, n_columns: int) -> bool:
    """Whether the cards of a frame are a TAN-SIP WCS that gives a position for each of its pixels.

    This saves the import of astropy.wcs where only that is asked. False means that `frame_wcs` must find out.
    """
    known = {keyword: value for keyword, value in cards.items() if value is not None and value != ""}
    if any(map(_UNUSUAL.fullmatch, known)) or not {"CTYPE1", "CTYPE2", *_PLACES, *_MATRIX} <= known.keys():
        return False
    if any(known.get(keyword, text) != text for keyword, text in _TEXTS.items()):
        return False
    if not all(_at_most(known.get(keyword, 180), _LARGE) for keyword in (*_PLACES, *_MATRIX, "LONPOLE", "EQUINOX")):
        return False
    number = {keyword: cast("float", known[keyword]) for keyword in (*_PLACES, *_MATRIX)}
    cd11, cd12, cd21, cd22 = (number[keyword] for keyword in _MATRIX)
    if (
        abs(cd11 * cd22 - cd12 * cd21) < 1 / _LARGE**2
        or abs(number["CRVAL2"]) >= 90
        or known.get("LONPOLE", 180) != 180
    ):
        return False
    reach = max(abs(number["CRPIX1"]) + n_columns, abs(number["CRPIX2"]) + n_rows)
    return _is_ordinary_sip(known, reach)


def _at_most(value: object, most: float) -> bool:
    return type(value) in (int, float) and abs(cast("float", value)) <= most


def _is_ordinary_sip(known: Mapping[str, object], reach: float) -> bool:
    """Whether distortion polynomials are complete, and no term is large within `reach` pixels."""
    names = ("A", "B", "AP", "BP") if {"AP_ORDER", "BP_ORDER"} & known.keys() else ("A", "B")
    orders = [known.get(f"{name}_ORDER") for name in names]
    if not all(isinstance(order, int) and 2 <= order <= 9 for order in orders):
        return False
    terms = ((match, value) for keyword, value in known.items() if (match := _SIP_TERM.fullmatch(keyword)))
    return all(_at_most(value, _LARGE / reach ** (int(match[2]) + int(match[3]))) for match, value in terms)


def frame_wcs(cards: Mapping[str, object]) -> WCS:
    """Make the WCS of a frame from its cards.

    This takes a twentieth of the time that `astropy.wcs.WCS` needs to read a header of astropy.io.fits.

    Parameters
    ----------
    cards : mapping
        Keyword to value. Other cards than WCS cards are ignored.

    Raises
    ------
    NoWcsError
        When the cards contain no celestial WCS, or one that cannot be used.
    """
    known: dict[str, Any] = {keyword: value for keyword, value in cards.items() if value is not None and value != ""}
    if not str(known.get("CTYPE2", "")).startswith("DEC"):
        raise NoWcsError(f"CTYPE2 is {known.get('CTYPE2')!r}; the frame has no celestial WCS")
    try:
        return _make_wcs(known)
    except _WCS_ERRORS as error:
        raise NoWcsError(f"its WCS cannot be used: {last_line(error)}") from error


def last_line(error: Exception) -> str:
    """What an error of astropy.wcs says, without the lines of code of wcslib in front of it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]


def _make_wcs(known: Mapping[str, Any]) -> WCS:
    from astropy.wcs import WCS  # noqa: PLC0415 - see the top

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [known.get(f"CTYPE{axis}", "") for axis in _AXES]
    wcs.wcs.cunit = [known.get(f"CUNIT{axis}", "deg") for axis in _AXES]
    for name, default in (("crval", 0.0), ("crpix", 0.0), ("cdelt", 1.0)):
        setattr(wcs.wcs, name, [known.get(f"{name.upper()}{axis}", default) for axis in _AXES])
    for name, diagonal in (("cd", 0.0), ("pc", 1.0)):
        keywords = [(f"{name.upper()}{row}_{column}", diagonal * (row == column)) for row in _AXES for column in _AXES]
        if any(keyword in known for keyword, _ in keywords):
            values = [known.get(keyword, default) for keyword, default in keywords]
            setattr(wcs.wcs, name, np.reshape(np.array(values, np.float64), (2, 2)))
    for name in ("lonpole", "latpole", "radesys", "equinox"):
        if name.upper() in known:
            setattr(wcs.wcs, name, known[name.upper()])
    wcs.sip = _sip(known)
    wcs.wcs.set()
    polynomials = [] if wcs.sip is None else [wcs.sip.a, wcs.sip.b, wcs.sip.ap, wcs.sip.bp]
    if not all(np.isfinite(terms).all() for terms in polynomials if terms is not None):
        raise ValueError("a term of its distortion is infinite")
    return wcs


def _sip(cards: Mapping[str, Any]) -> Sip | None:
    """Distortion polynomials from the cards of a frame; None if it has none."""
    terms: dict[str, NDArray[np.float64] | None] = {}
    for name in ("A", "B", "AP", "BP"):
        order = int(cards.get(f"{name}_ORDER", 0))
        terms[name] = np.zeros((order + 1, order + 1)) if order > 1 else None
    if all(values is None for values in terms.values()):
        return None
    for keyword, value in cards.items():
        match = _SIP_TERM.fullmatch(keyword)
        values = terms[match[1]] if match else None
        if match and values is not None and max(int(match[2]), int(match[3])) < len(values):
            values[int(match[2]), int(match[3])] = value
    from astropy.wcs import Sip  # noqa: PLC0415 - see the top

    return Sip(terms["A"], terms["B"], terms["AP"], terms["BP"], [cards.get(f"CRPIX{axis}", 0.0) for axis in _AXES])


def pixel_scales(wcs: WCS) -> tuple[float, float]:
    """Size of a pixel at the reference point, in degrees: (per row, per column)."""
    from astropy.wcs.utils import proj_plane_pixel_scales  # noqa: PLC0415 - see the top

    per_column, per_row = proj_plane_pixel_scales(wcs)
    return float(per_row), float(per_column)


@dataclass(frozen=True, slots=True)
class LinearWcs:
    """A TAN WCS of a window without distortion, and its distance from the WCS of the frame.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        WCS of the pixels of the window; axis 1 counts columns.
    max_separation : float
        Largest distance over all pixels between this WCS and the WCS of the frame, degrees (WCS_MSEP).
    sigma : float
        Square root of the sum of the squared distances, degrees (WCS_SIG).
    """

    wcs: WCS
    max_separation: float
    sigma: float


def _samples(size: int) -> NDArray[np.float64]:
    if size == 1:
        return np.array([-0.5, 0.0, 0.5])
    return np.linspace(0, size - 1, min(size, 10), dtype=np.float64)


def _tangent_plane(sky: NDArray[np.float64], ra: float, dec: float) -> NDArray[np.float64]:
    """Gnomonic projection of (n, 2) positions around (ra, dec), degrees; shape (n, 2)."""
    lon, lat = np.radians(sky[:, 0] - ra), np.radians(sky[:, 1])
    lat0 = np.radians(dec)
    scale = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(lon)
    xi = np.cos(lat) * np.sin(lon) / scale
    eta = (np.cos(lat0) * np.sin(lat) - np.sin(lat0) * np.cos(lat) * np.cos(lon)) / scale
    return np.asarray(np.degrees(np.stack([xi, eta], axis=-1)), dtype=np.float64)


def _tan_wcs(crpix: NDArray[np.float64], crval: NDArray[np.float64], matrix: NDArray[np.float64]) -> WCS:
    from astropy.wcs import WCS  # noqa: PLC0415 - see the top

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.crval = crval
    wcs.wcs.lonpole = 180.0  # also at the north pole, where the default is 0
    wcs.wcs.crpix = crpix
    wcs.wcs.cd = matrix
    wcs.wcs.set()
    return wcs


def fit_linear_wcs(wcs: WCS, window: Window) -> LinearWcs:
    """Fit a linear TAN WCS to the WCS of a frame over a window.

    The reference point is the centre of the window. A linear least-squares fit in the plane tangent at this point gives
    scale, rotation and shift.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        WCS of the frame, with distortion.
    window : Window
        Pixels of the fit.

    Raises
    ------
    NoWcsError
        When the WCS gives no positions there.
    """
    try:
        with np.errstate(all="ignore"):
            linear = _fit(wcs, window)
    except _WCS_ERRORS as error:
        raise NoWcsError(f"its WCS cannot be used: {last_line(error)}") from error
    if not np.isfinite(linear.max_separation):
        raise NoWcsError("its WCS gives no positions for the pixels of the window")
    return linear


def _fit(wcs: WCS, window: Window) -> LinearWcs:
    origin = np.array([window.first_column, window.first_row], dtype=np.float64)
    grid = np.stack(np.meshgrid(_samples(window.n_columns), _samples(window.n_rows)), axis=-1).reshape(-1, 2)
    centre = np.array([(window.n_columns - 1) / 2, (window.n_rows - 1) / 2])
    crval = wcs.all_pix2world([origin + centre], 0)[0]
    plane = _tangent_plane(wcs.all_pix2world(origin + grid, 0), *crval)
    design = np.column_stack([grid - centre, np.ones(len(grid))])
    solution = np.linalg.lstsq(design, plane, rcond=None)[0]
    matrix = solution[:2].T
    crpix = centre + 1 - np.linalg.solve(matrix, solution[2])
    linear = _tan_wcs(crpix, crval, matrix)
    pixels = np.stack(np.meshgrid(np.arange(window.n_columns), np.arange(window.n_rows)), axis=-1).reshape(-1, 2)
    truth, fit = wcs.all_pix2world(origin + pixels, 0), linear.all_pix2world(pixels, 0)
    chords = np.linalg.norm(unit_vectors(*truth.T) - unit_vectors(*fit.T), axis=1)
    distances = np.degrees(2 * np.arcsin(chords / 2))
    return LinearWcs(linear, float(distances.max()), float(np.sqrt((distances**2).sum())))
