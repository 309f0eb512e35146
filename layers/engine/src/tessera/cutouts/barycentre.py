"""Times of a target at the barycentre of the solar system.

Light from direction n reaches a telescope at r (seen from the barycentre) earlier than the barycentre, by r.n/c.

Times of SPOC frames are at the barycentre for the sky at the pixel (BTC_PIX1, BTC_PIX2), direction n0. For a target in
direction n they change by r.(n - n0)/c. Times of TICA frames are those of the spacecraft. For a target they change by
r.n/c.

The position r of the spacecraft is in the cards TESS_X, TESS_Y and TESS_Z of TICA frames. Elsewhere we use the position
of the Earth, which is at most 1.3 light seconds away. For SPOC times, this makes an error below 0.3 s across one camera
(24 degrees), while the correction changes by up to three minutes. For TICA times, it makes an error of up to 1.3 s.

Source: Eastman, Siverd and Gaudi 2010 (PASP 122, 935), section 2. The position of the Earth comes from ERFA and needs
no download.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from astropy import constants
from astropy import units as u
from astropy.coordinates import get_body_barycentric
from numpy.typing import NDArray

from tessera.cubes.info_rows import InfoRows
from tessera.cubes.reader import Cube
from tessera.errors import CubeFormatError
from tessera.sky.sphere import unit_vectors
from tessera.tess.clock import Time
from tessera.tpf.cards import BJDREFI

SPACECRAFT_ERROR, EARTH_ERROR = 0.1, 1.3
"""Largest error in seconds of times that were corrected with the spacecraft's position, which moves by 0.09 light
seconds in half an exposure of 30 minutes, and with the Earth's position."""
_C = constants.c.to_value(u.km / u.day)
_POSITION = ("TESS_X", "TESS_Y", "TESS_Z")
_ORBIT = 1e6
"""Distance from the Earth in km beyond which a position is not that of TESS, whose orbit reaches 376,000 km."""


def earth_positions(days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Position of the Earth seen from the barycentre in km, shape (n, 3), at times in days since JD 2457000, TDB."""
    earth = get_body_barycentric("earth", Time(BJDREFI, days, format="jd", scale="tdb"))
    return np.asarray(earth.xyz.to_value(u.km).T, np.float64)


def observer_positions(cube: Cube, info: InfoRows) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Position of the observer in the middle of each cadence.

    Parameters
    ----------
    cube : Cube
        The cube.
    info : InfoRows
        Its info table.

    Returns
    -------
    tuple of ndarray
        Position seen from the barycentre in km, shape (n_cadences, 3), and whether it is the spacecraft's, shape
        (n_cadences,). It is the Earth's where the frame has no position near the Earth.
    """
    earth = earth_positions((cube.series["start"] + cube.series["stop"]) / 2)
    if not all(keyword in info for keyword in _POSITION):
        return earth, np.zeros(len(earth), bool)
    spacecraft = np.column_stack([info.column(keyword, "<f8") for keyword in _POSITION])
    known = np.linalg.norm(spacecraft - earth, axis=1) < _ORBIT
    return np.where(known[:, None], spacecraft, earth), known


def light_days(positions: NDArray[np.float64], ra: Any, dec: Any) -> NDArray[np.float64]:
    """Days by which light reaches positions earlier than the barycentre.

    Parameters
    ----------
    positions : ndarray, shape (n, 3)
        Positions seen from the barycentre, km.
    ra, dec : float or ndarray, shape (n,)
        Position of the target, ICRS degrees.
    """
    directions = unit_vectors(np.atleast_1d(np.asarray(ra, np.float64)), np.atleast_1d(np.asarray(dec, np.float64)))
    return np.asarray((positions * directions).sum(axis=1) / _C, np.float64)


def reference_direction(cube: Cube) -> NDArray[np.float64]:
    """Direction for which the times of the cube are corrected: the sky at pixel (BTC_PIX1, BTC_PIX2).

    Returns
    -------
    ndarray of float64, shape (3,)
        Unit vector, ICRS.

    Raises
    ------
    CubeFormatError
        When the cube does not have these cards.
    """
    pixel = [cube.wcs_cards.get(keyword) for keyword in ("BTC_PIX1", "BTC_PIX2")]
    if not all(isinstance(value, (int, float)) for value in pixel):
        raise CubeFormatError(f"{cube.name}: BTC_PIX1, BTC_PIX2 are {pixel}; the times' direction is not known")
    ra, dec = cube.wcs.all_pix2world([pixel], 1)[0]
    return np.asarray(unit_vectors(np.array([ra]), np.array([dec]))[0])


@dataclass(frozen=True, eq=False)
class BarycentricTimes:
    """What the times of all targets of a cube of SPOC frames need.

    Parameters
    ----------
    middle : ndarray of float64, shape (n_cadences,)
        Middle of each exposure as the cube has it, BTJD.
    positions : ndarray of float64, shape (n_cadences, 3)
        Position of the Earth at these times, km.
    reference : ndarray of float64, shape (3,)
        Direction for which the cube's times are corrected.
    """

    middle: NDArray[np.float64]
    positions: NDArray[np.float64]
    reference: NDArray[np.float64]

    @classmethod
    def of(cls, cube: Cube) -> Self:
        """Prepare the times of a cube.

        Raises
        ------
        CubeFormatError
            When the direction of the cube's times is unknown.
        """
        reference = reference_direction(cube)
        middle = np.asarray((cube.series["start"] + cube.series["stop"]) / 2, np.float64)
        return cls(middle, earth_positions(middle), reference)

    def change(self, ra: float, dec: float) -> NDArray[np.float64]:
        """Days to add to the cube's times for a target at an ICRS position in degrees, shape (n_cadences,)."""
        change = unit_vectors(np.array([ra]), np.array([dec]))[0] - self.reference
        return np.asarray((self.positions @ change) / _C, np.float64)


def barycentric_columns(cube: Cube, ra: float, dec: float) -> dict[str, NDArray[Any]]:
    """Columns TIME and TIMECORR for a target, from times that are at the barycentre for the CCD.

    Parameters
    ----------
    cube : Cube
        Cube of SPOC frames.
    ra, dec : float
        Position of the target, ICRS degrees.

    Returns
    -------
    dict
        TIME in BTJD and TIMECORR in days, each of shape (n_cadences,).

    Raises
    ------
    CubeFormatError
        When the direction of the cube's times is unknown.
    """
    times = BarycentricTimes.of(cube)
    days = times.change(ra, dec)
    return {"TIME": times.middle + days, "TIMECORR": cube.series["barycorr"] + days}


def corrected_columns(cube: Cube, info: InfoRows, ra: float, dec: float) -> tuple[dict[str, NDArray[Any]], float]:
    """Columns TIME and TIMECORR for a target, from times of the spacecraft.

    Parameters
    ----------
    cube : Cube
        Cube of TICA frames.
    info : InfoRows
        Its info table.
    ra, dec : float
        Position of the target, ICRS degrees.

    Returns
    -------
    (dict, float)
        TIME in BTJD and TIMECORR in days, each of shape (n_cadences,), and the largest error of TIME in seconds.
    """
    positions, known = observer_positions(cube, info)
    days = light_days(positions, ra, dec)
    middle = (cube.series["start"] + cube.series["stop"]) / 2
    return {"TIME": middle + days, "TIMECORR": days}, SPACECRAFT_ERROR if known.all() else EARTH_ERROR
