"""Cubes: speed and memory against the peer and against a plain copy, real sizes, in one run.

    python tests/bench/cubes/cube.py [--frames 64] [--repeats 3] [--folder DIR]

Needs about 100 MB of disk per frame. Every timed call runs in a process of its own, in turn with the others, with the
frames in the page cache; seconds are those of the call, without the start of Python. Memory is the largest anonymous
resident set of the process, sampled every 5 ms.

A cube is flushed to the disk before it appears, and a copy is not. So there are two times of each: `time` with the
flush (of a copy: cat, then fsync) and `time without flush`.
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

from tests.bench.support.report import record  # noqa: E402 - after the path

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


class Flushes:
    """Seconds of all calls of os.fsync in this process."""

    def __enter__(self) -> Self:
        self.seconds, self._fsync = 0.0, os.fsync
        os.fsync = self._timed  # type: ignore[assignment] # it counts and calls the real one
        return self

    def _timed(self, descriptor: int) -> None:
        started = time.perf_counter()
        self._fsync(descriptor)
        self.seconds += time.perf_counter() - started

    def __exit__(self, *error: object) -> None:
        os.fsync = self._fsync


def copy(paths: list[str], out: str) -> None:
    subprocess.run(["sh", "-c", 'out=$1; shift; cat "$@" > "$out"', "sh", out, *paths], check=True)


def copy_and_flush(paths: list[str], out: str) -> None:
    copy(paths, out)
    descriptor = os.open(out, os.O_RDWR)
    os.fsync(descriptor)
    os.close(descriptor)


def call(what: str, out: str, max_memory: float, paths: list[str]) -> Callable[[], Any]:
    if what == "copy":
        return lambda: copy_and_flush(paths, out)
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
    with PeakMemory() as memory, Flushes() as flushes:
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "unflushed": seconds - flushes.seconds, "anonymous_mb": memory.peak}))


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


def put_down(case: str, results: dict[str, list[dict[str, float]]], ours: str, wanted: str) -> None:
    """Record the times and the memory of ours beside those of the peer and of a copy."""

    def all_of(what: str, factor: float = 1.0) -> dict[str, float]:
        return {kind: median(rows, what) * factor for kind, rows in results.items()}

    for measure, what, goal in (("time", "seconds", wanted), ("time without flush", "unflushed", "")):
        every = all_of(what)
        peer = every.get(f"peer {ours}")
        record("cubes/cube", case, measure, every[ours], "s", peer=peer, limit=every.get("copy"), wanted=goal)
    memory = all_of("anonymous_mb", 1e6)
    record("cubes/cube", case, "memory", memory[ours], "B", peer=memory.get(f"peer {ours}"))


def bench_make(folder: Path, frames: list[Path], repeats: int) -> None:
    def once(kind: str) -> dict[str, float]:
        out = folder / "out.fits"
        out.unlink(missing_ok=True)
        result = run(kind, out, frames)
        out.unlink()
        return result

    results = in_turn(["copy", "make", "peer make"], repeats, once)
    put_down(f"make_cube, {len(frames)} frames", results, "make", "limit <= 1.25")


def bench_update(folder: Path, frames: list[Path], repeats: int) -> None:
    n_old = min(N_OLD, len(frames) - 2)
    old = folder / "old.fits"
    run("make", old, frames[:n_old])

    def once(kind: str) -> dict[str, float]:
        out, other = folder / "out.fits", folder / "other.fits"
        copy([str(old)], str(out))  # for a copy, too: as much memory of the system is in use
        if kind == "copy":
            result = run(kind, other, [old])
            other.unlink()
        else:
            result = run(kind, out, frames[n_old:])
        out.unlink()
        return result

    results = in_turn(["copy", "update", "peer update"], repeats, once)
    put_down(f"update_cube, {len(frames) - n_old} frames onto {n_old}", results, "update", "limit <= 1.4")
    old.unlink()


def bench_memory(folder: Path, frames: list[Path]) -> None:
    contents = set()
    for max_memory in (0.2, 0.5, 1, 2, 50):
        out = folder / "out.fits"
        result = run("make", out, frames, max_memory)
        contents.add(subprocess.run(["sha256sum", out], check=True, capture_output=True).stdout.split()[0])
        out.unlink()
        case = f"make_cube, {len(frames)} frames, max_memory={max_memory:g}"
        most = max_memory * 1e9 + 2e8
        record("cubes/cube", case, "memory", result["anonymous_mb"] * 1e6, "B", wanted=f"value <= {most:.0f}")
    if len(contents) != 1:
        raise SystemExit(f"the memory changes the cube: {len(contents)} different cubes")


def bench_scaling(folder: Path, frames: list[Path], repeats: int) -> None:
    """Time per frame, beside that of a copy, which also grows when the system must wait for the disk."""
    n = 16
    while n <= len(frames):

        def once(kind: str, n: int = n) -> dict[str, float]:
            out = folder / "out.fits"
            result = run(kind, out, frames[:n])
            out.unlink()
            return result

        results = in_turn(["copy", "make"], repeats, once)
        for measure, what in (("time per frame", "seconds"), ("time per frame without flush", "unflushed")):
            ours, copied = (median(results[kind], what) / n for kind in ("make", "copy"))
            record("cubes/cube", f"make_cube, {n} frames, alone", measure, ours, "s", limit=copied)
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
