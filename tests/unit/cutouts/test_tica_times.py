"""Times of TICA frames: labelled as the spacecraft's, and corrected for a target with an error that the file states."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import GCRS, ITRS, EarthLocation, SkyCoord, get_body_barycentric
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time

from tessera import TicaCubeFactory, center_on_path
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.open_cube import open_cube
from tessera.cutouts.results import CutoutOptions
from tessera.moving.batch import make_moving_cutouts
from tessera.moving.ephemeris import Ephemeris
from tests.support.checks import checksums_hold
from tests.support.frames import NamedFrame
from tests.support.tica import tica_times, tiny_tica_sector

N = 5
MIDDLES = np.array([np.mean(tica_times(cadence)) for cadence in range(N)])
POSITION = ("TESS_X", "TESS_Y", "TESS_Z")


def time_of(days: np.ndarray, **where: Any) -> Time:
    return Time(2457000, days, format="jd", scale="tdb", **where)


def earth() -> np.ndarray:
    return np.asarray(get_body_barycentric("earth", time_of(MIDDLES)).xyz.to_value(u.km).T)


OFFSET = np.array([-150_000.0, 335_000.0, 700.0])
"""Where the spacecraft is, seen from the Earth, km."""


def frames(change: Any) -> list[NamedFrame]:
    """Frames whose positions are those of the spacecraft, changed by a function of header and cadence."""
    made = []
    for cadence, (name, data) in enumerate(tiny_tica_sector(N)):
        with fits.open(io.BytesIO(data)) as hdus:
            for keyword, value in zip(POSITION, earth()[cadence] + OFFSET, strict=True):
                hdus[0].header[keyword] = float(value)
            change(hdus[0].header, cadence)
            out = io.BytesIO()
            hdus.writeto(out, checksum=True)
        made.append((name, out.getvalue()))
    return made


def tica_cube(folder: Path, change: Any = lambda _header, _cadence: None) -> Path:
    paths = []
    for name, data in frames(change):
        (folder / name).write_bytes(data)
        paths.append(folder / name)
    cube = folder / "tica-s0027-1-4-cube.fits"
    TicaCubeFactory().make_cube(paths, cube, sector=27, verbose=False)
    return cube


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tica_cube(tmp_path_factory.mktemp("tica"))


def target(cube: Path) -> SkyCoord:
    with open_cube(cube) as file:
        return SkyCoord(*file.cube.wcs.all_pix2world([[15.0, 20.0]], 0)[0], unit="deg")


def cut(cube: Path, **options: Any) -> fits.HDUList:
    (made,) = make_cutouts([cube], target(cube), 3, options=CutoutOptions(**options))
    assert made.status == "ok", made.reason
    data = bytes(made.data or b"")
    assert checksums_hold(data)
    return fits.open(io.BytesIO(data))


def seconds_of_light(sky: SkyCoord, offset: np.ndarray) -> np.ndarray:
    """astropy's light travel time to the barycentre, for an observer at an offset in km from the Earth's centre."""
    times = time_of(MIDDLES)
    there = GCRS(*(offset * u.km), representation_type="cartesian", obstime=times).transform_to(ITRS(obstime=times))
    where = EarthLocation.from_geocentric(*there.cartesian.xyz)
    return np.asarray(time_of(MIDDLES, location=where).light_travel_time(sky).to_value(u.s))


def test_times_of_tica_frames_are_labelled_as_the_spacecrafts(cube: Path) -> None:
    hdus = cut(cube)
    table, primary = hdus[1], hdus[0].header
    np.testing.assert_array_equal(table.data["TIME"], MIDDLES)
    assert table.columns["TIME"].unit == "JD - 2457000, days"
    for header in (primary, table.header, hdus[2].header):
        assert [header[keyword] for keyword in ("TIMEREF", "TASSIGN", "TIMESYS")] == ["LOCAL", "SPACECRAFT", "TDB"]
        assert (header["BJDREFI"], header.comments["BJDREFI"]) == (2457000, "integer part of TJD reference date (JD)")
        assert not any("BTJD" in comment for comment in header.comments)
    for keyword, card in (("TSTART", "DATE-OBS"), ("TSTOP", "DATE-END")):
        utc = Time(primary[card].rstrip("Z"), scale="utc")
        assert (utc.tdb - time_of(primary[keyword])).to_value(u.s) == pytest.approx(0, abs=1e-3)


def test_target_times_are_those_of_astropy_for_the_spacecraft(cube: Path) -> None:
    hdus = cut(cube, target_times=True)
    table, primary = hdus[1], hdus[0].header
    expected = seconds_of_light(target(cube), OFFSET)
    assert np.abs(expected).max() > 100
    np.testing.assert_allclose((table.data["TIME"] - MIDDLES) * 86400, expected, rtol=0, atol=0.01)
    np.testing.assert_allclose(table.data["TIMECORR"] * 86400, expected, rtol=0, atol=0.01)
    assert table.columns["TIME"].unit == "BJD - 2457000, days"
    assert (primary["TIMEREF"], primary["BARYERR"]) == ("SOLARSYSTEM", 0.1)
    assert "BTJD" in primary.comments["TSTART"]
    assert (primary["TSTART"] - tica_times(0)[0]) * 86400 == pytest.approx(expected[0], abs=0.01)
    assert (primary["TSTOP"] - tica_times(N - 1)[1]) * 86400 == pytest.approx(expected[-1], abs=0.01)
    assert primary["TELAPSE"] == primary["TSTOP"] - primary["TSTART"]


def without(header: fits.Header, _cadence: int) -> None:
    for keyword in POSITION:
        del header[keyword]


def zero(header: fits.Header, cadence: int) -> None:
    header.update({keyword: 0.0 for keyword in POSITION if cadence == 2})


def metres(header: fits.Header, cadence: int) -> None:
    header.update({keyword: header[keyword] * 1000 for keyword in POSITION if cadence != 1})


@pytest.mark.parametrize(
    ("change", "missing"), [(without, range(N)), (zero, [2]), (metres, [0, 2, 3, 4])], ids=["none", "zero", "metres"]
)
def test_without_the_position_of_the_spacecraft_it_is_the_earths_and_the_error_says_so(
    change: Any, missing: Any, tmp_path: Path
) -> None:
    cube = tica_cube(tmp_path, change)
    hdus = cut(cube, target_times=True)
    sky = target(cube)
    expected = seconds_of_light(sky, OFFSET)
    expected[list(missing)] = seconds_of_light(sky, np.zeros(3))[list(missing)]
    np.testing.assert_allclose((hdus[1].data["TIME"] - MIDDLES) * 86400, expected, rtol=0, atol=0.01)
    error = hdus[0].header["BARYERR"]
    assert np.abs(expected - seconds_of_light(sky, OFFSET)).max() < error == 1.3


def test_an_ephemeris_at_the_barycentre_is_followed_through_tica_frames(cube: Path, tmp_path: Path) -> None:
    with open_cube(cube) as file:
        wcs = file.cube.wcs
    columns, rows = np.linspace(5, 25, N), np.linspace(10, 30, N)  # five pixels in each cadence of ten minutes
    ra, dec = wcs.all_pix2world(np.column_stack([columns, rows]), 0).T
    light = seconds_of_light(SkyCoord(ra, dec, unit="deg"), OFFSET)
    ephemeris = Ephemeris(time_of(MIDDLES + light / 86400), ra, dec, clock="barycentre")
    (made,) = make_moving_cutouts([cube], ephemeris, 5)
    table = fits.getdata(io.BytesIO(made.data or b""), 1)
    at = np.searchsorted(MIDDLES, table["TIME"] - 1e-6)
    assert set(at) >= {1, 2, 3}  # the first and the last position are those of cadences, to a few milliseconds
    found = wcs.all_world2pix(np.column_stack([table["TGT_RA"], table["TGT_DEC"]]), 0).T
    np.testing.assert_allclose(found, [columns[at], rows[at]], atol=2e-3)
    (whole,) = make_cutouts([cube], target(cube), 40, output_dir=tmp_path)
    path = Table({"time": ephemeris.time, "position": SkyCoord(ra, dec, unit="deg")})
    made_path = center_on_path(path, 5, [str(whole.path)], output_path=tmp_path, verbose=False, clock="barycentre")
    table = fits.getdata(made_path, 1)
    at = np.searchsorted(MIDDLES, table["TIME"] - 1e-6)
    there = SkyCoord(table["TGT_RA"], table["TGT_DEC"], unit="deg")
    moved = there.separation(SkyCoord(ra[at], dec[at], unit="deg")).arcsec / 21
    assert moved.max() < 0.02  # as far as the target moves in 1.3 seconds, the light time to the Earth
