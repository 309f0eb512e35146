"""Cutouts of published cubes: which bytes, which file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.cubes.read_ahead import read_rows
from tessera.cubes.read_plan import plan_reads
from tessera.cubes.reader import Cube
from tessera.cubes.window_pixels import assemble_cutout
from tessera.cutouts.cadences import select_cadences
from tessera.errors import NoOverlapError
from tessera.io.ranges import REQUESTS_IN_FLIGHT
from tessera.sky.positions import sky_to_pixel
from tessera.tpf.fixed import TpfRequest, tpf_name, tpf_pieces
from tessera.windows import MAX_WINDOW, CubePlacement, Placement, Window, check_window_shape, place_window
from tessera_cloud.application.cutouts.order import OVERHEAD_BYTES, PLANE_BYTES
from tessera_cloud.application.cutouts.request import (
    CutoutOptions,
    CutoutRequest,
    Moving,
    Position,
    Region,
    check_pixels,
)
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.ports import ObjectStore


def find_window(cube: Cube, target: Position | Region, placement: CubePlacement) -> Window | None:
    """Window of a target on a cube, or None where they do not overlap."""
    match target:
        case Position():
            window = _position_window(cube, target, placement)
        case Region():
            window = _region_window(cube, target)
    if window is None:
        return None
    try:
        window.overlap(cube.layout.n_rows, cube.layout.n_columns)
    except NoOverlapError:
        return None
    return window


def _position_window(cube: Cube, target: Position, placement: CubePlacement) -> Window | None:
    pixel = sky_to_pixel(cube.wcs, target.ra, target.dec)
    if pixel is None:
        return None
    window = place_window(*pixel, *target.size.pixels(*cube.pixel_scales), Placement(placement))
    check_window_shape(*window.shape)
    return window


def _region_window(cube: Cube, region: Region) -> Window | None:
    """The box of pixels that holds the corners of a region."""
    pixels = [sky_to_pixel(cube.wcs, ra, dec) for ra, dec in region.corners]
    known = [pixel for pixel in pixels if pixel is not None]
    if len(known) != len(pixels):
        return None
    (first_row, first_column), (last_row, last_column) = (
        tuple(math.floor(side(axis) + 0.5) for axis in zip(*known, strict=True)) for side in (min, max)
    )
    rows, columns = last_row - first_row + 1, last_column - first_column + 1
    if max(rows, columns) > MAX_WINDOW:
        return None
    return Window(first_row, first_column, rows, columns)


class Planned(Protocol):
    """A cutout that is known to have pixels."""

    @property
    def published(self) -> PublishedCube:
        """The cube that is cut."""

    @property
    def n_values(self) -> int:
        """Pixels times cadences, as read."""

    @property
    def memory(self) -> int:
        """Bytes that making the file takes at most."""

    def cut(self, store: ObjectStore) -> tuple[str, Iterator[bytes]]:
        """Read the pixels; name and pieces of the file."""


@dataclass(frozen=True)
class PlannedCutout:
    """A cutout that is known to have pixels."""

    published: PublishedCube
    cube: Cube
    window: Window
    position: tuple[float, float]
    """Right ascension and declination of the target, or of the middle of a region, in degrees."""
    layout: Literal["full", "slim"] = "full"
    cadences: NDArray[np.intp] | None = None
    """Those to keep; None for all."""

    @property
    def n_values(self) -> int:
        """Pixels times cadences, as read."""
        return self.window.n_rows * self.window.n_columns * self.cube.layout.n_cadences

    @property
    def memory(self) -> int:
        """Bytes that making the file takes at most."""
        return self.n_values * PLANE_BYTES + OVERHEAD_BYTES

    @property
    def name(self) -> str:
        """Of the cube that is cut, with its version."""
        return f"{self.published.obs_id} {self.published.etag}"

    def cut(self, store: ObjectStore) -> tuple[str, Iterator[bytes]]:
        """Read the pixels of the window, one range request per row; name and pieces of the file."""
        cube, published, window = self.cube, self.published, self.window
        reads = plan_reads(cube.layout, cube.data_offset, window.overlap(cube.layout.n_rows, cube.layout.n_columns))

        def read(start: int, length: int) -> Any:
            return store.read_range(published.bucket, published.key, start, length, published.etag)

        with ThreadPoolExecutor(REQUESTS_IN_FLIGHT) as pool:
            cutout = assemble_cutout(cube.layout, window, read_rows(pool, read, reads))
        tpf = TpfRequest(cube, cutout, *self.position, __version__, self.layout, self.cadences)
        return tpf_name(cube, *self.position, cutout), tpf_pieces(tpf)


def plan_cutout(published: PublishedCube, cube: Cube, request: CutoutRequest, most_pixels: int) -> Planned | None:
    """The cutout of one cube, or None where it has no pixels or no cadences.

    Raises
    ------
    TooLargeError
        When the window has more pixels than `most_pixels`.
    """
    target, options = request.target, request.options
    match target:
        case Moving():
            from tessera_cloud.application.cutouts.planned_track import plan_moving  # noqa: PLC0415 - brings much

            return plan_moving(published, cube, target, options, most_pixels)
        case Position() | Region():
            return _plan_still(published, cube, target, options, most_pixels)


def _plan_still(
    published: PublishedCube, cube: Cube, target: Position | Region, options: CutoutOptions, most_pixels: int
) -> PlannedCutout | None:
    window = find_window(cube, target, options.placement)
    if window is None:
        return None
    check_pixels(window.n_rows, window.n_columns, most_pixels, target.sized_by)
    cadences = select_cadences(cube, options.time, options.cadences, options.quality_mask)
    if cadences is not None and len(cadences) == 0:
        return None
    return PlannedCutout(published, cube, window, (target.ra, target.dec), options.layout, cadences)
