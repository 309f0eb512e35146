"""What others know about names, stars and moving targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tessera.targets.places import NamedPlace, StarPlace
from tessera.tess.star import Star


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions of a moving target.

    Parameters
    ----------
    target : str
        Full name, such as ``354 Eleonora (A893 BA)``.
    observer : str
        Observer of the positions, such as ``TESS``.
    days : tuple of float
        Julian dates in UTC, increasing.
    ra, dec : tuple of float
        Astrometric ICRS positions in degrees.
    """

    target: str
    observer: str
    days: tuple[float, ...]
    ra: tuple[float, ...]
    dec: tuple[float, ...]


class Ephemerides(Protocol):
    """Service that knows the paths of moving targets. The errors are those of objects."""

    def find(self, name: str, kind: str | None, start: float, stop: float, hours: int) -> Positions:
        """Positions of a target from one time to another.

        Parameters
        ----------
        name : str
            Name, number or designation of the target.
        kind : str or None
            ``majorbody``, ``smallbody``, or None for either.
        start, stop : float
            First and last time, Julian dates in UTC.
        hours : int
            Hours between two positions.

        Raises
        ------
        UnknownTargetError, AmbiguousTargetError
            If no target or several targets have this name. The message tells the user what is allowed.
        """


class NameResolver(Protocol):
    """Service that knows positions of stars and galaxies. The errors are those of objects."""

    def find(self, name: str) -> NamedPlace | None:
        """Find the position of a name; None if the resolver does not know the name."""


class StarCatalogue(Protocol):
    """The TESS Input Catalog (TIC)."""

    def find(self, tic: int) -> Star | None:
        """What is known about the star with a number; None if the number or the catalogue's answer is missing.

        A catalogue never fails a cutout. So this method raises no error, and returns within some seconds.
        """


class StarPlaces(Protocol):
    """Positions in the TESS Input Catalog (TIC), of many stars at once."""

    def find_places(self, tics: Sequence[int]) -> Mapping[int, StarPlace]:
        """Find the positions of stars by their numbers; see `tessera.targets.places.Stars`."""
