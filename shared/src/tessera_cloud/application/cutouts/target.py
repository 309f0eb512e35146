"""What all kinds of targets have in common: where they may be, how large their cutouts are, and what is cut.

What reads and writes the pixels is imported by the methods that need it, so that what only passes requests on need not
load it.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tessera.cutouts.cadences import select_cadences
from tessera.errors import NoCadenceError
from tessera.sky.sphere import unit_vectors
from tessera.windows import CubePlacement, Window
from tessera_cloud.application.cutouts.options import CutoutOptions, Size
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.contracts import Asked, PublishedCube
from tessera_cloud.errors import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tessera.cubes.info_rows import InfoRows
    from tessera.cubes.reader import Cube
    from tessera_cloud.application.cutouts.planned import Planned, PlannedCutout

TPF_BYTES, PLANE_BYTES = 20, 8
"""Bytes of a pixel and cadence in the file, and as read."""
OVERHEAD_BYTES = 500_000_000
"""Interpreter, libraries, and what is read ahead."""


def separation(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Degrees between two positions, each right ascension and declination in degrees."""
    first, second = (unit_vectors(np.array([ra]), np.array([dec]))[0] for ra, dec in (one, other))
    return math.degrees(2 * math.asin(min(1.0, float(np.linalg.norm(first - second)) / 2)))


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


class CutoutTarget(Asked):
    """What is cut out of each cube; a new kind is a class below this one, and a member of `request.Target`."""

    bytes_per_value: ClassVar[int] = PLANE_BYTES
    """Bytes of memory for a pixel and cadence while a file is made."""

    @property
    @abstractmethod
    def sized_by(self) -> str:
        """Parameter that is named where a window is too large."""

    def memory(self, n_values: int) -> int:
        """Bytes of memory that making a file takes at most, given its pixels times cadences."""
        return n_values * self.bytes_per_value + OVERHEAD_BYTES

    @abstractmethod
    def about_pixels(self, cube: PublishedCube) -> int:
        """Pixels of the window on a cube before its WCS is known, about; of a region, an upper limit."""

    def about_rows(self, cube: PublishedCube) -> int:
        """Rows of that window, about."""
        return math.isqrt(max(0, self.about_pixels(cube) - 1)) + 1

    @abstractmethod
    def check_size(self, cubes: Sequence[PublishedCube], most_pixels: int) -> None:
        """Refuse a target whose windows on some cubes are surely too large. Each cube's WCS decides about the rest.

        Raises
        ------
        TooLargeError
            When a window surely has more pixels than `most_pixels`.
        """

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


class SizedTarget(CutoutTarget):
    """A target that is cut in a size of its own."""

    size: Size

    @property
    def sized_by(self) -> str:
        """The size."""
        return "size"

    def about_pixels(self, cube: PublishedCube) -> int:  # noqa: ARG002 - the same on each cube
        """Pixels of the size, about."""
        rows, columns = self.size.pixels()
        return rows * columns

    def about_rows(self, cube: PublishedCube) -> int:  # noqa: ARG002 - the same on each cube
        """Rows of the size, about."""
        return self.size.pixels()[0]

    def check_size(self, cubes: Sequence[PublishedCube], most_pixels: int) -> None:  # noqa: ARG002 - see above
        """Refuse a size that is too large."""
        check_pixels(*self.size.pixels(), most_pixels, self.sized_by)


class StillTarget(CutoutTarget):
    """A target that stays where it is: one window on all frames of a cube."""

    @property
    @abstractmethod
    def position(self) -> tuple[float, float]:
        """Right ascension and declination that the files have, ICRS degrees."""

    @abstractmethod
    def find_window(self, cube: Cube, placement: CubePlacement) -> Window | None:
        """Window on a cube, or None where they do not overlap."""

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
            cadences = select_cadences(
                cube, options.time, options.cadences, options.quality_mask, touched=options.touched
            )
        except NoCadenceError:
            return None
        asked = options if options.provenance else None
        made = published, cube, window, self.position, options.layout, cadences
        return PlannedCutout(*made, flags=options.flags, difference=options.difference, recorded=asked)
