"""A list of 10,000 targets through the whole service on one machine, while its workers are killed at random moments.

    python tests/bench/bulk/proof.py [--home DIR] [--targets 10000] [--kills 12] [--seed 16]

The targets lie on the demonstration sector and on a second CCD that overlaps it, some at the edges, some beside both; a
few rows cannot be understood. Compares target pixel files with astrocut, bit by bit, and light curves with lightkurve,
to 1e-6; counts that nothing is missing and nothing twice; cancels a list and asks for it again. Prints requests, bytes,
memory and times. The frames and cubes stay in the folder for the next run.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / place) for place in (".", "layers/engine/src", "shared/src", "local/src")]

from tessera.tess.ids import CcdId  # noqa: E402
from tessera_cloud import keys  # noqa: E402
from tessera_cloud.names import CubeId  # noqa: E402
from tessera_local.demo import demonstration  # noqa: E402
from tessera_local.frames import put_demonstration  # noqa: E402
from tessera_local.progress import Progress  # noqa: E402
from tessera_local.stack import Stack  # noqa: E402
from tests.bench.support.report import record  # noqa: E402
from tests.support import list_results  # noqa: E402
from tests.support.list_results import Pair, Results  # noqa: E402
from tests.support.running_lists import WORKER, Killer, Lists, copy_cube  # noqa: E402

FIRST, SECOND = "tess-s0001-4-2", "tess-s0001-4-3"
N_SECOND, SHIFT_DEGREES = 12, 7.0
"""Frames of the second CCD, and how far its sky lies from that of the first: about half of it is on both."""
SIZE = 11
N_PIXELS, N_CURVES = 500, 200
MOST_READ = 1.05
"""Bytes that may be read for each byte of the windows, unless whole rows are read because that is cheaper."""
HOSTILE = ("nowhere,91", "400,-75", ",", "inf,0", "12:00:00,north", "nan,nan")
"""Positions of rows that cannot be understood."""


@dataclass(frozen=True)
class Drawn:
    """The list: positions in degrees by row, rows that are at edges, and the text of the file."""

    places: dict[int, tuple[float, float]]
    edges: list[int]
    n_rows: int
    text: str


def second_frame(index: int) -> tuple[str, bytes]:
    """A frame of another CCD: the demonstration's, upside down, some degrees away."""
    name, content = demonstration.frame(index)
    with fits.open(io.BytesIO(content)) as hdus:
        for hdu in hdus[1:]:
            hdu.data = hdu.data[::-1].copy()
            for keyword in ("CHECKSUM", "DATASUM"):
                hdu.header.remove(keyword, ignore_missing=True)
        header = hdus[1].header
        header["CCD"] = 3
        if "CRVAL2" in header:
            header["CRVAL2"] += SHIFT_DEGREES
        hdus[0].header["CCD"] = 3
        out = io.BytesIO()
        hdus.writeto(out, output_verify="ignore")
    return name.replace("-4-2-", "-4-3-"), out.getvalue()


def prepare(stack: Stack) -> dict[str, Path]:
    """Put the frames and build both cubes, unless they are there; copies of the cubes."""
    copies = {cube: stack.home / f"{cube}-cube.fits" for cube in (FIRST, SECOND)}
    if not all(path.exists() for path in copies.values()):
        put_demonstration(stack, Progress())
        for index in range(1, N_SECOND + 1):
            name, content = second_frame(index)
            key = keys.frame(stack.variable("TESSERA_FFI_PREFIX"), name)
            stack.s3.put_object(Bucket=stack.bucket("FfiBucket"), Key=key, Body=content)
        for cube, path in copies.items():
            ccd_id = CcdId(*map(int, cube.removeprefix("tess-s").split("-")))
            ended = stack.wait(stack.start_build(ccd_id.sector, ccd_id.camera, ccd_id.ccd))
            assert ended.status == "SUCCEEDED", ended
            copy_cube(stack, CubeId(ccd_id), path)
    return copies


def draw(n_rows: int, frames: dict[str, tuple[WCS, int, int]], chance: np.random.Generator, run: int) -> Drawn:
    """Targets anywhere on both CCDs, along their edges and corners, beside both, and rows that make no sense.

    The number of the run makes the list another one than that of earlier runs, whose results the service has.
    """
    places: dict[int, tuple[float, float]] = {}
    edges, lines = [], ["name,ra,dec"]
    names = list(frames)
    for row in range(1, n_rows + 1):
        if row % 997 == 0:
            lines.append(f"hostile {row} of {run},{HOSTILE[row // 997 % len(HOSTILE)]}")
            continue
        wcs, *sides = frames[names[row % 2]]
        pixel = [chance.uniform(0, side - 1) for side in reversed(sides)]
        if row % 10 == 0:
            axis = row // 10 % 2
            far = sides[1 - axis] - 1
            pixel[axis] = chance.choice([-4.3, -1.2, 0.0, 2.2, far - 2.2, far, far + 1.2, far + 4.3])
            edges.append(row)
        ra, dec = wcs.all_pix2world([pixel], 0)[0] if row % 101 else (chance.uniform(0, 360), chance.uniform(0, 90))
        places[row] = round(float(ra), 7), round(float(dec), 7)
        lines.append(f"star {row} of {run},{places[row][0]!r},{places[row][1]!r}")
    return Drawn(places, edges, n_rows, "\n".join(lines) + "\n")


def compare(results: Results, drawn: Drawn, cubes: dict[str, Path], seed: int) -> None:
    """Pixels of 500 targets with astrocut's, 200 light curves with lightkurve's."""
    chance = random.Random(seed)
    files = {_pair(each): each for each in results.statuses() if each["product"] == "tpf"}
    at_edges = [pair for pair in files if pair[0] in set(drawn.edges)]
    chosen = chance.sample(at_edges, min(len(at_edges), N_PIXELS // 4))
    chosen += chance.sample(sorted(set(files) - set(chosen)), min(N_PIXELS, len(files)) - len(chosen))
    start = time.monotonic()
    for row, cube in chosen:
        list_results.check_pixels(results.member(files[row, cube]), cubes[cube], drawn.places[row])
    took = time.monotonic() - start
    print(f"{len(chosen)} target pixel files are astrocut's bit by bit ({took:.0f} s; {len(at_edges)} are at edges)")
    curves = results.curves()
    assert set(curves) <= set(files)
    path = results.folder / "one.fits"
    late = defaultdict[str, list[float]](list)
    for pair in chance.sample([pair for pair in chosen if pair in curves], min(N_CURVES, len(chosen) // 2)):
        late[pair[1]].append(list_results.check_curve(results.member(files[pair]), curves[pair], path))
    assert all(np.ptp(seconds) < list_results.SAME_SECONDS for seconds in late.values())
    print(f"{sum(map(len, late.values()))} light curves are lightkurve's to 1e-6; the catalogue has {len(curves)}")


def _pair(status: dict[str, str]) -> Pair:
    return int(status["row"]), status["cube"]


def report(stack: Stack, lists: Lists, job: dict[str, Any], killed: int) -> None:
    """Print requests, bytes, memory and times."""
    plan, records = job["plan"], lists.records(job["id"])
    read, sent = (sum(record[name] for record in records) for name in ("n_bytes", "n_requests"))
    print(f"plan: {plan['cutouts']} cutouts, {plan['bands']} bands, {plan['scans']} of them scans")
    print(
        f"      {plan['requests']} requests, {plan['bytes']} bytes, ${plan['usd']:.4f}, {plan['minutes']:.1f} minutes"
    )
    print(f"done: {len(records)} bands, {sent} requests, {read} bytes, {read / plan['union_bytes']:.4f} of the union")
    peaks = Counter[str]()
    for each in stack.reports:
        peaks[each.function] = max(peaks[each.function], each.max_memory_mb)
    errors = sum(1 for each in stack.reports if each.function == WORKER and each.error)
    print(f"{killed} workers were killed, {errors} invocations of {WORKER} failed")
    case = f"{plan['cutouts']:,} cutouts, {killed} workers killed"
    record("bulk/proof", case, "bytes", read, "B", limit=plan["union_bytes"])
    record("bulk/proof", case, "requests", sent, "requests", limit=plan["requests"])
    for name, mb in peaks.items():
        if "Bulk" in name or name == WORKER:
            record("bulk/proof", case, f"memory of {name}", mb * 1e6, "B")
    assert read == plan["bytes"]
    assert plan["scans"] or read <= MOST_READ * plan["union_bytes"]


def cancel_and_again(lists: Lists, drawn: Drawn) -> None:
    """Cancel a list in the middle; the same list again ends, and bands that had ended are not done again."""
    options = {"outputs": "parquet", "size": "9"}
    job = lists.begin(drawn.text, **options)
    lists.wait(job["id"], until=lambda now: now["progress"]["bands_done"] > 0)
    lists.cancel(job)
    time.sleep(3)
    done = {record["band"]: record for record in lists.records(job["id"])}
    stamps = lists.stamps(job["id"])
    again = lists.begin(drawn.text, **options)
    assert again["id"] == job["id"]
    ended = lists.wait(job["id"])
    assert ended["status"] == "succeeded", ended
    later = lists.stamps(job["id"])
    kept = [band for band in done if later[band] == stamps[band]]
    assert kept == list(done)
    print(f"cancelled after {len(done)} of {len(later)} bands; asked again, {len(later) - len(done)} more were cut")


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=ROOT / "build" / "bulk-proof")
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=16)
    options = parser.parse_args()
    with Stack(options.home, concurrency={WORKER: 2}) as stack:
        cubes = prepare(stack)
        frames = list_results.frames_of(cubes)
        drawn = draw(options.targets, frames, np.random.default_rng(options.seed), int(time.time()))
        lists = Lists(stack)
        start = time.monotonic()
        job = lists.begin(drawn.text, outputs="parquet,tpf", size=str(SIZE), layout="full")
        killer = Killer(stack, options.kills, options.seed)
        killer.start()
        job = lists.wait(job["id"])
        killer.stop()
        print(f"{drawn.n_rows} rows: {job['status']} after {time.monotonic() - start:.0f} s")
        assert job["status"] == "succeeded", job["reason"]
        results = Results(lists.download(job["id"], options.home / "results"))
        expected, unsure = list_results.expected_pairs(drawn.places, frames, (SIZE, SIZE))
        check = partial(list_results.check_nothing_missing_and_nothing_twice, results.statuses(), drawn.n_rows)
        print("rows of status.csv:", dict(check(expected, unsure, ("parquet", "tpf"))))
        assert set(results.members().values()) == {1}
        compare(results, drawn, cubes, options.seed)
        report(stack, lists, job, killer.killed)
        cancel_and_again(lists, drawn)


if __name__ == "__main__":
    main()
