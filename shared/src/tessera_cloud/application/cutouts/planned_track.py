"""Cutouts that follow a moving target, out of published cubes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.cubes.read_ahead import read_rows
from tessera.cubes.reader import Cube
from tessera.moving.read_plan import ReadCost, plan_track_reads
from tessera.moving.recipe import MovingRecipe
from tessera.moving.track import TargetTrack, moving_name, track_tpf
from tessera.moving.track_pixels import assemble_track
from tessera.tpf.moving import moving_pieces
from tessera_cloud.application.cutouts.planned import row_pool, with_record
from tessera_cloud.application.facts import FramePixels
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
    frames: FramePixels | None = None
    """What reads the pixels where there is no cube."""

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

    def at(self, frames: FramePixels | None, own_bucket: str) -> PlannedTrack:  # noqa: ARG002 - it has no differences
        """See `Planned.at`."""
        return replace(self, frames=frames)

    def cut(self, store: RangeStore) -> tuple[str, Iterator[bytes]]:
        """Read the pixels of the boxes; name and pieces of the file."""
        tpf = track_tpf(self.cube, self.target, self._read(store), self.name, __version__, flags=self.flags)
        pieces = moving_pieces(tpf)
        if self.recipe is not None:
            document = self.recipe.document
            pieces = with_record(pieces, "moving target pixel file", self.published, self.cube, document)
        return self.file_name, pieces

    def _read(self, store: RangeStore) -> NDArray[np.float32]:
        """Read the pixels: few ranges per row of a cube, or one per plane of each frame."""
        cube, published, boxes = self.cube, self.published, self.target.boxes
        if self.frames is not None:
            return self.frames.boxes(boxes, row_pool())
        reads = plan_track_reads(cube.layout, cube.data_offset, boxes, COST)
        read = cube_ranges(published, cube, store)
        return assemble_track(cube.layout, cube.data_offset, boxes, read_rows(row_pool(), read, reads))
