"""Windows of datasets are the cutouts of `make_cutouts`, and their light curves are those of its files."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS

import tessera
from tessera import CutoutOptions, TargetPixels, make_cutouts
from tessera.errors import InvalidInputError, InvalidQueryError, NoOverlapError
from tests.support.sources import small_tica_cube

mpl.use("Agg")


@pytest.fixture(scope="module")
def cube(path: Path) -> Iterator[xr.Dataset]:
    with tessera.open_cube(path) as dataset:
        yield dataset


@pytest.fixture(scope="module")
def tica(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tica") / "tica-s0027-1-4-cube.fits"
    path.write_bytes(small_tica_cube())
    return path


def at(cube: xr.Dataset, row: float, column: float) -> SkyCoord:
    return SkyCoord(*cube.tessera.wcs.all_pix2world([[column, row]], 0)[0], unit="deg")


def file_of(path: Path, target: SkyCoord, size: Any, **options: Any) -> bytes:
    (result,) = make_cutouts(path, target, size, options=CutoutOptions(**options))
    assert result.data is not None, result.reason
    return bytes(result.data)


@pytest.mark.parametrize("placement", ["centre", "tesscut"])
@pytest.mark.parametrize("size", [1, 4, (3, 6), 2.5 * u.arcmin])
@pytest.mark.parametrize("place", [(20.3, 15.6), (0.2, 28.9), (39.4, -1.2)])
def test_a_window_has_the_pixels_of_a_cutout(
    cube: xr.Dataset, path: Path, place: tuple[float, float], size: Any, placement: Any
) -> None:
    target = at(cube, *place)
    if place[1] < 0 and size == 1:
        with pytest.raises(NoOverlapError):
            cube.tessera.cutout(target, size, placement=placement)
        return
    found = cube.tessera.cutout(target, size, placement=placement)
    table = fits.open(io.BytesIO(file_of(path, target, size, placement=placement)))[1].data
    np.testing.assert_array_equal(found.flux, table["FLUX"])
    np.testing.assert_array_equal(found.error, table["FLUX_ERR"])
    np.testing.assert_array_equal(found.time, table["TIME"])
    np.testing.assert_array_equal(found.quality, table["QUALITY"])
    np.testing.assert_array_equal(found.time_correction.astype("f4"), table["TIMECORR"])


def test_positions_of_pixels_are_those_of_the_frames_wcs_also_beyond_the_frame(cube: xr.Dataset) -> None:
    window = cube.tessera.cutout(at(cube, 1, 0), 5)
    frame = WCS(fits.Header.fromstring(cube.attrs["wcs"], sep="\n"))
    column, row = np.meshgrid(window.column, window.row)
    for coordinate, expected in zip((window.ra, window.dec), frame.all_pix2world(column, row, 0), strict=True):
        np.testing.assert_allclose(coordinate, expected, rtol=0, atol=1e-12)
    inside = window.tessera.wcs.all_pix2world(column - column[0, 0], row - row[0, 0], 0)
    np.testing.assert_allclose(inside, [window.ra, window.dec], rtol=0, atol=1e-11)


def test_a_star_that_moves_is_cut_where_it_is_at_the_time_of_the_cube(cube: xr.Dataset, path: Path) -> None:
    here = at(cube, 20, 15)
    moving = SkyCoord(
        here.ra,
        here.dec,
        pm_ra_cosdec=9e3 * u.mas / u.yr,
        pm_dec=0 * u.mas / u.yr,
        obstime=Time(2000.0, format="jyear"),
    )
    window = cube.tessera.cutout(moving, 5)
    table = fits.open(io.BytesIO(file_of(path, moving, 5)))[1].data
    np.testing.assert_array_equal(window.flux, table["FLUX"])
    assert int(window.column[2]) != 15


def test_positions_are_written_in_the_ways_of_a_search(cube: xr.Dataset) -> None:
    star = at(cube, 20, 15)
    ra, dec = star.ra.deg, star.dec.deg
    for target in ((ra, dec), f"{ra} {dec}", [star], star.to_string("hmsdms")):
        assert cube.tessera.cutout(target, 3).row.values.tolist() == [19, 20, 21]


@pytest.mark.parametrize("mask", ["default", "all"])
def test_a_light_curve_is_that_of_the_file(cube: xr.Dataset, path: Path, mask: str) -> None:
    target = at(cube, 20.3, 28.6)
    found = cube.tessera.cutout(target, 5).tessera.to_lightcurve(mask)
    expected = TargetPixels.read(file_of(path, target, 5)).to_lightcurve(mask)
    for name in ("time", "flux", "flux_err", "quality", "mask"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    facts = {"ra", "dec", "sector", "camera", "ccd", "product"}
    assert {name: found.facts[name] for name in facts} == {name: expected.facts[name] for name in facts}


def test_a_tica_cube_has_flux_without_errors(tica: Path) -> None:
    with tessera.open_cube(tica) as cube:
        assert list(cube.data_vars) == ["flux"]
        assert (cube.attrs["product"], cube.time.attrs["time_system"], cube.flux.attrs["units"]) == (
            "TICA",
            "TJD",
            "e-",
        )
        target = at(cube, 20, 15)
        found = cube.tessera.cutout(target, 5)
        table = fits.open(io.BytesIO(file_of(tica, target, 5)))[1].data
        np.testing.assert_array_equal(found.flux, table["FLUX"])
        np.testing.assert_array_equal(found.cadence_number, table["CADENCENO"])
        assert np.isnan(found.tessera.to_lightcurve().flux_err).all()


def test_parts_of_a_cube_are_cut_and_summed_like_the_whole(cube: xr.Dataset) -> None:
    target = at(cube, 20, 15)
    part = cube.isel(row=slice(10, 30), column=slice(5, 25)).sel(time=slice(1325.32, 1325.40))
    xr.testing.assert_identical(
        part.tessera.cutout(target, 5).load(), cube.tessera.cutout(target, 5).sel(time=slice(1325.32, 1325.40)).load()
    )
    good = cube.where(cube.quality == 0, drop=True)
    assert len(good.tessera.cutout(target, 5).tessera.to_lightcurve(quality="none")) == 4


def test_a_window_that_was_saved_is_read_and_summed_again(cube: xr.Dataset, tmp_path: Path) -> None:
    window = cube.tessera.cutout(at(cube, 20, 15), 7)
    window.to_zarr(tmp_path / "star.zarr", consolidated=False)
    with xr.open_zarr(tmp_path / "star.zarr", consolidated=False, chunks=None) as again:
        curve = again.tessera.to_lightcurve()
        assert again.tessera.cutout(at(cube, 20, 15), 3).sizes["row"] == 3
    np.testing.assert_array_equal(curve.flux, window.tessera.to_lightcurve().flux)


def test_a_plot_shows_rows_and_columns_of_the_frame(cube: xr.Dataset) -> None:
    axes = cube.tessera.cutout(at(cube, 20, 15), 7).tessera.plot()
    assert axes.get_ylim() == (16.5, 23.5)


HERE = "88.95 -75.39"
REFUSED: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda cube: cube.tessera.cutout(["1 2", "3 4"]), InvalidInputError, "allowed: one target, not 2"),
    (lambda cube: cube.tessera.cutout((np.nan, 3.0)), InvalidInputError, "target is .*position"),
    (lambda cube: cube.tessera.cutout("10 60"), NoOverlapError, "far from tess-s0001-4-2-cube.fits"),
    (lambda cube: cube.tessera.cutout(5), InvalidInputError, "target is 5; allowed: a name such as"),
    (lambda cube: cube.tessera.cutout(HERE, -1), InvalidInputError, "size is -1"),
    (lambda cube: cube.tessera.cutout(HERE, 3, placement="center"), InvalidInputError, "did you mean"),
    (lambda cube: cube.isel(row=slice(0, 5)).tessera.cutout(HERE, 3), InvalidQueryError, "the window has"),
    (lambda cube: cube.isel(row=20).tessera.cutout(HERE, 3), InvalidQueryError, "the window has the rows"),
    (lambda cube: cube.isel(row=[1, 3]).tessera.wcs, InvalidQueryError, "do not follow each other"),
    (lambda cube: cube.isel(row=3).tessera.to_lightcurve(), InvalidInputError, "dimensions"),
    (lambda cube: cube.drop_vars("row").tessera.wcs, InvalidInputError, "coordinates with row"),
    (lambda cube: cube.drop_attrs().tessera.cutout(HERE), InvalidInputError, "a dataset of tessera.open_cube"),
    (lambda cube: xr.Dataset().tessera.to_lightcurve(), InvalidInputError, "allowed: flux with the dim"),
    (lambda cube: cube[["error"]].tessera.to_lightcurve(), InvalidInputError, "allowed: flux"),
    (lambda cube: cube.isel(row=slice(0, 0)).tessera.to_lightcurve(), InvalidQueryError, "do not follow"),
    (lambda cube: cube.drop_vars("quality").tessera.to_lightcurve(), InvalidInputError, "coordinates with quality"),
    (lambda cube: cube.drop_vars("time").tessera.to_lightcurve(), InvalidInputError, "coordinates with time"),
    (
        lambda cube: cube.coarsen(time=2).mean().tessera.to_lightcurve(),
        InvalidInputError,
        "of the dataset is 'float64'",
    ),
    (lambda cube: cube.tessera.to_lightcurve("what"), InvalidInputError, "mask is 'what'"),
]


@pytest.mark.parametrize(("call", "error", "sentence"), REFUSED)
def test_what_cannot_be_cut_is_refused_in_one_sentence(
    cube: xr.Dataset, call: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence) as caught:
        call(cube)
    assert "\n" not in str(caught.value)


def test_attributes_survive_a_journey_to_another_process(cube: xr.Dataset) -> None:
    window = pickle.loads(pickle.dumps(cube.tessera.cutout(at(cube, 20, 15), 3).load()))
    assert window.tessera.to_target_pixels().shape == (6, 3, 3)
