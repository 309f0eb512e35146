"""Memory over many cutouts: in one call, in many calls, and as light curves. Fails if it grows.

    python tests/bench/cutouts/memory.py [N]

Prints the resident memory of this process while it makes N cutouts (by default 10,000) in one call, N cutouts in calls
of 50 targets, and light curves of up to 2,000 cutouts. The first half of a job fills caches. In the second half,
one call may grow by 2 MB and by 1,500 bytes a cutout, which is what a result takes. The other jobs may grow by 20 MB,
because the C library keeps memory for each thread.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tessera import TargetPixels, make_cutouts  # noqa: E402
from tessera.cutouts.open_cube import open_cube  # noqa: E402
from tests.bench.support.report import missed, record  # noqa: E402
from tests.support.builds import build_cube  # noqa: E402
from tests.support.frames import tiny_sector  # noqa: E402

SHAPE, N_CADENCES, SIZE = (200, 150), 100, 11
PER_RESULT, MOST_GROWTH = 1_500, {"one_call": 2_000_000, "many_calls": 20_000_000, "light_curves": 20_000_000}
"""Bytes that a job may grow by in its second half: for each result that it keeps, and besides."""
PER_CALL, N_CURVES, N_MARKS = 50, 2_000, 10


def resident() -> int:
    """Memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def positions(cube: Path, n: int) -> SkyCoord:
    """Random positions on the frames of a cube."""
    chance = np.random.default_rng(5)
    with open_cube(cube) as file:
        pixels = np.column_stack([chance.uniform(0, SHAPE[1], n), chance.uniform(0, SHAPE[0], n)])
        return SkyCoord(*file.cube.wcs.all_pix2world(pixels, 0).T, unit="deg")


def one_call(cube: Path, sky: SkyCoord, folder: Path) -> Iterator[int]:
    """Cut all targets in one call. Its progress gives the steps."""
    steps: list[tuple[int, int]] = []
    made = make_cutouts([cube], sky, SIZE, output_dir=folder, progress=lambda done, _: steps.append((done, resident())))
    assert all(result.status == "ok" for result in made)
    yield from (memory for done, memory in steps if done % max(1, len(sky) // 100) == 0)


def many_calls(cube: Path, sky: SkyCoord, folder: Path) -> Iterator[int]:
    """Cut the targets in many calls, into memory that is given back."""
    for start in range(0, len(sky), PER_CALL):
        made = make_cutouts([cube], sky[start : start + PER_CALL], SIZE)
        assert all(result.data for result in made)
        del made
        yield resident()


def light_curves(cube: Path, sky: SkyCoord, folder: Path) -> Iterator[int]:
    """Cut, measure and write light curves, and describe them as notebooks do."""
    for start in range(0, min(N_CURVES, len(sky)), PER_CALL):
        for result in make_cutouts([cube], sky[start : start + PER_CALL], SIZE):
            curve = TargetPixels.read(result).to_lightcurve("all")
            for kind in ("csv", "ecsv", "fits"):
                curve.write(folder / f"curve.{kind}")
        curve._repr_html_()
        curve.write(folder / "curve.png")
        yield resident()


def report(job: Callable[[Path, SkyCoord, Path], Iterator[int]], cube: Path, sky: SkyCoord) -> None:
    """Run a job, and tell its memory and how it grew."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        memory = list(job(cube, sky, Path(folder)))
    marks = [memory[int(part * (len(memory) - 1))] for part in np.linspace(0, 1, N_MARKS + 1)]
    growth = max(memory[len(memory) // 2 :]) - max(memory[: len(memory) // 2])
    kept = len(sky) / 2 if job is one_call else 0
    most = MOST_GROWTH[job.__name__] + PER_RESULT * kept
    print(f"{job.__name__}, {time.monotonic() - started:.0f} s, MB: {' '.join(f'{mark / 1e6:.0f}' for mark in marks)}")
    case = f"{job.__name__}, {len(sky):,} targets"
    record("cutouts/memory", case, "growth in the second half", growth, "B", wanted=f"value <= {most:.0f}")
    record("cutouts/memory", case, "memory", max(memory), "B")


def main() -> int:
    """Run the jobs."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        cube = Path(folder) / "tess-s0001-4-2-cube.fits"
        cube.write_bytes(build_cube(tiny_sector(N_CADENCES, SHAPE)))
        sky = positions(cube, n)
        print(f"{n:,} targets of {SIZE} x {SIZE} pixels and {N_CADENCES} cadences")
        for job in (one_call, many_calls, light_curves):
            report(job, cube, sky)
    return int(missed() > 0)


if __name__ == "__main__":
    sys.exit(main())
