"""The WCS of an image: read it with its limits, and find sky positions on it."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from astropy.coordinates import (
    BarycentricMeanEcliptic,
    BaseCoordinateFrame,
    Galactic,
    SkyCoord,
    Supergalactic,
    UnitSphericalRepresentation,
)
from astropy.io import fits
from astropy.wcs import WCS, NoConvergence, WcsError
from astropy.wcs.utils import proj_plane_pixel_scales, wcs_to_celestial_frame
from numpy.typing import NDArray

from tessera.errors import ImageFormatError, NoOverlapError, shown
from tessera.images.headers.clean import drop_axes, drop_partial_plate, has_more_axes, is_sky_axis
from tessera.images.inputs import ImagePixel, Target
from tessera.images.sizes import FARTHEST
from tessera.sky.shapes.boxes import PixelFrame, find_box
from tessera.sky.shapes.shape import Shape
from tessera.sky.sphere import chord_degrees, unit_vectors
from tessera.tess.clock import Time
from tessera.windows import Window

Floats: TypeAlias = NDArray[np.float64]

_SCALES = (1e-13, 180.0)
"""Smallest and largest size of a pixel, in degrees."""
_SCALE_BASELINE = 2.0
"""Distance in pixels over which the size of a pixel is measured. Over shorter ones, lookup tables add noise."""
_SIP_ORDERS = range(10)
_CANNOT_READ = (WcsError, ValueError, KeyError, IndexError, TypeError, AssertionError, MemoryError, OverflowError)
_MOVED = 1e-3
"""Largest distance in pixels by which the position of a cutout may differ from that of its image."""


def read_image_wcs(header: fits.Header, tables: fits.HDUList | None = None) -> WCS:
    """Read the celestial WCS of the first two axes of an image.

    Parameters
    ----------
    header : Header
        Header of the image, from `tessera.images.headers.clean.clean_header`.
    tables : HDUList, optional
        HDUs that contain the lookup tables of distortion.

    Raises
    ------
    ImageFormatError
        When the header has no celestial WCS, or the WCS cannot be read or has absurd values.
    """
    sky = drop_partial_plate(drop_axes(header.copy()) if has_more_axes(header) else header)
    kinds = [str(sky.get(f"CTYPE{axis}", "")) for axis in (1, 2)]
    if any(kind.endswith("-TAB") for kind in kinds):
        raise ImageFormatError(f"its axes are {', '.join(kinds)}; coordinates in tables are not supported")
    missing = f"it has no celestial WCS: CTYPE1 and CTYPE2 are {kinds[0]!r} and {kinds[1]!r}"
    if is_sky_axis(kinds[0]) != is_sky_axis(kinds[1]):
        raise ImageFormatError(missing)
    _check_orders(sky)
    try:
        wcs = WCS(sky, fobj=tables, relax=True)
        celestial = bool(wcs.has_celestial and wcs.naxis == 2)
    except _CANNOT_READ as error:
        raise ImageFormatError(f"its WCS cannot be read: {_reason(error)}") from error
    if not celestial:
        raise ImageFormatError(missing)
    celestial_frame(wcs)
    _check_numbers(wcs)
    return wcs


def _reason(error: BaseException) -> str:
    """The first line of an error, or the second if the first only names a place in wcslib."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[1 if len(lines) > 1 and " at line " in lines[0] else 0].rstrip(":.")[:200]


def _check_orders(header: fits.Header) -> None:
    for keyword in ("A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER"):
        order = header.get(keyword, 0)
        if isinstance(order, bool) or not isinstance(order, int | float) or order not in _SIP_ORDERS:
            raise ImageFormatError(f"{keyword} is {shown(order)}; allowed: an integer from 0 to 9")


def _check_numbers(wcs: WCS) -> None:
    """Raise `ImageFormatError` if a reference pixel or the size of a pixel is absurd."""
    for axis, pixel in enumerate(wcs.wcs.crpix, 1):
        if not abs(pixel) <= FARTHEST:
            raise ImageFormatError(f"CRPIX{axis} is {pixel:g}; allowed: numbers up to {FARTHEST:g}")
    low, high = _SCALES
    scales = np.abs(wcs.pixel_scale_matrix).max(axis=0)[:2]
    for axis, scale in enumerate(scales, 1):
        if not low <= scale <= high:
            raise ImageFormatError(f"its pixels are {scale:g} degrees on axis {axis}; allowed: {low:g} to {high:g}")


def celestial_frame(wcs: WCS) -> BaseCoordinateFrame:
    """Frame of the coordinates of a celestial WCS.

    astropy's function of this purpose takes RADESYS before the kind of the axes, so it calls ecliptic and some galactic
    coordinates equatorial.

    Raises
    ------
    ImageFormatError
        When the axes are not of the sky beyond the solar system, or RADESYS is unknown.
    """
    kind, equinox = wcs.wcs.lngtyp.strip(), wcs.wcs.equinox
    if kind == "GLON":
        return Galactic()
    if kind == "SLON":
        return Supergalactic()
    if kind == "ELON":
        return BarycentricMeanEcliptic(equinox=Time(2000.0 if np.isnan(equinox) else equinox, format="jyear"))
    kinds = " and ".join(repr(str(item)) for item in wcs.wcs.ctype)
    if kind != "RA":
        raise ImageFormatError(
            f"its axes are {kinds}, which are not fixed on the sky; "
            "allowed: RA and DEC, GLON and GLAT, ELON and ELAT, SLON and SLAT"
        )
    try:
        return wcs_to_celestial_frame(wcs)
    except ValueError as error:
        known = "allowed: ICRS, FK5, FK4, FK4-NO-E"
        raise ImageFormatError(f"RADESYS is {str(wcs.wcs.radesys)!r}; {known}") from error


def find_pixel(wcs: WCS, sky: SkyCoord) -> tuple[float, float] | None:
    """Find the pixel of a sky position.

    Parameters
    ----------
    wcs : WCS
        WCS of an image, with distortion, in any celestial frame. The axes may be in either order.
    sky : SkyCoord
        One position, in any frame.

    Returns
    -------
    (float, float) or None
        Row and column; the centre of the first pixel is 0. None when the WCS has no solution, or when the solution does
        not convert back to the position. This happens far from the image.
    """
    asked = sky.transform_to(celestial_frame(wcs)).spherical
    world = np.zeros((1, 2))
    for axis, angle in ((wcs.wcs.lng, asked.lon), (wcs.wcs.lat, asked.lat)):
        world[0, axis] = angle.to_value(wcs.wcs.cunit[axis])
    try:
        with np.errstate(all="ignore"):
            column, row = (float(value) for value in wcs.all_world2pix(world, 0)[0])
    except NoConvergence:
        return None
    if not (abs(row) <= FARTHEST and abs(column) <= FARTHEST):
        return None
    there = directions(wcs, [[column, row]])
    apart = chord_degrees(there, unit_vectors(np.array([asked.lon.deg]), np.array([asked.lat.deg])))[0]
    return (row, column) if apart <= 0.1 * max(proj_plane_pixel_scales(wcs)[:2]) else None


def shape_window(shape: Shape, wcs: WCS, n_rows: int, n_columns: int) -> Window:
    """Box of the pixels of an image that hold the part of a shape that is on it.

    Parameters
    ----------
    shape : Shape
        Shape on the sky, ICRS.
    wcs : WCS
        WCS of the image, as for `find_pixel`.
    n_rows, n_columns : int
        Shape of the image.

    Raises
    ------
    NoOverlapError
        When no pixel has a point of the shape.
    """

    def to_directions(pixels: Floats) -> Floats:
        return unit_vectors(*sky_of_pixels(wcs, pixels[:, ::-1]).T)

    window = find_box(shape, PixelFrame(partial(_find_pixels, wcs), to_directions, n_rows, n_columns))
    if window is None:
        raise NoOverlapError(f"{shape} is beside the image")
    return window


def _find_pixels(wcs: WCS, sky: Floats) -> Floats:
    """Rows and columns of unit vectors, shape (n, 3), ICRS; NaN where `find_pixel` finds none."""
    asked = SkyCoord(*sky.T, representation_type="cartesian").transform_to(celestial_frame(wcs))
    asked = asked.represent_as(UnitSphericalRepresentation)
    world = np.zeros((len(sky), 2))
    for axis, angle in ((wcs.wcs.lng, asked.lon), (wcs.wcs.lat, asked.lat)):
        world[:, axis] = angle.to_value(wcs.wcs.cunit[axis])
    with np.errstate(all="ignore"):
        pixels = np.asarray(wcs.all_world2pix(world, 0, quiet=True), np.float64)
        pixels[~(np.abs(pixels) <= FARTHEST).all(axis=1)] = np.nan
        apart = chord_degrees(directions(wcs, pixels), unit_vectors(asked.lon.deg, asked.lat.deg))
    pixels[~(apart <= 0.1 * max(proj_plane_pixel_scales(wcs)[:2]))] = np.nan
    return pixels[:, ::-1]


def lon_lat(wcs: WCS, pixels: Any) -> tuple[Floats, Floats]:
    """Longitudes and latitudes of pixels (column, row; from 0) in degrees, in the frame of the WCS; shape (n,) each."""
    with np.errstate(all="ignore"):
        world = wcs.all_pix2world(np.asarray(pixels, np.float64), 0)
    lon, lat = ((world[:, axis] * u.Unit(wcs.wcs.cunit[axis])).to_value(u.deg) for axis in (wcs.wcs.lng, wcs.wcs.lat))
    return np.atleast_1d(lon), np.atleast_1d(lat)


def directions(wcs: WCS, pixels: Any) -> Floats:
    """Unit vectors of pixels (column, row; from 0), in the frame of the WCS; shape (n, 3)."""
    return unit_vectors(*lon_lat(wcs, pixels))


def sky_of_pixels(wcs: WCS, pixels: Any) -> Floats:
    """Right ascension and declination, ICRS degrees, of pixels (column, row; from 0); shape (n, 2).

    NaN where the WCS has no solution.
    """
    lon, lat = lon_lat(wcs, pixels)
    sky = SkyCoord(lon, lat, unit="deg", frame=celestial_frame(wcs)).icrs
    return np.column_stack([sky.ra.deg, sky.dec.deg])


def sky_of_target(wcs: WCS, target: Target) -> SkyCoord:
    """Position of a target on the image of a WCS; of a shape, its middle."""
    if isinstance(target, Shape):
        return SkyCoord(*target.middle, unit="deg")
    if isinstance(target, ImagePixel):
        return SkyCoord(*sky_of_pixels(wcs, [[target.column, target.row]])[0], unit="deg")
    return target


def scales_at(wcs: WCS, row: float, column: float) -> tuple[float, float]:
    """Size of the pixels around a position, in degrees: (per row, per column)."""
    half = _SCALE_BASELINE / 2
    ends = [[column, row - half], [column, row + half], [column - half, row], [column + half, row]]
    vectors = directions(wcs, ends)
    lengths = np.degrees(2 * np.arcsin(np.linalg.norm(vectors[1::2] - vectors[::2], axis=1) / 2)) / _SCALE_BASELINE
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        per_column, per_row = proj_plane_pixel_scales(wcs)
        return float(per_row), float(per_column)
    return float(lengths[0]), float(lengths[1])


def window_region(wcs: WCS, window: Window) -> str | None:
    """Polygon of the outer corners of a window as IVOA text; None where the WCS has no solution.

    Parameters
    ----------
    wcs : WCS
        WCS of the image.
    window : Window
        Window on the image.
    """
    first, last = window.first_column - 0.5, window.stop_column - 0.5
    low, high = window.first_row - 0.5, window.stop_row - 0.5
    sky = sky_of_pixels(wcs, [[first, low], [last, low], [last, high], [first, high]])
    if not np.isfinite(sky).all():
        return None
    return "POLYGON ICRS  " + " ".join(f"{value:.9f}" for value in sky.ravel())


def _grid(n_rows: int, n_columns: int) -> Floats:
    """Nine pixels (column, row; from 0) of an image: its corners, its centre, and between them."""
    rows, columns = (np.array([0.0, 0.5, 1.0]) * (n - 1) for n in (n_rows, n_columns))
    return np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)


def grids_apart(wcs: WCS, other: WCS, shape: tuple[int, int], offset: tuple[int, int] = (0, 0)) -> float:
    """Largest distance on the sky between the pixels of two images, in pixels of the first.

    Parameters
    ----------
    wcs, other : WCS
        The images.
    shape : (int, int)
        Rows and columns that are compared.
    offset : (int, int), optional
        Row and column of the first image that is the first pixel of the other.

    Returns
    -------
    float
        Distance in pixels; NaN if no pixel has a position in both images.
    """
    pixels = _grid(*shape)
    one, two = sky_of_pixels(wcs, pixels + offset[::-1]), sky_of_pixels(other, pixels)
    apart = chord_degrees(unit_vectors(*one.T), unit_vectors(*two.T))
    if np.isnan(apart).all():
        return np.nan
    return float(np.nanmax(apart) / min(proj_plane_pixel_scales(wcs)[:2]))


def check_moved(wcs: WCS, moved: WCS, window: Window) -> None:
    """Check that the WCS of a cutout gives its pixels the positions that they have in the image.

    Raises
    ------
    ImageFormatError
        When it does not, because the header has cards of a distortion that cannot be moved.
    """
    apart = grids_apart(wcs, moved, window.shape, (window.first_row, window.first_column))
    if apart > _MOVED:
        raise ImageFormatError(
            f"its position on the sky cannot be kept in a cutout; it would be {apart:.3g} pixels off"
        )
