"""Times of a target: barycentric correction for its direction instead of the CCD's.

A frame's TSTART, TSTOP and BARYCORR are for the sky at the pixel (BTC_PIX1, BTC_PIX2). Seen from the barycentre, light
from a target at direction n is early by r.n/c, r being where the telescope is; so the target's correction differs from
the CCD's by r.(n - n0)/c. TESS is taken to be where the Earth is, which it is to 1.3 light seconds; across one camera
(24 degrees) the error is below 0.3 s, where the correction itself changes by up to three minutes.
Source: Eastman, Siverd and Gaudi 2010 (PASP 122, 935), section 2; the Earth's place from ERFA, without any download.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import constants
from astropy import units as u
from astropy.coordinates import get_body_barycentric
from astropy.time import Time
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.errors import CubeFormatError
from tessera.sky.sphere import unit_vectors
from tessera.tpf.cards import BJDREFI


def reference_direction(cube: Cube) -> NDArray[np.float64]:
    """Direction for which the cube's times are corrected: the sky at pixel (BTC_PIX1, BTC_PIX2); shape (3,)."""
    pixel = [cube.wcs_cards.get(keyword) for keyword in ("BTC_PIX1", "BTC_PIX2")]
    if not all(isinstance(value, (int, float)) for value in pixel):
        raise CubeFormatError(f"{cube.name}: BTC_PIX1, BTC_PIX2 are {pixel}; the times' direction is not known")
    ra, dec = cube.wcs.all_pix2world([pixel], 1)[0]
    return np.asarray(unit_vectors(np.array([ra]), np.array([dec]))[0])


def barycentric_columns(cube: Cube, ra: float, dec: float) -> dict[str, NDArray[Any]]:
    """Columns TIME and TIMECORR for a target.

    Parameters
    ----------
    cube : Cube
        Of SPOC frames.
    ra, dec : float
        Target, ICRS degrees.

    Returns
    -------
    dict
        TIME in BTJD and TIMECORR in days, shape (n_cadences,).
    """
    middle = (cube.series["start"] + cube.series["stop"]) / 2
    earth = get_body_barycentric("earth", Time(BJDREFI, middle, format="jd", scale="tdb")).xyz
    change = unit_vectors(np.array([ra]), np.array([dec]))[0] - reference_direction(cube)
    days = ((earth.T @ change) / constants.c).to_value(u.day)
    return {"TIME": middle + days, "TIMECORR": cube.series["barycorr"] + days}
