"""Find sky positions on images with a generalized WCS (gwcs), and make the WCS of a cutout."""

from __future__ import annotations

import copy
import logging
import warnings
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from astropy.coordinates import ICRS, SkyCoord
from astropy.modeling import models
from astropy.wcs import WCS, Sip
from numpy.typing import NDArray

from tessera.sky.shapes.boxes import PixelFrame, find_box
from tessera.sky.shapes.shape import Shape
from tessera.sky.sphere import chord_degrees, unit_vectors
from tessera.windows import Window

GeneralWcs: TypeAlias = Any
"""``gwcs.WCS``. gwcs is imported only when the first ASDF file is read."""

log = logging.getLogger("tessera")

FIT_ERROR = 1e-4
"""Largest difference in pixels between a FITS WCS and the generalized WCS to which it is fitted."""
FIT_POINTS = 16
"""Points on each side of the grid of a fit. Its error is measured on a grid of twice as many."""
FIT_SIDE = 64
"""Smallest side in pixels of the region of a fit, so that even a cutout of one pixel gets a WCS."""
_L3_FIELDS = frozenset({"x_ref", "y_ref", "image_shape", "pixel_scale", "orientation"})


def _degrees(values: Any) -> NDArray[np.float64]:
    return np.asarray(u.Quantity(values, u.deg).value if isinstance(values, u.Quantity) else values, np.float64)


def _plain(values: Any) -> NDArray[np.float64]:
    return np.asarray(values.value if isinstance(values, u.Quantity) else values, np.float64)


def to_sky(wcs: GeneralWcs, columns: Any, rows: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude of pixels, in degrees. Pixels may be outside the bounding box."""
    if wcs.forward_transform.uses_quantity:
        columns, rows = columns * u.pix, rows * u.pix
    lon, lat = wcs(columns, rows, with_bounding_box=False)
    return _degrees(lon), _degrees(lat)


def to_pixels(wcs: GeneralWcs, lon: Any, lat: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Columns and rows of positions in degrees. The pixels may be outside the bounding box."""
    if wcs.forward_transform.uses_quantity:
        lon, lat = lon * u.deg, lat * u.deg
    columns, rows = wcs.invert(lon, lat, with_bounding_box=False)
    return _plain(columns), _plain(rows)


def get_center_pixel(gwcsobj: GeneralWcs, ra: float, dec: float) -> tuple[float, float]:
    """Find the pixel of a sky position.

    Parameters
    ----------
    gwcsobj : gwcs.WCS
        Generalized WCS of an image.
    ra, dec : float
        Position in the frame of the WCS, degrees.

    Returns
    -------
    (float, float)
        Column and row; the centre of the first pixel is 0. NaN if the WCS has no solution.
    """
    columns, rows = to_pixels(gwcsobj, np.atleast_1d(float(ra)), np.atleast_1d(float(dec)))
    return float(columns[0]), float(rows[0])


def find_pixels(wcs: GeneralWcs, targets: SkyCoord) -> NDArray[np.float64]:
    """Find the pixels of many sky positions.

    Parameters
    ----------
    wcs : gwcs.WCS
        Generalized WCS of an image.
    targets : SkyCoord, shape (n,)
        Positions in any frame.

    Returns
    -------
    ndarray, shape (n, 2)
        Column and row; the centre of the first pixel is 0. NaN when the WCS has no solution, or when the solution does
        not convert back to the position.
    """
    frame = getattr(wcs.output_frame, "reference_frame", None)
    sky = (targets if frame is None else targets.transform_to(frame)).spherical
    lon, lat = np.atleast_1d(sky.lon.deg), np.atleast_1d(sky.lat.deg)
    columns, rows = _invert_each(wcs, lon, lat)
    there = unit_vectors(*to_sky(wcs, columns, rows))
    apart = chord_degrees(there, unit_vectors(lon, lat))
    pixels = np.column_stack([columns, rows])
    pixels[~(apart <= max(pixel_scales(wcs, columns, rows).max(initial=0), 1e-9))] = np.nan
    return pixels


def shape_window(shape: Shape, wcs: GeneralWcs, n_rows: int, n_columns: int) -> Window | None:
    """Box of the pixels of an image that hold the part of a shape that is on it; None without any.

    Parameters
    ----------
    shape : Shape
        Shape on the sky, ICRS.
    wcs : gwcs.WCS
        Generalized WCS of the image.
    n_rows, n_columns : int
        Shape of the image.
    """
    frame = getattr(wcs.output_frame, "reference_frame", None) or ICRS()

    def to_pixels(directions: NDArray[np.float64]) -> NDArray[np.float64]:
        return find_pixels(wcs, SkyCoord(*directions.T, representation_type="cartesian"))[:, ::-1]

    def to_directions(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = to_sky(wcs, *pixels.T[::-1])
        return np.asarray(SkyCoord(lon, lat, unit="deg", frame=frame).icrs.cartesian.xyz.value.T, np.float64)

    return find_box(shape, PixelFrame(to_pixels, to_directions, n_rows, n_columns))


def _invert_each(wcs: GeneralWcs, lon: NDArray[Any], lat: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Columns and rows of positions; NaN for positions for which the WCS fails."""
    try:
        return to_pixels(wcs, lon, lat)
    except (ValueError, RuntimeError, ArithmeticError) as error:
        if len(lon) == 1:
            log.debug("No pixel at %s %s: %s", lon[0], lat[0], error)
            return np.array([np.nan]), np.array([np.nan])
    each = [_invert_each(wcs, lon[place : place + 1], lat[place : place + 1]) for place in range(len(lon))]
    return np.concatenate([item[0] for item in each]), np.concatenate([item[1] for item in each])


def pixel_scales(wcs: GeneralWcs, columns: Any, rows: Any) -> NDArray[np.float64]:
    """Size in degrees of the pixels at some positions; shape (n, 2): (per column, per row)."""
    columns, rows = np.atleast_1d(columns), np.atleast_1d(rows)
    ends = columns + np.array([[-0.5], [0.5], [0], [0]]), rows + np.array([[0], [0], [-0.5], [0.5]])
    lon, lat = to_sky(wcs, *(end.ravel() for end in ends))  # at once, because each call takes half a millisecond
    vectors = unit_vectors(lon, lat).reshape(4, len(columns), 3)
    chords = np.stack([vectors[1] - vectors[0], vectors[3] - vectors[2]], axis=-2)
    lengths: NDArray[np.float64] = np.degrees(2 * np.arcsin(np.linalg.norm(chords, axis=-1) / 2))
    return np.nan_to_num(lengths)


def slice_gwcs(wcs: GeneralWcs, first_column: int, first_row: int, shape: tuple[int, int]) -> GeneralWcs:
    """Make the WCS of a cutout: a shift, then the WCS of the image. Every pixel keeps its sky position.

    Parameters
    ----------
    wcs : gwcs.WCS
        WCS of the image. It is not changed; the new WCS shares its transforms.
    first_column, first_row : int
        Pixel of the image that is the first pixel of the cutout; negative if the cutout begins before the image.
    shape : (int, int)
        Rows and columns of the cutout.
    """
    first = wcs.pipeline[0]
    unit = u.pix if first.transform.uses_quantity else 1
    offsets = models.Shift(first_column * unit, name="cutout_offset1") & models.Shift(
        first_row * unit, name="cutout_offset2"
    )
    steps = [(first.frame, offsets | first.transform)]
    steps += [(step.frame, step.transform) for step in wcs.pipeline[1:]]
    sliced = type(wcs)(steps, name=wcs.name)
    n_rows, n_columns = shape
    sliced.bounding_box = tuple((-edge, n - 1 + edge) for edge, n in zip(_edges(wcs), (n_columns, n_rows), strict=True))
    sliced.pixel_shape = (n_columns, n_rows)
    sliced.array_shape = shape
    return sliced


def _edges(wcs: GeneralWcs) -> tuple[float, float]:
    """How far a bounding box reaches beyond the centre of the first column and row: to their edge, or not at all."""
    if wcs.bounding_box is None:
        return 0.5, 0.5
    columns, rows = wcs.bounding_box.bounding_box("F")
    return 0.5 if float(columns[0]) < 0 else 0.0, 0.5 if float(rows[0]) < 0 else 0.0


def fit_fits_wcs(wcs: GeneralWcs, shape: tuple[int, int] | None = None) -> tuple[WCS, float]:
    """Fit a FITS WCS, with SIP if needed, to a generalized WCS.

    Parameters
    ----------
    wcs : gwcs.WCS
        WCS of an image or a cutout.
    shape : (int, int), optional
        Rows and columns; by default those of the bounding box.

    Returns
    -------
    (WCS, float)
        The fitted WCS, and its largest error in pixels.
    """
    box = None
    if shape is not None:
        margins = [max(0, FIT_SIDE - n) / 2 for n in shape]
        box = tuple((-margin, n - 1 + margin) for n, margin in zip(shape[::-1], margins[::-1], strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gwcs warns when no degree reaches the error; the best fit is used
        header = wcs.to_fits_sip(bounding_box=box, max_pix_error=FIT_ERROR, max_inv_pix_error=None, npoints=FIT_POINTS)
        for keyword in ("NAXIS1", "NAXIS2"):
            header.remove(keyword, ignore_missing=True)
        fitted = WCS(header, relax=True)
    if shape is not None:
        fitted.pixel_shape = shape[::-1]
    elif wcs.bounding_box is not None:
        sides = wcs.bounding_box.bounding_box("F")
        fitted.pixel_shape = tuple(int(np.floor(side[1]) - np.ceil(side[0])) + 1 for side in sides)
    return fitted, float(header.get("SIPMXERR", 0.0))


class ImageWcs:
    """The generalized WCS of an image, and a FITS WCS that is fitted to it at the first access.

    Parameters
    ----------
    wcs : gwcs.WCS
        Generalized WCS of the image.
    shape : (int, int)
        Rows and columns of the image.
    """

    def __init__(self, wcs: GeneralWcs, shape: tuple[int, int]) -> None:
        self.wcs, self.shape = wcs, shape

    @cached_property
    def fitted(self) -> WCS | None:
        """FITS WCS of the whole image; None if its error is too large, so that each cutout needs its own fit."""
        try:
            fitted, error = fit_fits_wcs(self.wcs, self.shape)
        except (ValueError, RuntimeError, TypeError) as reason:
            log.debug("No FITS WCS fits the whole image: %s", reason)
            return None
        return fitted if error <= FIT_ERROR else None


def moved_wcs(wcs: WCS, first_column: int, first_row: int, shape: tuple[int, int]) -> WCS:
    """Copy a FITS WCS and move its origin to the first pixel of a cutout."""
    moved = wcs.deepcopy()
    moved.wcs.crpix = moved.wcs.crpix - np.array([first_column, first_row], float)
    if moved.sip is not None:
        sip = moved.sip
        moved.sip = Sip(sip.a, sip.b, sip.ap, sip.bp, moved.wcs.crpix)
    moved.wcs.set()
    moved.pixel_shape = shape[::-1]
    return moved


def s_region(wcs: GeneralWcs) -> str:
    """Polygon of the corners of a cutout as IVOA text."""
    corners = np.asarray(wcs.footprint(axis_type="spatial"))
    return "POLYGON ICRS " + " ".join(f"{value:.9f}" for value in corners.ravel())


def update_wcsinfo(wcsinfo: dict[str, Any], wcs: GeneralWcs) -> dict[str, Any]:
    """Update Roman's metadata about the place of an image on the sky (``wcsinfo``) for a cutout.

    Parameters
    ----------
    wcsinfo : dict
        Metadata of the image. For a mosaic (level 3), more fields than ``s_region`` change.
    wcs : gwcs.WCS
        WCS of the cutout.

    Returns
    -------
    dict
        Metadata of the cutout.
    """
    updated = copy.copy(wcsinfo)
    updated["s_region"] = s_region(wcs)
    if not set(wcsinfo) >= _L3_FIELDS:
        return updated
    n_columns, n_rows = wcs.pixel_shape
    middle = ((n_columns - 1) / 2, (n_rows - 1) / 2)
    columns = middle[0] + np.array([0.0, 1.0, 0.0, 0.0])
    rows = middle[1] + np.array([0.0, 0.0, 1.0, 100.0])
    sky = SkyCoord(*to_sky(wcs, columns, rows), unit="deg")
    scale_x, scale_y = sky[0].separation(sky[1:3]).deg
    reference = to_pixels(wcs, np.array([wcsinfo["ra_ref"]], float), np.array([wcsinfo["dec_ref"]], float))
    updated["x_ref"], updated["y_ref"] = (float(value[0]) for value in reference)
    updated["image_shape"] = [n_rows, n_columns]
    updated["ra"], updated["dec"] = float(sky[0].ra.deg), float(sky[0].dec.deg)
    updated["pixel_scale"] = float(np.sqrt(scale_x * scale_y))
    updated["orientation"] = float(sky[0].position_angle(sky[3]).deg)
    return updated
