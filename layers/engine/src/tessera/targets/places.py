"""A place that a resolver knows for a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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
