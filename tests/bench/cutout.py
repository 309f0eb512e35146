"""Cutouts: target pixel files from a remote and from a local cube, against two peers; batches; the search by footprint.

    python tests/bench/cutout.py [--repeats 5] [--only remote batch local footprints] [--total 1e9] [--folder DIR]

The remote cube is behind an S3 endpoint with 30 ms per request and 85 MB/s per connection (s3_link.py). Every program
is a process of its own that holds what it keeps of a cube: ours the sidecar, tesscube its headers and its table,
astrocut nothing. They run in turn, once without being timed; each run has a target of its own, one pixel further on,
since tesscube keeps pixels. What is timed gives the whole file as bytes. `requests` are the same ranges as ours,
fetched by a bare client in as many threads: what this endpoint and this machine can give. The floor is one latency plus
the bytes over the link. The endpoint counts requests and bytes. The cubes have few pixels but real lengths in time.

tesscube is in an environment of its own (`make bench` makes it; TESSERA_TESSCUBE_PEER_PYTHON is another). It finds a
cube only by its name in MAST's bucket, and has the positions of the spacecraft without a network for sector 4 only.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src", "tests/bench")]

from cube import PeakMemory  # noqa: E402
from s3_link import LATENCY, counted, serving  # noqa: E402

BENCHES = ("remote", "batch", "local", "footprints")
CASES = ((10, 1282), (30, 1282), (30, 3705), (100, 1282))
CUBES = {1282: "4-2", 3705: "4-3"}
SHAPES = {1282: (120, 120), 3705: (60, 60)}
WANTED = {
    (10, 1282): {"astrocut": 6, "tesscube": 3},
    (30, 1282): {"astrocut": 8, "tesscube": 4},
    (30, 3705): {"astrocut": 8, "tesscube": 8},
    (100, 1282): {"astrocut": 6, "tesscube": 6},
}
WANTED_LOCAL = {(30, 1282): 4, (100, 1282): 5}
WANTED_MEMORY = 0.4
SECTOR, FIRST_DAY, DAYS = 4, 1411.0, 26.0
BUCKET, FOLDER = "stpubdata", "tess/public/mast"
N_CUBES, N_TARGETS, N_FOOTPRINTS = 20, 500, 1600

TESSCUBE = Path(os.environ.get("TESSERA_TESSCUBE_PEER_PYTHON", ROOT / ".venv-tesscube-peer/bin/python"))
TESSCUBE_SCRIPT = """
import io, json, sys, time, warnings
warnings.simplefilter("ignore")
import lkspacecraft
lkspacecraft.enable_test_mode()
from astropy.coordinates import SkyCoord
from tesscube import TESSCube
sector, camera, ccd, size = map(int, sys.argv[1:])
cube = TESSCube(sector, camera, ccd)
for line in sys.stdin:
    target = SkyCoord(*json.loads(line), unit="deg")
    started = time.perf_counter()
    file = io.BytesIO()
    cube.get_tpf(target, shape=(size, size), calculate_poscorr=False).writeto(file)
    n_bytes = len(file.getvalue())
    print(json.dumps({"seconds": time.perf_counter() - started, "bytes": n_bytes}), flush=True)
"""

Target = tuple[float, float]
Work = Callable[[Target], object]


# ---------------------------------------------------------------- one program, in a process of its own


@dataclass(frozen=True)
class Job:
    """What a program has to do, whenever it is given a target."""

    kind: str
    location: str
    cube_path: str
    size: int
    out: str = ""


def our_work(job: Job) -> Work:
    from tessera import __version__
    from tessera.cutouts import find_window, open_cube, write_pieces
    from tessera.tpf import TpfRequest, build_tpf, tpf_pieces

    with open_cube(job.cube_path) as file:
        known = file.cube

    def read_only(target: Target) -> object:
        with open_cube(job.location, known) as file:
            return file.read_window(find_window(file.cube, *target, job.size))

    def make(target: Target) -> object:
        with open_cube(job.location, known if job.kind == "ours" else None) as file:
            window = find_window(file.cube, *target, job.size)
            request = TpfRequest(file.cube, file.read_window(window), *target, __version__)
            return write_pieces(Path(job.out), tpf_pieces(request)) if job.out else build_tpf(request)

    return read_only if job.kind == "ours, read only" else make


def bare_work(job: Job) -> Work:
    import obstore
    from tessera.cutouts import ROW_READS, find_window, open_cube
    from tessera.io import RemoteFile
    from tessera.windows import plan_reads

    with open_cube(job.cube_path) as file:
        cube = file.cube
    remote = RemoteFile(job.location)
    pool = ThreadPoolExecutor(ROW_READS)

    def fetch(start: int, length: int) -> int:
        options: Any = {"range": (start, start + length)}
        return len(obstore.get(remote._store, remote._key, options=options).bytes())

    def work(target: Target) -> object:
        window = find_window(cube, *target, job.size)
        ranges = [read.data for read in plan_reads(cube.layout, cube.data_offset, window)]
        return sum(pool.map(lambda data: fetch(data.start, data.length), ranges))

    return work


def astrocut_work(job: Job) -> Work:
    from astrocut import TessCubeCutout
    from astropy.coordinates import SkyCoord

    def work(target: Target) -> object:
        cutout = TessCubeCutout(job.location, SkyCoord(*target, unit="deg"), job.size, threads="auto")
        if job.out:
            return cutout.write_as_tpf(job.out)
        data = io.BytesIO()
        cutout.tpf_cutouts[0].writeto(data, checksum=True)
        return data.getvalue()

    return work


def child(job: Job) -> None:
    warnings.simplefilter("ignore")
    make = {"astrocut": astrocut_work, "requests": bare_work}.get(job.kind, our_work)
    work = make(job)
    for line in sys.stdin:
        target = tuple(json.loads(line))
        with PeakMemory() as memory:
            started = time.perf_counter()
            result = work(target)
            seconds = time.perf_counter() - started
        del result
        print(json.dumps({"seconds": seconds, "anonymous_mb": memory.peak}), flush=True)


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[Callable[[Target], dict[str, float]]]:
    """A program that is there, waiting; what it is called with is a target, what it answers is about one run."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def run(target: Target) -> dict[str, float]:
        print(json.dumps(target), file=process.stdin, flush=True)
        while not (line := process.stdout.readline()).startswith("{"):  # type: ignore[union-attr]
            if not line:
                raise RuntimeError(f"{command[:2]} ended")
        answer: dict[str, float] = json.loads(line)
        return answer

    try:
        yield run
    finally:
        process.stdin.close()
        process.wait()


def command_of(job: Job) -> list[str]:
    if job.kind != "tesscube":
        return [sys.executable, __file__, "--child", json.dumps(vars(job))]
    camera, ccd = Path(job.cube_path).name.split("-")[2:4]
    return [str(TESSCUBE), "-c", TESSCUBE_SCRIPT, str(SECTOR), camera, ccd, str(job.size)]


# ---------------------------------------------------------------- cubes and targets


def make_frames(folder: Path, n_frames: int, cadences: range) -> list[Path]:
    from tests.support.frames import centred_wcs, spoc_frame

    shape, (camera, ccd) = SHAPES[n_frames], map(int, CUBES[n_frames].split("-"))
    wcs, paths = centred_wcs(shape, SECTOR, camera, ccd), []
    for cadence in cadences:
        flux = np.random.default_rng(cadence).standard_normal(shape, dtype=np.float32)
        start, stop = (FIRST_DAY + DAYS * index / n_frames for index in (cadence, cadence + 1))
        place = {"sector": SECTOR, "camera": camera, "ccd": ccd, "wcs_cards": wcs}
        name, data = spoc_frame(
            cadence_index=cadence, flux=flux, error=flux + 1, tstart=start, tstop=stop, **place
        )
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
    from tessera.cutouts import open_cube

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

    @property
    def p95(self) -> float:
        return float(np.percentile(self.seconds, 95))


def count(url: str | None) -> tuple[int, int]:
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


def verdict(value: float, wanted: float | None, *, at_most: bool = False) -> str:
    if wanted is None:
        return ""
    good = value <= wanted if at_most else value >= wanted
    return f"  {'ok' if good else 'MISSED'} (wanted {'<=' if at_most else '>='} {wanted:g})"


def bench_remote(cubes: dict[int, Path], url: str, repeats: int, total: float, environment: dict[str, str]) -> None:
    kinds = ["requests", "ours, read only", "ours", "ours, no sidecar", "astrocut"]
    if TESSCUBE.exists():
        kinds.append("tesscube")
    else:
        print(f"tesscube is not installed at {TESSCUBE}; `make bench` installs it")
    for size, n_frames in CASES:
        path = cubes[n_frames]
        jobs = [Job(kind, f"s3://{BUCKET}/{FOLDER}/{path.name}", str(path), size) for kind in kinds]
        runs = measure(jobs, some_targets(path, repeats + 1), url, environment)
        floor = LATENCY + size * size * n_frames * 8 / total
        print(f"\n{size}x{size} x {n_frames}, remote: floor {floor:.3f} s")
        ours = runs["ours"].median
        wanted = WANTED[size, n_frames]
        for kind, row in runs.items():
            about = f"{row.median:7.3f} s  p95 {row.p95:7.3f}  {row.requests:4.0f} requests {row.mb:7.1f} MB"
            print(f"  {kind:18} {about}  {row.median / ours:6.2f} x ours{verdict(row.median / ours, wanted.get(kind))}")
        read, bare = runs["ours, read only"].median, runs["requests"].median
        print(f"  reading: {read / floor:.2f} x floor{verdict(read / floor, 1.5, at_most=True)}; {read / bare:.2f} x requests")
        cold = runs["astrocut"].median / runs["ours, no sidecar"].median
        print(f"  without a sidecar: astrocut is {cold:.2f} x ours{verdict(cold, 3)}")


def bench_local(cubes: dict[int, Path], folder: Path, repeats: int) -> None:
    for size, n_frames in ((30, 1282), (100, 1282)):
        path = cubes[n_frames]
        targets = some_targets(path, repeats + 1)
        runs: dict[str, Runs] = {}
        outs = {"ours": str(folder / "ours.fits"), "astrocut": str(folder)}
        jobs = [Job(kind, str(path), str(path), size, out) for kind, out in outs.items()]
        runs = measure(jobs, targets, None, {})
        ours, peer = runs["ours"], runs["astrocut"]
        print(f"\n{size}x{size} x {n_frames}, local, to a file")
        for kind, row in runs.items():
            print(f"  {kind:18} {row.median:7.3f} s  p95 {row.p95:7.3f}  {row.anonymous_mb:6.0f} MB anonymous")
        times, share = peer.median / ours.median, ours.anonymous_mb / peer.anonymous_mb
        print(f"  astrocut is {times:.2f} x ours{verdict(times, WANTED_LOCAL[size, n_frames])}")
        print(f"  memory {share:.0%} of astrocut's{verdict(share, WANTED_MEMORY, at_most=True)}")


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    work()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds


def bench_batch(path: Path, names: list[str], folder: Path, repeats: int) -> None:
    from astropy.coordinates import SkyCoord
    from tessera.cutouts import make_cutouts

    remote = [f"s3://{BUCKET}/{FOLDER}/{name}" for name in names]
    one = SkyCoord([some_targets(path, 1)[0]], unit="deg")

    def cut(cubes: list[str], targets: SkyCoord, size: int, out: Path | None = None) -> None:
        results = make_cutouts(cubes, targets, size, output_dir=out)
        assert all(result.status == "ok" for result in results), results[0].reason

    for size in (10, 30):
        single = statistics.median(timed(lambda size=size: cut(remote[:1], one, size), repeats))
        many = statistics.median(timed(lambda size=size: cut(remote, one, size), repeats))
        print(
            f"\n{len(remote)} cubes x 1 target, {size}x{size}, remote: {many:.3f} s, one cube {single:.3f} s: "
            f"{many / single:.2f} x{verdict(many / single, 2.5, at_most=True)}"
        )
    targets = SkyCoord(some_targets(path, N_TARGETS, 4), unit="deg")
    for where, cube in (("remote", remote[0]), ("local", str(path))):
        started = time.perf_counter()
        cut([cube], targets, 10, folder / "batch")
        seconds = time.perf_counter() - started
        print(f"{N_TARGETS} targets x 1 cube, 10x10, {where}, to files: {N_TARGETS / seconds:.0f} targets per second")


def bench_footprints(folder: Path, repeats: int) -> None:
    from astropy import units as u
    from astropy.coordinates import SkyCoord
    from tessera.tess_footprint_cutout import get_tess_sectors

    index = json.loads((ROOT / "tests/data/tess_ffi_footprints.json").read_text())
    index = {name: (values * 2)[:N_FOOTPRINTS] for name, values in index.items()}
    path = folder / "footprints.json"
    path.write_text(json.dumps(index))
    rng = np.random.default_rng(0)
    targets = [
        SkyCoord(ra, dec, unit="deg")
        for ra, dec in zip(rng.uniform(0, 360, 50), np.degrees(np.arcsin(rng.uniform(-1, 1, 50))), strict=True)
    ]
    print(f"\nsearch of {len(index['obs_id'])} footprints, index in memory")
    for name, size in (("point", 0), ("box", 10 * u.arcmin)):
        work = lambda size=size: [get_tess_sectors(target, size, footprints=path) for target in targets]  # noqa: E731
        milliseconds = [value / len(targets) * 1e3 for value in timed(work, repeats)]
        print(f"  {name:6} {statistics.median(milliseconds):7.2f} ms per search")


def main() -> None:
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
                bench_batch(cubes[1282], names, folder, options.repeats)
        if "local" in options.only:
            bench_local(cubes, folder, options.repeats)
        if "footprints" in options.only:
            bench_footprints(folder, options.repeats)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Job(**json.loads(sys.argv[2])))
    else:
        main()
