"""Bands as files."""

from __future__ import annotations

import io
from dataclasses import fields

import numpy as np
import pytest

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.costs import PlanTerms, ReadCosts
from tessera.bulk.plan.sightings import SightCube
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.plan.whole import TargetPlan, plan_targets
from tessera.errors import InvalidInputError
from tessera.windows import Window
from tests.support.lists import full_cube, target_rows

CUBE = full_cube(1, 4, 2, 1282)


def _plan() -> TargetPlan:
    ra, dec = CUBE.wcs.all_pix2world([[900.3, 30.2], [800, 20], [300, 2000], [700, 20]], 0).T
    rows = target_rows(
        ra,
        dec,
        (np.array([5, 3, 7, 9]), np.array([6, 4, 8, 1])),
        name=("é", 'b, "c"', "", "d\ne"),
        tic=np.array([4, 0, 2**40, 1]),
        pm_ra=np.array([np.nan, 300.0, np.nan, np.nan]),
        pm_dec=np.array([np.nan, -4000.0, np.nan, np.nan]),
        epoch=np.array([np.nan, 2016.0, np.nan, np.nan]),
        aperture=np.array([2, 0, 0, 2], np.int32),
        apertures=("default", "all", "1f"),
    )
    costs = ReadCosts(requests_per_second=50.0)
    return plan_targets(rows, [SightCube.of(CUBE)], BulkOptions(outputs=("tpf",)), PlanTerms(costs))


def test_a_band_comes_back_as_it_was_and_equal_bands_have_equal_bytes() -> None:
    plan = _plan()
    band = plan.store(0)
    data = band.to_bytes()
    again = StoredBand.from_bytes(data)
    for one in fields(StoredBand):
        before, after = getattr(band, one.name), getattr(again, one.name)
        assert type(before) is type(after)
        np.testing.assert_array_equal(before, after)
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype
    assert again.to_bytes() == data == _plan().store(0).to_bytes()


def test_a_band_has_all_that_its_task_needs() -> None:
    plan = _plan()
    band = plan.store(0)
    assert (band.number, band.cube, band.sector, band.camera, band.ccd) == (0, "tess-s0001-4-2", 1, 4, 2)
    assert (len(band), band.pace, band.scan) == (4, 50.0, plan.bands[0].scan)
    by_row = {int(row): place for place, row in enumerate(band.row)}
    assert [band.name[by_row[row]] for row in (1, 2, 3, 4)] == ["é", 'b, "c"', "", "d\ne"]
    assert [int(band.tic[by_row[row]]) for row in (1, 2, 3, 4)] == [4, 0, 2**40, 1]
    assert [band.aperture_of(by_row[row]) for row in (1, 2, 3, 4)] == ["1f", "default", "default", "1f"]
    assert band.apertures == ("default", "1f")
    assert band.window(by_row[1]) == Window(28, 898, 5, 6)
    assert band.n_bytes == plan.bands[0].n_bytes
    moved, still = by_row[2], by_row[1]
    years = 2000 + (plan.cubes[0].middle + 5455) / 365.25 - 2016
    assert band.moved_dec[moved] - band.dec[moved] == pytest.approx(-4000.0 * years / 3.6e6, rel=1e-4)
    assert (band.moved_ra[still], band.moved_dec[still]) == (band.ra[still], band.dec[still])
    assert band.targets().known_motion(moved) == (300.0, -4000.0)
    assert band.targets().catalogued(still) == (band.ra[still], band.dec[still])


def test_an_infinite_pace_is_kept() -> None:
    plan = _plan()
    band = StoredBand.of(plan.bands[0], plan.sightings, plan.rows, plan.cubes[0], hats_order=5)
    again = StoredBand.from_bytes(band.to_bytes())
    assert (again.pace, again.hats_order) == (np.inf, 5)


def test_other_bytes_are_refused_in_a_sentence() -> None:
    data = _plan().store(0).to_bytes()
    other = io.BytesIO()
    np.savez(other, about=np.zeros(3, np.uint8))
    for wrong in (b"", b"no archive", data[:-40], data[:200], other.getvalue()):
        with pytest.raises(InvalidInputError, match=r"^band is '[\d,]+ bytes'; allowed: a file of a band"):
            StoredBand.from_bytes(wrong)
    changed = data.replace(b"PK", b"PQ", 1)
    with pytest.raises(InvalidInputError, match=r"^band is "):
        StoredBand.from_bytes(changed)
