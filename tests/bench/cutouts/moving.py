"""Moving targets: our files against astrocut's `TessCubeCutout` and `center_on_path`.

    python tests/bench/cutouts/moving.py [--repeats 3] [--total 1e9] [--folder DIR] [--gap 16384] [--spare 900]

A target goes 120 pixels through 1,282 frames, along the columns, at 30 degrees to them and at 45, in boxes of 15 x 15.
The cube is behind an S3 endpoint with 30 ms per request and 85 MB/s per connection (s3_link.py). Both programs are
processes of their own, run in turn, once without being timed, and keep nothing of the cube between runs. What is timed
begins with the path and ends with one file; the peer's goes by way of the cutouts that its `path_to_footprints` asks
for, a pixel wider on every side. The endpoint counts requests and bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tests.bench.cutouts import cutout as bench  # noqa: E402
from tests.bench.cutouts.programs import running  # noqa: E402
from tests.bench.support.report import record  # noqa: E402

N_FRAMES, TRACK, SIZE = 1282, 120, 15
SHAPE = (150, 150)
ANGLES = (0, 30, 45)
MARGIN = SIZE + 2
"""Without a margin the peer finds no box in the cutouts that it asked for itself."""
WANTED_TIME, WANTED_BYTES = "peer >= 5", "peer >= 2"


def path_table(cube_path: str, degrees: float) -> object:
    """A path of 60 places, in the middle of the frames, at an angle to their columns."""
    from astropy.coordinates import SkyCoord
    from astropy.table import Table
    from astropy.time import Time

    from tessera.cutouts.open_cube import open_cube
    from tessera.moving.ephemeris import cadence_days

    with open_cube(cube_path) as file:
        cube = file.cube
    days = cadence_days(cube, "observer")
    part = np.linspace(-0.5, 0.5, 60) * TRACK
    angle = np.radians(degrees)
    columns = SHAPE[1] / 2 + part * np.cos(angle) + 0.2
    rows = SHAPE[0] / 2 + part * np.sin(angle) + 0.3
    sky = SkyCoord(cube.wcs.all_pix2world(np.column_stack([columns, rows]), 0), unit="deg")
    time_ = Time(2457000, np.linspace(days[0], days[-1], 60), format="jd", scale="tdb")
    return Table({"time": time_, "position": sky})


def our_work(location: str, out: str, gap: int, spare: int) -> Callable[[object], object]:
    from tessera.moving.batch import make_moving_cutouts
    from tessera.moving.ephemeris import Ephemeris
    from tessera.moving.read_plan import ReadCost
    from tessera.moving.track import MovingOptions

    def work(path: object) -> object:
        options = MovingOptions(cost=ReadCost(gap, None, spare))
        (result,) = make_moving_cutouts([location], Ephemeris.from_table(path), SIZE, options=options, output_dir=out)
        assert result.status == "ok", result.reason
        return result.path, result.n_cadences

    return work


def astrocut_work(location: str, out: str, cube_path: str) -> Callable[[object], object]:
    from astrocut import TessCubeCutout
    from astrocut.cutout_processing import center_on_path, path_to_footprints
    from astropy.io import fits

    from tessera.cutouts.open_cube import open_cube

    with open_cube(cube_path) as file:
        wcs = file.cube.wcs
    wcs.pixel_shape = SHAPE[::-1]

    def work(path: object) -> object:
        files = []
        for number, place in enumerate(path_to_footprints(path["position"], [MARGIN, MARGIN], wcs)):  # type: ignore[index]
            rows, columns = (int(side) for side in place["size"])
            cutout = TessCubeCutout(location, place["coordinates"], (columns, rows), threads="auto")
            files += cutout.write_as_tpf(f"{out}/{number}")
        made = center_on_path(path, [SIZE, SIZE], files, img_wcs=wcs, output_path=out, verbose=False)
        return made, fits.getheader(made, 1)["NAXIS2"]

    return work


def child(kind: str, location: str, cube_path: str, out: str, *cost: str) -> None:
    warnings.simplefilter("ignore")
    work = our_work(location, out, *map(int, cost)) if kind == "ours" else astrocut_work(location, out, cube_path)
    for line in sys.stdin:
        path = path_table(cube_path, json.loads(line)[0])
        started = time.perf_counter()
        _, rows = work(path)  # type: ignore[misc]
        print(json.dumps({"seconds": time.perf_counter() - started, "rows": rows}), flush=True)


def compare(cube: Path, url: str, folder: Path, options: argparse.Namespace, environment: dict[str, str]) -> None:
    location = f"s3://{bench.BUCKET}/{bench.FOLDER}/{cube.name}"
    with ExitStack() as stack:
        programs = {}
        for kind in ("ours", "astrocut"):
            out = folder / kind
            out.mkdir()
            arguments = [kind, location, str(cube), str(out), str(options.gap), str(options.spare)]
            command = [sys.executable, __file__, "--child", *arguments]
            programs[kind] = stack.enter_context(running(command, environment))
        for angle in ANGLES:
            medians = {}
            print(f"\n{TRACK} px at {angle} degrees to the columns, {SIZE}x{SIZE} x {N_FRAMES}")
            answers: dict[str, list[tuple[float, int, int, float]]] = {kind: [] for kind in programs}
            for _ in range(options.repeats + 1):
                for kind, run in programs.items():
                    os.sync()
                    before = bench.count(url)
                    answer = run((float(angle), 0.0))
                    after = bench.count(url)
                    row = answer["seconds"], after[0] - before[0], after[1] - before[1], answer["rows"]
                    answers[kind].append(row)
            for kind, rows in answers.items():
                seconds, requests, down, n = zip(*rows[1:], strict=True)
                medians[kind] = statistics.median(seconds), statistics.median(down)
                worst = max(seconds)
                print(
                    f"  {kind:9} {medians[kind][0]:7.3f} s (worst {worst:.3f})  "
                    f"{statistics.median(requests):5.0f} requests {medians[kind][1] / 1e6:7.1f} MB  {n[0]:.0f} rows"
                )
            case, peer = f"{TRACK} px at {angle} degrees", medians["astrocut"]
            record("cutouts/moving", case, "time", medians["ours"][0], "s", peer=peer[0], wanted=WANTED_TIME)
            needed = N_FRAMES * SIZE * SIZE * 8
            down = medians["ours"][1]
            record("cutouts/moving", case, "bytes", down, "B", peer=peer[1], limit=needed, wanted=WANTED_BYTES)


def main() -> None:
    from tests.bench.support.s3_link import serving

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--total", type=float, default=1e9, help="bytes per second of all connections together")
    parser.add_argument("--folder", type=Path, help="keep the cube there")
    parser.add_argument("--gap", type=int, default=16384, help="bytes that are read along")
    parser.add_argument("--spare", type=int, default=900, help="requests that save bytes")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    bench.SHAPES[N_FRAMES] = SHAPE
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as temporary:
        folder = Path(temporary)
        cube = bench.make_cube(options.folder or folder, N_FRAMES)
        with serving(folder, {f"/{bench.BUCKET}/{bench.FOLDER}/{cube.name}": cube}, options.total) as url:
            environment = {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}
            os.environ |= environment
            compare(cube, url, folder, options, environment | {"HOME": temporary})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
