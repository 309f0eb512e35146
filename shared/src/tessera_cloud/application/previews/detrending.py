"""Detrended light curves of previews."""

from __future__ import annotations

from tessera.errors import UnknownTrendError
from tessera.lightcurves.background import Background
from tessera.lightcurves.detrending.detrend import DetrendedCurve, detrend_curve
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.lightcurves.photometry import CurvePoints, Mask, PixelSeries
from tessera_cloud.errors import UsageError


def detrend_preview(
    method: str,
    curve: CurvePoints,
    series: PixelSeries,
    aperture: Mask,
    background: Background | None,
    *,
    vectors: AlignedVectors | None,
) -> DetrendedCurve:
    """Detrend a light curve; see `tessera.lightcurves.detrending.detrend.detrend_curve`.

    Raises
    ------
    UsageError
        If this light curve cannot be detrended.
    """
    try:
        return detrend_curve(method, curve, series, aperture, background, vectors=vectors)
    except UnknownTrendError as error:
        raise UsageError.about("detrend", method, error.allowed) from error
