"""Targets that stay where they are and that a position or corners describe."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from tessera.errors import NoOverlapError
from tessera.sky.footprint import Footprint, sky_box
from tessera.sky.positions import sky_to_pixel
from tessera.tess.star import Star
from tessera.windows import MAX_WINDOW, CubePlacement, Placement, Window, check_window_shape, place_window
from tessera_cloud.application.cutouts.options import DEGREES_PER_PIXEL, CutoutOptions, Finite, read_apertures
from tessera_cloud.application.cutouts.target import SizedTarget, StillTarget, check_pixels, separation
from tessera_cloud.application.index.footprint_index import EDGE_MARGIN, FootprintIndex
from tessera_cloud.contracts import PublishedCube

if TYPE_CHECKING:
    from collections.abc import Callable

    from tessera.cubes.info_rows import InfoRows
    from tessera.cubes.reader import Cube
    from tessera_cloud.application.cutouts.planned import PlannedCutout


def _area(ra: float, dec: float, height: float, width: float) -> Footprint:
    """Where on the sky cubes are looked for: the cutout and the bulge of the frames' edges."""
    return sky_box(ra, dec, width + 2 * EDGE_MARGIN, height + 2 * EDGE_MARGIN)


class _Placed(StillTarget):
    """A target that has a position."""

    ra: Finite
    dec: Finite

    @property
    def position(self) -> tuple[float, float]:
        """Right ascension and declination, ICRS degrees."""
        return self.ra, self.dec

    @abstractmethod
    def search_area(self) -> Footprint:
        """Where on the sky cubes are looked for."""

    @abstractmethod
    def _place(self, cube: Cube, placement: CubePlacement) -> Window | None:
        """Window on a cube or beside it; None where the cube's WCS has no answer."""

    def find_cubes(self, index: FootprintIndex, options: CutoutOptions) -> list[PublishedCube]:
        """Cubes whose footprint shares a point with the search area, in index order."""
        sectors = None if options.sectors is None else frozenset(options.sectors)
        return index.find(self.search_area(), sectors, options.product)

    def find_window(self, cube: Cube, placement: CubePlacement) -> Window | None:
        """Window on a cube, or None where they do not overlap."""
        window = self._place(cube, placement)
        if window is None:
            return None
        try:
            window.overlap(cube.layout.n_rows, cube.layout.n_columns)
        except NoOverlapError:
            return None
        return window


class Position(SizedTarget, _Placed):
    """A window around a position.

    Parameters
    ----------
    ra, dec : float
        ICRS degrees.
    size : Size
        Of the window.
    star : Star, optional
        What is known about the target, for the headers of its files. Requests for the same position with another star
        are different requests, because their files differ.
    aperture : str, optional
        Optimal apertures of the files; see `tessera_cloud.application.cutouts.options`. The size is in pixels then.
    """

    kind: Literal["position"] = "position"
    star: Star | None = None
    aperture: str = ""

    def search_area(self) -> Footprint:
        """The window, about."""
        return _area(self.ra, self.dec, *self.size.degrees())

    def plan(
        self,
        published: PublishedCube,
        cube: Cube,
        options: CutoutOptions,
        most_pixels: int,
        read_info: Callable[[], InfoRows],
    ) -> PlannedCutout | None:
        """The window on one cube, and what its file says of it."""
        planned = super().plan(published, cube, options, most_pixels, read_info)
        if planned is None:
            return None
        return replace(planned, star=self.star, aperture=read_apertures(self.aperture).of(published.obs_id))

    def _place(self, cube: Cube, placement: CubePlacement) -> Window | None:
        pixel = sky_to_pixel(cube.wcs, self.ra, self.dec)
        if pixel is None:
            return None
        window = place_window(*pixel, *self.size.sides(*cube.pixel_scales), Placement(placement))
        check_window_shape(*window.shape)
        return window


class Region(_Placed):
    """The box of pixels that holds the corners of a region.

    Parameters
    ----------
    ra, dec : float
        Middle of the region, ICRS degrees.
    corners : tuple of (float, float)
        Right ascension and declination in degrees.
    """

    kind: Literal["region"] = "region"
    corners: Annotated[tuple[tuple[Finite, Finite], ...], Field(min_length=3)]

    @property
    def sized_by(self) -> str:
        """The region."""
        return "region"

    def _degrees(self) -> float:
        return 2 * max(separation((self.ra, self.dec), corner) for corner in self.corners)

    def _side(self) -> int:
        """Pixels of the side of a square that holds the region however it lies."""
        return max(1, round(self._degrees() / DEGREES_PER_PIXEL))

    def about_pixels(self, cube: PublishedCube) -> int:  # noqa: ARG002 - the same on each cube
        """Pixels of a square that holds the region however it lies."""
        return self._side() ** 2

    def check_size(self, cubes: Sequence[PublishedCube], most_pixels: int) -> None:  # noqa: ARG002 - see above
        """Refuse a region if half of the rows and columns of that square are too many."""
        half = self._side() // 2
        check_pixels(half, half, most_pixels, self.sized_by)

    def search_area(self) -> Footprint:
        """A square that holds the region."""
        side = self._degrees()
        return _area(self.ra, self.dec, side, side)

    def _place(self, cube: Cube, placement: CubePlacement) -> Window | None:  # noqa: ARG002 - a region has none
        """The box of pixels that holds the corners."""
        pixels = [sky_to_pixel(cube.wcs, ra, dec) for ra, dec in self.corners]
        known = [pixel for pixel in pixels if pixel is not None]
        if len(known) != len(pixels):
            return None
        (first_row, first_column), (last_row, last_column) = (
            tuple(math.floor(side(axis) + 0.5) for axis in zip(*known, strict=True)) for side in (min, max)
        )
        rows, columns = last_row - first_row + 1, last_column - first_column + 1
        if max(rows, columns) > MAX_WINDOW:
            return None
        return Window(first_row, first_column, rows, columns)
