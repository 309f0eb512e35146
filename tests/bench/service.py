"""The service under load, and how long its functions take to start: on the one-machine stack.

    python tests/bench/service.py [--seconds 60] [--clients 1 8 32] [--only load faults start] [--folder DIR]

Clients in a process of their own ask for 10x10 and 30x30 cutouts of a cube of 1,282 cadences, one after the other, and
follow a 303 to the bucket. Every answer is compared with one that was compared with the cube. `faults` is the same with
one in a hundred answers of S3 spoiled. `start` imports each handler in a fresh process.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import requests

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src", "tests/bench")]

from cutout import make_cube, some_targets  # noqa: E402

from tessera_local.stack import Stack, _free_port  # noqa: E402
from tests.clients.sector_cubes import BUCKET, PARAMETERS, PREFIX  # noqa: E402
from tests.support.fault_proxy import FaultProxy, Request  # noqa: E402

BENCHES = ("load", "faults", "start")
SIZES = (10, 30)
N_TARGETS = 40
FAULTS, FAULT_SHARE = ("busy", "refused", "drop", "truncate"), 0.01
API = "CutoutApiFunction"
WANTED_START = {"cutout_api": 0.8, "service_api": 0.8}
WANTED_CONTROL_START = 0.35
STARTS = 5

Digests = dict[tuple[int, int], str]
"""SHA-256 of the right answer, by number of the target and size."""


@dataclass
class Load:
    """What the clients saw."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: int = 0


# ---------------------------------------------------------------- clients


def ask(session: requests.Session, url: str, target: tuple[float, float], size: int) -> requests.Response:
    place = {"ra": f"{target[0]:.6f}", "dec": f"{target[1]:.6f}", "y": str(size), "x": str(size)}
    return session.get(f"{url}/tesscut/api/v0.1/astrocut", params=place, timeout=60)


def run_clients(  # noqa: PLR0917 - goes to another process
    url: str, targets: list[tuple[float, float]], digests: Digests, n_clients: int, size: int, seconds: float
) -> Load:
    """Threads that ask until the time is over; each walks through the targets from a place of its own."""
    load, lock, end = Load(), threading.Lock(), time.monotonic() + seconds

    def client(number: int) -> None:
        with requests.Session() as session:
            index = number * 7
            while time.monotonic() < end:
                index = (index + 1) % len(targets)
                started = time.perf_counter()
                answer = ask(session, url, targets[index], size)
                took = time.perf_counter() - started
                right = hashlib.sha256(answer.content).hexdigest() == digests[index, size]
                with lock:
                    load.seconds.append(took)
                    load.statuses[answer.status_code] += 1
                    load.wrong += answer.status_code == 200 and not right

    threads = [threading.Thread(target=client, args=(number,)) for number in range(n_clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return load


def right_answers(url: str, cube: Path, targets: list[tuple[float, float]]) -> Digests:
    """Ask for everything once, and compare the pixels with those of the cube."""
    from astropy.coordinates import SkyCoord
    from astropy.io import fits

    from tessera import CutoutOptions, make_cutouts

    digests: Digests = {}
    with requests.Session() as session:
        for size in SIZES:
            truth = make_cutouts([cube], SkyCoord(targets, unit="deg"), size, options=CutoutOptions("round"))
            for index, (target, expected) in enumerate(zip(targets, truth, strict=True)):
                answer = ask(session, url, target, size)
                answer.raise_for_status()
                with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
                    (name,) = archive.namelist()
                    with fits.open(io.BytesIO(archive.read(name))) as ours, fits.open(io.BytesIO(expected.data)) as tpf:
                        for column in ("TIME", "FLUX", "FLUX_ERR", "QUALITY"):
                            np.testing.assert_array_equal(ours[1].data[column], tpf[1].data[column])
                digests[index, size] = hashlib.sha256(answer.content).hexdigest()
    return digests


# ---------------------------------------------------------------- the stack


@contextmanager
def serving(folder: Path, cube: Path, *, spoil: bool) -> Iterator[tuple[Stack, FaultProxy]]:
    """The stack with one cube; its functions reach S3 through a proxy, which spoils answers if it is told to."""
    rng, s3_port = random.Random(1), _free_port()

    def decide(request: Request) -> str | None:
        return rng.choice(FAULTS) if spoil and request.method == "GET" and rng.random() < FAULT_SHARE else None

    with FaultProxy(("127.0.0.1", s3_port), decide) as proxy:
        through = {"AWS_ENDPOINT_URL_S3": proxy.url} if spoil else {}
        with Stack(folder / "home", parameters=PARAMETERS, environment=through, s3_port=s3_port) as stack:
            stack.s3.create_bucket(Bucket=BUCKET)
            stack.s3.upload_file(str(cube), BUCKET, PREFIX + cube.name)
            ended = stack.wait(stack.start_execution("FootprintIndexStateMachine", {}), timeout=120)
            assert ended.status == "SUCCEEDED", ended
            yield stack, proxy


def bench_load(cube: Path, options: argparse.Namespace, *, spoil: bool) -> None:
    targets = some_targets(cube, N_TARGETS)
    with (
        tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder,
        serving(Path(folder), cube, spoil=spoil) as (stack, proxy),
        ProcessPoolExecutor(1) as clients,
    ):
        digests = right_answers(stack.url, cube, targets)
        print(f"\n{'with 1 % of the answers of S3 spoiled' if spoil else 'load'}, {options.seconds:g} s each")
        for size in SIZES:
            for n in options.clients:
                before = len(proxy.faults)
                arguments = (stack.url, targets, digests, n, size, options.seconds)
                load = clients.submit(run_clients, *arguments).result()
                memory = [psutil.Process(pid).memory_info().rss / 1e6 for pid in stack.workers(API)]
                failed = sum(count for status, count in load.statuses.items() if status >= 400)
                p50, p95, p99 = np.percentile(load.seconds, [50, 95, 99])
                print(
                    f"  {size}x{size}, {n:2} clients: {len(load.seconds) / options.seconds:6.1f} requests/s  "
                    f"p50 {p50:.3f} p95 {p95:.3f} p99 {p99:.3f} s  {failed} failed {load.wrong} wrong  "
                    f"{len(memory)} workers of {max(memory, default=0):.0f} MB"
                    + (f"  {len(proxy.faults) - before} faults" if spoil else "")
                    + ("" if failed == load.wrong == 0 else f"  MISSED (wanted 0) {dict(load.statuses)}")
                )


# ---------------------------------------------------------------- start


def bench_start() -> None:
    """Import each handler in a fresh process with the paths that Lambda gives it."""
    print("\nimport of the handlers, bytecode there")
    layers = os.pathsep.join(str(ROOT / place) for place in ("layers/engine/src", "shared/src"))
    program = "import time; t = time.perf_counter(); import app; print(time.perf_counter() - t)"
    names = {"TESSERA_FFI_BUCKET": "a", "TESSERA_CUBE_BUCKET": "b", "TESSERA_RESULT_BUCKET": "c"}
    environment = os.environ | names | {"PYTHONPATH": layers, "POWERTOOLS_TRACE_DISABLED": "true"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as bytecode:
        environment["PYTHONPYCACHEPREFIX"] = bytecode
        for folder in sorted((ROOT / "functions").iterdir()):
            if not (folder / "app.py").exists():
                continue
            runs = [
                float(subprocess.check_output([sys.executable, "-c", program], cwd=folder, env=environment))
                for _ in range(STARTS + 1)
            ]
            seconds, wanted = statistics.median(runs[1:]), WANTED_START.get(folder.name, WANTED_CONTROL_START)
            print(f"  {folder.name:16} {seconds:.3f} s  {'ok' if seconds <= wanted else 'MISSED'} (wanted <= {wanted})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=BENCHES)
    parser.add_argument("--folder", type=Path, help="keep the cube there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        if set(options.only) & {"load", "faults"}:
            cube = make_cube(options.folder or Path(temporary), 1282)
        if "load" in options.only:
            bench_load(cube, options, spoil=False)
        if "faults" in options.only:
            bench_load(cube, options, spoil=True)
    if "start" in options.only:
        bench_start()


if __name__ == "__main__":
    main()
