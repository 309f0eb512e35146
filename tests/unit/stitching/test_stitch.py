"""Light curves of sectors become one, and nothing of them is lost."""

from __future__ import annotations

import csv
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

import tessera
from tessera import CutoutOptions, DataWarning, InvalidInputError, LightCurve, SearchResult, StitchedCurve, stitch
from tessera.errors import NoOverlapError
from tests.support.sectors import SEEN, N, star_place

USED = (SEEN[0], SEEN[2], SEEN[3])


def parts(found: SearchResult) -> list[LightCurve]:
    """Light curves of the CCDs that are used, by the functions for one sector."""
    cut = found[[0, 1, 3]].cut((9, 11))
    assert [(each.row.sector, each.row.ccd) for each in cut if each.row] == [(one.sector, one.ccd) for one in USED]
    return [each.pixels.to_lightcurve() for each in cut]


def test_each_sector_is_divided_by_its_median(stitched: StitchedCurve, found: SearchResult) -> None:
    single = parts(found)
    assert len(stitched) == sum(map(len, single)) == 3 * (N - 1)
    for one, curve, seen in zip(stitched.sectors, single, USED, strict=True):
        some = stitched.sector == seen.sector
        np.testing.assert_array_equal(stitched.time[some], curve.time)
        np.testing.assert_allclose(stitched.flux[some], curve.flux / np.median(curve.flux), rtol=1e-12)
        np.testing.assert_allclose(stitched.flux_err[some], curve.flux_err / np.median(curve.flux), rtol=1e-12)
        assert one.level == np.median(curve.flux) == pytest.approx(seen.brightness, rel=0.1)
        assert one.factor == 1 / one.level
        assert curve.mask is not None
        assert one.n_pixels == np.count_nonzero(curve.mask)
        assert (one.sector, one.camera, one.ccd) == (seen.sector, 4, seen.ccd)
        assert (one.row, one.column) == pytest.approx((seen.row, seen.column), abs=1e-3)
        assert Path(one.cube).name == f"{seen.cube}-cube.fits"
    assert (np.diff(stitched.time) > 0).all()
    assert (stitched.flux_unit, stitched.time_system, stitched.background_subtracted) == ("", "BTJD", True)


def test_gaps_within_and_between_sectors_are_stated(stitched: StitchedCurve) -> None:
    pairs = [(gap.before, gap.after) for gap in stitched.gaps]
    assert pairs == [(1, 1), (1, 2), (2, 2), (2, 5), (5, 5)]
    assert stitched.gaps[0].days == pytest.approx(1 + 1 / 48)
    for gap in stitched.gaps:
        assert not ((stitched.time > gap.start) & (stitched.time < gap.stop)).any()
        assert {gap.start, gap.stop} <= set(stitched.time.tolist())


def test_the_other_ccd_is_named_with_the_reason(stitched: StitchedCurve) -> None:
    (left,) = stitched.left_out
    assert (left.sector, left.camera, left.ccd) == (2, 4, 3)
    assert left.reason == "camera 4, CCD 2 is taken, where the target is 14.5 pixels from the edge; here it is 8.5"
    text = repr(stitched)
    assert text.startswith(f"<StitchedCurve: {3 * (N - 1)} points of sectors 1, 2, 5, 88.9")
    assert text.endswith(", CCDs left out: 1>")


def test_lists_take_the_same_ccds(sector_cubes: Path, stitched: StitchedCurve, tmp_path: Path) -> None:
    ra, dec = star_place()
    work = {"outputs": "lightcurves", "size": (9, 11), "best_only": True, "processes": 1}
    made = tessera.cut_list(Table({"ra": [ra], "dec": [dec]}), sector_cubes, tmp_path / "list", **work)  # type: ignore[arg-type]
    rows = csv.DictReader(made.status.read_text(encoding="utf-8").splitlines())
    cubes = sorted(row["cube"] for row in rows if row["status"] == "ok")
    assert cubes == [f"tess-s{one.sector:04d}-{one.camera}-{one.ccd}" for one in stitched.sectors]


def test_rules_for_levels(found: SearchResult) -> None:
    single = parts(found)
    shifted = stitch(reversed(single), level="shift")
    levels = [np.median(curve.flux) for curve in single]
    assert [one.offset for one in shifted.sectors] == pytest.approx([np.median(levels) - level for level in levels])
    for number, curve in zip((1, 2, 5), single, strict=True):
        some = shifted.flux[shifted.sector == number]
        assert np.median(some) == pytest.approx(np.median(levels))
        np.testing.assert_allclose(np.ptp(some), np.ptp(curve.flux))
    as_they_are = stitch(single, level="none")
    np.testing.assert_array_equal(as_they_are.flux, np.concatenate([curve.flux for curve in single]))
    assert (shifted.flux_unit, as_they_are.flux_unit) == ("e-/s", "e-/s")


def test_a_faint_sector_is_left_out_and_named_or_shifted(found: SearchResult) -> None:
    first, faint, _ = parts(found)
    faint = replace(faint, flux=faint.flux - 2000)
    with pytest.warns(DataWarning, match="s0002-4-2 is left out: its median flux is -.* e-/s, and only one above 0"):
        curve = stitch([first, faint])
    assert set(curve.sector.tolist()) == {1}
    assert [one.sector for one in curve.left_out] == [2]
    assert len(stitch([first, faint], level="shift").sectors) == 2
    with pytest.raises(NoOverlapError, match="no sector is left to stitch; sector 2, cam"):
        stitch([faint])
    unknown = replace(faint, flux=np.full(len(faint), np.nan))
    with pytest.warns(DataWarning, match="no flux is known"):
        stitch([first, unknown], level="none")


def test_what_does_not_belong_together_is_refused(found: SearchResult) -> None:
    first, second, _ = parts(found)
    for curves, words in (
        ([first, first], "two of sector 1"),
        ([first, replace(second, time_system="TJD")], "'BTJD and TJD'; allowed: light curves of SPOC or TICA"),
        ([first, replace(second, flux_unit="e-")], "'e- and e-/s'; allowed: light curves of one unit"),
        ([first, "s0002.fits"], "allowed: light curves of one target"),
        ([replace(first, header=type(first.header)())], "does not say its sector and CCD"),
        ([first, _moved(second)], "light curves at .* and .*'; allowed: light curves of one target"),
        ([], r"curves is \[\]; allowed: light curves of one target"),
        (None, "curves is None; allowed: light curves of one target"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            stitch(curves)  # type: ignore[arg-type]


def _moved(curve: LightCurve) -> LightCurve:
    """The light curve of a position that is 36 arcseconds, nearly two pixels, away."""
    header = curve.header.copy()
    header["DEC_OBJ"] += 0.01
    return replace(curve, header=header)


def test_options_hold_for_each_sector(found: SearchResult) -> None:
    curve = found.stitch(
        5, mask="all", background=False, quality="none", level="none", options=CutoutOptions(time=(0, 1400))
    )
    assert [one.sector for one in curve.sectors] == [1, 2]
    assert {one.n_pixels for one in curve.sectors} == {25}
    assert len(curve) == 2 * N
    assert not curve.background_subtracted
    assert [one.sector for one in curve.left_out] == [2, 5]
    assert "no cadence" in curve.left_out[1].reason


def test_a_sector_that_cannot_be_cut_is_left_out_with_a_warning(sector_cubes: Path, tmp_path: Path) -> None:
    for path in sector_cubes.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    found = tessera.search(star_place(), cubes=tmp_path)
    (tmp_path / "tess-s0005-4-2-cube.fits").unlink()
    with pytest.warns(DataWarning, match="s0005-4-2 is left out: "):
        curve = found.stitch(5)
    assert [one.sector for one in curve.sectors] == [1, 2]
    assert [one.sector for one in curve.left_out] == [2, 5]


def test_only_rows_of_one_target_and_product_are_stitched(found: SearchResult, sector_cubes: Path) -> None:
    ra, dec = star_place()
    several = tessera.search(SkyCoord([ra, ra + 0.001], [dec, dec], unit="deg"), cubes=sector_cubes)
    with pytest.raises(InvalidInputError, match="targets is 2; allowed: rows of one target"):
        several.stitch()
    mixed = replace(found, rows=(found.rows[0], replace(found.rows[1], product="TICA")))
    with pytest.raises(InvalidInputError, match="'SPOC and TICA'; allowed: rows of SPOC or of TICA frames"):
        mixed.stitch()
    with pytest.raises(NoOverlapError, match=r"nothing to stitch; .*: no given cube sees it"):
        tessera.search((ra + 90, dec), cubes=sector_cubes).stitch()
    with pytest.raises(InvalidInputError, match="level is 'mean'"):
        found.stitch(level="mean")  # type: ignore[arg-type]


def test_pixels_that_are_not_known_are_looked_up(found: SearchResult, stitched: StitchedCurve) -> None:
    unknown = tuple(replace(row, row=None, column=None, edge=None, n_cadences=None) for row in found.rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curve = replace(found, rows=unknown).stitch((9, 11))
    assert curve.sectors == stitched.sectors
