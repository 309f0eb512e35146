"""Cutouts: target pixel files from a remote and from a local cube, against the peer.

    python tests/bench/cutout.py [--repeats 5]

The remote cube is behind an S3 endpoint with 30 ms per request and 85 MB/s per connection (s3_link.py). Both programs
run in this process, in turn, and give the whole file as bytes; ours with a warm sidecar as the service has it, and once
cold. The floor is one latency plus the bytes over the link. Requests and bytes are counted by the endpoint. The cubes
have few pixels but real lengths in time.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src", "tests/bench")]

import s3_link  # noqa: E402
from s3_link import counted, serving  # noqa: E402

CASES = ((10, 1282), (30, 1282), (30, 3705), (100, 1282))
SHAPES = {1282: (120, 120), 3705: (60, 60)}
BUCKET = "stpubdata"


def make_cube(folder: Path, n_frames: int) -> Path:
    """A cube of noise with the info table of real cards."""
    from tessera import CubeFactory
    from tests.support.frames import centred_wcs, spoc_frame

    shape = SHAPES[n_frames]
    wcs, rng = centred_wcs(shape), np.random.default_rng(n_frames)
    frames = folder / f"frames{n_frames}"
    frames.mkdir()
    paths = []
    for cadence in range(n_frames):
        flux = rng.standard_normal(shape, dtype=np.float32)
        times = {"tstart": 1325.0 + cadence / 48, "tstop": 1325.0 + (cadence + 1) / 48}
        name, data = spoc_frame(cadence_index=cadence, flux=flux, error=flux + 1, wcs_cards=wcs, **times)
        paths.append(frames / name)
        paths[-1].write_bytes(data)
    cube = folder / f"tess-s{n_frames:04d}-4-2-cube.fits"
    CubeFactory().make_cube(paths, cube, sector=1, verbose=False)
    return cube


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds


def in_turn(works: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(repeats):
        for name, work in works.items():
            seconds[name] += timed(work, 1)
    return seconds


def report(title: str, seconds: dict[str, list[float]], ours: str) -> None:
    print(title)
    reference = statistics.median(seconds[ours])
    for name, values in seconds.items():
        median, p95 = statistics.median(values), sorted(values)[int(0.95 * (len(values) - 1))]
        print(f"  {name:24} {median:7.3f} s  p95 {p95:7.3f}  {median / reference:6.2f} x ours")


def our_file(location: str, cube: object, target: tuple[float, float], size: int) -> bytes:
    from tessera import __version__
    from tessera.cutouts import find_window, open_cube
    from tessera.tpf import TpfRequest, build_tpf

    with open_cube(location, cube) as file:  # type: ignore[arg-type]
        window = find_window(file.cube, *target, size)
        return build_tpf(TpfRequest(file.cube, file.read_window(window), *target, __version__))


def peer_file(location: str, target: tuple[float, float], size: int) -> bytes:
    from astrocut import TessCubeCutout
    from astropy.coordinates import SkyCoord

    cutout = TessCubeCutout(location, SkyCoord(*target, unit="deg"), size, threads=64)
    data = io.BytesIO()
    cutout.tpf_cutouts[0].writeto(data, checksum=True)
    return data.getvalue()


def read_only(location: str, cube: object, target: tuple[float, float], size: int) -> object:
    from tessera.cutouts import find_window, open_cube

    with open_cube(location, cube) as file:  # type: ignore[arg-type]
        return file.read_window(find_window(file.cube, *target, size))


def bench(location: str, cube_path: Path, size: int, repeats: int, url: str | None) -> None:
    from tessera.cutouts import open_cube

    with open_cube(cube_path) as file:
        cube = file.cube
    rows, columns = cube.layout.n_rows, cube.layout.n_columns
    target = tuple(float(value) for value in cube.wcs.all_pix2world([[columns / 2, rows / 2]], 0)[0])
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: our_file(location, cube, target, size),
        "ours, read only": lambda: read_only(location, cube, target, size),
        "ours, no sidecar": lambda: our_file(location, None, target, size),
        "peer": lambda: peer_file(location, target, size),
    }
    n_bytes = size * size * cube.layout.pixel_bytes
    title = f"{size}x{size} x {cube.layout.n_cadences}, {'remote' if url else 'local'}"
    if url:
        floor = s3_link.LATENCY + n_bytes / s3_link.TOTAL
        title += f": floor {floor:.3f} s, {n_bytes / 1e6:.1f} MB"
    report(title, in_turn(works, repeats), "ours")
    if url:
        for name in ("ours", "ours, no sidecar", "peer"):
            before = counted(url)
            works[name]()
            after = counted(url)
            gets, down = (after[what] - before[what] for what in ("gets", "bytes down"))
            print(f"  {name:24} {gets:4} requests, {down / 1e6:7.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    s3_link.TOTAL = 1e9
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        folder = Path(temporary)
        cubes = {n_frames: make_cube(folder, n_frames) for n_frames in SHAPES}
        objects = {f"/{BUCKET}/{path.name}": path for path in cubes.values()}
        with serving(folder, objects) as url:
            os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}
            for size, n_frames in CASES:
                path = cubes[n_frames]
                bench(f"s3://{BUCKET}/{path.name}", path, size, options.repeats, url)
        for size, n_frames in CASES:
            bench(str(cubes[n_frames]), cubes[n_frames], size, options.repeats, None)


if __name__ == "__main__":
    main()
