"""Targets that move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tessera.errors import NoOverlapError
from tessera_cloud.application.cutouts.options import CutoutOptions
from tessera_cloud.application.cutouts.target import PLANE_BYTES, TPF_BYTES, SizedTarget, check_pixels
from tessera_cloud.application.index.footprint_index import EDGE_MARGIN, FootprintIndex
from tessera_cloud.application.targets.passages import find_passages
from tessera_cloud.application.targets.path import Path
from tessera_cloud.contracts import PublishedCube

if TYPE_CHECKING:
    from collections.abc import Callable

    from tessera.cubes.info_rows import InfoRows
    from tessera.cubes.reader import Cube
    from tessera_cloud.application.cutouts.planned_track import PlannedTrack


class Moving(SizedTarget):
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
        from tessera.moving.recipe import MovingRecipe  # noqa: PLC0415 - with the next, brings much
        from tessera.moving.track import MovingOptions, follow_target  # noqa: PLC0415
        from tessera_cloud.application.cutouts.planned_track import PlannedTrack  # noqa: PLC0415

        rows, columns = self.size.pixels(*cube.pixel_scales)
        check_pixels(rows, columns, most_pixels, self.sized_by)
        boxes = MovingOptions(
            placement=options.placement,
            time=options.time,
            cadences=options.cadences,
            quality_mask=options.quality_mask,
            flags=options.flags,
        )
        try:
            track = follow_target(cube, read_info(), self.path.ephemeris, (rows, columns), boxes)
        except NoOverlapError:
            return None
        recipe = MovingRecipe(self.path.ephemeris, (rows, columns), boxes) if options.provenance else None
        return PlannedTrack(published, cube, self.path.target, track, options.flags, recipe)
