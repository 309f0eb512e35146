"""Cutouts of a moving target from cubes. Little more is read than the box of each cadence."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.cubes.read_ahead import MemoryBudget
from tessera.cubes.read_plan import RowRead
from tessera.cubes.reader import Cube
from tessera.cutouts.batching import PIXEL_BYTES, cut_cubes
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.cutouts.origin.cube_record import cube_origin, cube_record
from tessera.cutouts.output_names import OutputNames, check_replaceable
from tessera.cutouts.placing import window_shape
from tessera.cutouts.results import Size, Status
from tessera.errors import InvalidInputError, NoOverlapError
from tessera.framesets.boxes import BoxRead, plan_box_reads
from tessera.framesets.source import FrameSetSource
from tessera.inputs import parse_size
from tessera.io.files import write_pieces
from tessera.io.filesystems import in_filesystem
from tessera.io.outputs import output_folder
from tessera.io.sources import Location, check_locations
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.read_plan import Track, plan_track_reads, track_reads_in_flight
from tessera.moving.recipe import MovingRecipe
from tessera.moving.track import MovingOptions, TargetTrack, follow_target, moving_name, track_tpf
from tessera.moving.track_pixels import assemble_track
from tessera.progress import Counter, ProgressInput, check_progress, counting
from tessera.provenance.fits_files import add_provenance
from tessera.provenance.record import Kind
from tessera.tpf.moving import moving_pieces
from tessera.tpf.primary import object_text
from tessera.windows import Side


@dataclass(frozen=True)
class MovingResult:
    """The result for a moving target on one cube.

    Parameters
    ----------
    cube : str
        Path or address of the cube, as it was given.
    status : {'ok', 'no overlap', 'error'}
        Outcome. With 'no overlap', the target is not on the frames in the requested cadences.
    reason : str
        Why there is no cutout, or how many cadences have filled pixels or no WCS of their own; otherwise empty.
    name : str
        File name of the target pixel file.
    n_cadences, n_filled, n_borrowed : int
        Number of cadences in the file, of those whose box reaches beyond the frame, and of those whose frame has no
        usable WCS; their positions follow the WCS of the frame that is nearest in time.
    n_requests, n_bytes : int
        Number of reads of the cube's pixels, and of bytes that they returned.
    data : bytes or None
        Content of the file, if no folder was given.
    path : Path or None
        Path of the file, if a folder was given.
    """

    cube: str
    status: Status
    reason: str = ""
    name: str = ""
    n_cadences: int = 0
    n_filled: int = 0
    n_requests: int = 0
    n_bytes: int = 0
    data: bytes | None = field(default=None, repr=False)
    path: Path | None = None
    n_borrowed: int = 0


def plan_track(file: CubeFile, ephemeris: Ephemeris, size: Size, options: MovingOptions | None = None) -> TargetTrack:
    """Call `tessera.moving.track.follow_target` with a size of boxes in pixels or as angle."""
    return follow_target(file.cube, file.info, ephemeris, window_shape(file.cube, size), options)


def read_track(
    file: CubeFile,
    track: Track,
    reads: Sequence[RowRead] | Sequence[BoxRead],
    fill_value: float = np.nan,
    counter: Counter | None = None,
) -> NDArray[np.float32]:
    """Read the pixels of the boxes of a track; see `tessera.moving.track_pixels.assemble_track`."""
    if isinstance(file.source, FrameSetSource):
        return file.source.read_track(track, fill_value, iter if counter is None else counter.watch)
    answers = file.read_rows(cast("Sequence[RowRead]", reads))
    answers = answers if counter is None else counter.watch(answers)
    return assemble_track(file.cube.layout, file.cube.data_offset, track, answers, fill_value)


def make_moving_cutouts(
    cubes: Location | Iterable[Location],
    ephemeris: Ephemeris,
    size: Size,
    *,
    options: MovingOptions | None = None,
    output_dir: Location | None = None,
    filesystem: Any = None,
    progress: ProgressInput = None,
) -> list[MovingResult]:
    """Cut a moving target out of cubes: one target pixel file for each cube that the target crosses.

    Parameters
    ----------
    cubes : str or Path, or several of them
        Cubes: local paths, ``s3://`` or ``https://`` URLs.
    ephemeris : Ephemeris
        Positions of the target. Cadences before the first and after the last position are left out.
    size : int, (int, int), or Quantity
        Size of a box in pixels or as angle: one value for both axes, or (rows, columns).
    options : MovingOptions, optional
        Options of the cutouts, such as placement and cadences.
    output_dir : str or Path, optional
        Folder of the files. Without it, the results contain the files as bytes. A file that exists is replaced only if
        it is a target pixel file of the same target, CCD, sector and kind of frames that Tessera made.
    filesystem : fsspec file system, optional
        File system of the cubes, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.
    progress : bool or callable, optional
        True shows a bar or lines on stderr. A function is called with (done, total) after each cube, by one thread at
        a time. An error that it raises ends the work.

    Returns
    -------
    list of MovingResult
        One result per cube, in the order of the cubes. A cube that fails has its reason in its result; the other cubes
        are still cut. Of equal file names, the later ones have a number.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed, or there is no cube.
    """
    listed = check_locations("cubes", [cubes] if isinstance(cubes, (str, os.PathLike)) else cubes)
    listed = in_filesystem(filesystem, listed)
    if not isinstance(ephemeris, Ephemeris):
        raise InvalidInputError("ephemeris", ephemeris, "Ephemeris(...), or the result of read_ephemeris(file)")
    options = MovingOptions() if options is None else options
    if not isinstance(options, MovingOptions):
        raise InvalidInputError("options", options, "MovingOptions(...) or None")
    check_progress(progress)
    sides, folder = parse_size(size), output_folder(output_dir)
    memory, names = MemoryBudget(PIXEL_BYTES), OutputNames(len(listed))
    with counting(progress, "cube", len(listed)) as counter:
        batch = _Batch(ephemeris, sides, options, folder, memory, names, counter)
        return cut_cubes(list(enumerate(listed)), batch.cut_cube, batch.failed, counter)


def _plan_reads(file: CubeFile, boxes: Track, options: MovingOptions) -> Sequence[RowRead] | Sequence[BoxRead]:
    if isinstance(file.source, FrameSetSource):
        return list(plan_box_reads(file.source.facts, boxes))
    return plan_track_reads(file.cube.layout, file.cube.data_offset, boxes, options.cost)


_Numbered: TypeAlias = tuple[int, Location]
"""A cube, and its number in the order in which the cubes were given."""


@dataclass(frozen=True)
class _Batch:
    ephemeris: Ephemeris
    size: tuple[Side, Side]
    options: MovingOptions
    folder: Path | None
    memory: MemoryBudget
    names: OutputNames
    counter: Counter

    def failed(self, cube: _Numbered, error: Exception) -> MovingResult:
        self.counter.reach(cube[0], 1)
        return MovingResult(str(cube[1]), "no overlap" if isinstance(error, NoOverlapError) else "error", str(error))

    def cut_cube(self, cube: _Numbered) -> MovingResult:
        try:
            result = self._cut(*cube)
        except BaseException:
            self.names.offer(cube[0], ())  # the other cubes wait for it
            raise
        self.counter.reach(cube[0], 1)
        return result

    def _cut(self, number: int, location: Location) -> MovingResult:
        opened = open_cube(location, row_reads=track_reads_in_flight(), check=self.options.check, tried_again=True)
        with opened as file:
            target = plan_track(file, self.ephemeris, self.size, self.options)
            boxes, layout = target.boxes, file.cube.layout
            self.names.offer(number, [moving_name(file.cube, self.ephemeris.name, (boxes.n_rows, boxes.n_columns))])
            reads = _plan_reads(file, boxes, self.options)
            n_pixels = len(boxes.cadences) * boxes.n_rows * boxes.n_columns
            with self.memory.taken(n_pixels * layout.n_planes * 4):
                planes = read_track(file, boxes, reads, self.options.fill_value, self.counter)
                file.source.check_unchanged()
                (file_name,) = self.names.take(number)
                how: Any = {"flags": self.options.flags, "fill_value": self.options.fill_value}
                tpf = track_tpf(file.cube, target, planes, self.ephemeris.name, __version__, **how)
                pieces = moving_pieces(tpf)
                if self.options.provenance:
                    recipe = MovingRecipe(self.ephemeris, (boxes.n_rows, boxes.n_columns), self.options)
                    kind: Kind = "moving target pixel file"
                    origin = cube_origin(location, file.source, file.cube)
                    pieces = add_provenance(pieces, partial(cube_record, kind, origin, recipe.document))
                result = MovingResult(
                    str(location),
                    "ok",
                    target.notes,
                    file_name,
                    n_cadences=len(boxes.cadences),
                    n_filled=int(target.filled.sum()),
                    n_borrowed=int(target.borrowed.sum()),
                    n_requests=len(reads),
                    n_bytes=sum(item.data.length for item in reads),
                )
                return self._write(result, file.cube, self.counter.watch(pieces))

    def _write(self, result: MovingResult, cube: Cube, pieces: Iterator[bytes]) -> MovingResult:
        if self.folder is None:
            return replace(result, data=b"".join(pieces))
        path = self.folder / result.name
        check_replaceable(path, cube, target=object_text(self.ephemeris.name))
        return replace(result, path=write_pieces(path, pieces))
