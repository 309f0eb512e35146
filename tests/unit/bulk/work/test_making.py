"""What the work on a band makes: the files of `make_cutouts`, and the curves of `to_lightcurve`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time

from tessera import CutoutOptions, TargetPixels, TicaCubeFactory, make_cutouts
from tessera.bulk.options import check_options
from tessera.bulk.plan.sightings import SightCube
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.plan.whole import plan_targets
from tessera.bulk.target_rows import TargetRows
from tessera.bulk.work.made import Made
from tessera.bulk.work.making import make_band
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.cutouts.origin.cube_record import cube_origin
from tests.support.target_lists import rows_of, sky_of
from tests.support.tica import FIRST_CADENCE, tica_times, tiny_tica_sector
from tests.unit.bulk.work.conftest import N_CADENCES, STARS


@contextmanager
def planned(cube: Path, rows: TargetRows, **options: Any) -> Iterator[tuple[StoredBand, CubeFile]]:
    """The only band of a list, and its open cube."""
    with open_cube(cube) as file:
        plan = plan_targets(rows, [SightCube.of(file.cube)], check_options(**options))
        assert len(plan.bands) == 1
        yield plan.store(0), file


def made_of(cube: Path, rows: TargetRows, pool: Any = None, **options: Any) -> dict[int, Made]:
    """What is made, by the row of the list; files are joined."""
    with planned(cube, rows, **options) as (band, file):
        found = {}
        origin = cube_origin(cube, file.source, file.cube)
        read = file.source.read_buffer
        for made in make_band(band, file.cube, read, check_options(**options), pool=pool, origin=origin):
            whole = None if made.file is None else [b"".join(made.file)]
            found[int(band.row[made.sighting])] = replace(made, file=whole)
        return found


def content(made: Made) -> bytes:
    assert made.file is not None
    return b"".join(made.file)


# ---------------------------------------------------------------- target pixel files


@pytest.mark.parametrize("layout", ["full", "slim"])
def test_files_are_those_of_make_cutouts_byte_for_byte(field_cube: Path, everywhere: Any, layout: Any) -> None:
    ra, dec = sky_of(field_cube, everywhere)
    made = made_of(field_cube, rows_of(ra, dec, size=(6, 5)), outputs="tpf", layout=layout)
    wanted = make_cutouts([field_cube], SkyCoord(ra, dec, unit="deg"), (6, 5), options=CutoutOptions(layout=layout))
    assert len(made) == len(wanted) == 40
    for row, result in enumerate(wanted, 1):
        assert content(made[row]) == result.data
        assert made[row].curve is None


def test_files_of_named_and_moving_stars_are_those_of_make_cutouts(field_cube: Path) -> None:
    ra, dec = sky_of(field_cube, [(20, 20), (30.4, 12.1), (33, 33), (40, 8)])
    names, tics = ("pi Men", "a star", f"{ra[2]:.6f} {dec[2]:+.6f}", "TIC 4"), (261136679, 0, 17, 4)
    pm = np.array([311.2, 9000.0, 0.0, np.nan]), np.array([1048.8, -8000.0, 0.0, np.nan])
    rows = rows_of(ra, dec, name=names, tic=tics, pm=pm, epoch=np.array([2016.0, 2016.0, 2016.0, np.nan]), size=5)
    made = made_of(field_cube, rows, outputs="tpf")
    motion = {"pm_ra_cosdec": np.nan_to_num(pm[0]) * u.mas / u.yr, "pm_dec": np.nan_to_num(pm[1]) * u.mas / u.yr}
    sky = SkyCoord(ra, dec, unit="deg", **motion, obstime=Time(2016.0, format="jyear", scale="tdb"))
    stars = [{"name": name, "ID": tic or None} for name, tic in zip(names, tics, strict=True)]
    for row, result in enumerate(make_cutouts([field_cube], sky, 5, stars=stars), 1):
        assert result.status == "ok"
        assert content(made[row]) == result.data


def test_files_mark_the_apertures_that_rows_give(field_cube: Path) -> None:
    ra, dec = sky_of(field_cube, [(20, 20), (20, 20), (0, 8)])
    rows = rows_of(ra, dec, aperture=["default", "09f9", "all"], size=4)
    for row, one in made_of(field_cube, rows, outputs=["parquet", "tpf"]).items():
        with fits.open(io.BytesIO(content(one))) as hdus:
            marked = hdus["APERTURE"].data == 3
            known = hdus["APERTURE"].data > 0
        assert one.curve is not None
        np.testing.assert_array_equal(marked, (one.curve.mask & known) if row > 1 else np.zeros((4, 4)))


def test_pixels_are_those_of_astrocut_bit_for_bit(field_cube: Path, everywhere: Any, tmp_path: Path) -> None:
    from astrocut import CutoutFactory  # noqa: PLC0415 - slow

    places = np.floor(everywhere[[0, 3, 5, 8, 13, 21, 33, 34, 35]]) + 0.2  # where both place a window in the same way
    ra, dec = sky_of(field_cube, places)
    made = made_of(field_cube, rows_of(ra, dec, size=5), outputs="tpf")
    for row, (one_ra, one_dec) in enumerate(zip(ra, dec, strict=True), 1):
        at = SkyCoord(one_ra, one_dec, unit="deg")
        peer = CutoutFactory().cube_cut(
            str(field_cube), at, 5, output_path=str(tmp_path), target_pixel_file=f"{row}.fits"
        )
        with fits.open(peer) as theirs, fits.open(io.BytesIO(content(made[row]))) as ours:
            for column in ("FLUX", "FLUX_ERR", "TIME", "QUALITY"):
                np.testing.assert_array_equal(ours[1].data[column], theirs[1].data[column])


# ---------------------------------------------------------------- light curves


def test_curves_are_those_of_target_pixels(field_cube: Path, everywhere: Any) -> None:
    ra, dec = sky_of(field_cube, everywhere)
    made = made_of(field_cube, rows_of(ra, dec, size=9), outputs=["parquet", "tpf"])
    timed = make_cutouts([field_cube], SkyCoord(ra, dec, unit="deg"), 9, options=CutoutOptions(target_times=True))
    beyond = [row for row, (y, x) in enumerate(everywhere, 1) if not (-0.5 <= y < 63.5 and -0.5 <= x < 47.5)]
    assert [row for row, one in made.items() if one.status == "no overlap"] == sorted(beyond, key=list(made).index)
    assert len(beyond) == 3
    for row, result in enumerate(timed, 1):
        if row in beyond:
            assert made[row].reason == "no pixel of the aperture is on the frame"
            assert content(made[row])  # the window has pixels of the frame
            continue
        wanted, curve = TargetPixels.read(result).to_lightcurve(quality="none"), made[row].curve
        assert curve is not None
        np.testing.assert_array_equal(curve.mask, wanted.mask)
        np.testing.assert_array_equal(curve.time, wanted.time)
        np.testing.assert_allclose(curve.flux, wanted.flux, rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(curve.flux_err, wanted.flux_err, rtol=1e-12)
        assert wanted.background is not None
        assert curve.background is not None
        np.testing.assert_allclose(curve.background, wanted.background, rtol=1e-12)
        np.testing.assert_array_equal(curve.quality, wanted.quality)
        assert curve.cadence_number is None  # SPOC frames have none


def test_masks_and_the_background_are_as_asked_for(field_cube: Path) -> None:
    ra, dec = sky_of(field_cube, [STARS[0]] * 3)
    mask = np.zeros((5, 5), bool)
    mask[1:4, 2] = True
    digits = np.packbits(mask).tobytes().hex()[:7]
    rows = rows_of(ra, dec, aperture=("all", digits, "default"))
    with_sky = made_of(field_cube, rows, background=False)
    without = made_of(field_cube, rows)
    [result] = make_cutouts([field_cube], SkyCoord(ra[0], dec[0], unit="deg"), 5)
    pixels = TargetPixels.read(result)
    for row, choice in ((1, "all"), (2, mask), (3, "default")):
        for made, subtracted in ((with_sky, False), (without, row > 1)):
            wanted, curve = pixels.to_lightcurve(choice, subtracted, "none"), made[row].curve
            assert curve is not None
            np.testing.assert_array_equal(curve.mask, wanted.mask)
            np.testing.assert_allclose(curve.flux, wanted.flux, rtol=1e-12)
            assert (curve.background is None) == (wanted.background is None)


def test_centroids_are_where_the_star_is_on_the_frame(field_cube: Path) -> None:
    ra, dec = sky_of(field_cube, STARS[:4])
    made = made_of(field_cube, rows_of(ra, dec, size=9))
    for number, place in enumerate(STARS[:4], 1):
        curve = made[number].curve
        assert curve is not None
        found = np.median([curve.centroid_row, curve.centroid_column], axis=1)
        np.testing.assert_allclose(found, place, atol=0.1)


def test_a_centroid_of_nothing_is_not_known(field_cube: Path) -> None:
    ra, dec = sky_of(field_cube, [(10.0, 10.0)])
    curve = made_of(field_cube, rows_of(ra, dec, aperture=("8000000",)))[1].curve
    assert curve is not None
    np.testing.assert_array_equal(np.isnan(curve.centroid_row), ~(curve.flux > 0))
    assert np.isnan(curve.centroid_row).any()
    assert np.nanmax(np.abs(curve.centroid_row - 8)) < 1e-9  # of one pixel, the first of the window


@pytest.mark.slow
@pytest.mark.xdist_group("lightkurve")
@pytest.mark.filterwarnings("ignore")
def test_lightkurve_sums_our_files_to_the_same_curves(field_cube: Path, everywhere: Any, tmp_path: Path) -> None:
    import lightkurve  # noqa: PLC0415 - slow, and it warns of what is not installed

    ra, dec = sky_of(field_cube, everywhere[:3])
    made = made_of(field_cube, rows_of(ra, dec, size=9), outputs=["parquet", "tpf"], background=False)
    for row in range(1, 4):
        path, curve = tmp_path / f"{row}.fits", made[row].curve
        assert curve is not None
        path.write_bytes(content(made[row]))
        pixels = lightkurve.read(path, quality_bitmask="none")
        theirs = pixels.to_lightcurve(aperture_mask=curve.mask)
        np.testing.assert_allclose(curve.flux, theirs.flux.value, rtol=1e-6)
        np.testing.assert_allclose(curve.flux_err, theirs.flux_err.value, rtol=1e-6)
        middle = theirs.centroid_row.value - pixels.row + made_window(field_cube, ra, dec, row)
        np.testing.assert_allclose(curve.centroid_row, middle, atol=1e-4)
        assert np.abs(curve.time - theirs.time.value).max() < 200 / 86400  # for the target, and for the CCD's middle


def made_window(cube: Path, ra: Any, dec: Any, row: int) -> int:
    with planned(cube, rows_of(ra, dec, size=9)) as (band, _):
        return int(band.first_row[band.row.tolist().index(row)])


# ---------------------------------------------------------------- order and failures


def test_the_order_is_always_that_of_the_file(field_cube: Path, everywhere: Any) -> None:
    rows = rows_of(*sky_of(field_cube, everywhere))
    with planned(field_cube, rows) as (band, file), ThreadPoolExecutor(4) as pool:
        options = check_options()
        read = file.source.read_buffer
        orders = [
            [made.sighting for made in make_band(band, file.cube, read, options, pool=each)] for each in (None, pool)
        ]
        last = [band.window(number).stop_row for number in orders[0]]
    assert orders[0] == orders[1]
    assert np.all(np.diff(np.minimum(last, 64)) >= 0)


def test_a_target_that_cannot_be_made_costs_only_itself(field_cube: Path, everywhere: Any) -> None:
    ra, dec = sky_of(field_cube, everywhere[:5])
    beyond = np.zeros((5, 5), bool)
    beyond[0, 0] = True
    corner = sky_of(field_cube, [(0.0, 0.0)])
    ra, dec = np.append(ra, corner[0]), np.append(dec, corner[1])
    apertures = ["default"] * 6
    apertures[2], apertures[5] = "f0", "8000000"
    made = made_of(field_cube, rows_of(ra, dec, aperture=apertures))
    assert [made[row].status for row in range(1, 7)] == ["ok", "ok", "error", "ok", "ok", "no overlap"]
    assert made[3].reason.startswith("mask is 'f0'; allowed: 7 hexadecimal digits")
    assert made[6].reason == "no pixel of the aperture is on the frame"
    assert made[3].curve is made[6].curve is None
    curve = made[1].curve
    assert curve is not None
    assert curve.flux.shape == (N_CADENCES,)


def test_a_cube_that_does_not_say_where_its_times_are_for_has_files_but_no_curves(field_cube: Path) -> None:
    options = check_options(outputs=["parquet", "tpf"])
    with planned(field_cube, rows_of(*sky_of(field_cube, [(10, 10), (20, 20)]))) as (band, file):
        cards = {name: value for name, value in file.cube.wcs_cards.items() if not name.startswith("BTC_PIX")}
        cube = replace(file.cube, wcs_cards=cards)
        for made in make_band(band, cube, file.source.read_buffer, options):
            assert (made.status, made.curve) == ("error", None)
            assert made.reason.endswith("BTC_PIX1, BTC_PIX2 are [None, None]; the times' direction is not known")
            assert content(made)


# ---------------------------------------------------------------- TICA


def test_curves_of_tica_frames_have_their_times_and_cadence_numbers_and_no_errors(tmp_path: Path) -> None:
    paths = [tmp_path / name for name, _ in tiny_tica_sector(4)]
    for path, (_, data) in zip(paths, tiny_tica_sector(4), strict=True):
        path.write_bytes(data)
    cube = tmp_path / "tica-s0027-1-4-cube.fits"
    TicaCubeFactory().make_cube(paths, cube, sector=27, verbose=False)
    ra, dec = sky_of(cube, [(20, 15), (20, 15)])
    rows = rows_of(ra, dec, aperture=["all", "default"])
    made, plain = made_of(cube, rows, product="TICA", outputs=["parquet", "tpf"]).values()
    [result, _] = make_cutouts([cube], SkyCoord(ra, dec, unit="deg"), 5)
    assert content(plain) == result.data
    wanted, curve = TargetPixels.read(result).to_lightcurve("all", quality="none"), made.curve
    assert curve is not None
    np.testing.assert_array_equal(curve.time, [np.mean(tica_times(cadence)) for cadence in range(4)])
    np.testing.assert_array_equal(curve.flux, wanted.flux)
    assert np.isnan(curve.flux_err).all()
    np.testing.assert_array_equal(curve.cadence_number, FIRST_CADENCE + np.arange(4))
    assert curve.background is None  # no pixel is outside of the aperture
