"""What a list costs, on paper and against real files."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.bands import Band
from tessera.bulk.plan.costs import GB_SECOND_USD, BandLimits, PlanTerms, Prices, ReadCosts, WorkRates
from tessera.bulk.plan.price import BulkPlan, price_plan
from tessera.bulk.plan.sightings import SightCube
from tessera.bulk.plan.sizes import hats_order, result_bytes
from tessera.bulk.plan.whole import TargetPlan, plan_targets
from tessera.bulk.target_rows import RowProblem, TargetRows
from tessera.cubes.window_pixels import Cutout
from tessera.tpf.fixed import TpfRequest, build_tpf
from tessera.windows import Window
from tests.support.lists import full_cube, sight_cube, target_rows
from tests.support.paths import ROOT

TPF = BulkOptions(outputs=("tpf",))


def _on_ccd(n: int, size: int = 11, seed: int = 3, **columns: object) -> TargetRows:
    """Targets at random places of camera 4, CCD 2 in sector 1."""
    random = np.random.default_rng(seed)
    pixels = np.column_stack([random.uniform(44, 2091, n), random.uniform(0, 2047, n)])
    ra, dec = full_cube(1, 4, 2).wcs.all_pix2world(pixels, 0).T
    return target_rows(ra, dec, size, **columns)


def _plan(rows: TargetRows, cubes: list[SightCube], **terms: Any) -> BulkPlan:
    return price_plan(plan_targets(rows, cubes, TPF, replace(PlanTerms(), **terms)))


def test_prices_are_those_of_the_pages_of_costs() -> None:
    listed = tomllib.loads((ROOT / "tools/costs/prices.toml").read_text(encoding="utf-8"))
    prices = Prices()
    assert listed["lambda"]["gb_second"] == GB_SECOND_USD
    assert ReadCosts().usd_per_second == 2 * GB_SECOND_USD
    assert prices.function_request == listed["lambda"]["request"]
    assert prices.get == listed["s3"]["get"]
    assert prices.put == listed["s3"]["put"]
    assert prices.transition == listed["step_functions"]["transition"]
    assert prices.gb_month == listed["s3"]["gb_month"][0][1]


def test_the_plan_counts_rows_problems_and_cubes() -> None:
    problems = tuple(RowProblem(100 + number, "?", "ra is 'x'; allowed: degrees") for number in range(150))
    rows = _on_ccd(20)
    far = replace(rows, ra=np.append(rows.ra[:-1], 10.0), dec=np.append(rows.dec[:-1], 80.0), problems=problems)
    cube = sight_cube()
    plan = _plan(far, [cube, replace(cube, camera=3, name="other"), replace(cube, sector=9), sight_cube(20, 4, 1)])
    document = json.loads(json.dumps(plan.to_dict()))
    wanted = {"rows": 170, "targets": 20, "n_problems": 150, "n_on_no_cube": 1, "cubes": 3, "cutouts": 57}
    assert {name: document[name] for name in wanted} == wanted
    assert document["duplicates"] == 19
    assert len(document["problems"]) == 100
    assert document["problems"][0] == {"row": 100, "name": "?", "reason": "ra is 'x'; allowed: degrees"}
    assert (document["bands"], document["tasks"], document["allowed"], document["limits"]) == (3, 3, True, [])
    assert document["union_bytes"] <= document["bytes"] <= 1.05 * document["union_bytes"]
    assert document["usd"] == pytest.approx(sum(document["usd_parts"].values()), abs=3e-4)


def test_a_list_of_nothing_costs_next_to_nothing() -> None:
    plan = _plan(target_rows([10.0], [80.0]), [sight_cube()])
    assert (plan.bands, plan.requests, plan.minutes, plan.allowed, plan.n_on_no_cube) == (0, 0, 0.0, True, 1)
    assert plan.usd < 0.001
    json.dumps(plan.to_dict(), allow_nan=False)


def test_limits_that_are_exceeded_are_named_with_both_values() -> None:
    rows = _on_ccd(30, 101)
    plan = _plan(
        rows,
        [sight_cube(n_cadences=11_775)],
        most_usd=0.001,
        most_bands=2,
        most_files=3,
        most_minutes=0.5,
        limits=BandLimits(targets=5, most_targets=5),
        rates=WorkRates(start=1000.0),
    )
    found = {limit.limit: (limit.value, limit.allowed) for limit in plan.limits}
    assert set(found) == {"usd", "bands", "result_files", "minutes", "window_bytes", "task_seconds"}
    limits = plan.to_dict()["limits"]
    assert {"limit": "result_files", "value": plan.result_files, "allowed": 3} in limits
    assert {"limit": "minutes", "value": plan.minutes, "allowed": 0.5} in limits
    assert list(found["window_bytes"]) == [101 * 101 * 11_775 * 8, 385_000_000]
    assert found["bands"][0] >= 6
    assert all(value > allowed for value, allowed in found.values())
    document = plan.to_dict()
    assert (plan.allowed, document["allowed"]) == (False, False)
    assert document["limits"][1] == {"limit": "bands", "value": plan.bands, "allowed": 2}


def test_tasks_wait_for_each_other_and_for_the_pace() -> None:
    rows = _on_ccd(400)
    limits = BandLimits(targets=50, most_targets=50)
    one, many = (
        _plan(rows, [sight_cube()], costs=ReadCosts(concurrency=tasks), limits=limits, rates=WorkRates(start=60.0))
        for tasks in (1, 20)
    )
    assert (one.tasks, many.tasks, one.bands) == (1, many.bands, many.bands)
    assert one.minutes == pytest.approx(one.task_seconds / 60, abs=0.1)
    assert many.minutes == pytest.approx(one.minutes / many.bands, abs=0.2)
    assert one.usd == many.usd
    slow = _plan(rows, [sight_cube()], costs=ReadCosts(requests_per_second=2.0, in_flight=1, bandwidth=1e12))
    assert slow.requests_per_second <= 2.0
    assert slow.minutes * 60 >= slow.requests / 2.0 - 3


def test_target_pixel_files_have_the_size_of_the_plan() -> None:
    cube = full_cube(1, 4, 2, 700)
    info = replace(
        cube,
        series=cube.series
        | {
            "barycorr": np.zeros(700),
            "quality": np.zeros(700, np.int32),
            "cadence_number": np.arange(700, dtype=np.int32),
            "file": np.full(700, b"tess2018206192942-s0001-4-2-0120-s_ffic.fits"),
        },
        wcs_cards=cube.wcs_cards | {"FFI_FILE": "tess2018206192942-s0001-4-2-0120-s_ffic.fits"},
    )
    unpacked = replace(TPF, packing="files")
    for layout in ("full", "slim"):
        for n_rows, n_columns in ((5, 7), (31, 30)):
            window = Window(900, 800, n_rows, n_columns)
            planes = np.zeros((2, 700, n_rows, n_columns), ">f4")
            cutout = Cutout(window, planes, np.ones((n_rows, n_columns), np.int32))
            size = len(build_tpf(TpfRequest(info, cutout, 80.0, -70.0, "1", layout)))
            planned = result_bytes(cube.layout, np.array([n_rows * n_columns]), replace(unpacked, layout=layout))[
                "tpf"
            ][0]
            assert planned == pytest.approx(size, rel=0.05)


def test_the_order_of_the_catalogue_grows_with_its_size() -> None:
    random = np.random.default_rng(1)
    pixels = random.integers(0, 12 << 58, 4000)
    assert hats_order(pixels, np.full(4000, 1000.0)) == 0
    assert hats_order(pixels, np.full(4000, 4e6)) == 1
    assert hats_order(pixels, np.full(4000, 1e6), most_bytes=1.0) == 12
    assert hats_order(np.full(4000, 5), np.full(4000, 1e6)) == 12
    assert hats_order(np.zeros(0, np.int64), np.zeros(0)) == 0
    order = hats_order(pixels, np.full(4000, 1e7))
    counts = np.unique(pixels >> 2 * (29 - order), return_counts=True)[1]
    assert counts.max() * 1e7 <= 1e9


def test_a_million_targets_of_a_long_sector_are_within_the_budget() -> None:
    """One CCD is planned; the other 15 have as many targets, so they have the same bands."""
    ccd = plan_targets(
        _on_ccd(62_500),
        [sight_cube(n_cadences=11_775)],
        BulkOptions(),
        PlanTerms(costs=ReadCosts(requests_per_second=2000.0 / 16)),
    )
    costs = ReadCosts(requests_per_second=2000.0, concurrency=200)
    cubes = tuple(replace(ccd.cubes[0], camera=camera, ccd=one) for camera in (1, 2, 3, 4) for one in (1, 2, 3, 4))
    bands: list[Band] = []
    for number in range(16):
        bands += [replace(band, number=len(bands), cube=number) for band in ccd.bands]
    plan = price_plan(TargetPlan(ccd.rows, cubes, ccd.options, PlanTerms(costs), ccd.sightings, tuple(bands)))
    work = plan.usd - plan.usd_parts["storage"]
    assert plan.bands == 16 * len(ccd.bands) < 400
    assert max(len(band.sightings) for band in ccd.bands) <= 4096
    assert max(band.union_bytes for band in ccd.bands) <= 25e9
    assert all(band.scan or band.n_bytes <= 1.05 * band.union_bytes for band in ccd.bands)
    assert sum(band.union_bytes for band in ccd.bands) <= 1.05 * plan.union_bytes
    assert work <= 4.0
    assert plan.minutes <= 15.0
    assert plan.requests / (plan.minutes * 60) <= 2000
    assert plan.result_bytes == pytest.approx(1e6 * 11_775 * 26, rel=0.01)
