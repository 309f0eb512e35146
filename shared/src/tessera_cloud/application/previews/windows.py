"""Windows around a position on one cube, and their pixels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tessera.cubes.read_ahead import read_rows
from tessera.cubes.read_plan import plan_reads
from tessera.cubes.reader import Cube
from tessera.errors import NoOverlapError
from tessera.io.ranges import REQUESTS_IN_FLIGHT
from tessera.lightcurves.photometry import PixelSeries
from tessera.lightcurves.preview import assemble_series, series_of
from tessera.sky.positions import sky_to_pixel
from tessera.windows import Placement, Window, place_window
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.cutouts.options import Finite
from tessera_cloud.application.facts import frame_pixels
from tessera_cloud.application.results import order_id
from tessera_cloud.application.sidecar import cube_ranges
from tessera_cloud.contracts import Asked, PublishedCube
from tessera_cloud.errors import NotFoundError, TooLargeError, as_text

MAX_VALUES = 30_000_000
"""Largest number of pixels times cadences of a preview."""


class WindowRequest(Asked):
    """A window around a position on one cube.

    Parameters
    ----------
    cube : str
        Name of the cube, such as ``tess-s0001-4-2``.
    ra, dec : float
        ICRS degrees.
    rows, columns : int
        Shape of the window in pixels.
    """

    cube: str
    ra: Finite
    dec: Finite
    rows: int
    columns: int

    def id_of(self, published: PublishedCube) -> str:
        """Hash of the request and the version of its cube."""
        return order_id(self.model_dump(mode="json"), published.bucket, published.key, published.etag)


def _has_pixels(window: Window, cube: Cube) -> bool:
    try:
        window.overlap(cube.layout.n_rows, cube.layout.n_columns)
    except NoOverlapError:
        return False
    return True


def place_on(request: WindowRequest, cube: Cube) -> tuple[tuple[float, float], Window]:
    """Pixel of the position, and the window around it.

    Raises
    ------
    NotFoundError
        If the window is not on the cube.
    TooLargeError
        If the window is too large for a preview.
    """
    pixel = sky_to_pixel(cube.wcs, request.ra, request.dec)
    window = None if pixel is None else place_window(*pixel, request.rows, request.columns, Placement.CENTRE)
    if pixel is None or window is None or not _has_pixels(window, cube):
        raise NotFoundError(
            f"{request.cube} has no pixels around ra {as_text(request.ra)}, dec {as_text(request.dec)}",
            parameter="cube",
            value=request.cube,
            allowed="a cube of /v1/targets for this position",
        )
    values = request.rows * request.columns * cube.layout.n_cadences
    if values > MAX_VALUES:
        raise TooLargeError.about("size", f"{request.rows},{request.columns}", f"{MAX_VALUES:,} pixels x cadences")
    return pixel, window


def read_window(published: PublishedCube, cube: Cube, window: Window, backend: HasCubes) -> PixelSeries:
    """Read a window with the same range requests as a cutout."""
    store = backend.store
    if frames := frame_pixels(published, backend):
        with ThreadPoolExecutor(REQUESTS_IN_FLIGHT) as pool:
            return series_of(frames.cutout(window, pool))
    reads = plan_reads(cube.layout, cube.data_offset, window.overlap(cube.layout.n_rows, cube.layout.n_columns))
    read = cube_ranges(published, cube, store)
    with ThreadPoolExecutor(min(REQUESTS_IN_FLIGHT, len(reads))) as pool:
        return assemble_series(cube.layout, window, read_rows(pool, read, reads))
