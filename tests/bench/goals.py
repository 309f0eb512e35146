"""The table of goals: make_cube, update_cube and make_cutouts, against the peers and what the machine and link allow.

    python tests/bench/goals.py [--repeats 5] [--only make update cutouts] [--folder DIR]

Every number is that of a public function in a process of its own, in turn with the others, imports apart. `cold` is the
first cutout of a process, `warm` the median of the next ones, each at a place of its own. The cubes have the full size
of a CCD, without pixels (tests/support/sparse.py), behind an S3 endpoint with 30 ms per request and 85 MB/s per
connection; the limit is one latency and the bytes at the speed of 32 connections. The limit of make_cube and
update_cube is a copy of the same bytes: both flushed to the disk, or both not flushed (tests/bench/cubes/timed.py).
astrocut's are timed as they are. Memory is that of the whole process. Needs 8 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tests.bench.cubes import timed  # noqa: E402
from tests.bench.support.report import missed, record  # noqa: E402
from tests.bench.support.s3_link import LATENCY, PER_CONNECTION, counted, serving  # noqa: E402
from tests.bench.support.tesscube import START, installed_peers, tesscube  # noqa: E402

BENCH = "goals"
BENCHES = ("make", "update", "cutouts")
N_FRAMES, N_OLD = 64, 62
SPEED = 32 * PER_CONNECTION
SECTOR, FIRST_DAY, DAYS = 4, 1411.0, 26.0
BUCKET, FOLDER, NAME = "stpubdata", "tess/public/mast", "tess-s0004-4-2-cube.fits"
CASES = {
    (10, 1282): ("value <= 0.10", "value <= 0.045"),
    (30, 1282): ("value <= 0.12", "value <= 0.06"),
    (30, 11_775): ("value <= 0.35", "value <= 0.25"),
}
"""Goals of the first cutout of a process, and of the next ones."""
COLUMNS = (1000, 1050, 1100, 1150)
"""Where the cutouts of one process are, all in the row 1001."""
MOST_MEMORY = "limit <= 1.5"
CHILD = ROOT / "tests/bench/support/cutting.py"
TESSCUBE_PROGRAM = """
size, columns = int(sys.argv[1]), json.loads(sys.argv[2])
seconds = []
for column in columns:
    started = time.perf_counter()
    cube = globals().get("cube") or TESSCube(4, 4, 2)
    cube.get_tpf((1001, column), shape=(size, size), calculate_poscorr=False).writeto(io.BytesIO())
    seconds.append(time.perf_counter() - started)
print(json.dumps({"seconds": seconds}))
"""


# ---------------------------------------------------------------- what is measured


def times_of_sector(n_cadences: int, cadence: int) -> tuple[float, float]:
    """Evenly over the days for which tesscube has the positions of the spacecraft without a network."""
    return FIRST_DAY + DAYS * cadence / n_cadences, FIRST_DAY + DAYS * (cadence + 1) / n_cadences


def some_places() -> str:
    """Positions in the middle of the CCD."""
    from astropy.wcs import WCS

    from tests.support.wcs import ffi_wcs_header

    spots = [(column + 0.2, 1001.3) for column in COLUMNS]
    return json.dumps(WCS(ffi_wcs_header(SECTOR, 4, 2)).all_pix2world(spots, 0).tolist())


@dataclass(frozen=True)
class Answer:
    """Seconds of each cutout of a process, bytes of its file and its most memory, and what it asked for."""

    seconds: list[float]
    bytes: float = 0
    peak: float = 0
    work: float = 0
    requests: float = 0
    bytes_down: float = 0


def run(kind: str, location: str, size: int, url: str, folder: Path) -> Answer:
    """Some cutouts in a new process."""
    environment = {"AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true", "HOME": str(folder)}
    environment |= dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), "us-east-1")
    command = [sys.executable, str(CHILD), kind, location, str(size), some_places()]
    if kind == "tesscube":
        command = [str(tesscube()), "-c", START + TESSCUBE_PROGRAM, str(size), json.dumps(COLUMNS)]
    before = counted(url)
    done = subprocess.run(command, env=os.environ | environment, check=True, stdout=subprocess.PIPE, text=True)
    after = counted(url)
    gets, heads, down = (after.get(key, 0) - before.get(key, 0) for key in ("gets", "heads", "bytes down"))
    return Answer(**json.loads(done.stdout.splitlines()[-1]), requests=gets + heads, bytes_down=down)


def bench_cutouts(folder: Path, repeats: int) -> None:
    from tests.support.sparse import sparse_cube

    kinds = ["ours", *installed_peers()]
    for size, n_cadences in CASES:
        cube = sparse_cube(folder, n_cadences, sector=SECTOR, times=partial(times_of_sector, n_cadences))
        answers: dict[str, list[Answer]] = {kind: [] for kind in kinds}
        with serving(folder, {f"/{BUCKET}/{FOLDER}/{NAME}": cube}, SPEED) as url:
            for _ in range(repeats):
                for kind, found in answers.items():
                    found.append(run(kind, f"s3://{BUCKET}/{FOLDER}/{NAME}", size, url, folder))
        tell_cutouts(size, n_cadences, answers)
        cube.unlink()


def tell_cutouts(size: int, n_cadences: int, answers: dict[str, list[Answer]]) -> None:
    """Rows of one size."""
    case, n_bytes = f"make_cutouts {size}x{size} x {n_cadences:,}", size * size * n_cadences * 8
    limit = LATENCY + n_bytes / SPEED
    parts = {"cold": slice(0, 1), "warm": slice(1, None)}
    for (which, part), wanted in zip(parts.items(), CASES[size, n_cadences], strict=True):
        seconds = {kind: median(median(one.seconds[part]) for one in found) for kind, found in answers.items()}
        ours = seconds.pop("ours")
        record(BENCH, f"{case}, {which}", "time", ours, "s", peer=seconds, limit=limit, wanted=wanted)

    def middle(kind: str, name: str) -> float:
        return median(float(getattr(one, name)) for one in answers[kind])

    ours, peer = middle("ours", "peak"), middle("astrocut", "peak")
    if n_cadences > 10_000:  # where the file is larger than the libraries
        file, work, theirs = middle("ours", "bytes"), middle("ours", "work"), middle("astrocut", "work")
        record(BENCH, case, "memory", ours, "B", peer=peer, limit=file, wanted=MOST_MEMORY)
        record(BENCH, case, "memory above the imports", work, "B", peer=theirs, limit=file, wanted=MOST_MEMORY)
    else:
        record(BENCH, case, "memory", ours, "B", peer=peer)
    several = f"{case}, {len(COLUMNS)} in one process"
    ours, peer = middle("ours", "bytes_down"), middle("astrocut", "bytes_down")
    record(BENCH, several, "bytes", ours, "B", peer=peer, limit=len(COLUMNS) * n_bytes)
    ours, peer = middle("ours", "requests"), middle("astrocut", "requests")
    record(BENCH, several, "requests", ours, "requests", peer=peer)


def bench_make(folder: Path, frames: list[Path], repeats: int) -> None:
    out = folder / "out.fits"

    def once(kind: str, flush: bool) -> timed.Result:
        result = timed.run(kind, out, frames, flush=flush)
        out.unlink()
        return result

    found = timed.in_turn(["copy", "make", "peer make"], repeats, once)
    tell_cubes(f"make_cube, {len(frames)} frames", "make", found, "limit <= 1.25")


def bench_update(folder: Path, frames: list[Path], repeats: int) -> None:
    """Two frames more: the limit is a copy of the cube and of the frames."""
    old, out, other = (folder / name for name in ("old.fits", "out.fits", "other.fits"))
    timed.run("make", old, frames[:N_OLD])

    def once(kind: str, flush: bool) -> timed.Result:
        timed.copy([str(old)], str(out))  # for a copy, too: as much memory of the system is in use
        if kind == "copy":
            result = timed.run("copy", other, [old, *frames[N_OLD:]], flush=flush)
            other.unlink()
        else:
            result = timed.run(kind, out, frames[N_OLD:], flush=flush)
        out.unlink()
        return result

    found = timed.in_turn(["copy", "update", "peer update"], repeats, once)
    tell_cubes(f"update_cube, {N_OLD} + {len(frames) - N_OLD}", "update", found, "limit <= 1.4")
    old.unlink()


def tell_cubes(case: str, ours: str, found: dict[tuple[str, bool], timed.Result], wanted: str) -> None:
    peer = found[f"peer {ours}", True]
    for flush, measure in ((True, "time"), (False, "time without flush")):
        seconds, limit = found[ours, flush]["seconds"], found["copy", flush]["seconds"]
        record(BENCH, case, measure, seconds, "s", peer=peer["seconds"], limit=limit, wanted=wanted)
    memory, theirs = found[ours, True]["anonymous_mb"], peer["anonymous_mb"]
    record(BENCH, case, "memory", memory * 1e6, "B", peer=theirs * 1e6)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=BENCHES)
    parser.add_argument("--folder", type=Path, help="where temporary files are")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="tessera-bench-") as temporary:
        folder = Path(temporary)
        if {"make", "update"} & set(options.only):
            frames = timed.make_frames(folder / "frames", N_FRAMES)
            if "make" in options.only:
                bench_make(folder, frames, options.repeats)
            if "update" in options.only:
                bench_update(folder, frames, options.repeats)
        if "cutouts" in options.only:
            bench_cutouts(folder, options.repeats)
    sys.exit(missed() > 0)


if __name__ == "__main__":
    main()
