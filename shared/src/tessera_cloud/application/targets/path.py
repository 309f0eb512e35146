"""Paths of moving targets, as messages between functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tessera_cloud.contracts import Asked
from tessera_cloud.ports import Positions

if TYPE_CHECKING:
    from tessera.moving.ephemeris import Ephemeris

MJD, BTJD = 2_400_000.5, 2_457_000.0
"""Julian dates of day 0 of MJD and of BTJD."""
MAX_ROWS = 90_000
"""Largest number of positions in one answer of Horizons."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
Place: TypeAlias = tuple[Finite, Finite, Finite]
"""Julian date in UTC, and right ascension and declination in degrees."""


class Path(Asked):
    """Path of a target.

    Parameters
    ----------
    target : str
        Name of the target.
    observer : str
        Observer of the positions, such as ``TESS``.
    places : tuple of (float, float, float)
        Julian date in UTC, RA and Dec in degrees; at least two places, in any order.
    """

    target: str
    observer: str
    places: Annotated[tuple[Place, ...], Field(min_length=2, max_length=MAX_ROWS)]

    @property
    def ephemeris(self) -> Ephemeris:
        """Ephemeris for the engine."""
        from tessera.moving.ephemeris import Ephemeris  # noqa: PLC0415
        from tessera.tess.clock import Time  # noqa: PLC0415 - only moving targets need this import and the next

        days, ra, dec = np.array(self.places).T
        return Ephemeris(Time(days, format="jd", scale="utc"), ra, dec, "observer", self.target)

    @classmethod
    def of(cls, positions: Positions) -> Path:
        """Path of positions that a port has found."""
        places = tuple(zip(positions.days, positions.ra, positions.dec, strict=True))
        return cls(target=positions.target, observer=positions.observer, places=places)


def tdb_days(days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert Julian dates in UTC to BTJD."""
    from tessera.tess.clock import Time  # noqa: PLC0415 - only moving targets need it

    return np.asarray(Time(days, format="jd", scale="utc").tdb.jd - BTJD, np.float64)


class MovingTarget(Asked):
    """A body of the solar system.

    Parameters
    ----------
    name : str
        Name, number or designation.
    kind : {'majorbody', 'smallbody'} or None
        Kind of body; needed only if the name is ambiguous.
    """

    name: str
    kind: Literal["majorbody", "smallbody"] | None = None
