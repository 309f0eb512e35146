"""Windows and file names of cutouts of cubes, by the rules of astrocut 1.x."""

from __future__ import annotations

from collections.abc import Sequence

from astropy.coordinates import SkyCoord

from tessera.cubes.reader import Cube
from tessera.errors import NoOverlapError
from tessera.images.names import size_text
from tessera.images.sizes import side_pixels
from tessera.sky.positions import sky_to_pixel
from tessera.windows import Placement, Side, Window, check_window_shape, place_window


def rounded_window(cube: Cube, place: tuple[float, float], size: tuple[Side, Side], rule: Placement) -> Window:
    """Window of a target, rounded as in astrocut 1.x: each limit separately.

    `Placement.ROUND` has two effects that `tessera.cutouts.placing.find_window` avoids. A window whose limits are
    exactly between two pixels gets one pixel too many or too few. The target is one pixel off the centre of most
    windows of odd size.

    Parameters
    ----------
    cube : Cube
        Cube whose WCS and shape are used.
    place : (float, float)
        Right ascension and declination of the target, ICRS degrees.
    size : tuple of int, float or Quantity
        Columns and rows, in the order of `tessera.inputs.parse_size_input`.
    rule : Placement
        Rule from `tessera.inputs.check_rounding`.

    Raises
    ------
    InvalidValueError
        When the window is too large for a cube.
    NoOverlapError
        When the window does not touch the frame.
    """
    pixel = sky_to_pixel(cube.wcs, *place)
    if pixel is None:
        raise NoOverlapError(f"{place[0]:.8f} {place[1]:.8f} is far from {cube.name}")
    per_row, per_column = cube.pixel_scales
    window = place_window(*pixel, side_pixels(size[1], per_row), side_pixels(size[0], per_column), rule)
    check_window_shape(*window.shape)
    window.overlap(cube.layout.n_rows, cube.layout.n_columns)
    return window


def cutout_name(stem: str, sky: SkyCoord, size: tuple[Side, Side]) -> str:
    """File name of a cutout in astrocut 1.2 and later: it contains the size that the user gave."""
    return f"{stem}_{sky.ra.deg:.7f}_{sky.dec.deg:.7f}_{size_text(size)}_astrocut.fits"


def legacy_cutout_name(stem: str, sky: SkyCoord, window: Window) -> str:
    """File name of a cutout in the TESSCut service: it contains the columns x rows of the window."""
    return f"{stem}_{sky.ra.deg:.6f}_{sky.dec.deg:.6f}_{window.n_columns}x{window.n_rows}_astrocut.fits"


def zip_name(coordinates: Sequence[SkyCoord], size: tuple[Side, Side]) -> str:
    """File name of an archive of cutouts."""
    if len(coordinates) > 1:
        return "astrocut_tess_cutouts.zip"
    sky = coordinates[0]
    return f"astrocut_{sky.ra.deg:.7f}_{sky.dec.deg:.7f}_{size_text(size)}.zip"
