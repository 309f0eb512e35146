"""The block task of the cloud path, alone, against an S3 endpoint with 30 ms per request and 85 MB/s per connection.

    python tests/bench/cubes/block.py [--frames 320 20000] [--memory 2048] [--link 78]

The task runs in a process of its own, whose resident memory must stay below that of the function. Its time is set
against the floor: the longer of bytes over link and requests times latency over concurrency, for reading, and the bytes
over the link for the upload.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tessera.builds.plan import MIB, plan_blocks, plan_parts  # noqa: E402
from tessera.cubes.layout import CubeLayout  # noqa: E402
from tessera_cloud.application.builds.build_block import FRAME_READS  # noqa: E402
from tests.bench.support import s3_link  # noqa: E402
from tests.bench.support.report import missed, record  # noqa: E402
from tests.bench.support.s3_link import counted, serving  # noqa: E402

ROWS, COLUMNS = 2078, 2136
OFFSETS = 20_160, 20_160 + 17_757_120 + 2880
PREFIX = "builds/s0001-4-2/bench/"
BLOCK = 1
BENCH = "cubes/block"


def plan_document(n_frames: int, memory_mb: int) -> tuple[dict[str, object], int]:
    layout = CubeLayout(ROWS, COLUMNS, n_frames, 2)
    parts = plan_parts(layout)
    blocks = plan_blocks(layout, parts, memory_mb * MIB)
    document = {
        "ccd": "s0001-4-2",
        "build_id": "bench",
        "source_bucket": "frames",
        "cube_key": "cubes/s0001-4-2/bench/tess-s0001-4-2-cube.fits",
        "frames": [{"key": f"frame{index}", "etag": "etag", "offsets": OFFSETS} for index in range(n_frames)],
        "n_rows": ROWS,
        "n_columns": COLUMNS,
        "n_planes": 2,
        "rows_per_part": parts.rows_per_part,
        "n_row_parts": parts.n_row_parts,
        "tail_number": parts.tail_number,
        "blocks": [(block.parts[0].number, block.parts[-1].number) for block in blocks],
        "s_region": "POLYGON 0 0 1 0 1 1",
        "t_min": 0.0,
        "t_max": 1.0,
    }
    return document, blocks[BLOCK].n_rows


def lay_objects(folder: Path, plan: dict[str, object]) -> dict[str, Path]:
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    with (folder / "frame").open("wb") as file:
        file.truncate(OFFSETS[1] + ROWS * COLUMNS * 4)
    return {f"/cubes/{PREFIX}plan.json": folder / "plan.json", "*": folder / "frame"}


def child() -> None:
    from tessera_cloud.application.builds.build_block import build_block
    from tessera_cloud.bootstrap import open_s3_store
    from tessera_cloud.contracts import BlockPlanRef, BlockTask, UploadRef

    task = BlockTask(
        plan=BlockPlanRef(bucket="cubes", prefix=PREFIX, max_concurrency=8),
        upload=UploadRef(bucket="cubes", key="cube", upload_id="upload"),
        block=BLOCK,
    )
    store = open_s3_store()
    started = time.perf_counter()
    build_block(task, store=store)
    seconds = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"seconds": seconds, "rss": usage.ru_maxrss * 1024, "cpu": usage.ru_utime + usage.ru_stime}))


def measure(n_frames: int, memory_mb: int, link: float, repeats: int) -> None:
    plan, rows = plan_document(n_frames, memory_mb)
    n_bytes = n_frames * 2 * rows * COLUMNS * 4
    gets = n_frames * 2
    reading = max(n_bytes / link, gets * s3_link.LATENCY / FRAME_READS)
    floor = reading + n_bytes / link
    print(f"{n_frames} frames, block of {rows} rows: {gets} GETs, {n_bytes / 1e6:.0f} MB in and as many out")
    found = []
    with (
        tempfile.TemporaryDirectory() as temporary,
        serving(folder := Path(temporary), lay_objects(folder, plan), link) as url,
    ):
        environment = os.environ | {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        for _ in range(repeats):
            command = [sys.executable, __file__, "--child"]
            answer = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
            found.append(json.loads(answer.stdout.splitlines()[-1]))
        asked = counted(url)["gets"] / repeats
    case = f"{n_frames:,} frames, task of {memory_mb:,} MB, {link / 1e6:.0f} MB/s"
    record(BENCH, case, "time", min(each["seconds"] for each in found), "s", limit=floor, wanted="limit <= 1.21")
    record(BENCH, case, "processor", min(each["cpu"] for each in found), "s")
    most = max(each["rss"] for each in found)
    record(BENCH, case, "memory", most, "B", limit=memory_mb * MIB, wanted="limit <= 0.95")
    record(BENCH, case, "requests for frames", asked - 1, "requests", limit=gets, wanted="limit <= 1")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[320, 20_000])
    parser.add_argument("--memory", type=int, default=2048)
    parser.add_argument("--link", type=float, default=78, help="MB/s in each direction")
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    for n_frames in options.frames:
        measure(n_frames, options.memory, options.link * 1e6, options.repeats)
    return missed()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child()
    else:
        sys.exit(main())
