"""Measures plans of lists of targets: how long they take on one core, and what a million targets would cost.

Usage: python tests/bench/bulk/plan.py [--targets 1000000] [--cubes 1600]
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import argparse
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[3]))

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.costs import PlanTerms, ReadCosts
from tessera.bulk.plan.planning import plan_bands
from tessera.bulk.plan.price import BulkPlan, price_plan
from tessera.bulk.plan.seeing import find_sightings, may_see
from tessera.bulk.plan.sightings import SightCube
from tessera.bulk.plan.whole import TargetPlan
from tessera.bulk.target_rows import TargetRows
from tessera.sky.footprint import footprint_vectors, frame_footprint
from tessera.sky.wcs import frame_wcs
from tests.bench.support.report import record
from tests.support.lists import sight_cube, target_rows

LENGTHS = ((26, 1282), (55, 3705), (108, 11_775))
"""Last sector of each length of cubes, and cadences."""
Floats = NDArray[np.float64]


def used() -> tuple[float, float]:
    """Seconds of this process on a core, and the most memory it had, in MB."""
    return time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def all_cubes(n: int) -> list[SightCube]:
    """The first cubes of the mission, with their real WCS."""
    cubes = []
    for number in range(n):
        sector = number // 16 + 1
        n_cadences = next(cadences for last, cadences in LENGTHS if sector <= last)
        cubes.append(sight_cube(sector, number // 4 % 4 + 1, number % 4 + 1, n_cadences))
    return cubes


def spread(n: int, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Positions that are evenly spread over the sky."""
    return random.uniform(0, 360, n), np.degrees(np.arcsin(random.uniform(-1, 1, n)))


def crowded(cube: SightCube, n: int, random: np.random.Generator) -> TargetRows:
    """Targets that are evenly spread over the pixels of a CCD that see the sky."""
    pixels = np.column_stack([random.uniform(43.5, 2091.5, n), random.uniform(-0.5, 2047.5, n)])
    return target_rows(*frame_wcs(cube.wcs_cards).all_pix2world(pixels, 0).T)


def measure_pass(n: int, cubes: list[SightCube]) -> None:
    """One pass over all cubes, for targets without and with proper motion, and the bands of the first."""
    random = np.random.default_rng(1)
    motion = {"pm_ra": random.normal(0, 50, n), "pm_dec": random.normal(0, 50, n), "epoch": np.full(n, 2016.0)}
    for text, columns in (("still", {}), ("with proper motion", motion)):
        rows = target_rows(*spread(n, random), 11, **columns)
        begin, before = used()
        found = find_sightings(rows, cubes)
        end, most = used()
        case = f"{n:,} targets {text} x {len(cubes):,} cubes"
        record("bulk/plan", case, "processor time", end - begin, "s")
        record("bulk/plan", case, "memory", most * 1e6, "B", limit=before * 1e6)
        print(f"  {len(found):,} cutouts")
        if columns:
            continue
        bands = plan_bands(found, cubes, BulkOptions())
        print(f"  {len(bands):,} bands, {sum(band.n_requests for band in bands):,} requests: {used()[0] - end:.1f} s")
    texts = [frame_footprint(frame_wcs(cube.wcs_cards), 2078, 2136).format_s_region() for cube in cubes[:160]]
    begin = used()[0]
    kept = int(may_see(rows, footprint_vectors(texts)).sum())
    print(f"  footprints of {len(texts)} cubes, of which {kept} may see a target: {used()[0] - begin:.1f} s")


def sector_on_paper(n: int, n_cadences: int, tasks: int) -> BulkPlan:
    """Plan of a sector with n targets: one CCD is planned, and counted 16 times."""
    cube = sight_cube(n_cadences=n_cadences)
    rows, options = crowded(cube, n // 16, np.random.default_rng(2)), BulkOptions()
    found = find_sightings(rows, [cube])
    costs = ReadCosts(requests_per_second=2000.0, concurrency=tasks)
    paced = replace(costs, requests_per_second=2000.0 / 16, concurrency=-(-tasks // 16))
    bands = plan_bands(found, [cube], options, PlanTerms(paced))
    copies = tuple(replace(band, number=number) for number, band in enumerate(bands * 16))
    return price_plan(TargetPlan(rows, (cube,), options, PlanTerms(costs), found, copies))


def main() -> None:
    """Measure the pass, and price sectors of each length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=1_000_000)
    parser.add_argument("--cubes", type=int, default=1600)
    options = parser.parse_args()
    measure_pass(options.targets, all_cubes(options.cubes))
    for n_cadences in (1282, 3705, 11_775):
        for targets in (10_000, 100_000, 1_000_000):
            plan = sector_on_paper(targets, n_cadences, 200)
            work = plan.usd - plan.usd_parts["storage"]
            print(
                f"a sector of {n_cadences:,} cadences, {targets:,} targets, 200 tasks: ${work:.2f} and "
                f"${plan.usd_parts['storage']:.2f} for a week, {plan.minutes} minutes, {plan.bands} bands "
                f"({plan.scans} scans), {plan.bytes / 1e12:.2f} TB in {plan.requests:,} requests "
                f"({plan.requests_per_second:,.0f}/s), {plan.bytes / plan.union_bytes / 16:.3f} x the union, "
                f"{plan.result_bytes / 1e9:.0f} GB of results"
            )


if __name__ == "__main__":
    main()
