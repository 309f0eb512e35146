"""make_cube and update_cube, astrocut's, and copies of the same bytes: one timed call in a process of its own.

    python tests/bench/cubes/timed.py FLUSH WHAT OUT MAX_MEMORY FILE...

A cube is flushed to the disk before it appears, and `cat` leaves its copy in memory. So each call is timed in two ways.
With a flush (FLUSH is yes), the copy is flushed at the end, too. Without (no), the process does not flush: see
`never_flush`. What is written past the system's memory is on the disk even so. Seconds are those of the call, with the
frames in the page cache. Memory is the largest anonymous resident set of the process, sampled every 5 ms.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

FULL = 2078, 2136
N_NOISE = 128
"""Frames beyond these have no noise."""
SPARSE = 1 << 20
"""Bytes that are left out of a file together, if all of them are zero."""

Result = dict[str, float]


# ---------------------------------------------------------------- what the process does


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


def copy_and_flush(paths: list[str], out: str) -> None:
    copy(paths, out)
    descriptor = os.open(out, os.O_RDWR)
    os.fsync(descriptor)
    os.close(descriptor)


def never_flush() -> None:
    """Leave all to the system, as `cat` does. ext4 flushes a file that takes the place of another: so none does."""

    def rename(source: str, target: str) -> None:
        Path(target).unlink(missing_ok=True)
        Path(source).rename(target)

    os.fsync = os.posix_fadvise = lambda *_: None  # type: ignore[assignment]
    os.replace = rename  # type: ignore[assignment]


def call(what: str, out: str, max_memory: float, paths: list[str]) -> Callable[[], Any]:
    from tessera import CubeFactory  # for a copy, too: so long is free memory at rest before the call

    ours = CubeFactory(max_memory)
    if what == "copy":
        return lambda: copy_and_flush(paths, out)
    if what.startswith("peer"):
        from astrocut import CubeFactory as Peer

        method = Peer().make_cube if what == "peer make" else Peer().update_cube
        return lambda: method(paths, out, max_memory=max_memory, verbose=False)
    return lambda: (ours.make_cube if what == "make" else ours.update_cube)(paths, out, verbose=False)


def main(flush: str, what: str, out: str, max_memory: str, *paths: str) -> None:
    warnings.simplefilter("ignore")
    if flush == "no":
        never_flush()
    work = call(what, out, float(max_memory), list(paths))
    with PeakMemory() as memory:
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "anonymous_mb": memory.peak}))


# ---------------------------------------------------------------- for benches


def run(what: str, out: Path, paths: list[Path], max_memory: float = 50, *, flush: bool = True) -> Result:
    """Do it once in a process of its own."""
    os.sync()  # nothing that another run left is written back while this one is timed
    numbers = ["yes" if flush else "no", what, str(out), str(max_memory)]
    command = [sys.executable, __file__, *numbers, *map(str, paths)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    result: Result = json.loads(answer.stdout.splitlines()[-1])
    return result


def in_turn(kinds: list[str], repeats: int, once: Callable[[str, bool], Result]) -> dict[tuple[str, bool], Result]:
    """Medians of each kind, with a flush and without: what ``once(kind, flush)`` answers. Peers are timed once only."""
    found: dict[tuple[str, bool], list[Result]] = {}
    for _ in range(repeats):
        for kind in kinds:
            for flush in (True,) if kind.startswith("peer") else (True, False):
                found.setdefault((kind, flush), []).append(once(kind, flush))
    return {
        key: {name: statistics.median(result[name] for result in results) for name in results[0]}
        for key, results in found.items()
    }


def make_frame(folder: str, cadence: int) -> str:
    """A frame of noise, or one of zeros that takes no place on the disk after the first `N_NOISE`."""
    import numpy as np

    from tests.support.frames import spoc_frame
    from tests.support.wcs import ffi_wcs_header

    empty = cadence >= N_NOISE
    flux = np.random.default_rng(cadence).standard_normal(FULL, dtype=np.float32) if not empty else np.zeros(FULL, "f4")
    name, data = spoc_frame(
        cadence_index=cadence,
        flux=flux,
        error=flux if empty else flux + 1,
        wcs_cards=ffi_wcs_header(1, 4, 2),
        tstart=1325.0 + cadence / 48,
        tstop=1325.0 + (cadence + 1) / 48,
    )
    with (Path(folder) / name).open("wb") as file:
        file.truncate(len(data))
        for start in range(0, len(data), SPARSE):
            if piece := data[start : start + SPARSE].rstrip(b"\0"):
                file.seek(start)
                file.write(piece)
    return name


def make_frames(folder: Path, n: int) -> list[Path]:
    """Some frames of full size, in the page cache."""
    folder.mkdir(exist_ok=True)
    with ProcessPoolExecutor(2) as pool:
        return sorted(folder / name for name in pool.map(make_frame, [str(folder)] * n, range(n)))


if __name__ == "__main__":
    main(*sys.argv[1:])
