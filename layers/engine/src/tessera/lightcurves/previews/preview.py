"""The numbers of a preview: aperture, light curve, median and difference frame of a window, and where it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tessera.cubes.reader import Cube
from tessera.cutouts.origin.cube_record import cube_record
from tessera.lightcurves.background import find_background, subtract_background
from tessera.lightcurves.detrending.detrend import detrend_curve
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.lightcurves.photometry import (
    CurvePoints,
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
from tessera.lightcurves.previews.recipe import PreviewRecipe
from tessera.provenance.record import Origin, Record, canonical_json, sha256_text
from tessera.sky.wcs import fit_linear_wcs
from tessera.windows import Window

PROVENANCE = "provenance"
"""Name of the field with the record of a preview."""
OTHERS = (PROVENANCE, "pictures")
"""Fields that are not made from the cube: the record, and addresses of the service."""
_DIGITS, _TIME_DIGITS = 7, 11
"""Significant digits of pixels, which are float32, and of times, which are exact to a thousandth of a second."""


def build_preview(
    recipe: PreviewRecipe, cube: Cube, series: PixelSeries, vectors: AlignedVectors | None = None
) -> dict[str, Any]:
    """Build a preview, without `OTHERS`.

    Parameters
    ----------
    recipe : PreviewRecipe
        What is wanted.
    cube : Cube
        The cube.
    series : PixelSeries
        Pixels of the window.
    vectors : AlignedVectors, optional
        Cotrending vectors of the cube, for ``detrend`` ``cbv``.

    Raises
    ------
    InvalidValueError
        When the aperture is none of the window.
    UnknownTrendError
        When the light curve cannot be detrended.
    """
    window = recipe.window
    distance = edge_distance(cube.layout, recipe.row, recipe.column)
    return {
        "cube": recipe.cube,
        "window": {
            "first_row": window.first_row,
            "first_column": window.first_column,
            "rows": window.n_rows,
            "columns": window.n_columns,
            "science_pixels": count_science_pixels(cube.layout, window),
        },
        "target": {
            "row": round(recipe.row, 3),
            "column": round(recipe.column, 3),
            "edge_distance_px": round(distance, 1),
            "on_silicon": distance >= 0,
        },
        "wcs": _linear_wcs(cube, window),
        **_measure(recipe, cube, series, vectors),
        "units": cube.product.flux_unit,
    }


def digest_preview(preview: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of the data of a preview: the SHA-256 of the canonical JSON of all but `OTHERS`."""
    return {"sha256": sha256_text(canonical_json({name: preview[name] for name in preview if name not in OTHERS}))}


def preview_record(recipe: PreviewRecipe, origin: Origin, preview: Mapping[str, Any]) -> Record:
    """The record of a preview."""
    return cube_record("preview", origin, recipe.document, digest_preview(preview))


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


def _measure(recipe: PreviewRecipe, cube: Cube, series: PixelSeries, vectors: AlignedVectors | None) -> dict[str, Any]:
    """Aperture, light curve and frames of the pixels of a window."""
    quality, window = cube.series["quality"], recipe.window
    median = median_frame(series, quality)
    if recipe.aperture:
        aperture = parse_aperture(recipe.aperture, window.n_rows, window.n_columns)
    else:
        row, column = (math.floor(place + 0.5) for place in (recipe.row, recipe.column))
        aperture = threshold_aperture(median, row - window.first_row, column - window.first_column)
    model = recipe.background
    background = None if model == "none" else find_background(series, aperture, quality, model)
    times = (cube.series["start"] + cube.series["stop"]) / 2
    curve = subtract_background(sum_aperture(series, aperture, times, quality), background)
    removed: dict[str, Any] = {}
    if recipe.detrend != "none":
        found = detrend_curve(recipe.detrend, curve, series, aperture, background, vectors=vectors)
        curve, removed = found.points, {"detrended": found.removed}
    difference = difference_frame(series, curve, None if background is None else background.pixels)
    limits = {name: picture_limits(frame) for name, frame in (("median", median), ("difference", difference))}
    return {
        "aperture": aperture.astype(int).tolist(),
        "background_subtracted": background is not None,
        **removed,
        "lightcurve": _points(bin_light_curve(curve, recipe.points), cube.product.time_system, len(times)),
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


def frame_of(preview: Mapping[str, Any], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Frame of a preview as an array with axes (row, column). Unknown pixels are NaN."""
    return np.array(preview[name], dtype=np.float64)
