"""make_cube with little memory, and its time per frame by the number of frames, beside that of a copy.

    python tests/bench/cubes/cube.py [--frames 64] [--scale-to 256] [--repeats 3] [--only memory scaling] [--folder DIR]

Needs some 40 MB of disk per frame, and as much again for the first 128. tests/bench/goals.py compares
make_cube and update_cube with astrocut and with a copy; here are the same calls, see tests/bench/cubes/timed.py.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tests.bench.cubes import timed  # noqa: E402 - after the path
from tests.bench.support.report import record  # noqa: E402

BENCH = "cubes/cube"
BENCHES = ("memory", "scaling")
WANTED = "limit <= 1.5"
"""For every number of frames: the time per frame does not grow by more than that of a copy."""


def bench_memory(folder: Path, frames: list[Path]) -> None:
    contents = set()
    for max_memory in (0.2, 0.5, 1, 2, 50):
        out = folder / "out.fits"
        result = timed.run("make", out, frames, max_memory)
        contents.add(subprocess.run(["sha256sum", out], check=True, capture_output=True).stdout.split()[0])
        out.unlink()
        case = f"make_cube, {len(frames)} frames, max_memory={max_memory:g}"
        most = max_memory * 1e9 + 2e8
        record(BENCH, case, "memory", result["anonymous_mb"] * 1e6, "B", wanted=f"value <= {most:.0f}")
    if len(contents) != 1:
        raise SystemExit(f"the memory changes the cube: {len(contents)} different cubes")


def bench_scaling(folder: Path, frames: list[Path], repeats: int) -> None:
    """Time per frame, beside that of a copy, which also grows when the system must wait for the disk."""
    n = 16
    while n <= len(frames):

        def once(kind: str, flush: bool, n: int = n) -> timed.Result:
            out = folder / "out.fits"
            result = timed.run(kind, out, frames[:n], flush=flush)
            out.unlink()
            return result

        found = timed.in_turn(["copy", "make"], repeats, once)
        for flush, measure, wanted in ((True, "time per frame", WANTED), (False, "time per frame without flush", "")):
            ours, copied = (found[kind, flush]["seconds"] / n for kind in ("make", "copy"))
            record(BENCH, f"make_cube, {n} frames, alone", measure, ours, "s", limit=copied, wanted=wanted)
        n *= 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--scale-to", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=BENCHES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="tessera-bench-") as temporary:
        folder = Path(temporary)
        every = timed.make_frames(folder / "frames", max(options.frames, options.scale_to))
        timed.copy([str(path) for path in every], "/dev/null")
        if "memory" in options.only:
            bench_memory(folder, every[: options.frames])
        if "scaling" in options.only:
            bench_scaling(folder, every, options.repeats)


if __name__ == "__main__":
    main()
