"""Cutouts: target pixel files from a remote and from a local cube, against two peers; batches; the search by footprint.

    python tests/bench/cutouts/cutout.py [--repeats 5] [--only remote batch local footprints] [--total 1e9]
        [--folder DIR]

The remote cube is behind an S3 endpoint with 30 ms per request and 85 MB/s per connection (s3_link.py). Every program
is a process of its own that holds what it keeps of a cube: ours and tesscube its headers and its table, astrocut
nothing. They run in turn, once without being timed; each run has a target of its own, one pixel further on, since
tesscube keeps pixels. What is timed is a public function that gives the whole file as bytes, or writes it. `requests`
are the same ranges as ours, fetched by a bare client in as many threads: what this endpoint and this machine can give.
The floor is one latency plus the bytes over the link. The endpoint counts requests and bytes. The cubes have few pixels
but real lengths in time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tests.bench.cutouts.programs import Job, Target, bare_work, command_of, running  # noqa: E402
from tests.bench.support.report import missed, record  # noqa: E402
from tests.bench.support.tesscube import installed_peers  # noqa: E402

BENCH = "cutouts/cutout"
BENCHES = ("remote", "batch", "local", "footprints")
CASES = ((10, 1282), (30, 1282), (30, 3705), (100, 1282))
CUBES = {1282: "4-2", 3705: "4-3"}
SHAPES = {1282: (120, 120), 3705: (60, 60)}
WANTED = {(10, 1282): "peer >= 3", (30, 1282): "peer >= 4", (30, 3705): "peer >= 8", (100, 1282): "peer >= 6"}
WANTED_LOCAL = {(30, 1282): "peer >= 4", (100, 1282): "peer >= 5"}
WANTED_MEMORY = "peer >= 2.5"
WANTED_BATCH = "limit <= 4"
"""Each file takes some milliseconds of the processor, too."""
SECTOR, FIRST_DAY, DAYS = 4, 1411.0, 26.0
BUCKET, FOLDER = "stpubdata", "tess/public/mast"
N_CUBES, N_TARGETS, N_FOOTPRINTS = 20, 500, 1600

# ---------------------------------------------------------------- cubes and targets


def make_frames(folder: Path, n_frames: int, cadences: range) -> list[Path]:
    from tests.support.frames import centred_wcs, spoc_frame

    shape, (camera, ccd) = SHAPES[n_frames], map(int, CUBES[n_frames].split("-"))
    wcs, paths = centred_wcs(shape, SECTOR, camera, ccd), []
    for cadence in cadences:
        flux = np.random.default_rng(cadence).standard_normal(shape, dtype=np.float32)
        start, stop = (FIRST_DAY + DAYS * index / n_frames for index in (cadence, cadence + 1))
        place = {"sector": SECTOR, "camera": camera, "ccd": ccd, "wcs_cards": wcs}
        name, data = spoc_frame(cadence_index=cadence, flux=flux, error=flux + 1, tstart=start, tstop=stop, **place)
        paths.append(folder / name)
        paths[-1].write_bytes(data)
    return paths


def make_cube(folder: Path, n_frames: int) -> Path:
    """A cube of noise with the info table of real cards; one that is there already is taken."""
    from tessera import CubeFactory

    cube = folder / f"tess-s{SECTOR:04d}-{CUBES[n_frames]}-cube.fits"
    if cube.exists():
        return cube
    parts = [range(start, min(start + 200, n_frames)) for start in range(0, n_frames, 200)]
    with tempfile.TemporaryDirectory(dir=folder) as frames, ProcessPoolExecutor(2) as pool:
        made = pool.map(make_frames, [Path(frames)] * len(parts), [n_frames] * len(parts), parts)
        paths = [path for some in made for path in some]
        CubeFactory().make_cube(paths, cube, sector=SECTOR, verbose=False)
    return cube


def some_targets(cube_path: Path, n: int, step: int = 1) -> list[Target]:
    """Targets around the middle of a cube, a pixel or more from each other."""
    from tessera.cutouts.open_cube import open_cube

    with open_cube(cube_path) as file:
        cube = file.cube
    side = int(np.ceil(np.sqrt(n)))
    offsets = (np.arange(n) % side - side // 2) * step, (np.arange(n) // side - side // 2) * step
    columns, rows = (
        size // 2 + some for size, some in zip((cube.layout.n_columns, cube.layout.n_rows), offsets, strict=True)
    )
    sky = cube.wcs.all_pix2world(np.column_stack([columns, rows]) + 0.2, 0)
    return [(float(ra), float(dec)) for ra, dec in sky]


# ---------------------------------------------------------------- what is measured


@dataclass
class Runs:
    """What became of the runs of one program."""

    seconds: list[float]
    anonymous_mb: float
    requests: float = 0
    mb: float = 0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def count(url: str | None) -> tuple[int, int]:
    from tests.bench.support.s3_link import counted

    if url is None:
        return 0, 0
    counts = counted(url)
    return counts.get("gets", 0) + counts.get("heads", 0), counts.get("bytes down", 0)


def measure(jobs: list[Job], targets: list[Target], url: str | None, environment: dict[str, str]) -> dict[str, Runs]:
    """Run programs in turn, once for each target; the first does not count."""
    answers: dict[str, list[tuple[float, float, int, int]]] = defaultdict(list)
    with ExitStack() as stack:
        programs = {job.kind: stack.enter_context(running(command_of(job), environment)) for job in jobs}
        for target in targets:
            for kind, run in programs.items():
                os.sync()  # nothing that another run left is written back while this one is timed
                before = count(url)
                answer = run(target)
                after = count(url)
                memory = answer.get("anonymous_mb", 0.0)
                answers[kind].append((answer["seconds"], memory, after[0] - before[0], after[1] - before[1]))
    result = {}
    for kind, rows in answers.items():
        seconds, memory, requests, down = zip(*rows[1:], strict=True)
        median = statistics.median
        result[kind] = Runs(list(seconds), median(memory), median(requests), median(down) / 1e6)
    return result


def bench_remote(cubes: dict[int, Path], url: str, repeats: int, total: float, environment: dict[str, str]) -> None:
    from tests.bench.support.s3_link import LATENCY

    kinds = ["requests", "ours, read only", "ours", *installed_peers()]
    for size, n_frames in CASES:
        path = cubes[n_frames]
        jobs = [Job(kind, f"s3://{BUCKET}/{FOLDER}/{path.name}", str(path), size) for kind in kinds]
        runs = measure(jobs, some_targets(path, repeats + 1), url, environment)
        floor = LATENCY + size * size * n_frames * 8 / total
        case, seconds = f"{size}x{size} x {n_frames:,}, remote", {kind: row.median for kind, row in runs.items()}
        peers = {kind: seconds[kind] for kind in ("astrocut", "tesscube") if kind in seconds}
        bare = seconds["requests"]
        record(BENCH, case, "time", seconds["ours"], "s", peer=peers, limit=floor, wanted=WANTED[size, n_frames])
        record(BENCH, f"{case}, reading", "time", seconds["ours, read only"], "s", limit=floor, wanted="limit <= 1.5")
        record(BENCH, f"{case}, the same requests by a bare client", "time", bare, "s", limit=floor)
        requests = {kind: runs[kind].requests for kind in peers}
        record(BENCH, case, "requests", runs["ours"].requests, "requests", peer=requests)
        record(BENCH, case, "bytes", runs["ours"].mb * 1e6, "B", peer={kind: runs[kind].mb * 1e6 for kind in peers})


def bench_local(cubes: dict[int, Path], folder: Path, repeats: int) -> None:
    for size, n_frames in ((30, 1282), (100, 1282)):
        path = cubes[n_frames]
        targets = some_targets(path, repeats + 1)
        jobs = [Job(kind, str(path), str(path), size, str(folder)) for kind in ("ours", "astrocut")]
        runs = measure(jobs, targets, None, {})
        ours, peer = runs["ours"], runs["astrocut"]
        case, wanted = f"{size}x{size} x {n_frames:,}, local, to a file", WANTED_LOCAL[size, n_frames]
        record(BENCH, case, "time", ours.median, "s", peer=peer.median, wanted=wanted)
        memory = (one.anonymous_mb * 1e6 for one in (ours, peer))
        record(BENCH, case, "memory", next(memory), "B", peer=next(memory), wanted=WANTED_MEMORY)


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    work()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds


def bare_batch(cubes: list[str], path: Path, size: int) -> Callable[[], object]:
    """Function that sends the requests of one target on many cubes of the same pixels."""
    (target,) = some_targets(path, 1)
    fetches = [bare_work(Job("requests", cube, str(path), size)) for cube in cubes]
    pool = ThreadPoolExecutor(len(cubes))
    return lambda: [*pool.map(lambda fetch: fetch(target), fetches)]


def bench_batch(path: Path, names: list[str], folder: Path, repeats: int, total: float) -> None:
    from astropy.coordinates import SkyCoord

    from tessera.cutouts.batch import make_cutouts
    from tests.bench.support.s3_link import LATENCY

    remote = [f"s3://{BUCKET}/{FOLDER}/{name}" for name in names]
    one = SkyCoord([some_targets(path, 1)[0]], unit="deg")

    def cut(cubes: list[str], targets: SkyCoord, size: int, out: Path | None = None) -> None:
        results = make_cutouts(cubes, targets, size, output_dir=out)
        assert all(result.status == "ok" for result in results), results[0].reason

    for size in (10, 30):
        single = statistics.median(timed(lambda size=size: cut(remote[:1], one, size), repeats))
        many = statistics.median(timed(lambda size=size: cut(remote, one, size), repeats))
        bare = statistics.median(timed(bare_batch(remote, path, size), repeats))
        floor = LATENCY + len(remote) * size * size * min(CUBES) * 8 / total
        case, peer = f"{len(remote)} cubes x 1 target, {size}x{size}, remote", {"one by one": len(remote) * single}
        record(BENCH, case, "time", many, "s", peer=peer, limit=floor, wanted=WANTED_BATCH)
        record(BENCH, f"{case}, the same requests by a bare client", "time", bare, "s", limit=floor)
    targets = SkyCoord(some_targets(path, N_TARGETS, 4), unit="deg")
    for where, cube in (("remote", remote[0]), ("local", str(path))):
        started = time.perf_counter()
        cut([cube], targets, 10, folder / "batch")
        seconds = time.perf_counter() - started
        case = f"{N_TARGETS} targets x 1 cube, 10x10, {where}, to files"
        record(BENCH, case, "rate", N_TARGETS / seconds, "targets/s")


def bench_footprints(folder: Path, repeats: int) -> None:
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    from tessera.compat.tess.tess_footprint_cutout import get_tess_sectors

    index = json.loads((ROOT / "tests/data/tess_ffi_footprints.json").read_text(encoding="utf-8"))
    index = {name: (values * 2)[:N_FOOTPRINTS] for name, values in index.items()}
    path = folder / "footprints.json"
    path.write_text(json.dumps(index), encoding="utf-8")
    rng = np.random.default_rng(0)
    targets = [
        SkyCoord(ra, dec, unit="deg")
        for ra, dec in zip(rng.uniform(0, 360, 50), np.degrees(np.arcsin(rng.uniform(-1, 1, 50))), strict=True)
    ]
    for name, size in (("point", 0), ("box", 10 * u.arcmin)):
        work = lambda size=size: [get_tess_sectors(target, size, footprints=path) for target in targets]  # noqa: E731
        seconds = statistics.median(timed(work, repeats)) / len(targets)
        record(BENCH, f"search of {len(index['obs_id']):,} footprints, {name}", "time", seconds, "s")


def main() -> None:
    from tests.bench.support.s3_link import serving

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=BENCHES)
    parser.add_argument("--total", type=float, default=1e9, help="bytes per second of all connections together")
    parser.add_argument("--folder", type=Path, help="keep the cubes there")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        folder = Path(temporary)
        cubes = {n_frames: make_cube(options.folder or folder, n_frames) for n_frames in SHAPES}
        names = [f"tess-s{sector:04d}-4-2-cube.fits" for sector in range(SECTOR, SECTOR + N_CUBES)]
        objects = {f"/{BUCKET}/{FOLDER}/{name}": cubes[1282] for name in names}
        objects |= {f"/{BUCKET}/{FOLDER}/{path.name}": path for path in cubes.values()}
        with serving(folder, objects, options.total) as url:
            environment = {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}
            os.environ |= environment
            if "remote" in options.only:
                # tesscube and astropy keep files below the home folder
                bench_remote(cubes, url, options.repeats, options.total, {"HOME": temporary})
            if "batch" in options.only:
                bench_batch(cubes[1282], names, folder, options.repeats, options.total)
        if "local" in options.only:
            bench_local(cubes, folder, options.repeats)
        if "footprints" in options.only:
            bench_footprints(folder, options.repeats)
    sys.exit(missed() > 0)


if __name__ == "__main__":
    main()
