"""Where the targets of a list are at the time of a cube; the rule is that of `tessera.make_cutouts`."""

from __future__ import annotations

import numpy as np

from tessera.bulk.epochs import julian_date
from tessera.bulk.plan.sightings import Floats
from tessera.sky.motion import Targets


def with_motion(ra: Floats, dec: Floats, pm_ra: Floats, pm_dec: Floats, epoch: Floats) -> Targets:
    """Targets with their proper motions.

    Parameters
    ----------
    ra, dec, pm_ra, pm_dec, epoch : ndarray of float64, shape (n,)
        See `tessera.bulk.target_rows.TargetRows`. A target moves if all of its values are known.

    Returns
    -------
    Targets
        Targets without parallax and radial velocity.
    """
    known = np.isfinite(pm_ra) & np.isfinite(pm_dec) & np.isfinite(epoch)
    nothing = np.full(len(ra), np.nan)
    return Targets(
        ra,
        dec,
        np.where(known, pm_ra, 0.0),
        np.where(known, pm_dec, 0.0),
        np.where(known, julian_date(epoch), np.nan),
        nothing,
        nothing,
        {},
    )
