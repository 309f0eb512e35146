"""Targets that are shapes on the sky: circles, polygons and ranges, as the IVOA's SODA has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from pydantic import field_validator

from tessera.cutouts.frame_pixels import about_frame, wcs_frame
from tessera.sky.footprint import footprint_vectors, grow
from tessera.sky.shapes.boxes import find_box, mark_pixels
from tessera.sky.shapes.parse import parse_shape
from tessera.sky.shapes.shape import Shape
from tessera.windows import CubePlacement, Window
from tessera_cloud.application.cutouts.options import CutoutOptions
from tessera_cloud.application.cutouts.target import StillTarget, check_pixels
from tessera_cloud.application.index.footprint_index import EDGE_MARGIN, FootprintIndex
from tessera_cloud.contracts import PublishedCube

if TYPE_CHECKING:
    from collections.abc import Callable

    from tessera.cubes.info_rows import InfoRows
    from tessera.cubes.reader import Cube
    from tessera_cloud.application.cutouts.planned import PlannedCutout

_SMALL_PIXEL = 20 / 3600
"""Size in degrees of the smaller pixels of a frame, which are in the middle of a camera."""
_UNSURE = 100
"""Pixels by which a side of the box on a frame may be shorter than the footprint lets expect."""


@lru_cache(64)
def _about_box(shape: str, s_region: str) -> tuple[int, int]:
    """Sides of the box of a shape on a frame, about; the largest that its footprint lets expect."""
    footprint = grow(footprint_vectors([s_region]), EDGE_MARGIN)[0]
    window = find_box(parse_shape(shape), about_frame(footprint, _SMALL_PIXEL))
    return (1, 1) if window is None else window.shape


class Shaped(StillTarget):
    """The box of pixels that holds the part of a shape that is on a frame; APERTURE has the pixels inside the shape.

    Parameters
    ----------
    shape : str
        The shape, as `tessera.sky.shapes.parse.parse_shape` reads it. The text is replaced by that of the shape, so
        texts that mean the same are the same request.
    parameter : str
        Parameter that is named where the box is too large, such as CIRCLE.
    """

    kind: Literal["shape"] = "shape"
    shape: str
    parameter: str = "POS"

    @field_validator("shape")
    @classmethod
    def _as_written_by_us(cls, text: str) -> str:
        return str(parse_shape(text, "shape"))

    @cached_property
    def area(self) -> Shape:
        """The shape."""
        return parse_shape(self.shape, "shape")

    @property
    def sized_by(self) -> str:
        """The parameter."""
        return self.parameter

    @property
    def position(self) -> tuple[float, float]:
        """A position inside the shape, ICRS degrees; the middle of a circle or range."""
        return self.area.middle

    def about_pixels(self, cube: PublishedCube) -> int:
        """Pixels of the box on a cube, about, and rather too many."""
        rows, columns = _about_box(self.shape, cube.s_region)
        return rows * columns

    def check_size(self, cubes: Sequence[PublishedCube], most_pixels: int) -> None:
        """Refuse a shape whose box on a cube is surely too large."""
        for cube in cubes:
            rows, columns = (max(1, side - _UNSURE) for side in _about_box(self.shape, cube.s_region))
            check_pixels(rows, columns, most_pixels, self.sized_by)

    def find_cubes(self, index: FootprintIndex, options: CutoutOptions) -> list[PublishedCube]:
        """Cubes whose footprint, or the bulge of its edges, shares a point with the shape, in index order."""
        sectors = None if options.sectors is None else frozenset(options.sectors)
        return index.select(self.area.overlaps(grow(index.vectors, EDGE_MARGIN)), sectors, options.product)

    def find_window(self, cube: Cube, placement: CubePlacement) -> Window | None:  # noqa: ARG002 - a shape has none
        """The box on a cube, or None where no pixel is inside the shape."""
        return find_box(self.area, wcs_frame(cube.wcs, cube.layout.n_rows, cube.layout.n_columns))

    def plan(
        self,
        published: PublishedCube,
        cube: Cube,
        options: CutoutOptions,
        most_pixels: int,
        read_info: Callable[[], InfoRows],
    ) -> PlannedCutout | None:
        """The box on one cube, with the pixels inside as the aperture."""
        planned = super().plan(published, cube, options, most_pixels, read_info)
        if planned is None:
            return None
        frame = wcs_frame(cube.wcs, cube.layout.n_rows, cube.layout.n_columns)
        inside = mark_pixels(self.area, frame, planned.window)
        return replace(planned, aperture=inside) if inside.any() else None
