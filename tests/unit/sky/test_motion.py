"""Targets as coordinates: frames, masked and unknown positions, and proper motion as astropy applies it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import ICRS, AltAz, Distance, Galactocentric, SkyCoord
from astropy.time import Time
from astropy.utils.masked import Masked

from tessera.errors import InvalidInputError
from tessera.inputs import parse_coordinates
from tessera.sky.motion import read_targets

MAS = u.mas / u.yr
BARNARD: dict[str, Any] = {
    "ra": 269.45207696 * u.deg,
    "dec": 4.69336497 * u.deg,
    "pm_ra_cosdec": -801.551 * MAS,
    "pm_dec": 10362.394 * MAS,
    "obstime": Time(2016.0, format="jyear", scale="tcb"),
}
DAY = 3300.0
FAR = Distance(parallax=546.976 * u.mas)


@pytest.mark.parametrize("more", [{}, {"distance": FAR}, {"distance": FAR, "radial_velocity": -110 * u.km / u.s}])
@pytest.mark.parametrize("frame", ["icrs", "galactic", "fk5", "supergalactic", "barycentricmeanecliptic"])
def test_a_target_is_moved_as_astropy_moves_it(more: dict[str, Any], frame: str) -> None:
    star = SkyCoord(**BARNARD, **more)
    with warnings.catch_warnings():  # of a distance that is not known
        warnings.simplefilter("ignore")
        expected = star.apply_space_motion(new_obstime=Time(2457000, DAY, format="jd", scale="tdb"))
    targets = read_targets(star.transform_to(frame))
    ra, dec = targets.at(DAY)
    assert SkyCoord(ra, dec, unit="deg").separation(expected)[0].mas < 0.01
    assert expected.separation(star).arcsec == pytest.approx(82.85, abs=0.05)
    np.testing.assert_allclose(targets.known_motion(0), (-801.551, 10362.394), rtol=1e-9)
    assert (targets.ra[0], targets.dec[0]) == pytest.approx((269.45207696, 4.69336497), abs=1e-12)


def test_a_distance_or_speed_that_cannot_be_right_does_not_stop_a_target() -> None:
    plain = np.array(read_targets(SkyCoord(**BARNARD)).at(DAY))
    for wrong in ({"distance": 1 * u.Mpc}, {"distance": FAR, "radial_velocity": 2e5 * u.km / u.s}):
        np.testing.assert_allclose(read_targets(SkyCoord(**BARNARD, **wrong)).at(DAY), plain, atol=1e-9)


def test_a_distance_that_is_no_number_does_not_hide_the_motion() -> None:
    plain = np.array(read_targets(SkyCoord(**BARNARD)).at(DAY))
    for wrong in (np.nan * u.pc, 0 * u.pc):
        np.testing.assert_allclose(read_targets(SkyCoord(**BARNARD, distance=wrong)).at(DAY), plain, atol=1e-9)


def test_a_time_of_position_before_all_calendars_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"coordinates.obstime is .*; allowed: a date from the year -4799 on"):
        read_targets(SkyCoord(**BARNARD | {"obstime": Time(-5000.0, format="jyear")}))


def test_each_target_has_its_own_epoch_and_those_without_known_motion_stay() -> None:
    sky = SkyCoord(
        [10, 20, 30] * u.deg,
        [0, 0, 0] * u.deg,
        pm_ra_cosdec=[1000, np.nan, 1000] * MAS,
        pm_dec=[0, 5, 0] * MAS,
        obstime=Time([2000.0, 2016.0, 2016.0], format="jyear"),
    )
    btjd = Time(2020.0, format="jyear").tdb.jd - 2457000
    targets = read_targets(["5 6", sky, SkyCoord(7, 8, unit="deg")])
    ra, dec = targets.at(btjd)
    np.testing.assert_allclose(ra, [5, 10 + 20 / 3600, 20, 30 + 4 / 3600, 7], atol=1e-7)
    np.testing.assert_allclose(dec, [6, 0, 0, 0, 8], atol=1e-7)
    assert [targets.known_motion(number)[0] for number in range(5)] == [0, 1000, 0, 1000, 0]


def test_a_proper_motion_needs_the_time_of_the_position() -> None:
    star = SkyCoord(**BARNARD | {"obstime": None})
    with pytest.raises(InvalidInputError, match=r"Proper motions need .* allowed: positions with obstime.*2016\.0"):
        read_targets(star)
    still = SkyCoord(**BARNARD | {"obstime": None, "pm_ra_cosdec": 0 * MAS, "pm_dec": 0 * MAS})
    assert read_targets(still).known_motion(0) == (0, 0)
    with pytest.raises(InvalidInputError, match=r"proper motions below 100 arcseconds a year"):
        read_targets(SkyCoord(**BARNARD | {"pm_dec": 1 * u.deg / u.yr}))
    assert read_targets(SkyCoord(1 * u.deg, 2 * u.deg, radial_velocity=5 * u.km / u.s)).known_motion(0) == (0, 0)


@pytest.mark.parametrize(
    "frame",
    [
        "altaz",
        "hadec",
        "cirs",
        "tete",
        "gcrs",
        "precessedgeocentric",
        "hcrs",
        "geocentricmeanecliptic",
        "geocentrictrueecliptic",
        "heliocentricmeanecliptic",
        "heliocentrictrueecliptic",
        "lsr",
        "galacticlsr",
    ],
)
def test_frames_that_need_an_observer_are_refused(frame: str) -> None:
    sky = SkyCoord(1 * u.deg, 2 * u.deg, frame=frame)
    with pytest.raises(InvalidInputError, match=r"coordinates is <SkyCoord \(.*; allowed: ICRS, FK5, FK4, galactic or"):
        read_targets(sky)


def test_positions_in_space_and_frames_without_skycoord_are_positions() -> None:
    assert read_targets(ICRS([1, 2] * u.deg, [3, 4] * u.deg)).dec.tolist() == [3, 4]
    assert read_targets(SkyCoord(1, 1, 0, unit="pc", representation_type="cartesian")).ra[0] == pytest.approx(45)
    centre = read_targets(Galactocentric(0 * u.kpc, 0 * u.kpc, 0 * u.kpc))
    assert (centre.ra[0], centre.dec[0]) == pytest.approx((266.4051, -28.93617), abs=1e-4)


def test_positions_that_are_masked_or_not_finite_are_known_by_their_number() -> None:
    ra = Masked([1.0, 2.0, 3.0, 4.0] * u.deg, mask=[False, True, False, False])
    sky = SkyCoord(ra, [1, 2, np.nan, 4] * u.deg)
    targets = read_targets(["9 9", sky])
    assert targets.unusable == {2: "masked", 3: "3.0 nan"}
    assert str(targets.why_unusable(2)) == "coordinates[2] is 'masked'; allowed: a position that is known"
    assert targets.why_unusable(0) is None
    assert np.isnan(targets.ra).tolist() == [False, False, True, True, False]
    for bad, words in (
        (sky, r"\[1\] is 'masked'"),
        (["1 2", sky[2]], r"\[1\] is '3.0 nan'"),
        (sky[1], r"\[0\] is 'masked'"),
    ):
        with pytest.raises(InvalidInputError, match=f"coordinates{words}; allowed: a position that is known"):
            parse_coordinates(bad)


@pytest.mark.parametrize(
    "given",
    [
        None,
        5,
        (88.95, -75.39),
        [1, 2],
        b"1 2",
        "pi Men",
        np.array([1.0, 2.0]),
        {"ra": 1},
        [],
        SkyCoord([], [], unit="deg"),
        [None],
        ["1 2", "somewhere"],
        ICRS(),
        AltAz(1 * u.deg, 2 * u.deg),
        np.array(["1 2", "x"]),
        iter([]),
        "400 1",
        "",
    ],
    ids=lambda given: repr(given)[:20],
)
def test_something_else_than_positions_is_refused_in_a_sentence(given: Any) -> None:
    for read in (read_targets, parse_coordinates):
        with pytest.raises(InvalidInputError, match=r"coordinates(\[\d\])? is .*; allowed: "):
            read(given)


def test_several_positions_may_come_in_any_container() -> None:
    for given in (["1 2", "3 4"], ("1 2", "3 4"), iter(["1 2", "3 4"]), np.array(["1 2", "3 4"])):
        assert read_targets(given).ra.tolist() == [1, 3]
    table = SkyCoord([[1, 2], [3, 4]] * u.deg, [[5, 6], [7, 8]] * u.deg)
    assert [sky.ra.deg for sky in parse_coordinates(table)] == read_targets(table).ra.tolist() == [1, 2, 3, 4]
