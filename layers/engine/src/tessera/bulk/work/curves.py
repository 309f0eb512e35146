"""Light curves of the targets of a cube, by the rules of previews and of `tessera.TargetPixels.to_lightcurve`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tessera.bulk.work.made import BulkCurve, Floats
from tessera.cubes.reader import Cube
from tessera.cutouts.barycentre import BarycentricTimes
from tessera.errors import NoOverlapError
from tessera.lightcurves.background import Background
from tessera.lightcurves.detrending.detrend import detrend_curve
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.lightcurves.detrending.words import Detrending
from tessera.lightcurves.masks import choose_mask
from tessera.lightcurves.photometry import CurvePoints, Mask, PixelSeries, background_series, centroids, sum_aperture
from tessera.tpf.flags import Flags
from tessera.windows import Window


@dataclass(frozen=True, eq=False)
class CurveMaker:
    """Makes light curves of targets of one cube.

    Parameters
    ----------
    cube : Cube
        The cube.
    background : bool
        Whether the local background is subtracted: in each cadence, the median of the pixels outside the aperture.
    detrend : {'none', 'pld', 'cbv'}
        What takes the trend from light curves.
    vectors : AlignedVectors or None
        Cotrending vectors of the cube; None if there are none.
    """

    cube: Cube
    background: bool = True
    detrend: Detrending = "none"
    vectors: AlignedVectors | None = None

    @cached_property
    def _barycentric(self) -> BarycentricTimes:
        return BarycentricTimes.of(self.cube)

    @cached_property
    def _cadence_number(self) -> NDArray[np.int32] | None:
        numbers = self.cube.series["cadence_number"]
        return numbers if numbers.any() else None

    def times(self, ra: float, dec: float) -> Floats:
        """Middle of each exposure, for a target.

        Parameters
        ----------
        ra, dec : float
            Position of the target at the time of the cube, ICRS degrees.

        Returns
        -------
        ndarray of float64, shape (n_cadences,)
            For SPOC frames, BTJD at the barycentre for the position of the target. For TICA frames, TJD as in the cube.

        Raises
        ------
        CubeFormatError
            When a cube of SPOC frames does not say for which direction its times are.
        """
        if not self.cube.product.barycentric:
            return np.asarray((self.cube.series["start"] + self.cube.series["stop"]) / 2, np.float64)
        return self._barycentric.middle + self._barycentric.change(ra, dec)

    def measure(
        self,
        window: Window,
        series: PixelSeries,
        aperture: str,
        pixel: tuple[float, float],
        times: Floats,
        *,
        flags: bool = False,
    ) -> BulkCurve:
        """Measure the light curve of one target.

        Parameters
        ----------
        window : Window
            Place of its pixels.
        series : PixelSeries
            Its pixels.
        aperture : str
            ``default``, ``threshold``, ``all``, or hexadecimal digits; see `tessera.lightcurves.masks`.
        pixel : (float, float)
            Row and column of the target on the frame; the centre of the first pixel is 0.
        times : ndarray of float64, shape (n_cadences,)
            Middle of each exposure.
        flags : bool, optional
            Whether collateral pixels are left out, and quality has Tessera's own flags; see `tessera.tpf.flags`.

        Raises
        ------
        InvalidInputError
            When the aperture is none of this window.
        NoOverlapError
            When no pixel of the aperture is on the frame.
        UnknownTrendError
            When the light curve cannot be detrended.
        """
        row, column = (math.floor(place + 0.5) for place in pixel)
        target = (float(row - window.first_row), float(column - window.first_column))
        quality = self.cube.series["quality"]
        if flags:
            series, found = _flagged(self.cube, window, series)
            quality = quality | found
        mask = choose_mask(aperture, series, quality, target, None)
        n_pixels = np.count_nonzero(mask & series.known)
        if not n_pixels:
            raise NoOverlapError("no pixel of the aperture is on the frame")
        level = background_series(series, mask) if self.background else None
        total = None if level is None else n_pixels * np.asarray(level, np.float64)
        points, removed = sum_aperture(series, mask, times, quality, level), ""
        rows, columns = centroids(series, mask, level)
        if self.detrend != "none":
            points, removed = self._detrended(points, series, mask, total)
        return BulkCurve(
            times,
            np.asarray(points.flux, np.float64),
            np.asarray(points.error, np.float64),
            total,
            rows + window.first_row,
            columns + window.first_column,
            np.asarray(points.quality, np.int32),
            self._cadence_number,
            mask,
            None if points.trend is None else np.asarray(points.trend, np.float64),
            removed,
        )

    def _detrended(
        self, points: CurvePoints, series: PixelSeries, mask: Mask, total: Floats | None
    ) -> tuple[CurvePoints, str]:
        """The light curve without trend, and what was removed."""
        background = None if total is None else Background(total / np.count_nonzero(mask & series.known), total)
        found = detrend_curve(self.detrend, points, series, mask, background, vectors=self.vectors)
        return found.points, found.removed


def _flagged(cube: Cube, window: Window, series: PixelSeries) -> tuple[PixelSeries, NDArray[np.int32]]:
    """Pixels without the collateral ones, and Tessera's own flags of the cadences."""
    flags = Flags.of(cube, window.first_row, window.first_column, window.shape)
    flux = flags.blanked(np.moveaxis(series.flux, -1, 0), np.nan)
    error = None if series.error is None else flags.blanked(np.moveaxis(series.error, -1, 0), np.nan)
    new = PixelSeries(
        np.moveaxis(flux, 0, -1), None if error is None else np.moveaxis(error, 0, -1), series.known & flags.science
    )
    return new, flags.cadences(flux)
