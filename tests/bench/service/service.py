"""The service under load, on the one-machine stack.

    python tests/bench/service/service.py [--only load vo faults] [--seconds 60] [--clients 8 32] [--folder DIR]

Clients in a process of their own ask for 10x10 and 30x30 cutouts of a cube of 1,282 cadences, one after the other and
each at a place of its own, and follow a 303 to the bucket. One answer in eight is compared with the cube, pixel by
pixel. `vo` asks the protocols of the Virtual Observatory about places of their own on the cube: SIA, DataLink and
SODA. `faults` is the load with one in a hundred answers of S3 to the service spoiled. The load lasts 60 seconds, with 8
and with 32 clients; the others 15 seconds, with 8 clients.
"""

from __future__ import annotations

import argparse
import io
import itertools
import random
import struct
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
import urllib3
from isal import isal_zlib
from urllib3 import BaseHTTPResponse as Answered

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tessera_local.stack import Stack, _free_port  # noqa: E402
from tests.bench.cutouts.cutout import CUBES, SECTOR, make_cube  # noqa: E402
from tests.bench.support.report import missed, record  # noqa: E402
from tests.clients.sector_cubes import BUCKET, PARAMETERS, PREFIX  # noqa: E402
from tests.support.fault_proxy import FaultProxy, Request  # noqa: E402

BENCHES = {"load": (60.0, (8, 32)), "vo": (15.0, (8,)), "faults": (15.0, (8,))}
"""Seconds and clients of each part, unless others are asked for."""
SIZES = (10, 30)
CHECK_EVERY = 8
FAULTS, FAULT_SHARE = ("busy", "drop", "truncate"), 0.01
API, VO_API = "CutoutApiFunction", "VoApiFunction"
CUBE = f"tess-s{SECTOR:04d}-{CUBES[1282]}"
VO = ("/sia2/query", "/datalink/links", "/soda/sync")
PARTS = {"awslambdaric": "function", "s3.server": "S3", "control_server": "state table"}
"""Parts of the stack by a word of their command lines; the others are clients."""
BENCH = "service/service"
WANTED_RATE = {"10x10, 8 clients": 60, "30x30, 8 clients": 20}
WANTED_P99 = {"10x10, 32 clients": 3, "30x30, 32 clients": 3}
"""In units of the median."""


@dataclass
class Load:
    """What the clients saw."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: int = 0


# ---------------------------------------------------------------- clients


def ask(pool: urllib3.PoolManager, url: str, target: tuple[float, float], what: int | str) -> Answered:
    """Ask for a cutout of so many rows and columns, or a path of the Virtual Observatory."""
    if isinstance(what, str):
        circle = f"{target[0]:.7f} {target[1]:.7f} 0.02"
        asked = {
            "/sia2/query": {"POS": f"CIRCLE {circle}"},
            "/datalink/links": {"ID": CUBE},
            "/soda/sync": {"ID": CUBE, "CIRCLE": circle},
        }
        return pool.request("GET", url + what, fields=asked[what], timeout=60)
    place = {"ra": f"{target[0]:.6f}", "dec": f"{target[1]:.6f}", "y": str(what), "x": str(what)}
    return pool.request("GET", f"{url}/tesscut/api/v0.1/astrocut", fields=place, timeout=60)


@dataclass(frozen=True)
class Truth:
    """The cube's own pixels, and where they are on the sky."""

    flux: np.ndarray
    """Shape (rows, columns, cadences)."""
    places: dict[int, tuple[int, np.dtype]]
    """Where the rows begin in a file of a length, and what they are: astropy reads the first file of each length."""
    ra: np.ndarray
    """Of the centre of every pixel, shape (rows, columns)."""
    dec: np.ndarray

    @classmethod
    def of(cls, path: Path) -> Truth:
        from astropy.io import fits

        from tessera.cutouts.open_cube import open_cube

        with open_cube(path) as file:
            shape = file.cube.layout.n_rows, file.cube.layout.n_columns
            rows, columns = np.indices(shape)
            ra, dec = file.cube.wcs.all_pix2world(columns.ravel(), rows.ravel(), 0)
        with fits.open(path, memmap=True) as hdus:
            return cls(hdus[1].data[..., 0].copy(), {}, ra.reshape(shape), dec.reshape(shape))

    def is_right(self, content: bytes, row: int, column: int, size: int) -> bool:
        """Whether an archive has the window around a pixel."""
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (member,) = archive.infolist()
        # with zipfile, the clients would take a tenth of the machine from the service
        start = member.header_offset + 30 + sum(struct.unpack_from("<HH", content, member.header_offset + 26))
        data = isal_zlib.decompress(content[start : start + member.compress_size], -15)
        assert isal_zlib.crc32(data) == member.CRC
        start, dtype = self._place(data)
        flux = np.frombuffer(data, dtype, self.flux.shape[2], start)["FLUX"]
        first_row, first_column = row - size // 2, column - size // 2
        window = self.flux[first_row : first_row + size, first_column : first_column + size]
        return np.array_equal(np.moveaxis(window, -1, 0), flux)

    def _place(self, data: bytes) -> tuple[int, np.dtype]:
        from astropy.io import fits

        if len(data) not in self.places:
            with fits.open(io.BytesIO(data)) as tpf:
                self.places[len(data)] = tpf[1].fileinfo()["datLoc"], tpf[1].columns.dtype.newbyteorder(">")
        return self.places[len(data)]


def is_vo_answer(content: bytes, what: str) -> bool:
    """Whether an answer is about the cube: a row, its links, or a target pixel file."""
    return content.startswith(b"SIMPLE  =") if what == "/soda/sync" else f"{CUBE}</TD>".encode() in content


def run_clients(url: str, path: Path, n_clients: int, what: int | str, seconds: float) -> Load:
    """Threads that ask until the time is over; no two requests are the same."""
    truth, load, lock = Truth.of(path), Load(), threading.Lock()
    end = time.monotonic() + seconds
    size = what if isinstance(what, int) else SIZES[0]
    most = [length - size for length in truth.ra.shape]

    def client(number: int) -> None:
        rng = random.Random(f"{number} {time.time()}")
        with urllib3.PoolManager() as pool:
            for asked in itertools.count():
                row, column = (size // 2 + rng.randrange(length) for length in most)
                jitter = rng.random() * 1e-4  # a fiftieth of a pixel: another file, the same pixels
                target = truth.ra[row, column], truth.dec[row, column] - jitter
                started = time.perf_counter()
                if time.monotonic() > end:
                    return
                answer = ask(pool, url, target, what)
                took = time.perf_counter() - started
                checked = answer.status == 200 and asked % CHECK_EVERY == 0
                wrong = checked and not (
                    is_vo_answer(answer.data, what)
                    if isinstance(what, str)
                    else truth.is_right(answer.data, row, column, size)
                )
                with lock:
                    load.seconds.append(took)
                    load.statuses[answer.status] += 1
                    load.wrong += wrong

    threads = [threading.Thread(target=client, args=(number,)) for number in range(n_clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return load


# ---------------------------------------------------------------- the stack


@contextmanager
def serving(folder: Path, cube: Path, *, spoil: bool) -> Iterator[tuple[Stack, FaultProxy]]:
    """The stack with one cube; its functions reach S3 through a proxy, which spoils answers if it is told to."""
    rng, s3_port = random.Random(1), _free_port()

    def decide(request: Request) -> str | None:
        ours = spoil and request.method == "GET" and "tessera" in str(request.headers).lower()
        return rng.choice(FAULTS) if ours and rng.random() < FAULT_SHARE else None

    with FaultProxy(("127.0.0.1", s3_port), decide) as proxy:
        through = {"AWS_ENDPOINT_URL_S3": proxy.url} if spoil else {}
        with Stack(folder / "home", parameters=PARAMETERS, environment=through, s3_port=s3_port) as stack:
            stack.s3.create_bucket(Bucket=BUCKET)
            stack.s3.upload_file(str(cube), BUCKET, PREFIX + cube.name)
            ended = stack.wait(stack.start_execution("FootprintIndexStateMachine", {}), timeout=120)
            assert ended.status == "SUCCEEDED", ended
            yield stack, proxy


def processor_seconds() -> Counter[str]:
    """Processor time of this process and all below it, by the part of the stack."""
    me, spent = psutil.Process(), Counter[str]()
    for process in (me, *me.children(recursive=True)):
        command, times = " ".join(process.cmdline()), process.cpu_times()
        part = next((part for word, part in PARTS.items() if word in command), "clients")
        spent["front and Lambda" if process == me else part] += times.user + times.system
    return spent


def show(case: str, load: Load, seconds: float, processor: Counter[str]) -> None:
    """Record what the clients saw."""
    failed = sum(count for status, count in load.statuses.items() if status >= 400)
    p50, p99 = np.percentile(load.seconds, [50, 99])
    wanted = f"value >= {WANTED_RATE[case]}" if case in WANTED_RATE else ""
    record(BENCH, case, "answers", len(load.seconds) / seconds, "requests/s", wanted=wanted)
    record(BENCH, case, "p50", p50, "s")
    record(BENCH, case, "p99", p99, "s")
    record(
        BENCH,
        case,
        "p99 / p50",
        p99 / p50,
        "times",
        wanted=f"value <= {WANTED_P99[case]}" if case in WANTED_P99 else "",
    )
    record(BENCH, case, "processor time of an answer", processor.total() / len(load.seconds), "s")
    for part, spent in sorted(processor.items()):
        record(BENCH, case, f"of which {part}", spent / len(load.seconds), "s")
    record(BENCH, case, "failed or wrong answers", failed + load.wrong, "answers", wanted="value <= 0")


def bench(part: str, cube: Path, options: argparse.Namespace) -> None:
    """Run one of `BENCHES` on a stack of its own."""
    spoil, asked = part == "faults", VO if part == "vo" else SIZES
    seconds, numbers = BENCHES[part]
    seconds, numbers = options.seconds or seconds, options.clients or numbers
    print(f"\n{part}, {seconds:g} s each")
    with (
        tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder,
        serving(Path(folder), cube, spoil=spoil) as (stack, proxy),
        ProcessPoolExecutor(1) as clients,
    ):
        for what, n in itertools.product(asked, numbers):
            function, name = (VO_API, what) if isinstance(what, str) else (API, f"{what}x{what}")
            faults, processor = len(proxy.faults), processor_seconds()
            load = clients.submit(run_clients, stack.url, cube, n, what, seconds).result()
            case = f"{name}, {n} clients" + (", faults" if spoil else "")
            show(case, load, seconds, processor_seconds() - processor)
            memory = [psutil.Process(pid).memory_info().rss for pid in stack.workers(function)]
            record(BENCH, case, "memory of the largest worker", max(memory, default=0), "B")
            spoiled = f", {len(proxy.faults) - faults} faults" if spoil else ""
            print(f"  {len(memory)} workers, statuses {dict(load.statuses)}{spoiled}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--clients", type=int, nargs="+")
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=[*BENCHES])
    parser.add_argument("--folder", type=Path, help="keep the cube there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        cube = make_cube(options.folder or Path(temporary), 1282)
        for part in options.only:
            bench(part, cube, options)
    return min(missed(), 1)


if __name__ == "__main__":
    sys.exit(main())
