"""The block task of the cloud path, alone, against an S3 endpoint with 30 ms per request and 85 MB/s per connection.

    python tests/bench/cubes/block.py [--frames 320] [--memory 2048] [--link 300]

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
from tests.bench.support import s3_link  # noqa: E402
from tests.bench.support.s3_link import counted, serving  # noqa: E402

ROWS, COLUMNS = 2078, 2136
OFFSETS = 20_160, 20_160 + 17_757_120 + 2880
PREFIX = "builds/s0001-4-2/bench/"
BLOCK = 1


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
    print(json.dumps({"seconds": seconds, "rss_mb": usage.ru_maxrss / 1e3, "cpu": usage.ru_utime + usage.ru_stime}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=320)
    parser.add_argument("--memory", type=int, default=2048)
    parser.add_argument("--link", type=float, default=s3_link.TOTAL / 1e6, help="MB/s in each direction")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    link = options.link * 1e6
    plan, rows = plan_document(options.frames, options.memory)
    n_bytes = options.frames * 2 * rows * COLUMNS * 4
    gets = options.frames * 2
    reading = max(n_bytes / link, gets * s3_link.LATENCY / 32)
    floor = reading + n_bytes / link
    print(f"{options.frames} frames, block of {rows} rows: {gets} GETs, {n_bytes / 1e6:.0f} MB in and as many out")
    print(f"floor {floor:.2f} s (reading {reading:.2f} s); link {options.link:.0f} MB/s each way")
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
        for _ in range(options.repeats):
            command = [sys.executable, __file__, "--child"]
            answer = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
            result = json.loads(answer.stdout.splitlines()[-1])
            assert result["rss_mb"] < options.memory * MIB / 1e6, f"killed: {result['rss_mb']:.0f} MB"
            print(
                f"task {result['seconds']:.2f} s = {result['seconds'] / floor:.2f} x floor, "
                f"{result['cpu']:.2f} s of processor, {result['rss_mb']:.0f} of {options.memory} MB"
            )
        print(counted(url))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child()
    else:
        main()
