"""Make cubes from lists of files: astrocut's `CubeFactory` and `TicaCubeFactory`, without their defects."""

from __future__ import annotations

import datetime
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Literal, get_args

from tessera.builds.arguments import check_positive, check_replaced, check_threads
from tessera.builds.frame_files import FrameFile, open_frame, warn_of_temporary
from tessera.builds.frame_set import accept_frames, accept_update
from tessera.builds.layers import CubeLayer, FrameLayer, Layer, identity_of
from tessera.builds.update import OldCube, read_old_cube
from tessera.builds.writing.blocks import READ_BYTES, REMOTE_READ_BYTES, plan_local_blocks
from tessera.builds.writing.writer import CubeWriter
from tessera.checks import check_choice
from tessera.cubes.frames import Frame
from tessera.cubes.hdus import build_primary_header
from tessera.cubes.info_table import InfoTable, choose_template
from tessera.cubes.layout import CubeLayout
from tessera.errors import DataWarning, InvalidInputError, UnreadableFrameError, reason_of
from tessera.io.filesystems import check_filesystem, in_filesystem
from tessera.io.locations import file_name, shown
from tessera.io.outputs import check_output, check_space, lock_output
from tessera.io.sources import Location, Source, check_locations, open_source
from tessera.narrator import Narrator
from tessera.progress import Counter, ProgressInput, check_progress, counting
from tessera.tess.products import SPOC, TICA, Product

HEADER_READS = 16
"""Number of headers that are read at the same time."""

OnUnreadable = Literal["fail", "skip"]


@dataclass(frozen=True)
class _Job:
    """The parts of a cube that are known before its first pixel is read."""

    layout: CubeLayout
    layers: Sequence[Layer]
    new: FrameLayer
    primary: bytes
    info: bytes
    identity: str


class CubeFactory:
    """Makes cubes of frames. The frames are SPOC frames unless you set `product`.

    Parameters
    ----------
    max_memory : float, optional
        Memory for pixels, in GB (1e9 bytes). At most 2 GB are used, because more does not make a build faster.
    threads : int or 'auto', optional
        Number of threads that transpose pixels, at most 1024; by default ('auto' or None) one per processor.
    on_unreadable : {'fail', 'skip'}, optional
        With 'fail', a frame that cannot be read ends the build. With 'skip', it is left out: a `DataWarning` reports
        it, and `left_out` lists it.
    filesystem : fsspec file system, optional
        File system of the frames, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.

    Attributes
    ----------
    product : Product
        Kind of the frames: SPOC unless you set another one, such as ``tessera.tess.products.TICA``.
    left_out : dict
        Frames that the last call left out: file name to reason.

    Raises
    ------
    InvalidInputError
        When `max_memory`, `threads` or `on_unreadable` has a value that is not allowed.
    """

    product: Product = SPOC

    def __init__(
        self,
        max_memory: float = 50,
        *,
        threads: int | Literal["auto"] | None = None,
        on_unreadable: OnUnreadable = "fail",
        filesystem: Any = None,
    ) -> None:
        check_choice("on_unreadable", on_unreadable, get_args(OnUnreadable))
        self.max_memory = check_positive("max_memory", max_memory)
        self.threads = check_threads(threads)
        self.on_unreadable = on_unreadable
        self.filesystem = check_filesystem(filesystem)
        self.left_out: dict[str, str] = {}
        self._narrator = Narrator(__name__, verbose=False)

    def make_cube(
        self,
        file_list: Sequence[Location],
        cube_file: Location = "img-cube.fits",
        sector: int | None = None,
        max_memory: float | None = None,
        verbose: bool = True,
        *,
        progress: ProgressInput = None,
    ) -> Location:
        """Make a cube of a list of frames.

        Parameters
        ----------
        file_list : list of str or Path
            Frames of one sector, camera and CCD, in any order. Local paths, ``s3://`` and ``https://`` URLs may be
            mixed. Only the byte ranges of headers and pixels are read.
        cube_file : str or Path, optional
            Local path of the cube. The cube appears there only when it is complete. When a run is killed, the path
            keeps its previous file, and the next run with the same inputs continues the work.
        sector : int, optional
            Value of the SECTOR card, which frames do not have. By default, it is the sector in the names of the frames.
        max_memory : float, optional
            Memory for pixels, in GB; by default the constructor's `max_memory`.
        verbose : bool, optional
            Whether to print progress on stderr. Messages that the logger ``tessera`` prints are not repeated.
        progress : bool or callable, optional
            True shows a bar or lines on stderr. A function is called with (done, total) after each finished block.

        Returns
        -------
        str or Path
            `cube_file`, as it was given.

        Raises
        ------
        InvalidInputError
            If the list is empty or a string; if `sector` is not a sector or not that of the frames' names; or if
            `cube_file` is a URL, a folder, an input or a file that is not a cube, cannot be written, is written by
            another run, or is on a disk that has too little space.
        UnreadableFrameError
            When a file is truncated, damaged, or not a frame of this kind. The message names the file.
        InconsistentFramesError
            When the frames differ in sector, camera, CCD or shape, or an exposure is given twice. The message names
            the file.
        ReplacedError
            When a file changed while it was read. The message names the file.
        """
        self._begin(verbose, progress)
        started = monotonic()
        locations = in_filesystem(self.filesystem, check_locations("file_list", file_list))
        output = check_output("cube_file", cube_file, locations)
        check_replaced(output)
        with self._open(locations) as inputs:
            frames = [item.frame for item in inputs]
            sector = accept_frames(frames, sector)
            self._narrator.say("Using %s to initialize the image header table.", choose_template(frames).name)
            order = sorted(range(len(frames)), key=lambda index: frames[index].start)
            ordered = [frames[index] for index in order]
            layer = FrameLayer(ordered, [inputs[index].source for index in order], list(range(len(order))))
            job = _Job(
                layout=self._layout(ordered[0], len(ordered)),
                layers=[layer],
                new=layer,
                primary=build_primary_header(ordered, sector, _today()),
                info=InfoTable.of_frames(frames).take(order).to_bytes(),
                identity=identity_of(self.product, sector, [item.source for item in inputs]),
            )
            message = "Cube will be made in %d blocks of %d rows each."
            with lock_output("cube_file", output) as path, counting(progress, "block") as counter:
                self._write(path, job, _Progress(message, layer, counter, self._narrator), max_memory)
        self._narrator.say("Total time elapsed: %.2f min", (monotonic() - started) / 60)
        return cube_file

    def update_cube(
        self,
        file_list: Sequence[Location],
        cube_file: Location,
        sector: int | None = None,
        max_memory: float | None = None,
        verbose: bool = True,
        *,
        progress: ProgressInput = None,
    ) -> Location:
        """Add frames to a cube. The result equals the cube that `make_cube` makes of all frames, plus HISTORY cards.

        Parameters
        ----------
        file_list : list of str or Path
            New frames; see `make_cube`. Frames whose file names the cube already has are skipped with a `DataWarning`.
        cube_file : str or Path
            Path of a local cube. The new cube replaces it only when the new cube is complete.
        sector, max_memory, verbose, progress
            See `make_cube`. Without `sector`, the SECTOR card keeps its value.

        Returns
        -------
        str or Path
            `cube_file`, as it was given.

        Raises
        ------
        InvalidInputError
            When there is no cube or no new frame, or another run is writing `cube_file`.
        ReplacedError, UnreadableFrameError, InconsistentFramesError
            See `make_cube`.
        """
        self._begin(verbose, progress)
        started = monotonic()
        output = check_output("cube_file", cube_file)
        if not output.exists():
            message = "Cube file was not found at the location provided. Please ensure the correct path was provided."
            raise InvalidInputError("cube_file", os.fspath(cube_file), "the path of a cube", message)
        locations = in_filesystem(self.filesystem, check_locations("file_list", file_list))
        self._narrator.say("Updating cube file: %s", cube_file)
        with lock_output("cube_file", output) as path, closing(open_source(path)) as source:
            old = read_old_cube(source, self.product)
            locations = _without_duplicates(locations, set(old.info.files))
            with self._open(locations) as inputs:
                job = self._plan_update(old, source, inputs, sector)
                message = "Images will be appended in %d blocks of %d rows each."
                with counting(progress, "block") as counter:
                    self._write(path, job, _Progress(message, job.new, counter, self._narrator), max_memory)
        self._narrator.say("Total time elapsed: %.2f min", (monotonic() - started) / 60)
        return cube_file

    def _plan_update(self, old: OldCube, source: Source, inputs: Sequence[FrameFile], sector: int | None) -> _Job:
        self._narrator.say("%d new images found!", len(inputs))
        frames = [item.frame for item in inputs]
        sector = accept_update(frames, old, sector)
        n_old = old.layout.n_cadences
        starts = [*old.starts, *(frame.start for frame in frames)]
        order = sorted(range(len(starts)), key=starts.__getitem__)
        place = {index: cadence for cadence, index in enumerate(order)}
        old_layer = CubeLayer(source, old.layout, old.data_offset, [place[index] for index in range(n_old)])
        sources = [item.source for item in inputs]
        new_layer = FrameLayer(frames, sources, [place[n_old + index] for index in range(len(frames))])
        return _Job(
            layout=self._layout(frames[0], len(order)),
            layers=[old_layer, new_layer],
            new=new_layer,
            primary=old.primary_header(frames, sector, _today()),
            info=old.info.append(frames).take(order).to_bytes(),
            identity=identity_of(self.product, sector, [source, *sources]),
        )

    def _begin(self, verbose: bool, progress: ProgressInput) -> None:
        check_progress(progress)
        self._narrator = Narrator(__name__, verbose=verbose)
        self.left_out = {}

    def _layout(self, frame: Frame, n_cadences: int) -> CubeLayout:
        return CubeLayout(*frame.shape, n_cadences, self.product.n_planes)

    def _read(self, location: Location) -> FrameFile | UnreadableFrameError:
        try:
            return open_frame(location, self.product)
        except UnreadableFrameError as error:
            return error
        except OSError as error:
            if self.on_unreadable == "fail":
                raise
            return UnreadableFrameError(shown(location), reason_of(error))

    @contextmanager
    def _open(self, locations: Sequence[Location]) -> Iterator[list[FrameFile]]:
        """Open the frames and read their headers. An unreadable frame raises its error or is left out."""
        inputs: list[FrameFile] = []
        try:
            with ThreadPoolExecutor(HEADER_READS) as pool:
                for item in pool.map(self._read, locations):
                    if isinstance(item, FrameFile):
                        inputs.append(item)
                    elif self.on_unreadable == "fail":
                        raise item
                    else:
                        self.left_out[item.name] = item.reason
                        warnings.warn(f"Left out {item}", DataWarning, stacklevel=5)
            if not inputs:
                first = next(f"{name}: {reason}" for name, reason in self.left_out.items())
                allowed = f"at least one readable frame; the first is {first}"
                raise InvalidInputError("file_list", f"{len(locations):,} files", allowed)
            warn_of_temporary(inputs)
            yield inputs
        finally:
            for item in inputs:
                item.source.close()

    def _write(self, path: Path, job: _Job, progress: _Progress, max_memory: float | None) -> None:
        memory = self.max_memory if max_memory is None else check_positive("max_memory", max_memory)
        read_bytes = REMOTE_READ_BYTES if job.new.remote else READ_BYTES // len(job.layers)
        plan = plan_local_blocks(job.layout, memory, self.threads, read_bytes)
        self._narrator.say(progress.message, plan.n_blocks, plan.rows_per_block)
        writer = CubeWriter(
            path, job.layout, job.layers, job.primary, job.info, job.identity, plan, self.threads, progress
        )
        check_space("cube_file", path, writer.size)
        writer.write()


class TicaCubeFactory(CubeFactory):
    """Makes cubes of TICA frames, which have one plane and no errors.

    Parameters, attributes and errors are those of `CubeFactory`.
    """

    product = TICA


@dataclass
class _Progress:
    """Reports each finished block to the log and to the caller."""

    message: str
    layer: FrameLayer
    counter: Counter
    narrator: Narrator

    def __call__(self, block: int, n_blocks: int) -> None:
        for index, seconds in enumerate(self.layer.seconds):
            self.narrator.say("Completed file %d in %.3f sec.", index, seconds)
        self.layer.seconds[:] = [0.0] * len(self.layer.seconds)
        self.narrator.say("Completed block %d of %d", block + 1, n_blocks)
        self.counter(block + 1, n_blocks)


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _without_duplicates(locations: Sequence[Location], known: set[str]) -> list[Location]:
    new = []
    for location in locations:
        name = file_name(location)
        if name in known:
            warnings.warn(f"Removed duplicate file: {name}", DataWarning, stacklevel=3)
        else:
            new.append(location)
    if not new:
        message = "No new images were found in the provided file list."
        raise InvalidInputError("file_list", f"{len(locations):,} files", "at least one new frame", message)
    return new
