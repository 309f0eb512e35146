"""Cutouts that are known to have pixels: which bytes they need, and the file that is made of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.cubes.read_ahead import read_rows
from tessera.cubes.read_plan import plan_reads
from tessera.cubes.reader import Cube
from tessera.cubes.window_pixels import Cutout, assemble_cutout
from tessera.cutouts.origin.cube_record import cube_record
from tessera.io.ranges import REQUESTS_IN_FLIGHT
from tessera.provenance.fits_files import add_provenance
from tessera.provenance.record import Kind, Origin
from tessera.sky.positions import sky_to_pixel
from tessera.tess.star import Star
from tessera.windows import Placement, Window, place_window
from tessera_cloud.application.cutouts.options import WORDS, CutoutOptions
from tessera_cloud.application.facts import FramePixels
from tessera_cloud.application.measures.references import open_reference
from tessera_cloud.application.sidecar import cube_ranges
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.ports import RangeStore


@cache
def row_pool() -> ThreadPoolExecutor:
    """Threads that read rows. All cutouts of a process share them, because starting them takes longer than a read."""
    return ThreadPoolExecutor(REQUESTS_IN_FLIGHT, "tessera-rows")


os.register_at_fork(after_in_child=row_pool.cache_clear)


class Planned(Protocol):
    """A cutout that is known to have pixels."""

    @property
    def published(self) -> PublishedCube:
        """The cube that is cut."""

    @property
    def n_values(self) -> int:
        """Pixels times cadences, as read."""

    @property
    def file_name(self) -> str:
        """Name of the file."""

    def at(self, frames: FramePixels | None, own_bucket: str) -> Planned:
        """The same cutout, whose pixels are read from frames if there are any, and our bucket of cubes."""

    def cut(self, store: RangeStore) -> tuple[str, Iterator[bytes]]:
        """Read the pixels; name and pieces of the file."""


def _moved(mask: NDArray[np.bool_], shown: Window, window: Window) -> NDArray[np.bool_]:
    """An aperture of one window, in another window of the same shape."""
    rows, columns = np.nonzero(mask)
    rows, columns = rows + shown.first_row - window.first_row, columns + shown.first_column - window.first_column
    inside = (rows >= 0) & (rows < window.n_rows) & (columns >= 0) & (columns < window.n_columns)
    moved = np.zeros_like(mask)
    moved[rows[inside], columns[inside]] = True
    return moved


def published_origin(published: PublishedCube, cube: Cube) -> Origin:
    """What records say of a published cube."""
    location = f"s3://{published.bucket}/{published.key}"
    return Origin.of(location, published.size, published.etag, cube.digest, published.build_id)


def with_record(
    pieces: Iterator[bytes], kind: Kind, published: PublishedCube, cube: Cube, request: dict[str, Any]
) -> Iterator[bytes]:
    """Pieces of a file, and its record."""
    return add_provenance(pieces, partial(cube_record, kind, published_origin(published, cube), request))


@dataclass(frozen=True)
class PlannedCutout:
    """A cutout that is known to have pixels."""

    published: PublishedCube
    cube: Cube
    window: Window
    position: tuple[float, float]
    """Right ascension and declination of the target, or of the middle of a region or shape, in degrees."""
    layout: Literal["full", "slim"] = "full"
    cadences: NDArray[np.intp] | None = None
    """Those to keep; None for all."""
    star: Star | None = None
    """What is known about the target."""
    aperture: NDArray[np.bool_] | str | None = None
    """Pixels of the optimal aperture, or a text for `tessera.lightcurves.masks.cutout_mask`."""
    difference: bool = False
    """Whether the pixels are differences from the cube's reference frame."""
    flags: bool = False
    """Whether collateral pixels and cadences without a new picture are marked."""
    recorded: CutoutOptions | None = None
    """The options, if the file has a record; see `tessera.cutouts.origin.recipe`."""
    frames: FramePixels | None = None
    """What reads the pixels where there is no cube."""
    own_bucket: str = ""
    """Bucket of reference frames."""

    @property
    def n_values(self) -> int:
        """Pixels times cadences, as read."""
        return self.window.n_rows * self.window.n_columns * self.cube.layout.n_cadences

    @property
    def file_name(self) -> str:
        """Name of the file, as astrocut makes it."""
        from tessera.tpf.fixed import tpf_name  # noqa: PLC0415 - see `cut`

        return tpf_name(self.cube, *self.position, self.window.shape, difference=self.difference)

    def at(self, frames: FramePixels | None, own_bucket: str) -> PlannedCutout:
        """See `Planned.at`."""
        return replace(self, frames=frames, own_bucket=own_bucket)

    def cut(self, store: RangeStore) -> tuple[str, Iterator[bytes]]:
        """Read the pixels of the window; name and pieces of the file."""
        from tessera.cutouts.origin.recipe import TpfRecipe  # noqa: PLC0415 - imports half of astropy, like the next
        from tessera.tpf.fixed import tpf_pieces  # noqa: PLC0415

        cube, published, window = self.cube, self.published, self.window
        reference = open_reference(published, cube, store, self.own_bucket) if self.difference else None
        cutout = self._read(store)
        aperture = self._aperture_of(cutout)
        if reference is not None:
            reference.read_window(window, store).subtract(cutout.planes)
        asked = self.recorded or CutoutOptions()
        recipe = TpfRecipe(
            window,
            *self.position,
            self.position,
            self.layout,
            asked.time,
            asked.cadences,
            asked.quality_mask,
            asked.touched,
            star=self.star,
            aperture=aperture,
            reference=None if reference is None else reference.layout.facts,
            flags=self.flags,
        )
        pieces = tpf_pieces(recipe.tpf(cube, cutout, self.cadences, __version__))
        if self.recorded is not None:
            pieces = with_record(pieces, "target pixel file", published, cube, recipe.document)
        return self.file_name, pieces

    def _read(self, store: RangeStore) -> Cutout:
        """Read the pixels: one range request per row of a cube, or one per plane of each frame."""
        cube, published, window = self.cube, self.published, self.window
        if self.frames is not None:
            return self.frames.cutout(window, row_pool())
        reads = plan_reads(cube.layout, cube.data_offset, window.overlap(cube.layout.n_rows, cube.layout.n_columns))
        read = cube_ranges(published, cube, store)
        return assemble_cutout(cube.layout, window, read_rows(row_pool(), read, reads))

    def _aperture_of(self, cutout: Cutout) -> NDArray[np.bool_] | None:
        """The optimal aperture, which may depend on the pixels. Digits are those of a preview, in every placement."""
        if not isinstance(self.aperture, str):
            return self.aperture
        from tessera.lightcurves.masks import cutout_mask  # noqa: PLC0415 - few requests need it

        target = sky_to_pixel(self.cube.wcs, *self.position)
        assert target is not None  # it placed the window
        mask = cutout_mask(self.aperture, cutout, self.cube.series["quality"], target)
        if self.aperture in WORDS:
            return mask
        return _moved(mask, place_window(*target, *self.window.shape, Placement.CENTRE), self.window)
