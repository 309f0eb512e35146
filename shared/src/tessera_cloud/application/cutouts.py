"""Cutouts of published cubes: which cubes, which bytes, which file."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tessera import __version__
from tessera.cube_reader import Cube, read_cube
from tessera.cutout import assemble_cutout
from tessera.errors import CubeFormatError, NoOverlapError
from tessera.footprint import sky_box
from tessera.read_ahead import read_rows
from tessera.skymap import sky_to_pixel
from tessera.tpf import TpfRequest, tpf_name, tpf_pieces
from tessera.windows import Window, place_window, plan_reads
from tessera_cloud import keys
from tessera_cloud.application.cube_cache import CubeCache
from tessera_cloud.application.footprint_index import read_index
from tessera_cloud.application.tesscut import CutoutRequest, SectorRequest
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError, UsageError
from tessera_cloud.ports import ObjectStore

ROW_READS = 64
"""Range requests of one cutout that are in flight at the same time."""
MAX_ANSWER = 600_000_000
"""Bytes of target pixel files, before compression, that can be made while a client waits."""
NO_DATA = "No FFIs found for input target. Cutout not performed."
_EDGE_MARGIN = 0.12
"""Degrees by which the edge of a distorted frame may lie outside the polygon through its corners (13 pixels, measured
on six sectors), with something to spare: what is found is decided by each cube's WCS."""
_KNOWN_CUBES = 32
_PLANE_BYTES, _TPF_BYTES = 8, 20
"""Bytes of a pixel and cadence as read, and in the file."""
_OVERHEAD_BYTES = 500_000_000
"""Interpreter, libraries, and what is read ahead."""
_ZIP64_FROM = 2_000_000_000


def known_cube(published: PublishedCube, store: ObjectStore, cube_bucket: str, cache: CubeCache) -> Cube:
    """What a cutout needs of a cube but its pixels: remembered, or from the sidecar, or from the cube.

    Whoever reads a cube first writes its sidecar, so that others need one small read.
    """
    if published.etag not in cache.cubes:
        while len(cache.cubes) >= _KNOWN_CUBES:
            cache.cubes.pop(next(iter(cache.cubes)))
        cache.cubes[published.etag] = _open_cube(published, store, cube_bucket)
    return cache.cubes[published.etag]


def _open_cube(published: PublishedCube, store: ObjectStore, cube_bucket: str) -> Cube:
    sidecar = keys.sidecar(published.etag)
    with suppress(ObjectMissingError, CubeFormatError):
        return Cube.from_sidecar(store.read(cube_bucket, sidecar)[0])

    def read(start: int, length: int) -> bytes:
        return bytes(store.read_range(published.bucket, published.key, start, length, published.etag))

    cube = read_cube(published.key.rsplit("/", 1)[-1], published.size, read)
    store.write(cube_bucket, sidecar, cube.to_sidecar())
    return cube


def find_sectors(request: SectorRequest, *, store: ObjectStore, cube_bucket: str) -> list[dict[str, str]]:
    """Rows of the ``/sector`` answer; all values are strings, as at MAST."""
    index, _ = read_index(store, cube_bucket)
    region = sky_box(request.ra, request.dec, 2 * request.radius, 2 * request.radius)
    return [
        {
            "sectorName": cube.obs_id,
            "sector": f"{cube.ccd_id.sector:04d}",
            "camera": str(cube.ccd_id.camera),
            "ccd": str(cube.ccd_id.ccd),
        }
        for cube in index.find(region)
    ]


def find_window(cube: Cube, request: CutoutRequest) -> Window | None:
    """Window of a request on a cube, or None where they do not overlap."""
    pixel = sky_to_pixel(cube.wcs, request.ra, request.dec)
    if pixel is None:
        return None
    window = place_window(*pixel, *request.pixels(*cube.pixel_scales))
    try:
        window.overlap(cube.layout.n_rows, cube.layout.n_columns)
    except NoOverlapError:
        return None
    return window


@dataclass(frozen=True)
class PlannedCutout:
    """A cutout that is known to have pixels."""

    published: PublishedCube
    cube: Cube
    window: Window

    @property
    def n_values(self) -> int:
        """Pixels times cadences."""
        return self.window.n_rows * self.window.n_columns * self.cube.layout.n_cadences

    @property
    def name(self) -> str:
        """Of the cube that is cut, with its version."""
        return f"{self.published.obs_id} {self.published.etag}"


def plan_cutouts(
    request: CutoutRequest, *, store: ObjectStore, cube_bucket: str, cache: CubeCache, memory_mb: int
) -> list[PlannedCutout]:
    """Cutouts that a request touches; empty when there are none.

    Raises
    ------
    UsageError
        When they would take more time than an answer may, or more memory than this function has.
    """
    index, _ = read_index(store, cube_bucket)
    height, width = request.degrees()
    region = sky_box(request.ra, request.dec, width + 2 * _EDGE_MARGIN, height + 2 * _EDGE_MARGIN)
    planned = []
    for published in index.find(region, request.sectors):
        cube = known_cube(published, store, cube_bucket, cache)
        window = find_window(cube, request)
        if window is not None:
            planned.append(PlannedCutout(published, cube, window))
    sizes = [cutout.n_values for cutout in planned]
    largest = max(sizes, default=0) * _PLANE_BYTES + _OVERHEAD_BYTES
    if sum(sizes) * _TPF_BYTES > MAX_ANSWER or largest > 0.95 * memory_mb * 1e6:
        raise UsageError(
            f"{len(planned)} cutouts of {sum(sizes):,} pixels x cadences in all are too large for one request; "
            "ask for fewer sectors or a smaller y, x"
        )
    return planned


def _cut(planned: PlannedCutout, request: CutoutRequest, store: ObjectStore) -> tuple[str, Iterator[bytes]]:
    """Read the pixels of a window, one range request per row; name and pieces of the file."""
    cube, published, window = planned.cube, planned.published, planned.window
    reads = plan_reads(cube.layout, cube.data_offset, window.overlap(cube.layout.n_rows, cube.layout.n_columns))

    def read(start: int, length: int) -> Any:
        return store.read_range(published.bucket, published.key, start, length, published.etag)

    with ThreadPoolExecutor(ROW_READS) as pool:
        cutout = assemble_cutout(cube.layout, window, read_rows(pool, read, reads))
    pieces = tpf_pieces(TpfRequest(cube, cutout, request.ra, request.dec, __version__))
    return tpf_name(cube, request.ra, request.dec, cutout), pieces


def write_zip(planned: Sequence[PlannedCutout], request: CutoutRequest, out: io.RawIOBase, store: ObjectStore) -> None:
    """Write a zip archive of the cutouts, flat and deflated; the same request gives the same bytes.

    One cutout is in memory at a time, and none of the files is ever whole.
    """
    # Members that are opened by name are dated 1980-01-01: no clock gets into the answer.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for item in planned:
            name, pieces = _cut(item, request, store)
            with archive.open(name, "w", force_zip64=item.n_values * _TPF_BYTES > _ZIP64_FROM) as file:
                for piece in pieces:
                    file.write(piece)


def result_key(planned: Sequence[PlannedCutout], request: CutoutRequest) -> str:
    """Key of a stored answer: the same for the same request to the same cubes."""
    text = "\n".join([__version__, repr(request), *(item.name for item in planned)])
    return keys.result(hashlib.sha256(text.encode()).hexdigest()[:32])
