"""Places that a resolver knows for names, and a catalogue for numbers of stars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

TICS_AT_ONCE = 1000
"""Largest number of numbers in the TESS Input Catalog that are asked for at once."""


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """Position of an object that does not move.

    Parameters
    ----------
    name : str
        Name that the resolver uses.
    ra, dec : float
        ICRS degrees.
    source : str
        Name of the resolver.
    """

    name: str
    ra: float
    dec: float
    source: str


class Names(Protocol):
    """A resolver of names. Several threads may use it at the same time."""

    allowed: str
    """Which names it knows, for errors."""

    def find(self, name: str) -> NamedPlace | None:
        """Find the position of a name; None if the resolver does not know the name."""


@dataclass(frozen=True, slots=True)
class StarPlace:
    """Position of a star.

    Parameters
    ----------
    ra, dec : float
        ICRS degrees at J2000.0.
    pm_ra, pm_dec : float
        Proper motion in mas a year, along right ascension with cos(dec), and along declination; NaN if not known.
    """

    ra: float
    dec: float
    pm_ra: float = math.nan
    pm_dec: float = math.nan


class Stars(Protocol):
    """The TESS Input Catalog."""

    def find_places(self, tics: Sequence[int]) -> Mapping[int, StarPlace]:
        """Find the positions of many stars.

        Parameters
        ----------
        tics : sequence of int
            At most `TICS_AT_ONCE` numbers.

        Returns
        -------
        mapping
            Number to position, for the stars that the catalogue knows.

        Raises
        ------
        NameResolverError
            When the catalogue does not answer.
        """
