"""Previews: small summaries of a cutout of one cube, to look at before a download."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import numpy as np

from tessera.cubes.reader import Cube
from tessera.errors import InvalidValueError
from tessera.lightcurves.background import find_background, subtract_background
from tessera.lightcurves.csv_text import TREND, format_csv
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.lightcurves.photometry import (
    CurvePoints,
    Mask,
    PixelSeries,
    median_frame,
    parse_aperture,
    sum_aperture,
    threshold_aperture,
)
from tessera.lightcurves.preview import (
    bin_light_curve,
    count_science_pixels,
    difference_frame,
    edge_distance,
    picture_limits,
)
from tessera.sky.wcs import fit_linear_wcs
from tessera.windows import Window
from tessera_cloud import keys
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.lightcurves.vectors import find_vectors
from tessera_cloud.application.previews.detrending import detrend_preview
from tessera_cloud.application.previews.windows import WindowRequest, place_on, read_window
from tessera_cloud.application.results import order_id
from tessera_cloud.application.sidecar import known_cube
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError, UsageError

PICTURES = ("median", "difference")
_CONTENT = "preview with wcs"
"""What kept previews contain; another text when that changes, so that old ones are not used."""
_DIGITS, _TIME_DIGITS = 7, 11
"""Significant digits of pixels, which are float32, and of times, which are exact to a thousandth of a second."""


class PreviewRequest(WindowRequest):
    """A window around a position on one cube, and options of its preview; see `WindowRequest`.

    Parameters
    ----------
    background : str
        Model of the background that is subtracted from the light curve and the difference frame, see
        `tessera.lightcurves.background.find_background`; ``none`` for no background.
    points : int
        Largest number of points of the light curve.
    aperture : str
        Aperture as `tessera.lightcurves.photometry.parse_aperture` reads it; empty for the pixels above a threshold.
    detrend : str
        What takes the trend from the light curve, see `tessera.lightcurves.detrending.detrend`; ``none`` for nothing.
    """

    background: str = "median"
    points: int = 2000
    aperture: str = ""
    detrend: str = "none"

    def id_of(self, published: PublishedCube) -> str:
        """Hash of the request, the version of its cube, and what previews contain."""
        return order_id(_CONTENT, super().id_of(published))

    @property
    def query(self) -> str:
        """The request as a query string."""
        given: dict[str, Any] = {"cube": self.cube, "ra": self.ra, "dec": self.dec}
        given |= {"size": f"{self.rows},{self.columns}", "background": self.background}
        given |= {"points": self.points} | ({"aperture": self.aperture} if self.aperture else {})
        given |= {"detrend": self.detrend} if self.detrend != "none" else {}
        return urlencode(given, safe=",")


def _rounded(values: Iterable[float], digits: int = _DIGITS) -> list[float | None]:
    return [float(f"{value:.{digits}g}") if math.isfinite(value) else None for value in values]


def _frame(values: Any) -> list[list[float | None]]:
    return [_rounded(row.tolist()) for row in values]


def _linear_wcs(cube: Cube, window: Window) -> dict[str, Any]:
    """WCS of a window without distortion. Places are on the frame, and the centre of its first pixel is 0."""
    linear = fit_linear_wcs(cube.wcs, window)
    column, row = linear.wcs.wcs.crpix - 1
    ra, dec = linear.wcs.wcs.crval
    return {
        "ra": round(float(ra), 9),
        "dec": round(float(dec), 9),
        "row": round(window.first_row + float(row), 6),
        "column": round(window.first_column + float(column), 6),
        "matrix": [_rounded(line, _TIME_DIGITS) for line in linear.wcs.wcs.cd.tolist()],
        "max_separation_arcsec": float(f"{linear.max_separation * 3600:.2g}"),
    }


def _given_aperture(request: PreviewRequest) -> Mask | None:
    if not request.aperture:
        return None
    try:
        return parse_aperture(request.aperture, request.rows, request.columns)
    except InvalidValueError as error:
        allowed = str(error).partition("; allowed: ")[2]
        raise UsageError.about("aperture", request.aperture, allowed) from error


def _measure(
    request: PreviewRequest,
    cube: Cube,
    window: Window,
    series: PixelSeries,
    pixel: tuple[float, float],
    *,
    vectors: AlignedVectors | None,
) -> dict[str, Any]:
    """Aperture, light curve and frames of the pixels of a window."""
    quality = cube.series["quality"]
    median = median_frame(series, quality)
    row, column = (math.floor(place + 0.5) for place in pixel)
    aperture = _given_aperture(request)
    if aperture is None:
        aperture = threshold_aperture(median, row - window.first_row, column - window.first_column)
    asked = request.background
    background = None if asked == "none" else find_background(series, aperture, quality, asked)
    times = (cube.series["start"] + cube.series["stop"]) / 2
    curve = subtract_background(sum_aperture(series, aperture, times, quality), background)
    removed: dict[str, Any] = {}
    if request.detrend != "none":
        found = detrend_preview(request.detrend, curve, series, aperture, background, vectors=vectors)
        curve, removed = found.points, {"detrended": found.removed}
    difference = difference_frame(series, curve, None if background is None else background.pixels)
    binned = bin_light_curve(curve, request.points)
    limits = {name: picture_limits(frame) for name, frame in (("median", median), ("difference", difference))}
    return {
        "aperture": aperture.astype(int).tolist(),
        "background_subtracted": background is not None,
        **removed,
        "lightcurve": _points(binned, cube.product.time_system, len(times)),
        "median": _frame(median),
        "difference": _frame(difference),
        "limits": {name: None if pair is None else _rounded(pair) for name, pair in limits.items()},
    }


def _points(curve: CurvePoints, time_system: str, n_cadences: int) -> dict[str, Any]:
    """Points of a light curve, with the trend if one was removed."""
    return {
        "time_system": time_system,
        "time": _rounded(curve.time.tolist(), _TIME_DIGITS),
        "flux": _rounded(curve.flux.tolist()),
        "error": _rounded(curve.error.tolist()),
        "quality": curve.quality.tolist(),
        **({} if curve.trend is None else {"trend": _rounded(curve.trend.tolist())}),
        "binned": curve.binned,
        "cadences": n_cadences,
    }


def build_preview(request: PreviewRequest, published: PublishedCube, backend: HasCubes) -> dict[str, Any]:
    """Read a window and build its preview.

    Raises
    ------
    NotFoundError
        If the window is not on the cube.
    TooLargeError
        If the window is too large for a preview.
    UsageError
        If the aperture is none of the window, or the light curve cannot be detrended.
    """
    cube = known_cube(published, backend)
    pixel, window = place_on(request, cube)
    _given_aperture(request)
    vectors = find_vectors(published, backend) if request.detrend == "cbv" else None
    series = read_window(published, cube, window, backend)
    distance = edge_distance(cube.layout, *pixel)
    picture = f"/v1/preview.png?{request.query}&image="
    return {
        "cube": request.cube,
        "window": {
            "first_row": window.first_row,
            "first_column": window.first_column,
            "rows": window.n_rows,
            "columns": window.n_columns,
            "science_pixels": count_science_pixels(cube.layout, window),
        },
        "target": {
            "row": round(pixel[0], 3),
            "column": round(pixel[1], 3),
            "edge_distance_px": round(distance, 1),
            "on_silicon": distance >= 0,
        },
        "wcs": _linear_wcs(cube, window),
        **_measure(request, cube, window, series, pixel, vectors=vectors),
        "units": cube.product.flux_unit,
        "pictures": {name: picture + name for name in PICTURES},
    }


def find_preview(request: PreviewRequest, published: PublishedCube, backend: HasCubes) -> tuple[bytes, bool]:
    """Preview as JSON, and whether it was found. Previews are kept for a day. Raises the errors of `build_preview`."""
    store, bucket = backend.store, backend.settings.result_bucket
    key = keys.preview(request.id_of(published))
    try:
        return store.read(bucket, key)[0], True
    except ObjectMissingError:
        pass
    document = json.dumps(build_preview(request, published, backend), separators=(",", ":"), allow_nan=False).encode()
    store.write(bucket, key, document)
    return document, False


def csv_of(preview: dict[str, Any]) -> str:
    """Light curve of a preview as CSV. Unknown values are empty."""
    curve = preview["lightcurve"]
    more = TREND if "trend" in curve else ()
    names = ("time", "flux", "error", "quality", *more)
    return format_csv(curve["time_system"], zip(*(curve[name] for name in names), strict=True), more)


def frame_of(preview: dict[str, Any], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Frame of a preview as an array with axes (row, column). Unknown pixels are NaN."""
    return np.array(preview[name], dtype=np.float64)
