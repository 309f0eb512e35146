"""Detrended light curves of previews."""

from __future__ import annotations

from tessera.cubes.reader import Cube
from tessera.errors import UnknownTrendError, UnreadableFileError
from tessera.lightcurves.background import Background
from tessera.lightcurves.detrending.detrend import DetrendedCurve, detrend_curve
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.lightcurves.photometry import CurvePoints, Mask, PixelSeries
from tessera_cloud import keys
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.lightcurves.vectors import NO_VECTORS, vectors_beside
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import UsageError


def find_vectors(published: PublishedCube, cube: Cube, backend: HasCubes) -> AlignedVectors:
    """Read the cotrending vectors of a cube, which are beside it if this service has built it.

    Raises
    ------
    UsageError
        If there are none.
    """
    vectors = vectors_beside(published, backend)
    if vectors is None:
        raise UsageError.about("detrend", "cbv", NO_VECTORS)
    if vectors.vectors.shape[1] != cube.layout.n_cadences:
        raise UnreadableFileError(keys.vectors_of(published.key), "it has the cadences of another cube")
    return AlignedVectors(vectors.vectors, vectors.gap)


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
