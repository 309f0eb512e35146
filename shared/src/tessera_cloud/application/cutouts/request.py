"""What a user wants to be cut out, whichever way it was asked for.

Each kind of target is a class that knows which cubes it may be on and what of a cube is cut. What reads and writes the
pixels is imported by the methods that need it, so that what only passes requests on need not load it.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import Field

from tessera.cutouts.cadences import select_cadences
from tessera.errors import NoCadenceError, NoOverlapError
from tessera.sky.footprint import Footprint, sky_box
from tessera.sky.positions import sky_to_pixel
from tessera.sky.sphere import unit_vectors
from tessera.tess.star import Star
from tessera.windows import MAX_WINDOW, CubePlacement, Placement, Window, check_window_shape, place_window
from tessera_cloud.application.cutouts.options import DEGREES_PER_PIXEL, CutoutOptions, Finite, Size
from tessera_cloud.application.index.footprint_index import EDGE_MARGIN, FootprintIndex
from tessera_cloud.application.targets.passages import find_passages
from tessera_cloud.application.targets.path import Path
from tessera_cloud.contracts import Asked, PublishedCube
from tessera_cloud.errors import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tessera.cubes.info_rows import InfoRows
    from tessera.cubes.reader import Cube
    from tessera_cloud.application.cutouts.planned import Planned, PlannedCutout
    from tessera_cloud.application.cutouts.planned_track import PlannedTrack

TPF_BYTES, PLANE_BYTES = 20, 8
"""Bytes of a pixel and cadence in the file, and as read."""
OVERHEAD_BYTES = 500_000_000
"""Interpreter, libraries, and what is read ahead."""


def separation(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Degrees between two positions, each right ascension and declination in degrees."""
    first, second = (unit_vectors(np.array([ra]), np.array([dec]))[0] for ra, dec in (one, other))
    return math.degrees(2 * math.asin(min(1.0, float(np.linalg.norm(first - second)) / 2)))


def _area(ra: float, dec: float, height: float, width: float) -> Footprint:
    """Where on the sky cubes are looked for: the cutout and the bulge of the frames' edges."""
    return sky_box(ra, dec, width + 2 * EDGE_MARGIN, height + 2 * EDGE_MARGIN)


def check_pixels(rows: int, columns: int, most: int, parameter: str) -> None:
    """Refuse a window that is never cut.

    Raises
    ------
    TooLargeError
        When it has more pixels than `most`; it names `parameter`.
    """
    if rows * columns > most:
        shown, allowed = f"{rows} x {columns}", f"at most {most:,} pixels in a window"
        message = f"{parameter} is {shown}, {rows * columns:,} pixels; allowed: {allowed}"
        raise TooLargeError(message, parameter=parameter, value=shown, allowed=allowed)


class _Target(Asked):
    """What is cut out of each cube; a new kind is a class below this one, and a member of `Target`."""

    sized_by: ClassVar[str]
    """Parameter that is named where a window is too large."""
    bytes_per_value: ClassVar[int] = PLANE_BYTES
    """Bytes of memory for a pixel and cadence while a file is made."""

    def memory(self, n_values: int) -> int:
        """Bytes of memory that making a file takes at most, given its pixels times cadences."""
        return n_values * self.bytes_per_value + OVERHEAD_BYTES

    @abstractmethod
    def about_shape(self) -> tuple[int, int]:
        """Rows and columns of a window before any frame's WCS is known; of a region, an upper limit."""

    @abstractmethod
    def least_shape(self) -> tuple[int, int]:
        """Rows and columns that a window surely has, about; each cube's WCS decides."""

    @abstractmethod
    def find_cubes(self, index: FootprintIndex, options: CutoutOptions) -> list[PublishedCube]:
        """Cubes that it may be on, by their footprints."""

    @abstractmethod
    def plan(
        self,
        published: PublishedCube,
        cube: Cube,
        options: CutoutOptions,
        most_pixels: int,
        read_info: Callable[[], InfoRows],
    ) -> Planned | None:
        """The cutout of one cube, or None where it has no pixels or no cadences.

        `read_info` reads the info table of the cube, which only moving targets need.

        Raises
        ------
        TooLargeError
            When a window has more pixels than `most_pixels`.
        """


class _Sized(_Target):
    """A target that is cut in a size of its own."""

    sized_by = "size"
    size: Size

    def about_shape(self) -> tuple[int, int]:
        """Rows and columns of the size, about."""
        return self.size.pixels()

    def least_shape(self) -> tuple[int, int]:
        """Rows and columns of the size, about."""
        return self.size.pixels()


class _Still(_Target):
    """A target that stays where it is: one window on all frames of a cube."""

    ra: Finite
    dec: Finite

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

    def plan(
        self,
        published: PublishedCube,
        cube: Cube,
        options: CutoutOptions,
        most_pixels: int,
        read_info: Callable[[], InfoRows],  # noqa: ARG002 - one WCS places the window
    ) -> PlannedCutout | None:
        """The window on one cube."""
        from tessera_cloud.application.cutouts.planned import PlannedCutout  # noqa: PLC0415 - brings much

        window = self.find_window(cube, options.placement)
        if window is None:
            return None
        check_pixels(window.n_rows, window.n_columns, most_pixels, self.sized_by)
        try:
            cadences = select_cadences(cube, options.time, options.cadences, options.quality_mask)
        except NoCadenceError:
            return None
        return PlannedCutout(published, cube, window, (self.ra, self.dec), options.layout, cadences)


class Position(_Sized, _Still):
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
        Pixels of the optimal aperture, as `tessera.lightcurves.photometry.parse_aperture` reads them; the size is in
        pixels then.
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
        return None if planned is None else replace(planned, star=self.star, aperture=self.aperture)

    def _place(self, cube: Cube, placement: CubePlacement) -> Window | None:
        pixel = sky_to_pixel(cube.wcs, self.ra, self.dec)
        if pixel is None:
            return None
        window = place_window(*pixel, *self.size.sides(*cube.pixel_scales), Placement(placement))
        check_window_shape(*window.shape)
        return window


class Region(_Still):
    """The box of pixels that holds the corners of a region.

    Parameters
    ----------
    ra, dec : float
        Middle of the region, ICRS degrees.
    corners : tuple of (float, float)
        Right ascension and declination in degrees.
    """

    sized_by = "region"
    kind: Literal["region"] = "region"
    corners: Annotated[tuple[tuple[Finite, Finite], ...], Field(min_length=3)]

    def _degrees(self) -> float:
        return 2 * max(separation((self.ra, self.dec), corner) for corner in self.corners)

    def about_shape(self) -> tuple[int, int]:
        """Rows and columns of a square that holds the region however it lies."""
        side = max(1, round(self._degrees() / DEGREES_PER_PIXEL))
        return side, side

    def least_shape(self) -> tuple[int, int]:
        """Half of the rows and columns of that square."""
        rows, columns = self.about_shape()
        return rows // 2, columns // 2

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


class Moving(_Sized):
    """Boxes that follow a target.

    Parameters
    ----------
    path : Path
        Where it is.
    size : Size
        Of the boxes.
    """

    bytes_per_value = PLANE_BYTES + TPF_BYTES
    kind: Literal["moving"] = "moving"
    path: Path

    def find_cubes(self, index: FootprintIndex, options: CutoutOptions) -> list[PublishedCube]:
        """Cubes that the target crosses while their frames were taken, by sector, camera and CCD."""
        found = find_passages(self.path, index, product=options.product, margin=EDGE_MARGIN)
        return [cube for cube in found if options.sectors is None or cube.sequence_number in options.sectors]

    def plan(
        self,
        published: PublishedCube,
        cube: Cube,
        options: CutoutOptions,
        most_pixels: int,
        read_info: Callable[[], InfoRows],
    ) -> PlannedTrack | None:
        """The boxes on the frames of one cube."""
        from tessera.moving.track import MovingOptions, follow_target  # noqa: PLC0415 - with the next, brings much
        from tessera_cloud.application.cutouts.planned_track import PlannedTrack  # noqa: PLC0415

        rows, columns = self.size.pixels(*cube.pixel_scales)
        check_pixels(rows, columns, most_pixels, self.sized_by)
        boxes = MovingOptions(
            placement=options.placement, time=options.time, cadences=options.cadences, quality_mask=options.quality_mask
        )
        try:
            track = follow_target(cube, read_info(), self.path.ephemeris, (rows, columns), boxes)
        except NoOverlapError:
            return None
        return PlannedTrack(published, cube, self.path.target, track)


Target: TypeAlias = Position | Region | Moving


class CutoutRequest(Asked):
    """Cutouts of one target out of all cubes that see it.

    Parameters
    ----------
    target : Position, Region or Moving
        What is cut.
    options : CutoutOptions
        Out of which cubes, and what of them.
    """

    target: Annotated[Target, Field(discriminator="kind")]
    options: CutoutOptions = CutoutOptions()

    def about_pixels(self) -> int:
        """Pixels of a window before any frame's WCS is known; of a region, an upper limit."""
        rows, columns = self.target.about_shape()
        return rows * columns
