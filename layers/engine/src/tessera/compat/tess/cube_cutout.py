"""One cutout in the form of astrocut: arrays, limits and WCS of one target in one cube."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, NoWcsKeywordsFoundError
from numpy.typing import NDArray

from tessera import __version__
from tessera.cubes.frame_checks import TAN_SIP
from tessera.cubes.reader import Cube, find_wcs_cadence
from tessera.cubes.window_pixels import Cutout
from tessera.sky.wcs import LinearWcs, fit_linear_wcs, frame_wcs
from tessera.tess.star import Star
from tessera.tpf.fixed import TpfRequest

WcsFit: TypeAlias = "dict[str, list[Any]]"


@dataclass(eq=False)
class CubeCutoutInstance:
    """Pixels of one target in one cube, with their limits and their WCS.

    Parameters
    ----------
    cube_filename : str or Path
        Path or address of the cube, as the user gave it.
    coordinates : SkyCoord
        Position of the target as it was given, ICRS.
    cube : Cube
        Headers, times and layout of the cube.
    cutout : Cutout
        Pixels of the cutout.
    position : (float, float), optional
        Right ascension and declination for RA_OBJ and DEC_OBJ, ICRS degrees; by default those of `coordinates`.
    star : Star, optional
        What is known about the target.
    """

    cube_filename: str | os.PathLike[str]
    coordinates: SkyCoord
    cube: Cube
    cutout: Cutout
    position: tuple[float, float] | None = None
    star: Star | None = None

    @property
    def data(self) -> NDArray[np.float32]:
        """Flux, shape (n_cadences, n_rows, n_columns)."""
        flux: NDArray[np.float32] = self.cutout.planes[0]
        return flux

    @property
    def uncertainty(self) -> NDArray[np.float32] | None:
        """Errors of the flux, in the shape of `data`; None for TICA cubes, because these have no errors."""
        return self.cutout.planes[1] if self.cube.product.n_planes == 2 else None

    @property
    def aperture(self) -> NDArray[np.int32]:
        """1 where the frame has pixels, 0 elsewhere, shape (n_rows, n_columns)."""
        return self.cutout.aperture

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of `data`."""
        return self.data.shape

    @property
    def cutout_lims(self) -> NDArray[np.int_]:
        """Limits in pixels of the frame, counted from 0: [[first column, stop column], [first row, stop row]].

        The stop column and the stop row are excluded.
        """
        window = self.cutout.window
        return np.array([[window.first_column, window.stop_column], [window.first_row, window.stop_row]])

    @cached_property
    def cube_wcs(self) -> WCS:
        """WCS of the frame, with distortion."""
        return with_shape(self.cube.wcs.deepcopy(), self.cube.layout.n_rows, self.cube.layout.n_columns)

    @cached_property
    def _linear(self) -> LinearWcs:
        return fit_linear_wcs(self.cube.wcs, self.cutout.window)

    @cached_property
    def wcs(self) -> WCS:
        """Linear WCS of the cutout."""
        return with_shape(self._linear.wcs, self.cutout.window.n_rows, self.cutout.window.n_columns)

    @cached_property
    def wcs_fit(self) -> WcsFit:
        """Distance between `wcs` and the WCS of the frame: WCS_MSEP and WCS_SIG, each [degrees, comment]."""
        return {
            "WCS_MSEP": [self._linear.max_separation, "[deg] Max offset between cutout WCS and FFI WCS"],
            "WCS_SIG": [self._linear.sigma, "[deg] Error measurement of cutout WCS fit"],
        }

    def tpf_request(self, creator: str) -> TpfRequest:
        """Input of the cutout's target pixel file.

        Parameters
        ----------
        creator : str
            Value of the CREATOR card.
        """
        ra, dec = self.position or (float(self.coordinates.ra.deg), float(self.coordinates.dec.deg))
        return TpfRequest(self.cube, self.cutout, ra, dec, __version__, creator=creator, star=self.star)


def with_shape(wcs: WCS, n_rows: int, n_columns: int) -> WCS:
    """Set the shape of a WCS's image, in place, and return the WCS."""
    wcs.pixel_shape = (n_columns, n_rows)
    return wcs


def read_row_cards(table: fits.FITS_rec, cadence: int) -> dict[str, Any]:
    """Cards of one frame, from its row of the info table. Cards without a value are left out."""
    nulls = {column.name: column.null for column in table.columns}
    row = table[cadence]
    cards = {}
    for name in table.columns.names:
        value = row[name]
        item = value.item() if isinstance(value, np.generic) else value
        if not (isinstance(item, float) and math.isnan(item)) and (nulls[name] is None or item != nulls[name]):
            cards[name] = item
    return cards


def parse_table_wcs(
    table_data: fits.FITS_rec,
    wcs_axes_keyword: str = "CTYPE2",
    wcs_axes_value: str = TAN_SIP,
    return_header: bool = False,
) -> WCS | tuple[WCS, fits.Header]:
    """Find the WCS that represents all frames of a cube.

    Parameters
    ----------
    table_data : FITS_rec
        Data of the cube's info table (HDU 2).
    wcs_axes_keyword, wcs_axes_value : str, optional
        Name of the column that shows whether a row has a WCS, and the value of that column in such a row.
    return_header : bool, optional
        Whether to return the row as a header, too.

    Returns
    -------
    WCS or (WCS, Header)
        WCS of the middle row. If that row has none: WCS of the next row that has one; the first row follows the last.

    Raises
    ------
    NoWcsKeywordsFoundError
        When no row has a WCS.
    """
    known = wcs_axes_keyword in table_data.columns.names
    cadence = find_wcs_cadence(list(table_data[wcs_axes_keyword]) if known else [], wcs_axes_value)
    if cadence is None:
        raise NoWcsKeywordsFoundError("No FFI rows contain valid WCS keywords.")
    cards = read_row_cards(table_data, cadence)
    wcs = frame_wcs(cards)
    if {"NAXIS1", "NAXIS2"} <= cards.keys():
        wcs = with_shape(wcs, cards["NAXIS2"], cards["NAXIS1"])
    return (wcs, fits.Header(cards.items())) if return_header else wcs
