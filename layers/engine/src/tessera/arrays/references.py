"""References: where the chunks of a cube are, written down for readers of Zarr that know nothing of cubes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from tessera.arrays.pixels import CubePixels
from tessera.arrays.zarr_metadata import CHUNK_COLUMNS, StoredCube, describe_cube
from tessera.checks import check_choice, check_integer, check_switch
from tessera.cube_sources import is_growing
from tessera.cubes.layout import CubeLayout
from tessera.errors import InvalidInputError, KeptFileError
from tessera.framesets.source import check_no_frames
from tessera.io.files import FileGroup
from tessera.io.locations import S3, WEB, scheme_of, shown
from tessera.io.outputs import check_folder, check_output, output_path
from tessera.io.sources import Location
from tessera.progress import ProgressInput, counting

ReferenceFormat: TypeAlias = Literal["kerchunk", "icechunk"]


@dataclass(frozen=True)
class Referenced:
    """A cube whose chunks are written down.

    Parameters
    ----------
    url : str
        Address of the cube, as readers find it.
    pixels : CubePixels
        The open cube.
    group : StoredCube
        Its description; the columns of a chunk divide those of the cube.
    """

    url: str
    pixels: CubePixels
    group: StoredCube

    @property
    def layout(self) -> CubeLayout:
        """Shape of the cube."""
        return self.pixels.cube.layout

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a chunk."""
        return self.group.chunk_columns * self.layout.pixel_bytes

    def row(self, row: int) -> Iterator[tuple[int, int]]:
        """Number and first byte in the file of each chunk of a row."""
        start = self.pixels.cube.data_offset + row * self.layout.row_bytes
        for chunk in range(self.layout.n_columns // self.group.chunk_columns):
            yield chunk, start + chunk * self.chunk_bytes


def export_references(
    location: Location,
    path: str | os.PathLike[str],
    format: ReferenceFormat = "kerchunk",  # noqa: A002 - the word of users
    *,
    columns: int | None = None,
    filesystem: Any = None,
    check: bool = True,
    progress: ProgressInput = None,
) -> Path:
    """Write where the chunks of a cube are, so that readers of Zarr can use the cube without Tessera.

    No pixel is read or copied. The array ``pixels`` has the axes (row, column, time, plane). A chunk has some columns
    of one row. `tessera.open_cube` and `tessera.open_zarr_store` need no references and read less: write them only for
    programs that have neither.

    For a full-size cube, chunks of 8 columns are 554,826 references: a file of about 30 MB for kerchunk, which its
    readers hold in memory, and 10 MB in half a minute for icechunk. Chunks of 89 columns are 49,872 references, but
    then a window of 11 x 11 pixels in the longest sectors reads 92 MB instead of 17 MB. Whole rows (2,136) are 2,078
    references, and read 2.2 GB.

    Parameters
    ----------
    location : str or Path
        Local path, ``s3://`` or ``https://`` URL of the cube. The references contain it, so the cube has to stay there.
    path : str or Path
        Where to write: a JSON file for kerchunk, a new folder for icechunk.
    format : {'kerchunk', 'icechunk'}, optional
        'kerchunk' is read by fsspec, xarray and kerchunk; it does not notice if the cube is replaced. 'icechunk'
        notices.
    columns : int, optional
        Columns of a chunk, a divisor of the columns of the cube. By default the smallest divisor from 8 on.
    filesystem : fsspec file system, optional
        File system of the cube; see docs/guide/locations.md.
    check : bool, optional
        Whether to refuse damaged headers and info tables.
    progress : bool or callable, optional
        Whether to show a bar, or a function ``(done, total)`` that gets the rows that are written.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed, or the location contains a password or a signature.
    KeptFileError
        When something exists at `path`. It is never replaced.
    MissingPackageError
        When icechunk is not installed.
    OSError
        When the cube cannot be read, or the references cannot be written.
    CubeFormatError
        When the file is not a cube, or is damaged.

    Examples
    --------
    .. code-block:: python

        tessera.export_references("s3://stpubdata/tess/public/mast/tess-s0001-4-2-cube.fits", "cube.json")
        options = {"remote_protocol": "s3", "remote_options": {"anon": True}}
        cube = xarray.open_dataset("cube.json", engine="kerchunk", storage_options=options)
    """
    chosen, check = check_choice("format", format, get_args(ReferenceFormat)), check_switch("check", check)
    target = check_output("path", path) if chosen == "kerchunk" else output_path("path", path)
    if target.exists() or target.is_symlink():
        raise KeptFileError(f"{target} exists and is not replaced; remove it, or give another path")
    check_folder(target, "path")
    with _opened(location, filesystem, check=check) as (url, pixels):
        size = _chunk_columns(columns, pixels.cube.layout.n_columns)
        target.parent.mkdir(parents=True, exist_ok=True)
        cube = Referenced(url, pixels, describe_cube(pixels.cube, url, size))
        with counting(progress, "row", cube.layout.n_rows) as counter:
            if chosen == "kerchunk":
                from tessera.arrays.kerchunk_references import reference_pieces  # noqa: PLC0415 - few write these

                with FileGroup() as group:
                    group.write(target, reference_pieces(cube, counter.add))
                for error in group.failed.values():
                    raise error
            else:
                from tessera.arrays.icechunk_references import write_repository  # noqa: PLC0415 - an extra

                with _new_folder(target) as folder:
                    write_repository(cube, folder, counter.add)
    return target


@contextmanager
def _opened(location: Location, filesystem: Any, *, check: bool) -> Iterator[tuple[str, CubePixels]]:
    check_no_frames("location", location, "chunks are its bytes")
    if is_growing(location):
        allowed = "a cube in one file, because chunks are its bytes; this is a segment table, whose cube still grows"
        raise InvalidInputError("location", shown(location), allowed)
    pixels = CubePixels(location, filesystem, check=check)
    try:
        if not getattr(pixels.file.source, "on_disk", True):
            raise InvalidInputError(
                "location", shown(location), "a cube that is not packed, because chunks are its bytes"
            )
        yield _url(pixels), pixels
    finally:
        pixels.close()


def _url(pixels: CubePixels) -> str:
    """Address of a cube for other programs."""
    text, files = os.fspath(pixels.location), pixels.filesystem
    if files is not None:
        return str(files.unstrip_protocol(files._strip_protocol(text)))  # noqa: SLF001 - fsspec has no public name
    scheme = scheme_of(text)
    if shown(text) != text:
        allowed = "an address without passwords and signatures, because references keep it"
        raise InvalidInputError("location", shown(text), allowed)
    if scheme in ("", "file"):
        return f"file://{pixels.file.source.path}"  # type: ignore[attr-defined] # a local file
    if scheme not in WEB and scheme in S3:
        return f"s3{text[len(scheme) :]}"
    return text


def _chunk_columns(columns: int | None, n_columns: int) -> int:
    divisors = [size for size in range(1, n_columns + 1) if n_columns % size == 0]
    if columns is None:
        return next((size for size in divisors if size >= CHUNK_COLUMNS), n_columns)
    number = check_integer("columns", columns, 1, n_columns)
    if number not in divisors:
        raise InvalidInputError("columns", columns, f"a divisor of {n_columns}: {', '.join(map(str, divisors))}")
    return number


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """A folder that appears at its path when the block has ended well, and leaves nothing otherwise."""
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        yield folder
        folder.chmod(0o755)
        folder.rename(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
