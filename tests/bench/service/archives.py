"""Archives: how fast the last step of a job and an answer of the service are made, against zipfile with zlib.

    python tests/bench/service/archives.py [--files 6] [--folder DIR]

The files are target pixel files of 60x60 pixels and 1,282 cadences (92 MB each) with noise in their pixels. `job` is
`finish_job` over a store in memory that drops what it is sent. `answer` reads the pixels from a cube on the disk, makes
the file and compresses it, as the service does; its processor time tells how long a function of 2,048 MB (1.16
processors) takes. The limit is ISA-L alone on all processors.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tessera.cutouts.open_cube import open_cube  # noqa: E402
from tessera.io.deflate.blocks import BLOCK_BYTES, deflate_block, into_blocks, processors  # noqa: E402
from tessera.provenance.crate import Crate  # noqa: E402
from tessera.windows import Window  # noqa: E402
from tessera_cloud import keys  # noqa: E402
from tessera_cloud.application.cutouts.answer import write_zip  # noqa: E402
from tessera_cloud.application.cutouts.order import CutoutOrder  # noqa: E402
from tessera_cloud.application.cutouts.planned import PlannedCutout  # noqa: E402
from tessera_cloud.application.cutouts.request import CutoutRequest  # noqa: E402
from tessera_cloud.application.jobs.archive import finish_job  # noqa: E402
from tessera_cloud.application.jobs.plans import CubeRecord, JobPlan  # noqa: E402
from tessera_cloud.application.jobs.records import JobRef  # noqa: E402
from tessera_cloud.application.results import ResultWriter  # noqa: E402
from tessera_cloud.contracts import PublishedCube  # noqa: E402
from tessera_cloud.testing.memory_store import MemoryStore  # noqa: E402
from tests.bench.support.report import missed, record  # noqa: E402
from tests.support.handlers import Handlers  # noqa: E402
from tests.support.sparse import sparse_cube  # noqa: E402

BENCH = "service/archives"
N_CADENCES, SIDE, JOB = 1282, 60, "0" * 32
REPEATS = 3


class DiskStore:
    """Reads ranges of a local cube."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")

    def read_range(self, _bucket: str, _key: str, start: int, length: int, *_: object, **__: object) -> bytes:
        return os.pread(self._file.fileno(), length, start)


class Link(MemoryStore):
    """Takes the parts of an upload without computing their MD5, which no store of the service does here."""

    def upload_part(self, _bucket: str, _key: str, _upload_id: str, number: int, _data: bytes) -> str:
        return str(number)

    def complete_upload(self, *_: object) -> None:
        pass


def noisy_cube(folder: Path) -> Path:
    path = sparse_cube(folder, N_CADENCES, (SIDE, SIDE))
    with open_cube(path) as file:
        offset = file.cube.data_offset
    rng = np.random.default_rng(0)
    pixels = rng.standard_normal((SIDE, SIDE, N_CADENCES, 2), dtype=np.float32)
    pixels[..., 0] += 100 + 400 * (rng.random((SIDE, SIDE, 1)) < 0.05)
    with path.open("r+b") as out:
        out.seek(offset)
        out.write(pixels.astype(">f4").tobytes())
    return path


def published(number: int) -> PublishedCube:
    known = dict.fromkeys(("s_region", "build_id", "bucket", "key", "etag"), "x") | {"t_min": 0.0, "t_max": 0.0}
    named = {"obs_id": f"tess-s{number:04d}-4-2", "sequence_number": number, "n_cadences": N_CADENCES, "size": 0}
    return PublishedCube.model_validate(known | named)


def planned_cutout(path: Path) -> PlannedCutout:
    with open_cube(path) as file:
        cube = file.cube
    window = Window(0, 0, SIDE, SIDE)
    return PlannedCutout(published(1), cube, window, (98.2, -75.9))


def store_of_job(content: bytes, n_files: int) -> Link:
    """A store with all that the tasks of a job have left."""
    cubes = tuple(map(published, range(1, n_files + 1)))
    size = {"rows": SIDE, "columns": SIDE, "unit": "px"}
    asked = {"target": {"kind": "position", "ra": 1.0, "dec": 1.0, "size": size}}
    order = CutoutOrder(request=CutoutRequest.model_validate(asked), cubes=cubes, crate=True)
    store = Link()
    bucket = Handlers(store).services.settings.result_bucket
    plan = JobPlan(order=order, items=tuple(range(n_files)))
    store.objects[bucket, keys.job_plan(JOB)] = plan.model_dump_json().encode()
    for number, cube in enumerate(cubes):
        name = f"{cube.obs_id}.fits"
        made = CubeRecord(obs_id=cube.obs_id, status="succeeded", name=name, bytes=len(content))
        store.objects[bucket, keys.job_record(JOB, number)] = made.model_dump_json().encode()
        store.objects[bucket, keys.job_file(JOB, name)] = content
    return store


def best(work: Callable[[], Any]) -> tuple[float, float]:
    """Shortest time and least processor time of several runs."""
    times = []
    for _ in range(REPEATS):
        started, worked = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - started, time.process_time() - worked))
    return min(wall for wall, _ in times), min(cpu for _, cpu in times)


def with_zlib(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("a.fits", content)


def bench(folder: Path, n_files: int) -> None:
    path = noisy_cube(folder)
    item, disk = planned_cutout(path), DiskStore(path)
    content = b"".join(item.cut(disk)[1])
    n_bytes = len(content)

    with ThreadPoolExecutor(processors()) as pool:
        blocks = [bytes(block) for block in into_blocks([content])]
        alone = n_bytes / best(lambda: list(pool.map(deflate_block, blocks)))[0]
    zlib = n_bytes / best(lambda: with_zlib(content))[0]

    store = store_of_job(content, n_files)
    services = Handlers(store).services
    wall, cpu = best(lambda: finish_job(JobRef(job=JOB, attempt=1), services))
    rate, case = n_files * n_bytes / wall, f"job, {n_files} files of {n_bytes / 1e6:.0f} MB"
    record(BENCH, case, "rate", rate, "B/s", peer={"zipfile": zlib}, limit=alone, wanted="value >= 250000000")
    record(BENCH, case, "processor time of a gigabyte", cpu / (n_files * n_bytes) * 1e9, "s")

    def answer() -> None:
        with ResultWriter(Link(), "results", "key") as out:
            write_zip([item], out, disk, crate=Crate())
            out.finish()

    wall, cpu = best(answer)
    case = f"answer, {SIDE}x{SIDE} x {N_CADENCES:,}"
    record(BENCH, case, "rate", n_bytes / wall, "B/s", peer={"zipfile": zlib}, limit=alone)
    record(BENCH, case, "processor time of a gigabyte", cpu / n_bytes * 1e9, "s")
    print(f"blocks of {BLOCK_BYTES >> 10} KiB, {processors()} processors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=6, help="files of the job")
    parser.add_argument("--folder", type=Path, help="folder of the cube; by default a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        bench(options.folder or Path(temporary), options.files)
    sys.exit(bool(missed()))
