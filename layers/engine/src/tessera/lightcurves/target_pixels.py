"""Target pixels: the pixels around a target in every cadence, and light curves of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera.errors import InvalidInputError, NoCadenceError
from tessera.extras import import_extra
from tessera.lightcurves.background import Background as FoundBackground
from tessera.lightcurves.background import BackgroundModel, check_background, find_background, subtract_background
from tessera.lightcurves.detrending.alignment import VectorSource, align_vectors, open_vectors
from tessera.lightcurves.detrending.detrend import detrend_curve
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.lightcurves.detrending.words import Detrending, check_detrend
from tessera.lightcurves.facts import facts_of, place_texts
from tessera.lightcurves.html import pixels_html
from tessera.lightcurves.light_curve import LightCurve
from tessera.lightcurves.made import measured_from
from tessera.lightcurves.masks import MaskChoice, choose_mask
from tessera.lightcurves.photometry import Mask, PixelSeries, median_frame, sum_aperture
from tessera.lightcurves.pixel_files.content import read_content
from tessera.lightcurves.pixel_files.opening import TpfSource, open_tpf
from tessera.lightcurves.quality import Quality, quality_bits

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from matplotlib.axes import Axes

Background: TypeAlias = "Literal['default'] | BackgroundModel | bool"


@dataclass(frozen=True, eq=False, repr=False)
class TargetPixels:
    """The pixels around a target in every cadence. `TargetPixels.read` makes them from a target pixel file.

    Parameters
    ----------
    flux : ndarray of float32, shape (n_cadences, n_rows, n_columns)
        Flux of each pixel, in `flux_unit`.
    flux_err : ndarray of float32, shape (n_cadences, n_rows, n_columns), or None
        Error of the flux; None if it is not known, as for TICA frames.
    time : ndarray of float64, shape (n_cadences,)
        Middle of each exposure in days since JD 2457000, TDB.
    quality : ndarray of int32, shape (n_cadences,)
        Quality bits; 0 is good.
    time_system : {'BTJD', 'TJD'}
        Where the times are taken: BTJD at the barycentre of the solar system, TJD at the spacecraft.
    flux_unit : str, optional
        Unit of the flux.
    cadence_numbers : ndarray of int32, shape (n_cadences,), optional
        The spacecraft's count of exposures; None if it is not known, as for SPOC frames.
    known : ndarray of bool, shape (n_rows, n_columns), optional
        True for pixels on the frame. By default, the pixels that are not NaN in all cadences.
    pipeline_mask : ndarray of bool, shape (n_rows, n_columns), optional
        Aperture of the mission's pipeline; only the mission's own target pixel files have one.
    target_pixel : (float, float), optional
        Row and column of the target; the centre of the first pixel is 0. By default the middle of the pixels.
    wcs : astropy.wcs.WCS, optional
        WCS of the pixels; axis 1 counts columns. Files of moving targets have none, because their pixels move.
    first_pixel : (int, int), optional
        Row and column of the first pixel on the frame, from 0.
    background_subtracted : bool, optional
        Whether the background is already subtracted from the pixels, as in the mission's own target pixel files.
    header : astropy.io.fits.Header, optional
        Cards of the file's primary header.
    name : str, optional
        Name of the file.
    hdus : astropy.io.fits.HDUList, optional
        The whole file in memory.

    Examples
    --------
    >>> import numpy as np
    >>> from tessera import TargetPixels
    >>> flux = np.full((3, 5, 5), 10.0, np.float32)
    >>> flux[:, 2, 2] = [510.0, 520.0, 530.0]
    >>> time, quality = np.array([1325.0, 1325.02, 1325.04]), np.zeros(3, np.int32)
    >>> pixels = TargetPixels(flux, None, time, quality, "BTJD")
    >>> pixels
    <TargetPixels: 3 cadences of 5 x 5 pixels>
    >>> pixels.to_lightcurve().flux.tolist()
    [500.0, 510.0, 520.0]
    """

    flux: NDArray[np.float32]
    flux_err: NDArray[np.float32] | None
    time: NDArray[np.float64]
    quality: NDArray[np.int32]
    time_system: str
    flux_unit: str = "e-/s"
    cadence_numbers: NDArray[np.int32] | None = None
    known: Mask | None = None
    pipeline_mask: Mask | None = None
    target_pixel: tuple[float, float] | None = None
    wcs: WCS | None = None
    first_pixel: tuple[int, int] | None = None
    background_subtracted: bool = False
    header: fits.Header = field(default_factory=fits.Header)
    name: str = ""
    hdus: fits.HDUList | None = None

    @classmethod
    def read(cls, source: TpfSource, member: str | None = None) -> Self:
        """Read a target pixel file of Tessera, TESSCut, astrocut or the mission.

        Parameters
        ----------
        source : str, Path, bytes, HDUList or result
            Path or URL of a target pixel file or of a zip archive with one; its bytes; an HDUList of astropy; or a
            result of `make_cutouts` or `make_moving_cutouts`. Files may be packed with gzip.
        member : str, optional
            Name of the file, for a zip archive with several.

        Returns
        -------
        TargetPixels
            The pixels. The whole file is in memory.

        Raises
        ------
        InvalidInputError
            When `source` is something else, or a result without a file.
        UnreadableFileError
            When the file cannot be read.
        TpfFormatError
            When the file is not a target pixel file, or is damaged.
        """
        name, hdus = open_tpf(source, member)
        return cls(**read_content(name, hdus), name=name, hdus=hdus)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of cadences, of rows and of columns."""
        n_cadences, n_rows, n_columns = self.flux.shape
        return n_cadences, n_rows, n_columns

    @property
    def _series(self) -> PixelSeries:
        known = np.asarray(~np.isnan(self.flux).all(axis=0)) if self.known is None else self.known
        error = None if self.flux_err is None else np.moveaxis(self.flux_err, 0, -1)
        return PixelSeries(np.moveaxis(self.flux, 0, -1), error, known)

    @property
    def median(self) -> NDArray[np.floating[Any]]:
        """Median of the cadences without quality bits, shape (n_rows, n_columns)."""
        return median_frame(self._series, self.quality)

    @property
    def facts(self) -> dict[str, Any]:
        """What the header says about the target and the observation: ra, dec, sector, camera, ccd and so on.

        Facts that are not known are left out.
        """
        return facts_of(self.header)

    def mask(self, mask: MaskChoice = "default") -> Mask:
        """Return an aperture as an array.

        Parameters
        ----------
        mask : {'default', 'threshold', 'pipeline', 'all'}, hexadecimal digits, or array, optional
            See `to_lightcurve`.

        Returns
        -------
        ndarray of bool, shape (n_rows, n_columns)
            True for pixels in the aperture.

        Raises
        ------
        InvalidInputError
            When `mask` is not an aperture of these pixels.
        """
        middle = ((self.shape[1] - 1) / 2, (self.shape[2] - 1) / 2)
        return choose_mask(mask, self._series, self.quality, self.target_pixel or middle, self.pipeline_mask)

    def to_lightcurve(
        self,
        mask: MaskChoice = "default",
        background: Background = "default",
        quality: Quality = "default",
        detrend: Detrending = "none",
        vectors: VectorSource | None = None,
    ) -> LightCurve:
        """Sum the pixels of an aperture in every cadence.

        Parameters
        ----------
        mask : {'default', 'threshold', 'pipeline', 'all'}, hexadecimal digits, or array, optional
            Pixels to sum. 'threshold' takes the pixels that are more than three standard deviations above the median
            of the median frame and are connected to the pixel of the target. 'pipeline' is the aperture of the
            mission's pipeline, which only the mission's files have. 'default' is 'pipeline' if there is one, otherwise
            'threshold'. Digits are those of the web page and of ``/v1/preview``. An array has True or 1 for the pixels
            to sum, in the shape (n_rows, n_columns).
        background : 'default', bool, 'median', 'rows' or 'components', optional
            Whether to subtract the background, and which: 'median' or True is, in each cadence, the median of the
            pixels outside the aperture; 'rows' is this median of each row; 'components' is the combination of the
            five first principal components of these pixels that fits the light curve best. By default the median is
            subtracted, except where the file says that the background already is.
        quality : {'default', 'hard', 'hardest', 'none'} or int, optional
            Quality bits, as in lightkurve. Cadences with one of these bits are left out, and so are cadences without
            a time.
        detrend : {'none', 'pld', 'cbv'}, optional
            How to take away what comes from the instrument. 'pld' is pixel level decorrelation: what the principal
            components of the pixels explain beside slow changes. It needs pixels without background. 'cbv' is what
            cotrending vectors of the CCD explain. Fits leave out cadences with quality bits, transits and flares.
            Cadences with scattered light at the target then have the quality bit 2^28.
        vectors : str, Path, bytes or CotrendingVectors, optional
            File of cotrending vectors, for 'cbv'.

        Returns
        -------
        LightCurve
            One point per cadence that is kept. The flux is NaN where a pixel of the aperture is NaN.

        Raises
        ------
        InvalidInputError
            When an option has a value that is not allowed.
        NoCadenceError
            When no cadence is kept.
        """
        model = check_background(not self.background_subtracted if background == "default" else background)
        method, bits, aperture = check_detrend(detrend), quality_bits(quality), self.mask(mask)
        level = self._level(aperture, model, background)
        points = subtract_background(sum_aperture(self._series, aperture, self.time, self.quality), level)
        removed, aligned = "", self._vectors(method, vectors)
        measures: dict[str, Any] = {"mask": mask, "background": background, "quality": quality, "detrend": detrend}
        measures["vectors"] = None if aligned is None else aligned.origin
        if method != "none":
            clean = self.background_subtracted
            found = detrend_curve(method, points, self._series, aperture, level, vectors=aligned, clean=clean)
            points, removed = found.points, found.removed
        keep = ((self.quality & bits) == 0) & np.isfinite(self.time)
        if not keep.any():
            raise NoCadenceError(f"no cadence of {self.name or 'these pixels'} is kept by quality {quality!r}")
        return LightCurve(
            points.time[keep],
            points.flux[keep],
            points.error[keep],
            points.quality[keep],
            self.time_system,
            self.flux_unit,
            None if level is None else level.total[keep],
            None if self.cadence_numbers is None else self.cadence_numbers[keep],
            aperture,
            self.background_subtracted or level is not None,
            self.header,
            self.name,
            None if points.trend is None else points.trend[keep],
            removed,
            measured_from(self.hdus, self.header.get("OBJECT"), measures),
        )

    def _level(self, aperture: Mask, model: str | None, given: Background) -> FoundBackground | None:
        """Background to subtract; None for none."""
        level = find_background(self._series, aperture, self.quality, model) if model else None
        if level is None and model and given != "default":
            raise InvalidInputError("background", given, "False, because no pixel is outside the mask")
        return level

    def _vectors(self, method: str, source: VectorSource | None) -> AlignedVectors | None:
        """Cotrending vectors in the cadences of these pixels."""
        if (source is not None) != (method == "cbv"):
            allowed = "a file of cotrending vectors" if source is None else "no vectors"
            raise InvalidInputError("vectors", source, f"{allowed} with detrend={method!r}")
        if source is None:
            return None
        return align_vectors(open_vectors(source), self.time, self.cadence_numbers, self.facts)

    def plot(self, ax: Axes | None = None, mask: MaskChoice | None = "default") -> Axes:
        """Draw the median frame, with the aperture outlined and the directions north and east.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        mask : optional
            Aperture to outline; see `to_lightcurve`. None outlines none.

        Returns
        -------
        matplotlib Axes
            Rows and columns are those on the frame, from 0, if they are known.

        Raises
        ------
        MissingPackageError
            When matplotlib is not installed.
        """
        from tessera.lightcurves.plots import draw_pixels  # noqa: PLC0415 - matplotlib is an extra

        return draw_pixels(self, ax, mask)

    def to_lightkurve(self, quality: Quality = "default") -> Any:
        """Return the pixels as a ``TessTargetPixelFile`` of lightkurve.

        Parameters
        ----------
        quality : optional
            Cadences to leave out; see `to_lightcurve`.

        Raises
        ------
        InvalidInputError
            When the pixels were not read from a file.
        MissingPackageError
            When lightkurve is not installed.
        """
        if self.hdus is None:
            raise InvalidInputError("hdus", None, "pixels that TargetPixels.read made of a file")
        bits = quality_bits(quality)
        lightkurve = import_extra("lightkurve", "objects of lightkurve")
        return lightkurve.TessTargetPixelFile(self.hdus, quality_bitmask=bits)

    def __repr__(self) -> str:
        n_cadences, n_rows, n_columns = self.shape
        about = [f"{n_cadences} cadences of {n_rows} x {n_columns} pixels", *place_texts(self.facts)]
        return f"<TargetPixels: {', '.join(about)}>"

    def _repr_html_(self) -> str:
        return pixels_html(self)
