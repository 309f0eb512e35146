"""One cutout in the form of astrocut: pixels, limits and WCS of one target in one extension."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.images.cut import ImageCut

if TYPE_CHECKING:
    from tessera.io.sources import Location


class CutoutInstance:
    """A cutout of one target from one extension.

    Parameters
    ----------
    file : str or Path
        File of the image, as it was given.
    coordinates : SkyCoord
        Position of the target.
    cut : ImageCut
        Pixels and header of the cutout.

    Attributes
    ----------
    data : ndarray, shape (n_rows, n_columns)
        Pixels.
    shape, shape_input : (int, int)
        Rows and columns of the cutout and of the image.
    slices_original : (slice, slice)
        Rows and columns of the image that are in the cutout.
    xmin_original, xmax_original, ymin_original, ymax_original : int
        Limits of these slices: x counts columns and y counts rows, from 0; the upper limits are excluded.
    wcs : WCS
        WCS of the cutout, with distortion. It is made at the first access.
    extension : int
        Number of the extension.
    """

    def __init__(self, file: Location, coordinates: SkyCoord, cut: ImageCut) -> None:
        self.file, self.coordinates, self.cut = file, coordinates, cut
        self.data: NDArray[Any] = cut.data
        self.shape, self.shape_input = cut.data.shape, cut.shape_input
        rows, columns = cut.overlap.rows, cut.overlap.columns
        self.slices_original = rows, columns
        self.xmin_original, self.xmax_original = columns.start, columns.stop
        self.ymin_original, self.ymax_original = rows.start, rows.stop
        self.extension = cut.extension

    @cached_property
    def wcs(self) -> WCS:
        """See the class."""
        return self.cut.wcs
