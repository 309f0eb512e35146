"""Programs that cut, for the bench of cutouts: each waits in a process of its own until it is given a target."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tests.bench.cubes.timed import PeakMemory  # noqa: E402
from tests.bench.support.tesscube import START, tesscube  # noqa: E402

TESSCUBE_PROGRAM = """
from astropy.coordinates import SkyCoord
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
    from astropy.coordinates import SkyCoord

    from tessera import make_cutouts

    def work(target: Target) -> object:
        (made,) = make_cutouts(job.location, SkyCoord(*target, unit="deg"), job.size, output_dir=job.out or None)
        assert made.status == "ok", made.reason
        return made.path if job.out else made.data

    return work


def reading_work(job: Job) -> Work:
    from tessera.cutouts.open_cube import open_cube
    from tessera.cutouts.placing import find_window

    def work(target: Target) -> object:
        # as all callers do, who confirm with the reads themselves that the cube is the one that they know
        with open_cube(job.location, tried_again=True) as file:
            return file.read_window(find_window(file.cube, *target, job.size))

    return work


def bare_work(job: Job) -> Work:
    import obstore

    from tessera.cubes.read_plan import plan_reads
    from tessera.cutouts.open_cube import open_cube
    from tessera.cutouts.placing import find_window
    from tessera.io.ranges import REQUESTS_IN_FLIGHT
    from tessera.io.remote import RemoteFile

    with open_cube(job.cube_path) as file:
        cube = file.cube
    remote = RemoteFile(job.location)
    assert remote.size  # the first request opens the store
    pool = ThreadPoolExecutor(REQUESTS_IN_FLIGHT)

    def fetch(start: int, length: int) -> int:
        options: Any = {"range": (start, start + length)}
        return len(obstore.get(remote._store, remote._key, options=options).bytes())

    def work(target: Target) -> object:
        overlap = find_window(cube, *target, job.size).overlap(cube.layout.n_rows, cube.layout.n_columns)
        ranges = [read.data for read in plan_reads(cube.layout, cube.data_offset, overlap)]
        return sum(pool.map(lambda data: fetch(data.start, data.length), ranges))

    return work


def astrocut_work(job: Job) -> Work:
    from astrocut import TessCubeCutout
    from astropy.coordinates import SkyCoord

    def work(target: Target) -> object:
        cutout = TessCubeCutout(job.location, SkyCoord(*target, unit="deg"), job.size, threads="auto")
        if job.out:
            return cutout.write_as_tpf(job.out)[0]
        data = io.BytesIO()
        cutout.tpf_cutouts[0].writeto(data, checksum=True)
        return data.getvalue()

    return work


def child(job: Job) -> None:
    warnings.simplefilter("ignore")
    works = {"ours": our_work, "ours, read only": reading_work, "astrocut": astrocut_work, "requests": bare_work}
    work = works[job.kind](job)
    for line in sys.stdin:
        target = tuple(json.loads(line))
        with PeakMemory() as memory:
            started = time.perf_counter()
            result = work(target)
            seconds = time.perf_counter() - started
        if job.out:
            Path(str(result)).unlink()
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
        return [sys.executable, __file__, json.dumps(vars(job))]
    sector, camera, ccd = Path(job.cube_path).name.removeprefix("tess-s").split("-")[:3]
    return [str(tesscube()), "-c", START + TESSCUBE_PROGRAM, sector, camera, ccd, str(job.size)]


if __name__ == "__main__":
    child(Job(**json.loads(sys.argv[1])))
