"""Cutouts of a process of its own, for the bench of goals: their seconds and the memory of the process.

    python tests/bench/support/cutting.py {ours,astrocut} LOCATION SIZE PLACES

It imports no more than a user's program does, since the memory of the process is measured.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src")]

from tests.bench.support.memory import peak_bytes  # noqa: E402


def our_cutout(location: str, size: int) -> Callable[[tuple[float, float]], int]:
    from astropy.coordinates import SkyCoord

    from tessera import make_cutouts

    def work(place: tuple[float, float]) -> int:
        (made,) = make_cutouts(location, SkyCoord(*place, unit="deg"), size)
        assert made.data, made.reason
        return len(made.data)

    return work


def astrocut_cutout(location: str, size: int) -> Callable[[tuple[float, float]], int]:
    import io

    from astrocut import TessCubeCutout
    from astropy.coordinates import SkyCoord

    def work(place: tuple[float, float]) -> int:
        file = io.BytesIO()
        TessCubeCutout(location, SkyCoord(*place, unit="deg"), size, threads="auto").tpf_cutouts[0].writeto(file)
        return len(file.getvalue())

    return work


def child(kind: str, location: str, size: str, places: str) -> None:
    warnings.simplefilter("ignore")
    work = (our_cutout if kind == "ours" else astrocut_cutout)(location, int(size))
    seconds, n_bytes, peak, imports = [], 0, 0, peak_bytes()
    for place in json.loads(places):
        started = time.perf_counter()
        n_bytes = work(place)
        seconds.append(time.perf_counter() - started)
        peak = peak or peak_bytes()
    print(json.dumps({"seconds": seconds, "bytes": n_bytes, "peak": peak, "work": peak - imports}))


if __name__ == "__main__":
    child(*sys.argv[1:])
