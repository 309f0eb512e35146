"""Cutouts of published cubes: which cubes, which bytes, which file."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tessera import __version__
from tessera.cube_reader import Cube, read_cube
from tessera.cutout import assemble_cutout
from tessera.errors import CubeFormatError, NoOverlapError
from tessera.footprint import sky_box
from tessera.skymap import sky_to_pixel
from tessera.tpf import TpfRequest, build_tpf, tpf_name
from tessera.windows import Window, place_window, plan_reads
from tessera_cloud import keys
from tessera_cloud.application.footprint_index import read_index
from tessera_cloud.application.tesscut import CutoutRequest, SectorRequest
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError, UsageError
from tessera_cloud.ports import ObjectStore

ROW_READS = 64
"""Range requests of one cutout that are in flight at the same time."""
INLINE_LIMIT = 4_000_000
"""Largest answer in bytes that is sent inline: base64 makes it 5.3 MB of Lambda's 6 MB."""
LINK_SECONDS = 3600
NO_DATA = "No FFIs found for input target. Cutout not performed."
_EDGE_MARGIN = 0.12
"""Degrees by which the edge of a distorted frame may lie outside the polygon through its corners (13 pixels, measured
on six sectors), with something to spare: what is found is decided by each cube's WCS."""
_KNOWN_CUBES = 32
_BYTES_PER_VALUE = 8 + 20 + 20
"""Memory of a pixel and cadence: planes as read, TPF row, and the copy of it in the zip."""


@dataclass(frozen=True)
class TpfFile:
    """A target pixel file and its name."""

    name: str
    data: bytes | bytearray


@dataclass
class CubeCache:
    """What is known of cubes that were read before, by ETag."""

    cubes: dict[str, Cube] = field(default_factory=dict)

    def get(self, published: PublishedCube, store: ObjectStore, cube_bucket: str) -> Cube:
        """What a cutout needs of a cube but its pixels: remembered, or from the sidecar, or from the cube.

        Whoever reads a cube first writes its sidecar, so that others need one small read.
        """
        if published.etag not in self.cubes:
            while len(self.cubes) >= _KNOWN_CUBES:
                self.cubes.pop(next(iter(self.cubes)))
            self.cubes[published.etag] = _open_cube(published, store, cube_bucket)
        return self.cubes[published.etag]


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


def cut(published: PublishedCube, cube: Cube, window: Window, request: CutoutRequest, store: ObjectStore) -> TpfFile:
    """Read the pixels of a window, one range request per row, and make the file."""
    overlap = window.overlap(cube.layout.n_rows, cube.layout.n_columns)
    reads = plan_reads(cube.layout, cube.data_offset, overlap)

    def read(start: int, length: int) -> Any:
        return store.read_range(published.bucket, published.key, start, length, published.etag)

    with ThreadPoolExecutor(ROW_READS) as pool:
        answers = pool.map(lambda item: (item, read(item.data.start, item.data.length)), reads)
        cutout = assemble_cutout(cube.layout, window, answers)
    data = build_tpf(TpfRequest(cube, cutout, request.ra, request.dec, __version__))
    return TpfFile(tpf_name(cube, request.ra, request.dec, cutout), data)


def make_cutouts(
    request: CutoutRequest, *, store: ObjectStore, cube_bucket: str, cache: CubeCache, memory_mb: int
) -> list[TpfFile]:
    """Target pixel files of all cubes that a request touches; empty when there are none.

    Raises
    ------
    UsageError
        When they would not fit into this function's memory.
    """
    index, _ = read_index(store, cube_bucket)
    height, width = request.degrees()
    region = sky_box(request.ra, request.dec, width + 2 * _EDGE_MARGIN, height + 2 * _EDGE_MARGIN)
    wanted = index.find(region, request.sectors)
    found = []
    for published in wanted:
        cube = cache.get(published, store, cube_bucket)
        window = find_window(cube, request)
        if window is not None:
            found.append((published, cube, window))
    values = sum(window.n_rows * window.n_columns * cube.layout.n_cadences for _, cube, window in found)
    if values * _BYTES_PER_VALUE > 0.7 * memory_mb * 1e6:
        raise UsageError(
            f"{len(found)} cutouts of {values:,} pixels x cadences in all are too large for one request; "
            "ask for fewer sectors or a smaller y, x"
        )
    return [cut(published, cube, window, request, store) for published, cube, window in found]


def zip_files(files: Sequence[TpfFile]) -> bytes:
    """Zip archive with flat, deflated members; the same files give the same bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for file in files:
            member = zipfile.ZipInfo(file.name)  # dated 1980-01-01: no clock in the answer
            archive.writestr(member, file.data, zipfile.ZIP_DEFLATED, compresslevel=1)
    return data.getvalue()


def store_result(data: bytes, *, store: ObjectStore, bucket: str, file_name: str) -> str:
    """Keep an answer that is too large to send, and return a URL that anyone may GET for an hour."""
    key = keys.result(hashlib.sha256(data).hexdigest()[:32])
    store.write(bucket, key, data)
    return store.presign(bucket, key, LINK_SECONDS, file_name)
