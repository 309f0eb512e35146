"""What `FITSCutout` says of a cutout."""

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
        Where it is from.
    coordinates : SkyCoord
        Target.
    cut : ImageCut
        The cutout.

    Attributes
    ----------
    data : ndarray, (rows, columns)
        Pixels.
    shape, shape_input : (int, int)
        Rows and columns of the cutout and of the image.
    slices_original : (slice, slice)
        Rows and columns of the image that the cutout shows.
    xmin_original, xmax_original, ymin_original, ymax_original : int
        The limits of these slices; x are columns.
    wcs : WCS
        Of the cutout, distortion included; made when it is first asked for.
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
