"""Paths of moving targets, as they travel between functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tessera_cloud.contracts import Wire
from tessera_cloud.ports import Positions

if TYPE_CHECKING:
    from tessera.moving.ephemeris import Ephemeris

MJD, BTJD = 2_400_000.5, 2_457_000.0
"""Julian dates of their days 0."""
MAX_ROWS = 90_000
"""Positions that Horizons gives in one answer."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
Place: TypeAlias = tuple[Finite, Finite, Finite]
"""Julian date in UTC, and right ascension and declination in degrees."""


class Path(Wire):
    """Where a target is, as the spacecraft sees it.

    Parameters
    ----------
    target : str
        Its name.
    observer : str
        Who sees it there.
    places : tuple of (float, float, float)
        Julian date in UTC, RA and Dec in degrees; at least two, in any order.
    """

    target: str
    observer: str
    places: Annotated[tuple[Place, ...], Field(min_length=2, max_length=MAX_ROWS)]

    @property
    def ephemeris(self) -> Ephemeris:
        """For the engine."""
        from astropy.time import Time  # noqa: PLC0415 - with what follows, for moving targets only

        from tessera.moving.ephemeris import Ephemeris  # noqa: PLC0415

        days, ra, dec = np.array(self.places).T
        return Ephemeris(Time(days, format="jd", scale="utc"), ra, dec, "observer", self.target)

    @classmethod
    def of(cls, positions: Positions) -> Path:
        """What a port found."""
        places = tuple(zip(positions.days, positions.ra, positions.dec, strict=True))
        return cls(target=positions.target, observer=positions.observer, places=places)


def tdb_days(days: NDArray[np.float64]) -> NDArray[np.float64]:
    """BTJD of Julian dates in UTC."""
    from astropy.time import Time  # noqa: PLC0415 - for moving targets only

    return np.asarray(Time(days, format="jd", scale="utc").tdb.jd - BTJD, np.float64)


class MovingTarget(Wire):
    """A body of the solar system.

    Parameters
    ----------
    name : str
        Name, number or designation.
    kind : {'majorbody', 'smallbody'} or None
        Which of the two, where the name does not tell.
    """

    name: str
    kind: Literal["majorbody", "smallbody"] | None = None
