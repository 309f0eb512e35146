"""Make cubes from lists of files: astrocut's `CubeFactory` and `TicaCubeFactory`, without their defects."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from contextlib import ExitStack, closing
from time import monotonic
from typing import Any, Literal, get_args

from tessera.builds.arguments import check_cube_path, check_positive, check_replaced, check_threads
from tessera.builds.frame_set import accept_frames, accept_update
from tessera.builds.growth_files import (
    check_table_path,
    has_records,
    open_known,
    plan_segment,
    segment_path,
    write_table,
)
from tessera.builds.update import read_old_cube
from tessera.checks import check_choice
from tessera.compat.tess.cube_work import BlockProgress, CubeWork, OnUnreadable, without_duplicates
from tessera.cubes.info_table import choose_template
from tessera.errors import InvalidInputError
from tessera.io.filesystems import check_filesystem, in_filesystem
from tessera.io.outputs import check_output, lock_output
from tessera.io.sources import Location, check_locations, open_source
from tessera.narrator import Narrator
from tessera.progress import ProgressInput, check_progress, counting
from tessera.tess.products import SPOC, TICA, Product


class CubeFactory(CubeWork):
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
    provenance : bool, optional
        Whether `make_cube` and `grow_cube` add a record with a hash of each frame behind the info table; see
        docs/explanation/provenance.md. Every local frame is read whole for it.

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
        provenance: bool = False,
    ) -> None:
        check_choice("on_unreadable", on_unreadable, get_args(OnUnreadable))
        self.max_memory = check_positive("max_memory", max_memory)
        self.threads = check_threads(threads)
        self.on_unreadable = on_unreadable
        self.filesystem = check_filesystem(filesystem)
        self.provenance = provenance
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
        output = check_cube_path(check_output("cube_file", cube_file, locations))
        check_replaced(output)
        with self._open(locations) as inputs:
            frames = [item.frame for item in inputs]
            sector = accept_frames(frames, sector)
            self._narrator.say("Using %s to initialize the image header table.", choose_template(frames).name)
            job = self._plan_new(inputs, sector, _today(), provenance=self.provenance)
            message = "Cube will be made in %d blocks of %d rows each."
            with lock_output("cube_file", output) as path, counting(progress, "block") as counter:
                self._write(path, job, BlockProgress(message, job.new, counter, self._narrator), max_memory)
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

        If the cube has a record, the result has one, with the hashes of the new frames, too.

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
        output = check_cube_path(check_output("cube_file", cube_file))
        if not output.exists():
            message = "Cube file was not found at the location provided. Please ensure the correct path was provided."
            raise InvalidInputError("cube_file", os.fspath(cube_file), "the path of a cube", message)
        locations = in_filesystem(self.filesystem, check_locations("file_list", file_list))
        self._narrator.say("Updating cube file: %s", cube_file)
        with lock_output("cube_file", output) as path, closing(open_source(path)) as source:
            old = read_old_cube(source.name, source.size, source.read, self.product)
            locations = without_duplicates(locations, set(old.info.files))
            with self._open(locations) as inputs:
                job = self._plan_update(old, source, inputs, sector, _today())
                message = "Images will be appended in %d blocks of %d rows each."
                with counting(progress, "block") as counter:
                    self._write(path, job, BlockProgress(message, job.new, counter, self._narrator), max_memory)
        self._narrator.say("Total time elapsed: %.2f min", (monotonic() - started) / 60)
        return cube_file

    def grow_cube(
        self,
        file_list: Sequence[Location],
        cube_file: Location,
        sector: int | None = None,
        max_memory: float | None = None,
        verbose: bool = True,
        *,
        progress: ProgressInput = None,
    ) -> Location:
        """Add frames to a growing cube as a new segment, or begin one. No pixel that it has is read or written.

        All that reads cubes reads a growing cube by its segment table, and sees the cube that `make_cube` makes of all
        its frames; see docs/guide/cubes.md. If its segments have records, the new one has one, too.

        Parameters
        ----------
        file_list : list of str or Path
            New frames; see `make_cube`. They may be later or earlier than those of the cube. Frames whose file names
            the cube already has are skipped with a `DataWarning`.
        cube_file : str or Path
            Local path of the segment table, which ends with ``.json``, such as ``tess-s0056-1-1-cube.json``. It is
            made if it does not exist. The segments are beside it: ``tess-s0056-1-1-cube-segment-1.fits``.
        sector, max_memory, verbose, progress
            See `make_cube`.

        Returns
        -------
        str or Path
            `cube_file`, as it was given.

        Raises
        ------
        InvalidInputError
            When the path is not that of a segment table, there is no new frame, or another run is writing it.
        CubeFormatError
            When the segment table is damaged, or a segment is missing or another file.
        ReplacedError, UnreadableFrameError, InconsistentFramesError
            See `make_cube`.
        """
        self._begin(verbose, progress)
        output = check_table_path("cube_file", cube_file)
        locations = in_filesystem(self.filesystem, check_locations("file_list", file_list))
        with lock_output("cube_file", output) as path, ExitStack() as opened:
            if known := open_known(path):
                opened.callback(known.close)
            segment = segment_path("cube_file", path, known)
            old = read_old_cube(known.name, known.size, known.read, self.product) if known else None
            if old:
                locations = without_duplicates(locations, set(old.info.files))
            inputs = opened.enter_context(self._open(locations))
            frames = [item.frame for item in inputs]
            sector = accept_update(frames, old, sector) if old else accept_frames(frames, sector)
            job = self._plan_new(inputs, sector, _today(), provenance=self.provenance or has_records(known))
            growth = plan_segment(known, old, frames, sector, _today())
            message = "The segment will be made in %d blocks of %d rows each."
            with counting(progress, "block") as counter:
                self._write(segment, job, BlockProgress(message, job.new, counter, self._narrator), max_memory)
            write_table(path, known, segment, growth)
        return cube_file

    def _begin(self, verbose: bool, progress: ProgressInput) -> None:
        check_progress(progress)
        self._narrator = Narrator(__name__, verbose=verbose)
        self.left_out = {}


class TicaCubeFactory(CubeFactory):
    """Makes cubes of TICA frames, which have one plane and no errors.

    Parameters, attributes and errors are those of `CubeFactory`.
    """

    product = TICA


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()
