"""Make the light curves and target pixel files of the targets of a band, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import Any

from tessera import __version__
from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.products.curve_fits import target_star
from tessera.bulk.work.curves import CurveMaker
from tessera.bulk.work.made import BulkCurve, Made
from tessera.bulk.work.reading import ReadBuffer, WindowRows, read_windows
from tessera.cubes.read_ahead import READ_AHEAD_BYTES
from tessera.cubes.read_plan import RowRead
from tessera.cubes.reader import Cube
from tessera.cubes.window_pixels import Cutout, assemble_cutout
from tessera.cutouts.origin.cube_record import cube_record
from tessera.cutouts.origin.recipe import TpfRecipe
from tessera.errors import UNREADABLE, NoOverlapError
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.lightcurves.masks import cutout_mask
from tessera.lightcurves.photometry import Mask
from tessera.lightcurves.preview import assemble_series
from tessera.provenance.fits_files import add_provenance
from tessera.provenance.record import Origin
from tessera.sky.motion import Targets
from tessera.tpf.fixed import tpf_pieces
from tessera.windows import Window


def make_band(
    band: StoredBand,
    cube: Cube,
    read: ReadBuffer,
    options: BulkOptions,
    *,
    pool: Executor | None = None,
    ahead: int = READ_AHEAD_BYTES,
    origin: Origin | None = None,
    vectors: AlignedVectors | None = None,
) -> Iterator[Made]:
    """Make what the products of a band need. A target that cannot be made costs only itself.

    Parameters
    ----------
    band : StoredBand
        Targets of the band, and what to read for them.
    cube : Cube
        Its cube.
    read : callable
        ``read(start, length)`` returns those bytes of the cube's file as a buffer. Several threads may call it.
    options : BulkOptions
        What to make.
    pool : Executor, optional
        Threads that read; without it, one request is sent at a time.
    ahead : int, optional
        Memory for what is read ahead; see `tessera.bulk.work.reading.read_windows`.
    origin : Origin, optional
        What the records of files say of the cube; without it, they have no record.
    vectors : AlignedVectors, optional
        Cotrending vectors of the cube, if there are some.

    Yields
    ------
    Made
        Each target once, in the order in which their last pixels are in the file: always the same order.

    Raises
    ------
    CubeFormatError
        When the plan of the band does not fit the cube.
    OSError
        When the cube cannot be read.
    """
    work = _BandWork(band, cube, options, origin, vectors)
    requests = (band.starts, band.stops)
    for item in read_windows(cube.layout, cube.data_offset, work.windows, requests, read, pool=pool, ahead=ahead):
        yield work.make(item)


@dataclass(frozen=True, eq=False)
class _BandWork:
    band: StoredBand
    cube: Cube
    options: BulkOptions
    origin: Origin | None
    vectors: AlignedVectors | None

    @cached_property
    def windows(self) -> list[Window]:
        return [self.band.window(number) for number in range(len(self.band))]

    @cached_property
    def _targets(self) -> Targets:
        return self.band.targets()

    @cached_property
    def _curves(self) -> CurveMaker:
        return CurveMaker(self.cube, self.options.background, self.options.detrend, self.vectors)

    def make(self, item: WindowRows) -> Made:
        window, wanted = self.windows[item.number], {*self.options.outputs}
        file = None
        try:
            window.overlap(self.cube.layout.n_rows, self.cube.layout.n_columns)
            if "tpf" in wanted:
                file = self._file(item.number, window, item.rows)
            curve = self._curve(item.number, window, item.rows) if wanted != {"tpf"} else None
        except NoOverlapError as error:
            return Made(item.number, None, file, "no overlap", str(error))
        except UNREADABLE as error:
            return Made(item.number, None, file, "error", str(error))
        return Made(item.number, curve, file)

    def _curve(self, number: int, window: Window, rows: list[tuple[RowRead, Any]]) -> BulkCurve:
        series = assemble_series(self.cube.layout, window, rows)
        band = self.band
        pixel = float(band.pixel_row[number]), float(band.pixel_column[number])
        times = self._curves.times(float(band.moved_ra[number]), float(band.moved_dec[number]))
        return self._curves.measure(window, series, band.aperture_of(number), pixel, times, flags=self.options.flags)

    def _file(self, number: int, window: Window, rows: list[tuple[RowRead, Any]]) -> Iterable[bytes]:
        cutout = assemble_cutout(self.cube.layout, window, rows)
        recipe = TpfRecipe(
            window,
            *self._targets.catalogued(number),
            (float(self.band.moved_ra[number]), float(self.band.moved_dec[number])),
            self.options.layout,
            star=target_star(self.band, self._targets, number),
            aperture=self._marked(number, cutout),
            flags=self.options.flags,
        )
        pieces = tpf_pieces(recipe.tpf(self.cube, cutout, None, __version__))
        if self.origin is not None:
            pieces = add_provenance(pieces, partial(cube_record, "target pixel file", self.origin, recipe.document))
        return chain([next(pieces)], pieces)  # the headers are made here, so that an error costs this target only

    def _marked(self, number: int, cutout: Cutout) -> Mask | None:
        """Aperture that a file marks: none, if nobody asked for another one than the default."""
        band = self.band
        if (aperture := band.aperture_of(number)) == "default":
            return None
        pixel = float(band.pixel_row[number]), float(band.pixel_column[number])
        return cutout_mask(aperture, cutout, self.cube.series["quality"], pixel)
