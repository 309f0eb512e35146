"""Measure a cube on this machine: `tessera.measure_cube`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.cubes.reference.frame import REFERENCE_END, reference_name
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.cutouts.origin.cube_record import cube_origin
from tessera.errors import InvalidInputError, KeptFileError
from tessera.framesets.source import check_no_frames
from tessera.io.files import write_files
from tessera.io.filesystems import in_filesystem
from tessera.io.locations import local_path, location_text, scheme_of
from tessera.io.outputs import check_space, create_folder
from tessera.io.sources import Location
from tessera.lightcurves.detrending.vector_files import VECTORS_END
from tessera.measures.bins import TimeBins, plan_bins
from tessera.measures.block import BlockMeasures, measure_block
from tessera.measures.change_list import CHANGES_END
from tessera.measures.products import CREATOR, build_products, join_blocks
from tessera.measures.records import add_records
from tessera.measures.thresholds import BIN_DAYS, N_SIGMA, Thresholds
from tessera.progress import ProgressInput, check_progress, counting

_CREATORS = (CREATOR.encode(), b"CREATOR = 'tessera")
"""What our files have near their beginning."""
BLOCK_ROWS = 64
"""Rows of a block."""
MEMORY_BYTES = 2_000_000_000
"""Memory for pixels, unless a single thread takes more."""
_ROWS_HELD = 6
"""A thread holds two rows of a cube as read, three of its flux, and what is made of them: about so many rows."""


@dataclass(frozen=True)
class CubeMeasures:
    """Files of a measured cube.

    Parameters
    ----------
    reference : Path
        Its reference frame.
    changes : Path
        The list of what changed.
    vectors : Path or None
        Its cotrending vectors; None if it has fewer than two stars from which they could be found.
    """

    reference: Path
    changes: Path
    vectors: Path | None = None


def measure_cube(
    cube: Location,
    output_dir: Location | None = None,
    *,
    n_sigma: float = N_SIGMA,
    bin_days: float = BIN_DAYS,
    filesystem: Any = None,
    progress: ProgressInput = None,
) -> CubeMeasures:
    """Measure a cube: make its reference frame, the list of what changed on the CCD, and cotrending vectors.

    The files are ``<name of the cube>-reference.fits``, ``-changes.ecsv`` and ``-vectors.fits``. Difference cutouts and
    light curves look for the first and the last beside the cube. docs/guide/differences.md says what they have.

    Parameters
    ----------
    cube : str or Path
        Path or URL of the cube.
    output_dir : str or Path, optional
        Folder of the files; by default that of the cube, which must be on this machine then.
    n_sigma : float, optional
        Smallest number of standard deviations of a change, from 3 to 1,000.
    bin_days : float, optional
        Length in days of the bins of time in which changes are looked for, from 0.01 to 30.
    filesystem : fsspec file system, optional
        File system of the cube; see docs/guide/locations.md.
    progress : bool or callable, optional
        True shows a bar or lines on stderr. A function is called with (done, total) after each row.

    Returns
    -------
    CubeMeasures
        Paths of the files.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    CubeFormatError
        When the file is not a cube, or is damaged.
    NoCadenceError
        When the cube has no good cadence.
    KeptFileError
        When a file of the same name is none of Tessera's.
    """
    thresholds = Thresholds(n_sigma, bin_days)
    check_progress(progress)
    check_no_frames("cube", cube, "measuring reads every pixel")
    folder = _output_folder(cube, output_dir)
    with open_cube(in_filesystem(filesystem, cube)) as file:
        stem = reference_name(file.cube.name).removesuffix(REFERENCE_END)
        paths = {end: folder / f"{stem}{end}" for end in (REFERENCE_END, CHANGES_END, VECTORS_END)}
        for path in paths.values():
            _check_ours(path)
        products = measure_open_cube(file, thresholds, folder, progress=progress)
        products = add_records(products, cube_origin(cube, file.source, file.cube), thresholds)
    write_files((paths[end], [content]) for end, content in products.items())
    vectors = paths[VECTORS_END] if VECTORS_END in products else None
    if vectors is None:
        paths[VECTORS_END].unlink(missing_ok=True)  # those of the cube as it was
    return CubeMeasures(paths[REFERENCE_END], paths[CHANGES_END], vectors)


def measure_open_cube(
    file: CubeFile, thresholds: Thresholds, folder: Path, *, version: str = __version__, progress: ProgressInput = None
) -> dict[str, bytes]:
    """Measure an open cube: end of the name to content of each file, without records.

    Parameters
    ----------
    file : CubeFile
        The cube.
    thresholds : Thresholds
        What counts as a change.
    folder : Path
        Folder for a temporary file of a few GB.
    version : str, optional
        Version of the software that the files name.
    progress : bool or callable, optional
        See `measure_cube`.
    """
    bins, _ = plan_bins(file.cube, thresholds.bin_days), file.cube.ccd_id  # known before the work
    with _kept_differences(folder, file, bins) as differences:
        joined = join_blocks(_measure_blocks(file, bins, differences, progress))
        products = build_products(file.cube, joined, bins, differences[: len(bins)], thresholds, version=version)
    file.source.check_unchanged()
    return products


def _output_folder(cube: Location, output_dir: Location | None) -> Path:
    if output_dir is not None:
        return create_folder(output_dir)
    text = location_text(cube)
    if scheme_of(text) not in ("", "file"):
        raise InvalidInputError("output_dir", None, f"a folder on this machine, because the cube {text} is not on it")
    return create_folder(local_path(text).parent)


def _check_ours(path: Path) -> None:
    """Keep a file that something else has written."""
    if not path.exists():
        return
    with path.open("rb") as file:
        start = file.read(5760)
    if start and not any(creator in start for creator in _CREATORS):
        raise KeptFileError(f"{path} is kept, because it is no measure of a cube; move it away")


@contextmanager
def _kept_differences(folder: Path, file: CubeFile, bins: TimeBins) -> Iterator[NDArray[np.float32]]:
    """Differences of all bins, of shape (n_bins, n_rows, n_columns), in a file without a name."""
    shape = (max(1, len(bins)), file.cube.layout.n_rows, file.cube.layout.n_columns)
    check_space("output_dir", folder / "differences", 4 * int(np.prod(shape)))
    with tempfile.TemporaryFile(dir=folder) as kept:
        yield np.memmap(kept, np.float32, "w+", shape=shape)


def _measure_blocks(
    file: CubeFile, bins: TimeBins, differences: NDArray[np.float32], progress: ProgressInput
) -> list[BlockMeasures]:
    layout = file.cube.layout
    n_threads = max(1, min(os.cpu_count() or 1, MEMORY_BYTES // (_ROWS_HELD * layout.row_bytes)))
    rows = [range(at, min(at + BLOCK_ROWS, layout.n_rows)) for at in range(0, layout.n_rows, BLOCK_ROWS)]

    def work(some: range) -> BlockMeasures:
        block = measure_block(file.cube, some, file.source.read_buffer, bins)
        differences[: len(bins), some.start : some.stop] = block.differences
        counter.add(len(some))
        return replace(block, differences=np.empty((0, 0, 0), np.float32))

    with counting(progress, "row", layout.n_rows) as counter:
        return counter.map(work, rows, n_threads)
