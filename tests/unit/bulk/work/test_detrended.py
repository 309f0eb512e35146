"""Lists whose light curves are detrended: as those of single targets, in all products."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from tessera import TargetPixels, make_cutouts, open_catalogue
from tessera.bulk.run import cut_list, plan_list
from tessera.bulk.status import parse_status
from tessera.lightcurves.detrending.vector_files import vectors_fits
from tessera.lightcurves.detrending.vectors import CotrendingVectors
from tessera.lightcurves.light_curve import LightCurve
from tessera.verify.verify import verify_product
from tests.support.target_lists import sky_of
from tests.unit.bulk.work.conftest import N_CADENCES, STARS

VECTORS = CotrendingVectors(
    np.arange(N_CADENCES) / 48, None, np.zeros(N_CADENCES, bool), np.cos(np.arange(N_CADENCES) / 5)[np.newaxis]
)


@pytest.fixture
def cube(field_cube: Path, tmp_path: Path) -> Path:
    """The cube in a folder of its own."""
    path = tmp_path / "cubes" / field_cube.name
    path.parent.mkdir()
    path.symlink_to(field_cube)
    return path


def targets(cube: Path) -> SkyCoord:
    return SkyCoord(*sky_of(cube, STARS[:2]), unit="deg")


def wanted(cube: Path, **how: object) -> LightCurve:
    """The light curve of the first star."""
    [result] = make_cutouts([cube], targets(cube)[0], 11)
    return TargetPixels.read(result).to_lightcurve(quality="none", **how)  # type: ignore[arg-type]


def test_products_have_the_trend_of_each_target(cube: Path, tmp_path: Path) -> None:
    options = {"outputs": ("parquet", "lightcurves"), "packing": "files", "detrend": "pld", "processes": 1}
    result = cut_list(targets(cube), cube, tmp_path / "out", **options)  # type: ignore[arg-type]
    assert (result.n_ok, result.n_failed) == (2, 0)
    curve, plain = wanted(cube, detrend="pld"), wanted(cube)
    assert curve.trend is not None
    assert np.ptp(curve.trend) > 0
    found = open_catalogue(tmp_path / "out" / "lightcurves").curve(1)
    [name] = (tmp_path / "out" / "files").rglob("*_0000001_*lc.fits")
    with fits.open(name) as hdus:
        table, header = hdus[1].data, hdus[1].header
        assert header["DETREND"] == found.detrended == curve.detrended
        np.testing.assert_allclose(table["SAP_FLUX"], plain.flux)
        for trend, flux, quality in (
            (found.trend, found.flux, found.quality),
            (table["TREND"], table["FLUX"], table["QUALITY"]),
        ):
            np.testing.assert_allclose(trend, curve.trend, atol=1e-4)  # type: ignore[arg-type]
            np.testing.assert_allclose(flux, curve.flux, rtol=1e-6)
            np.testing.assert_array_equal(quality, curve.quality)


def test_vectors_are_beside_the_cube(cube: Path, tmp_path: Path) -> None:
    missing = cut_list(targets(cube), cube, tmp_path / "none", detrend="cbv", processes=1)
    assert (missing.n_ok, missing.n_failed) == (0, 2)
    reason = parse_status((tmp_path / "none" / "status.csv").read_bytes())[0].reason
    assert "none or pld for this cube, because there are no cotrending vectors of it" in reason
    vectors = cube.with_name("tess-s0001-4-2-vectors.fits")
    vectors.write_bytes(vectors_fits(VECTORS, [], 4, 2))
    assert cut_list(targets(cube), cube, tmp_path / "out", detrend="cbv", processes=1).n_ok == 2
    found = open_catalogue(tmp_path / "out" / "lightcurves").curve(1)
    assert found.detrended == "cbv: 1 cotrending vectors"
    near = CotrendingVectors(wanted(cube).time, None, VECTORS.gap, VECTORS.vectors)
    np.testing.assert_allclose(found.flux, wanted(cube, detrend="cbv", vectors=near).flux)


def test_detrended_light_curves_are_made_again_with_the_same_vectors(cube: Path, tmp_path: Path) -> None:
    vectors, files = cube.with_name("tess-s0001-4-2-vectors.fits"), {}
    vectors.write_bytes(vectors_fits(VECTORS, [], 4, 2))
    for word in ("pld", "cbv"):
        cut_list(targets(cube)[:1], cube, tmp_path / word, detrend=word, processes=1)
        [files[word]] = (tmp_path / word).rglob("Npix=*/*.parquet")
        again = verify_product(files[word], cube)
        assert (again.status, again.problems, again.notes) == ("same", [], [])
    vectors.write_bytes(vectors_fits(replace(VECTORS, vectors=VECTORS.vectors**3), [], 4, 2))
    first, *others = verify_product(files["cbv"], cube).problems
    assert first.text.startswith(f"the source {vectors.name} was replaced: the digest of its values was ")
    assert {problem.place["field"] for problem in others} == {"flux", "trend"}
    vectors.unlink()
    note = f"its source {vectors.name} is not beside it; name it with --from"
    assert verify_product(files["cbv"], cube).notes == [note]


def test_a_plan_counts_the_time_and_the_bytes_of_trends(cube: Path) -> None:
    plain, pld = (plan_list(targets(cube), cube, detrend=word) for word in ("none", "pld"))
    assert pld.result_bytes == plain.result_bytes + 2 * 8 * N_CADENCES
    assert pld.task_seconds >= plain.task_seconds
