"""Lists of targets: how fast light curves and target pixel files are made, against astrocut, and what one task needs.

    python tests/bench/bulk/rates.py [--only rates task] [--targets 600] [--folder DIR]

The cubes are behind an S3 endpoint with 30 ms per request and 85 MB/s per connection (s3_link.py), which counts
requests and bytes. `rates` times `tessera.cut_list` from its call to the last file on a part of
a CCD with noise in its pixels and as many targets per area as 10,000 on a CCD. `task` makes the light curves of 10,000
targets of a whole CCD as one band in one process, like a function of 2,048 MB does; its 45 GB of pixels are zeros,
which take no disk. Fails if a rate, the memory, or a count of the plan is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tessera.bulk.options import check_options  # noqa: E402
from tessera.bulk.plan.costs import BandLimits, PlanTerms  # noqa: E402
from tessera.bulk.plan.sightings import SightCube  # noqa: E402
from tessera.bulk.plan.whole import plan_targets  # noqa: E402
from tessera.bulk.products.local import LocalFolder  # noqa: E402
from tessera.bulk.run import cut_list  # noqa: E402
from tessera.bulk.work.band import cut_band  # noqa: E402
from tessera.cutouts.open_cube import open_cube  # noqa: E402
from tessera.io.ranges import REQUESTS_IN_FLIGHT  # noqa: E402
from tessera.io.sources import FIRST_BYTES  # noqa: E402
from tests.bench.cutouts.programs import Job, command_of, running  # noqa: E402
from tests.bench.support.report import missed, record  # noqa: E402
from tests.bench.support.s3_link import counted, serving  # noqa: E402
from tests.support.sparse import FULL, sparse_cube  # noqa: E402
from tests.support.target_lists import rows_of, sky_of  # noqa: E402

BENCH, BENCHES = "bulk/rates", ("rates", "task")
N_CADENCES, SIZE, PART = 1282, 10, (400, 700)
BUCKET = "stpubdata"
WANTED = {"parquet": 50.0, "tpf": 20.0}
"""Light curves and target pixel files per second."""
TASK_TARGETS, TASK_MB = 10_000, 2048
MOST_EXTRA, MOST_OFF = 1.05, 0.02
"""Bytes that are read per byte of the union of all windows, and the share by which a plan may be off."""


def noisy_cube(folder: Path) -> Path:
    """A part of a CCD with noise and stars; one that is there already is taken."""
    path = folder / "tess-s0001-4-2-cube.fits"
    if path.exists():
        return path
    sparse_cube(folder, N_CADENCES, PART)
    with open_cube(path) as file:
        offset = file.cube.data_offset
    rng = np.random.default_rng(0)
    with path.open("r+b") as out:
        out.seek(offset)
        for _ in range(PART[0]):
            pixels = rng.standard_normal((PART[1], N_CADENCES, 2), dtype=np.float32)
            pixels[..., 0] += 100 + 400 * (rng.random((PART[1], 1)) < 0.05)
            out.write(pixels.astype(">f4").tobytes())
    return path


def random_rows(cube: Path, n: int, shape: tuple[int, int]) -> Any:
    places = np.random.default_rng(3).uniform((0, 0), (shape[0] - 1, shape[1] - 1), (n, 2))
    return rows_of(*sky_of(cube, places), size=SIZE)


def since(url: str, before: dict[str, int]) -> tuple[int, int]:
    """Requests and bytes that the endpoint has answered since `before`."""
    now = counted(url)
    gets, down = (now.get(name, 0) - before.get(name, 0) for name in ("gets", "bytes down"))
    return gets, down


def opening(url: str, location: str) -> tuple[int, int]:
    """Requests and bytes for the headers and the info table of a cube."""
    before = counted(url)
    with open_cube(location):
        return since(url, before)


@dataclass
class Counts:
    """Requests and bytes for pixels: what the endpoint counted, what was planned, and the union of all windows."""

    gets: int
    down: int
    requests: int
    planned: int
    union: int

    def tell(self, case: str) -> None:
        record(BENCH, case, "bytes", self.down, "B", limit=self.union, wanted=f"limit <= {MOST_EXTRA}")
        record(BENCH, case, "requests", self.gets, "requests", limit=self.requests)
        for name, found, wanted in (("requests", self.gets, self.requests), ("bytes", self.down, self.planned)):
            off = abs(found - wanted) / wanted
            record(BENCH, case, f"share by which the plan's {name} are off", off, "", wanted=f"value <= {MOST_OFF}")


def bench_rates(folder: Path, work: Path, n: int) -> None:
    cube = noisy_cube(folder)
    rows = random_rows(cube, n, PART)
    with serving(work, {f"/{BUCKET}/{cube.name}": cube}) as url:
        os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}
        location = f"s3://{BUCKET}/{cube.name}"
        headers = opening(url, location)
        with running(command_of(Job("astrocut", location, str(cube), SIZE)), {}) as theirs:
            places = list(zip(rows.ra[:6].tolist(), rows.dec[:6].tolist(), strict=True))
            peer = 1 / float(np.median([theirs(place)["seconds"] for place in places][1:]))
        for product, wanted in WANTED.items():
            before, started, worked = counted(url), time.perf_counter(), sum(os.times()[:4])
            result = cut_list(rows, location, work / product, outputs=product)
            rate, cpu = result.n_ok / (time.perf_counter() - started), (sum(os.times()[:4]) - worked) / result.n_ok
            case, largest = f"{product} of {n} targets", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            times = {"peer": peer} if product == "tpf" else {}
            record(BENCH, case, "rate", rate, "files/s", wanted=f"value >= {wanted}", **times)
            record(BENCH, case, "processor time of a target", cpu, "s")
            record(BENCH, case, "memory", largest, "B")
            gets, down = (all_of - some for all_of, some in zip(since(url, before), headers, strict=True))
            plan = result.plan
            gets, down = gets - plan.bands, down - plan.bands * FIRST_BYTES  # each band opens the cube
            Counts(gets, down, plan.requests, plan.bytes, plan.union_bytes).tell(case)


# ---------------------------------------------------------------- 10,000 targets in a task


def task(location: str, cube_path: str, out: str) -> None:
    """Make the light curves of one band, as a function does."""
    rows = random_rows(Path(cube_path), TASK_TARGETS, FULL)
    options = check_options(outputs="parquet")
    limits = BandLimits(targets=TASK_TARGETS, n_bytes=10**12, seconds=math.inf)
    with open_cube(location) as file, ThreadPoolExecutor(REQUESTS_IN_FLIGHT) as pool:
        planned = plan_targets(rows, [SightCube.of(file.cube)], options, PlanTerms(limits=limits))
        assert len(planned.bands) == 1, len(planned.bands)
        url = os.environ["AWS_ENDPOINT_URL"]
        band, before, started = planned.store(0), counted(url), time.perf_counter()
        made = cut_band(band, file.cube, file.source.read_buffer, LocalFolder(Path(out)), options, pool=pool)
        seconds = time.perf_counter() - started
        gets, down = since(url, before)
    union = planned.bands[0].union_bytes
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    about = {
        "n_ok": made.n_ok,
        "n_failed": made.n_failed,
        "seconds": seconds,
        "mb": largest,
        "union": union,
        "gets": gets,
        "down": down,
    }
    planned_counts = {"requests": planned.bands[0].n_requests, "bytes": planned.bands[0].n_bytes}
    print(json.dumps(about | planned_counts | {"reason": made.reason, "result": sum(each.size for each in made.files)}))


def bench_task(work: Path) -> None:
    cube = sparse_cube(work, N_CADENCES)
    with serving(work, {f"/{BUCKET}/{cube.name}": cube}) as url:
        environment = {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}
        command = [sys.executable, __file__, "--task", f"s3://{BUCKET}/{cube.name}", str(cube), str(work / "task")]
        answer = subprocess.run(command, env=os.environ | environment, check=True, stdout=subprocess.PIPE, text=True)
    about = json.loads(answer.stdout.splitlines()[-1])
    made = about["n_ok"] + about["n_failed"]
    case = f"{made:,} targets of one CCD in one process"
    record(BENCH, case, "rate", made / about["seconds"], "light curves/s")
    record(BENCH, case, "memory", about["mb"] * 1e6, "B", wanted=f"value <= {TASK_MB * 1_000_000}")
    Counts(about["gets"], about["down"], about["requests"], about["bytes"], about["union"]).tell(case)
    if about["reason"] or made != TASK_TARGETS:
        raise SystemExit(about["reason"] or f"{made} of {TASK_TARGETS} targets")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=BENCHES)
    parser.add_argument("--targets", type=int, default=600)
    parser.add_argument("--folder", type=Path, help="keep the cube with noise there")
    parser.add_argument("--task", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.task:
        task(*options.task)
        return
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        if "rates" in options.only:
            bench_rates(options.folder or Path(temporary), Path(temporary), options.targets)
        if "task" in options.only:
            bench_task(Path(temporary))
    sys.exit(missed() > 0)


if __name__ == "__main__":
    main()
