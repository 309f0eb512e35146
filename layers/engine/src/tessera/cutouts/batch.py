"""Cutouts of many targets from many cubes: Tessera's own function for this.

One bad item does not raise an error for the whole batch: every pair of cube and target has its own result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord

from tessera import __version__
from tessera.cubes.read_ahead import MemoryBudget
from tessera.cubes.window_pixels import Cutout
from tessera.cutouts.barycentre import barycentric_columns, corrected_columns
from tessera.cutouts.batching import CUBES_AT_ONCE, PIXEL_BYTES, cut_cubes
from tessera.cutouts.cadences import select_cadences
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.cutouts.placing import find_window, window_shape
from tessera.cutouts.pointing import position_corrections
from tessera.cutouts.results import CutoutOptions, CutoutResult, Size
from tessera.errors import UNREADABLE, NoOverlapError
from tessera.io.files import FileGroup
from tessera.io.outputs import output_folder
from tessera.io.sources import Location, ReplacedError
from tessera.tpf.fixed import TpfRequest, build_tpf, tpf_name, tpf_pieces

TARGETS_AHEAD = 8
"""Number of targets of one cube whose pixels are read ahead while earlier files are made, if memory allows."""


def make_cutouts(
    cubes: Sequence[Location],
    coordinates: SkyCoord,
    size: Size,
    *,
    options: CutoutOptions | None = None,
    output_dir: Location | None = None,
) -> list[CutoutResult]:
    """Make target pixel files of many targets from many cubes.

    Parameters
    ----------
    cubes : sequence of str or Path
        Cubes: local paths, ``s3://`` or ``https://`` URLs.
    coordinates : SkyCoord
        Positions of one or many targets, in any frame.
    size : int, (int, int), or Quantity
        Size of a cutout in pixels or as angle: one value for both axes, or (rows, columns).
    options : CutoutOptions, optional
        Options of the cutouts, such as placement and cadences.
    output_dir : str or Path, optional
        Folder of the files. Without it, the results contain the files as bytes.

    Returns
    -------
    list of CutoutResult
        One result per cube and target, ordered by cube and then by target, as they were given. A cutout that fails has
        its reason in its result; the other cutouts are still made.
    """
    sky = coordinates.icrs
    degrees = (np.atleast_1d(angle.deg).ravel().tolist() for angle in (sky.ra, sky.dec))
    targets = list(zip(*degrees, strict=True))
    n_cubes = min(len(cubes), CUBES_AT_ONCE)
    batch = _Batch(
        targets, size, options or CutoutOptions(), output_folder(output_dir), n_cubes, MemoryBudget(PIXEL_BYTES)
    )
    return [result for results in cut_cubes(cubes, batch.cut_cube, batch.failed) for result in results]


@dataclass(frozen=True)
class _Batch:
    targets: list[tuple[float, float]]
    size: Size
    options: CutoutOptions
    folder: Path | None
    n_cubes: int
    memory: MemoryBudget

    def failed(self, location: Location, error: Exception) -> list[CutoutResult]:
        return [CutoutResult(str(location), ra, dec, "error", str(error)) for ra, dec in self.targets]

    def cut_cube(self, location: Location) -> list[CutoutResult]:
        name = str(location)
        with open_cube(location, check=self.options.check) as file, ThreadPoolExecutor(TARGETS_AHEAD) as pool:
            rows, columns = window_shape(file.cube, self.size)
            n_bytes = rows * columns * file.cube.layout.pixel_bytes
            most = min(TARGETS_AHEAD + 1, len(self.targets), PIXEL_BYTES // self.n_cubes // n_bytes)
            at_once = max(1, most)
            reading: deque[tuple[float, float, Future[Cutout]]] = deque()
            results = []
            with self.memory.taken(at_once * n_bytes), FileGroup() as group:
                for ra, dec in self.targets:
                    reading.append((ra, dec, self._read(pool, file, ra, dec)))
                    if len(reading) == at_once:
                        results.append(self._make(name, file, group, reading.popleft()))
                results += [self._make(name, file, group, item) for item in reading]
            return [_without_failed(result, group.failed) for result in results]

    def _read(self, pool: Executor, file: CubeFile, ra: float, dec: float) -> Future[Cutout]:
        """Start reading the pixels of a target. All other work stays in one thread, as two must not share a WCS."""
        try:
            window = find_window(file.cube, ra, dec, self.size, self.options.placement)
        except UNREADABLE as error:
            failed: Future[Cutout] = Future()
            failed.set_exception(error)
            return failed
        return pool.submit(file.read_window, window, self.options.fill_value)

    def _make(
        self, name: str, file: CubeFile, group: FileGroup, item: tuple[float, float, Future[Cutout]]
    ) -> CutoutResult:
        ra, dec, cutout = item
        try:
            request = self._request(file, ra, dec, cutout.result())
            file.source.check_unchanged()
            file_name = tpf_name(file.cube, ra, dec, request.cutout)
            if self.folder is None:
                return CutoutResult(name, ra, dec, "ok", name=file_name, data=build_tpf(request))
            path = group.write(self.folder / file_name, tpf_pieces(request))
            return CutoutResult(name, ra, dec, "ok", name=file_name, path=path)
        except NoOverlapError as reason:
            return CutoutResult(name, ra, dec, "no overlap", str(reason))
        except ReplacedError:
            raise
        except UNREADABLE as error:
            return CutoutResult(name, ra, dec, "error", str(error))

    def _request(self, file: CubeFile, ra: float, dec: float, cutout: Cutout) -> TpfRequest:
        cube, options = file.cube, self.options
        columns, error = {}, None
        if options.target_times and cube.product.barycentric:
            columns = barycentric_columns(cube, ra, dec)
        elif options.target_times:
            columns, error = corrected_columns(cube, file.info, ra, dec)
        if options.pos_corr:
            columns |= position_corrections(cube, file.info, ra, dec)
        cadences = select_cadences(cube, options.time, options.cadences, options.quality_mask)
        return TpfRequest(cube, cutout, ra, dec, __version__, options.layout, cadences, columns, time_error=error)


def _without_failed(result: CutoutResult, failed: Mapping[Path, OSError]) -> CutoutResult:
    """The result; an error if its file could not be flushed to the disk."""
    if result.path is None or result.path not in failed:
        return result
    return replace(result, status="error", reason=str(failed[result.path]), path=None)
