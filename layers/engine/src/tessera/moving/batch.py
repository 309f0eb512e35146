"""Cutouts that follow a moving target, read straight from cubes: of each cadence its own box and little else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.cubes.read_ahead import MemoryBudget
from tessera.cubes.read_plan import RowRead
from tessera.cubes.reader import Cube
from tessera.cutouts.batching import PIXEL_BYTES, cut_cubes
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.cutouts.placing import window_shape
from tessera.cutouts.results import Size, Status
from tessera.errors import NoOverlapError
from tessera.io.files import output_folder, write_pieces
from tessera.io.sources import Location
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.read_plan import Track, plan_track_reads
from tessera.moving.track import MovingOptions, TargetTrack, follow_target, moving_name, track_tpf
from tessera.moving.track_pixels import assemble_track
from tessera.tpf.moving import moving_pieces


@dataclass(frozen=True)
class MovingResult:
    """What became of a moving target on one cube.

    Parameters
    ----------
    cube : str
        Name of the cube, as it was given.
    status : {'ok', 'no overlap', 'error'}
        What became of it.
    reason : str
        Why there is no cutout, or which of its pixels are filled; empty when it is whole.
    name : str
        File name of the target pixel file.
    n_cadences, n_filled : int
        Cadences in the file, and those of them whose box reaches beyond the frame.
    n_requests, n_bytes : int
        What was read of the cube's pixels.
    data : bytes or None
        The file, where no folder was given.
    path : Path or None
        Where it was written, where a folder was given.
    """

    cube: str
    status: Status
    reason: str = ""
    name: str = ""
    n_cadences: int = 0
    n_filled: int = 0
    n_requests: int = 0
    n_bytes: int = 0
    data: bytes | None = None
    path: Path | None = None


def plan_track(cube: Cube, ephemeris: Ephemeris, size: Size, options: MovingOptions | None = None) -> TargetTrack:
    """`tessera.moving.track.follow_target` with boxes of a size in pixels or an angle."""
    return follow_target(cube, ephemeris, window_shape(cube, size), options)


def read_track(
    file: CubeFile, track: Track, reads: Sequence[RowRead], fill_value: float = np.nan
) -> NDArray[np.float32]:
    """Read the pixels of boxes; see `tessera.moving.track_pixels.assemble_track`."""
    answers = file.read_rows(reads)
    return assemble_track(file.cube.layout, file.cube.data_offset, track, answers, fill_value)


def make_moving_cutouts(
    cubes: Sequence[Location],
    ephemeris: Ephemeris,
    size: Size,
    *,
    options: MovingOptions | None = None,
    output_dir: Location | None = None,
) -> list[MovingResult]:
    """Cut a moving target out of cubes: one target pixel file for each cube that it crosses.

    Parameters
    ----------
    cubes : sequence of str or Path
        Local paths, ``s3://`` or ``https://``.
    ephemeris : Ephemeris
        The target; cadences before its first and after its last position are left out.
    size : int, (int, int), or Quantity
        Rows and columns of a box.
    options : MovingOptions, optional
        What differs from the plain thing.
    output_dir : str or Path, optional
        Where the files are written; without it they come back as bytes.

    Returns
    -------
    list of MovingResult
        One per cube, in the order in which they were given. One that fails has the reason in its result.
    """
    batch = _Batch(ephemeris, size, options or MovingOptions(), output_folder(output_dir), MemoryBudget(PIXEL_BYTES))
    return cut_cubes(cubes, batch.cut_cube, batch.failed)


@dataclass(frozen=True)
class _Batch:
    ephemeris: Ephemeris
    size: Size
    options: MovingOptions
    folder: Path | None
    memory: MemoryBudget

    def failed(self, location: Location, error: Exception) -> MovingResult:
        return MovingResult(str(location), "no overlap" if isinstance(error, NoOverlapError) else "error", str(error))

    def cut_cube(self, location: Location) -> MovingResult:
        name = str(location)
        with open_cube(location) as file:
            target = plan_track(file.cube, self.ephemeris, self.size, self.options)
            boxes, layout = target.boxes, file.cube.layout
            reads = plan_track_reads(layout, file.cube.data_offset, boxes, self.options.cost)
            n_pixels = len(boxes.cadences) * boxes.n_rows * boxes.n_columns
            with self.memory.taken(n_pixels * layout.n_planes * 4):
                planes = read_track(file, boxes, reads, self.options.fill_value)
                return self._write(name, file.cube, target, reads, planes)

    def _write(
        self, name: str, cube: Cube, target: TargetTrack, reads: Sequence[RowRead], planes: NDArray[np.float32]
    ) -> MovingResult:
        boxes, n_filled = target.boxes, int(target.filled.sum())
        tpf = track_tpf(cube, target, planes, self.ephemeris.name, __version__)
        file_name = moving_name(cube, self.ephemeris.name, (boxes.n_rows, boxes.n_columns))
        n_cadences, pieces = len(boxes.cadences), moving_pieces(tpf)
        data = None if self.folder else b"".join(pieces)
        return MovingResult(
            name,
            "ok",
            f"{n_filled} of {n_cadences} cadences reach beyond the frame and are filled there" if n_filled else "",
            file_name,
            n_cadences,
            n_filled,
            len(reads),
            sum(item.data.length for item in reads),
            data,
            write_pieces(self.folder / file_name, pieces, flush=False) if self.folder else None,
        )
