"""Cutouts that follow a moving target, out of published cubes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tessera import __version__
from tessera.cubes.read_ahead import read_rows
from tessera.cubes.reader import Cube
from tessera.moving.read_plan import ReadCost, plan_track_reads
from tessera.moving.recipe import MovingRecipe
from tessera.moving.track import TargetTrack, moving_name, track_tpf
from tessera.moving.track_pixels import assemble_track
from tessera.tpf.moving import moving_pieces
from tessera_cloud.application.cutouts.planned import row_pool, with_record
from tessera_cloud.application.sidecar import cube_ranges
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.ports import RangeStore

COST = ReadCost(gap_bytes=49_152, max_requests=4096, spare_requests=0)
"""Least time and few paid requests: `REQUESTS_IN_FLIGHT` at a time, and at most so many for one cube, however long the
track. More bytes are read along instead."""


@dataclass(frozen=True)
class PlannedTrack:
    """Boxes around a target that are known to have pixels."""

    published: PublishedCube
    cube: Cube
    name: str
    """Of the target."""
    target: TargetTrack
    flags: bool = False
    """Whether collateral pixels and cadences without a new picture are marked."""
    recipe: MovingRecipe | None = None
    """What the record of the file says; None for no record."""

    @property
    def n_values(self) -> int:
        """Pixels times cadences."""
        boxes = self.target.boxes
        return len(boxes.cadences) * boxes.n_rows * boxes.n_columns

    @property
    def file_name(self) -> str:
        """Name of the file."""
        boxes = self.target.boxes
        return moving_name(self.cube, self.name, (boxes.n_rows, boxes.n_columns))

    def cut(self, store: RangeStore) -> tuple[str, Iterator[bytes]]:
        """Read the pixels of the boxes, few ranges per row; name and pieces of the file."""
        cube, published, boxes, name = self.cube, self.published, self.target.boxes, self.name
        reads = plan_track_reads(cube.layout, cube.data_offset, boxes, COST)
        read = cube_ranges(published, cube, store)
        planes = assemble_track(cube.layout, cube.data_offset, boxes, read_rows(row_pool(), read, reads))
        tpf = track_tpf(cube, self.target, planes, name, __version__, flags=self.flags)
        pieces = moving_pieces(tpf)
        if self.recipe is not None:
            pieces = with_record(pieces, "moving target pixel file", published, cube, self.recipe.document)
        return self.file_name, pieces
