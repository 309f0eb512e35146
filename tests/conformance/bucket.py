"""MAST's bucket on this machine: an index of footprints, and cubes of two cadences where real ones would be.

A cube has the real shape and the real WCS of its CCD. Its pixels are zeros that nobody stores.
"""

from __future__ import annotations

import http.server
import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from tessera.cubes.reader import read_cube_layout
from tessera.fits.headers import padded
from tessera.sky.footprint import frame_footprint
from tessera.sky.wcs import frame_wcs
from tessera_cloud.contracts import BuildRequest
from tests.support.builds import build_cube
from tests.support.frames import spoc_frame, tiny_times
from tests.support.wcs import FRAME_SHAPE, ffi_wcs_header

ROOT = Path(__file__).parents[2]
INDEX_KEY = "stpubdata/tess/public/footprints/tess_ffi_footprint_cache.json"
CUBE_KEY = re.compile(r"stpubdata/tess/public/mast/tess-s(\d{4})-(\d)-(\d)-cube\.fits")
IMAGE_KEY = "stpubdata/hst/public/j8pu/j8pu0y010/j8pu0y010_drc.fits"
N_CADENCES = 2


class Content(Protocol):
    """Bytes of an object."""

    def __len__(self) -> int: ...
    def __getitem__(self, span: slice, /) -> bytes: ...


class HollowCube:
    """A cube whose pixels are zeros.

    Parameters
    ----------
    head, tail : bytes
        What is before and behind the pixels.
    n_bytes : int
        Of pixels, padding included.
    """

    def __init__(self, head: bytes, n_bytes: int, tail: bytes) -> None:
        self._head, self._n_bytes, self._tail = head, n_bytes, tail

    def __len__(self) -> int:
        return len(self._head) + self._n_bytes + len(self._tail)

    def __getitem__(self, span: slice) -> bytes:
        start, stop, _ = span.indices(len(self))
        first, last = len(self._head), len(self._head) + self._n_bytes
        zeros = max(0, min(stop, last) - max(start, first))
        tail = self._tail[max(0, start - last) : max(0, stop - last)]
        return self._head[start:stop] + bytes(zeros) + tail


@lru_cache(maxsize=64)
def hollow_cube(sector: int, camera: int, ccd: int) -> HollowCube:
    """A cube of small frames, made as large as a real one."""
    pixels = np.zeros((4, 4), np.float32)
    frames = [
        spoc_frame(
            sector=sector,
            camera=camera,
            ccd=ccd,
            cadence_index=cadence,
            flux=pixels,
            error=pixels,
            wcs_cards=ffi_wcs_header(sector, camera, ccd),
            tstart=tiny_times(cadence)[0],
            tstop=tiny_times(cadence)[1],
        )
        for cadence in range(N_CADENCES)
    ]
    cube = build_cube(frames, BuildRequest(sector=sector, camera=camera, ccd=ccd))
    _, layout, offset = read_cube_layout("cube", len(cube), lambda start, length: cube[start : start + length])
    head = cube[:offset]
    for axis, size in ((3, FRAME_SHAPE[1]), (4, FRAME_SHAPE[0])):
        card = f"NAXIS{axis}  = {4:20d}".encode()
        assert card in head
        head = head.replace(card, f"NAXIS{axis}  = {size:20d}".encode())
    head = head.replace(b"CHECKSUM= ", b"OLD_SUM = ")  # MAST's cubes have none
    n_bytes = padded(FRAME_SHAPE[0] * FRAME_SHAPE[1] * N_CADENCES * 2 * 4)
    return HollowCube(head, n_bytes, cube[offset + padded(layout.data_bytes) :])


@lru_cache(maxsize=1)
def footprint_index() -> bytes:
    """MAST's footprints of sectors 1 to 80, and those of later sectors from the WCS of their CCDs."""
    index: dict[str, list[Any]] = json.loads((ROOT / "tests/data/tess_ffi_footprints.json").read_text(encoding="utf-8"))
    for sector, camera, ccd in product(range(81, 109), range(1, 5), range(1, 5)):
        wcs = frame_wcs(dict(ffi_wcs_header(sector, camera, ccd)))
        index["obs_id"].append(f"tess-s{sector:04d}-{camera}-{ccd}")
        index["s_region"].append(frame_footprint(wcs, *FRAME_SHAPE).format_s_region())
        index["target_name"].append("TESS FFI")
        index["sequence_number"].append(sector)
    return json.dumps({name: index[name] for name in ("obs_id", "s_region", "target_name", "sequence_number")}).encode()


@lru_cache(maxsize=1)
def hst_image() -> bytes:
    """An image of the sky at 150.43, 2.42 in place of the one of Hubble that the tests cut."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [50.5, 50.5]
    wcs.wcs.crval = [150.4275416667, 2.42155]
    wcs.wcs.cdelt = [-1.4e-5, 1.4e-5]
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((100, 100), np.float32), wcs.to_header(), "SCI")])
    content = io.BytesIO()
    hdus.writeto(content)
    return content.getvalue()


def find_object(key: str) -> Content | None:
    """An object of the bucket."""
    if key == INDEX_KEY:
        return footprint_index()
    if key == IMAGE_KEY:
        return hst_image()
    match = CUBE_KEY.fullmatch(key)
    return hollow_cube(*map(int, match.groups())) if match else None


class _Handler(http.server.BaseHTTPRequestHandler):
    """As much of S3 as reading takes."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(send_body=False)

    def do_GET(self) -> None:
        self._answer(send_body=True)

    def _answer(self, *, send_body: bool) -> None:
        content = find_object(self.path.lstrip("/"))
        if content is None:
            self.send_error(404)
            return
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, stop = (int(span[1]), int(span[2]) + 1) if span else (0, len(content))
        self.send_response(206 if span else 200)
        if span:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Last-Modified", "Fri, 20 Nov 2026 00:00:00 GMT")
        self.send_header("ETag", '"1"')
        self.end_headers()
        if send_body:
            self.wfile.write(content[start:stop])

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def bucket_server() -> Iterator[str]:
    """Address of an S3 endpoint that has the bucket."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
