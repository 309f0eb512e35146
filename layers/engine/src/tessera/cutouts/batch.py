"""Cutouts of many targets from many cubes: the native way, which the classes of astrocut's names are made of.

Nothing here raises for one bad item of a batch: every pair of target and cube has its own result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord

from tessera import __version__
from tessera.cubes.info_table import InfoTable
from tessera.cubes.read_ahead import Room, read_rows
from tessera.cubes.read_plan import RowRead, plan_reads
from tessera.cubes.reader import Cube, read_cube
from tessera.cubes.window_pixels import Cutout, assemble_cutout
from tessera.cutouts.barycentre import barycentric_columns
from tessera.cutouts.cadences import select_cadences
from tessera.cutouts.pointing import position_corrections
from tessera.errors import InvalidInputError, NoOverlapError, TesseraError
from tessera.fits.headers import padded
from tessera.io.files import write_pieces
from tessera.io.ranges import REQUESTS_IN_FLIGHT
from tessera.io.sources import Location, ReplacedError, Source, open_source
from tessera.sky.positions import sky_to_pixel
from tessera.tpf.fixed import TpfLayout, TpfRequest, build_tpf, tpf_name, tpf_pieces
from tessera.windows import CubePlacement, Placement, Window, check_placement, check_window_shape, place_window

CUBES_AT_ONCE = 32
"""Cubes that are worked on at the same time."""
TARGETS_AHEAD = 8
"""Targets of one cube whose pixels are read while a file is made of those before, where there is room for them."""
PIXEL_BYTES = 256_000_000
"""Room for the pixels that are read or made into files at the same time; one cutout may be larger."""

Status: TypeAlias = Literal["ok", "no overlap", "error"]
Size: TypeAlias = "int | tuple[int, int] | u.Quantity"
"""Rows and columns: pixels, or an angle; one number for both."""


@dataclass(frozen=True)
class CutoutResult:
    """What became of one target in one cube.

    Parameters
    ----------
    cube : str
        Name of the cube, as it was given.
    ra, dec : float
        Target, ICRS degrees.
    status : {'ok', 'no overlap', 'error'}
        What became of it.
    reason : str
        Why there is no cutout; empty when there is one.
    name : str
        File name of the target pixel file.
    data : bytes, bytearray or None
        The file, where no folder was given.
    path : Path or None
        Where it was written, where a folder was given.
    """

    cube: str
    ra: float
    dec: float
    status: Status
    reason: str = ""
    name: str = ""
    data: bytes | bytearray | None = None
    path: Path | None = None


class CubeFile:
    """An open cube.

    Parameters
    ----------
    source : Source
        Its file.
    cube : Cube, optional
        What is known of it already, from a sidecar.
    row_reads : int, optional
        Range requests that are in flight at the same time.
    """

    def __init__(self, source: Source, cube: Cube | None = None, row_reads: int = REQUESTS_IN_FLIGHT) -> None:
        self.source = source
        self.cube = cube or read_cube(source.name, source.size, source.read)
        self._pool = _row_pool(row_reads) if source.remote else None

    @cached_property
    def info(self) -> InfoTable:
        """The whole info table, read when it is first asked for."""
        start = self.cube.data_offset + padded(self.cube.layout.data_bytes)
        return InfoTable.parse(self.source.read(start, self.source.size - start))

    def close(self) -> None:
        """Give back what the file holds."""
        self.source.close()

    def read_window(self, window: Window, fill_value: float = np.nan) -> Cutout:
        """Read the pixels of a window: one contiguous range per row, all in flight at once.

        Raises
        ------
        NoOverlapError
            Before anything is read, when the window is beside the frame.
        """
        layout = self.cube.layout
        overlap = window.overlap(layout.n_rows, layout.n_columns)
        reads = plan_reads(layout, self.cube.data_offset, overlap)

        read = self.source.read_buffer
        if self._pool is None:
            rows: Iterable[tuple[RowRead, Any]] = ((item, read(item.data.start, item.data.length)) for item in reads)
        else:
            rows = read_rows(self._pool, read, reads)
        return assemble_cutout(layout, window, rows, fill_value)


@lru_cache
def _row_pool(row_reads: int) -> ThreadPoolExecutor:
    """Threads that read rows, shared by all cubes: a batch does not multiply them."""
    return ThreadPoolExecutor(row_reads, "tessera-rows")


@contextmanager
def open_cube(location: Location, cube: Cube | None = None, row_reads: int = REQUESTS_IN_FLIGHT) -> Iterator[CubeFile]:
    """Open a cube: a local path, ``s3://`` or ``https://``."""
    source = open_source(location)
    try:
        file = CubeFile(source, cube, row_reads)
    except BaseException:
        source.close()
        raise
    try:
        yield file
    finally:
        file.close()


def window_shape(cube: Cube, size: Size) -> tuple[int, int]:
    """Rows and columns of a size on a cube; an angle is divided by the pixels' scale at the reference point.

    Raises
    ------
    InvalidInputError
        For something that is no size.
    """
    allowed = "a number of pixels or an angle greater than 0, or (rows, columns) of them"
    quantity = u.Quantity(size)
    if quantity.size not in (1, 2) or not (np.isfinite(quantity.value) & (quantity.value > 0)).all():
        raise InvalidInputError("size", size, allowed)
    pair = u.Quantity(quantity.ravel() * np.ones(2))
    if pair.unit.physical_type == "angle":
        counts = pair.to_value(u.deg) / np.array(cube.pixel_scales)
    elif pair.unit in (u.dimensionless_unscaled, u.pixel):
        counts = pair.value
    else:
        raise InvalidInputError("size", size, allowed)
    rows, columns = (max(1, round(float(count))) for count in counts)
    return rows, columns


def find_window(cube: Cube, ra: float, dec: float, size: Size, placement: CubePlacement = "centre") -> Window:
    """Window of a target on a cube.

    Raises
    ------
    InvalidValueError
        When the window is too large, or the placement is unknown.
    NoOverlapError
        When the target's window is beside the frame.
    """
    check_placement(placement, get_args(CubePlacement))
    pixel = sky_to_pixel(cube.wcs, ra, dec)
    if pixel is None:
        raise NoOverlapError(f"{ra:.6f} {dec:.6f} is far from {cube.name}")
    window = place_window(*pixel, *window_shape(cube, size), Placement(placement))
    check_window_shape(*window.shape)
    window.overlap(cube.layout.n_rows, cube.layout.n_columns)
    return window


@dataclass(frozen=True)
class CutoutOptions:
    """How cutouts differ from the plain thing.

    Parameters
    ----------
    placement : {'centre', 'tesscut'}, optional
        The target in the centre pixel, or where the TESSCut service puts it; see `tessera.windows.Placement`.
    time : (float, float), optional
        Range of BTJD to keep, ends included.
    cadences : (int, int), optional
        Range of cadences to keep, ends included, by the spacecraft's numbers where the cube has them and else counted
        from 0.
    quality_mask : int, optional
        Cadences with one of these quality bits are left out.
    layout : {'full', 'slim'}, optional
        'slim' leaves out the columns that are constant.
    target_times : bool, optional
        TIME and TIMECORR for the target instead of the CCD's centre.
    pos_corr : bool, optional
        POS_CORR1 and POS_CORR2 from the WCS of every frame instead of zeros; the whole info table is read for it.
    fill_value : float, optional
        Of pixels beyond the frame.
    """

    placement: CubePlacement = "centre"
    time: tuple[float, float] | None = None
    cadences: tuple[int, int] | None = None
    quality_mask: int = 0
    layout: TpfLayout = "full"
    target_times: bool = False
    pos_corr: bool = False
    fill_value: float = np.nan

    def __post_init__(self) -> None:
        check_placement(self.placement, get_args(CubePlacement))


def make_cutouts(
    cubes: Sequence[Location],
    coordinates: SkyCoord,
    size: Size,
    *,
    options: CutoutOptions | None = None,
    output_dir: Location | None = None,
) -> list[CutoutResult]:
    """Cut target pixel files of many targets out of many cubes.

    Parameters
    ----------
    cubes : sequence of str or Path
        Local paths, ``s3://`` or ``https://``.
    coordinates : SkyCoord
        One or many targets, in any frame.
    size : int, (int, int), or Quantity
        Rows and columns of a cutout.
    options : CutoutOptions, optional
        What differs from the plain thing.
    output_dir : str or Path, optional
        Where the files are written; without it they come back as bytes.

    Returns
    -------
    list of CutoutResult
        One per cube and target, cubes first, in the order in which they were given. One that fails has the reason in
        its result and does not keep the others from being made.
    """
    sky = coordinates.icrs
    degrees = (np.atleast_1d(angle.deg).ravel().tolist() for angle in (sky.ra, sky.dec))
    targets = list(zip(*degrees, strict=True))
    folder = None if output_dir is None else Path(output_dir)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)

    batch = _Batch(targets, size, options or CutoutOptions(), folder, min(len(cubes), CUBES_AT_ONCE), Room(PIXEL_BYTES))
    with ThreadPoolExecutor(CUBES_AT_ONCE) as pool:
        return [result for results in pool.map(batch.cut_cube, cubes) for result in results]


@dataclass(frozen=True)
class _Batch:
    targets: list[tuple[float, float]]
    size: Size
    options: CutoutOptions
    folder: Path | None
    n_cubes: int
    room: Room

    def cut_cube(self, location: Location) -> list[CutoutResult]:
        name = str(location)
        try:
            try:
                return self._cut_all(name, location)
            except ReplacedError:  # another cube took its place: once more, from the beginning
                return self._cut_all(name, location)
        except (TesseraError, OSError, RuntimeError) as error:
            return [CutoutResult(name, float(ra), float(dec), "error", str(error)) for ra, dec in self.targets]

    def _cut_all(self, name: str, location: Location) -> list[CutoutResult]:
        with open_cube(location) as file, ThreadPoolExecutor(TARGETS_AHEAD) as pool:
            rows, columns = window_shape(file.cube, self.size)
            n_bytes = rows * columns * file.cube.layout.pixel_bytes
            most = min(TARGETS_AHEAD + 1, len(self.targets), PIXEL_BYTES // self.n_cubes // n_bytes)
            at_once = max(1, most)
            reading: deque[tuple[float, float, Future[Cutout]]] = deque()
            results = []
            with self.room.taken(at_once * n_bytes):
                for ra, dec in self.targets:
                    reading.append((ra, dec, self._read(pool, file, ra, dec)))
                    if len(reading) == at_once:
                        results.append(self._make(name, file, *reading.popleft()))
                return results + [self._make(name, file, *item) for item in reading]

    def _read(self, pool: Executor, file: CubeFile, ra: float, dec: float) -> Future[Cutout]:
        """Have the pixels of a target read. Everything else is done in one thread: a WCS must not be used by two."""
        try:
            window = find_window(file.cube, ra, dec, self.size, self.options.placement)
        except (TesseraError, OSError, RuntimeError) as error:
            failed: Future[Cutout] = Future()
            failed.set_exception(error)
            return failed
        return pool.submit(file.read_window, window, self.options.fill_value)

    def _make(self, name: str, file: CubeFile, ra: float, dec: float, cutout: Future[Cutout]) -> CutoutResult:
        try:
            request = self._request(file, ra, dec, cutout.result())
            file_name = tpf_name(file.cube, ra, dec, request.cutout)
            if self.folder is None:
                return CutoutResult(name, ra, dec, "ok", name=file_name, data=build_tpf(request))
            path = write_pieces(self.folder / file_name, tpf_pieces(request), flush=False)
            return CutoutResult(name, ra, dec, "ok", name=file_name, path=path)
        except NoOverlapError as reason:
            return CutoutResult(name, ra, dec, "no overlap", str(reason))
        except ReplacedError:
            raise
        except (TesseraError, OSError, RuntimeError) as error:
            return CutoutResult(name, ra, dec, "error", str(error))

    def _request(self, file: CubeFile, ra: float, dec: float, cutout: Cutout) -> TpfRequest:
        cube, options = file.cube, self.options
        columns = barycentric_columns(cube, ra, dec) if options.target_times else {}
        if options.pos_corr:
            columns |= position_corrections(cube, file.info, ra, dec)
        cadences = select_cadences(cube, options.time, options.cadences, options.quality_mask)
        return TpfRequest(cube, cutout, ra, dec, __version__, options.layout, cadences, columns)
