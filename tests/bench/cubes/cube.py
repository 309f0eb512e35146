"""Cubes: speed and memory against the peer and against a plain copy, real sizes, in one run.

    python tests/bench/cubes/cube.py [--frames 64] [--repeats 3] [--folder DIR]

Needs about 100 MB of disk per frame. Every timed call runs in a process of its own, in turn with the others, with the
frames in the page cache; seconds are those of the call, without the start of Python. Memory is the largest anonymous
resident set of the process, sampled every 5 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[3]
SOURCES = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]
sys.path[:0] = SOURCES

FULL = 2078, 2136
BENCHES = ("make", "memory", "update", "scaling")
N_OLD = 62


# ---------------------------------------------------------------- one timed call, in a process of its own


def anonymous_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1e3
    return 0.0


class PeakMemory:
    def __enter__(self) -> Self:
        self.peak = anonymous_mb()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._stop.wait(0.005):
            self.peak = max(self.peak, anonymous_mb())

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()


def copy(paths: list[str], out: str) -> None:
    subprocess.run(["sh", "-c", 'out=$1; shift; cat "$@" > "$out"', "sh", out, *paths], check=True)


def call(what: str, out: str, max_memory: float, paths: list[str]) -> Callable[[], Any]:
    if what == "copy":
        return lambda: copy(paths, out)
    if what.startswith("peer"):
        from astrocut import CubeFactory as Peer

        method = Peer().make_cube if what == "peer make" else Peer().update_cube
        return lambda: method(paths, out, max_memory=max_memory, verbose=False)
    from tessera import CubeFactory

    ours = CubeFactory(max_memory)
    return lambda: (ours.make_cube if what == "make" else ours.update_cube)(paths, out, verbose=False)


def child(arguments: list[str]) -> None:
    what, out, max_memory, *paths = arguments
    warnings.simplefilter("ignore")
    work = call(what, out, float(max_memory), paths)
    with PeakMemory() as memory:
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "anonymous_mb": memory.peak}))


def run(what: str, out: Path, paths: list[Path], max_memory: float = 50) -> dict[str, float]:
    os.sync()  # nothing that another run left is written back while this one is timed
    command = [sys.executable, __file__, "--child", what, str(out), str(max_memory), *map(str, paths)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return result


# ---------------------------------------------------------------- frames


def make_frame(folder: str, cadence: int) -> str:
    import numpy as np

    from tests.support.frames import spoc_frame
    from tests.support.wcs import ffi_wcs_header

    flux = np.random.default_rng(cadence).standard_normal(FULL, dtype=np.float32)
    name, data = spoc_frame(
        cadence_index=cadence,
        flux=flux,
        error=flux + 1,
        wcs_cards=ffi_wcs_header(1, 4, 2),
        tstart=1325.0 + cadence / 48,
        tstop=1325.0 + (cadence + 1) / 48,
    )
    (Path(folder) / name).write_bytes(data)
    return name


def make_frames(folder: Path, n: int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    with ProcessPoolExecutor(2) as pool:
        return sorted(folder / name for name in pool.map(make_frame, [str(folder)] * n, range(n)))


# ---------------------------------------------------------------- what is measured


def median(results: list[dict[str, float]], what: str = "seconds") -> float:
    return statistics.median(result[what] for result in results)


def in_turn(
    kinds: list[str], repeats: int, once: Callable[[str], dict[str, float]]
) -> dict[str, list[dict[str, float]]]:
    results: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(repeats):
        for kind in kinds:
            results[kind].append(once(kind))
    return results


def table(results: dict[str, list[dict[str, float]]], ours: str) -> None:
    reference = median(results[ours])
    print(f"{'':12} {'median s':>9} {'min':>7} {'max':>7} {'ours is':>10} {'anonymous MB':>13}")
    for kind, rows in results.items():
        seconds = [row["seconds"] for row in rows]
        times = "" if kind == ours else f"{median(rows) / reference:8.2f} x"
        print(
            f"{kind:12} {median(rows):9.2f} {min(seconds):7.2f} {max(seconds):7.2f} {times:>10} "
            f"{median(rows, 'anonymous_mb'):13.0f}"
        )


def bench_make(folder: Path, frames: list[Path], repeats: int) -> None:
    size = sum(path.stat().st_size for path in frames) / 1e9
    print(f"\nmake_cube, {len(frames)} frames, {size:.2f} GB (`ours is`: how many times the seconds of ours)")

    def once(kind: str) -> dict[str, float]:
        out = folder / "out.fits"
        out.unlink(missing_ok=True)
        result = run(kind, out, frames)
        out.unlink()
        return result

    table(in_turn(["copy", "make", "peer make"], repeats, once), "make")


def bench_update(folder: Path, frames: list[Path], repeats: int) -> None:
    n_old = min(N_OLD, len(frames) - 2)
    print(f"\nupdate_cube, {len(frames) - n_old} frames onto {n_old}")
    old = folder / "old.fits"
    run("make", old, frames[:n_old])

    def once(kind: str) -> dict[str, float]:
        out = folder / "out.fits"
        copy([str(old)], str(out))
        result = run(kind, out, frames[n_old:])
        out.unlink()
        return result

    table(in_turn(["update", "peer update"], repeats, once), "update")
    old.unlink()


def bench_memory(folder: Path, frames: list[Path]) -> None:
    print("\nmemory: anonymous MB for max_memory")
    contents = set()
    for max_memory in (0.2, 0.5, 1, 2, 50):
        out = folder / "out.fits"
        result = run("make", out, frames, max_memory)
        contents.add(subprocess.run(["sha256sum", out], check=True, capture_output=True).stdout.split()[0])
        out.unlink()
        bound = max_memory * 1e3 + 200
        verdict = "ok" if result["anonymous_mb"] <= bound else "ABOVE"
        print(f"{max_memory:6.1f} GB: {result['anonymous_mb']:7.0f} MB, {result['seconds']:6.2f} s  {verdict}")
    print("cubes are byte-identical" if len(contents) == 1 else f"DIFFERENT CUBES: {len(contents)}")


def bench_scaling(folder: Path, frames: list[Path], repeats: int) -> None:
    print("\nscaling: seconds of make_cube by frames")
    n = 16
    while n <= len(frames):
        out = folder / "out.fits"
        rows = []
        for _ in range(repeats):
            rows.append(run("make", out, frames[:n]))
            out.unlink()
        print(f"{n:5} frames {median(rows):7.2f} s {median(rows) / n * 1e3:7.1f} ms per frame")
        n *= 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--scale-to", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=BENCHES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="tessera-bench-") as temporary:
        folder = Path(temporary)
        every = make_frames(folder / "frames", max(options.frames, options.scale_to))
        frames = every[: options.frames]
        copy([str(path) for path in every], "/dev/null")
        if "make" in options.only:
            bench_make(folder, frames, options.repeats)
        if "memory" in options.only:
            bench_memory(folder, frames)
        if "update" in options.only:
            bench_update(folder, frames, options.repeats)
        if "scaling" in options.only:
            bench_scaling(folder, every, options.repeats)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2:])
    else:
        main()
