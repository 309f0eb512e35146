"""Targets after their names and positions have been read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tessera.sky.motion import Targets


@dataclass(frozen=True, slots=True)
class Target:
    """One target of a search.

    Parameters
    ----------
    name : str
        Name or position as the user wrote it; right ascension and declination where there was no text.
    ra, dec : float
        Position as it was given, ICRS degrees; NaN if it is not known.
    tic : int or None
        Number in the TESS Input Catalog, if the user gave it.
    number : int
        Place in the user's list, from 0.
    reason : str
        Why there is no position; empty if there is one.
    named : bool
        Whether `name` is the name of an object, and not a position.
    """

    name: str
    ra: float
    dec: float
    tic: int | None = None
    number: int = 0
    reason: str = ""
    named: bool = False

    @property
    def star(self) -> dict[str, Any] | None:
        """What the user said about the star, for the argument `stars` of `make_cutouts`; None for a bare position."""
        return {"name": self.name, "ID": self.tic} if self.named or self.tic is not None else None


@dataclass(frozen=True)
class TargetList:
    """Targets, and where they are.

    Parameters
    ----------
    targets : tuple of Target
        The targets, in the user's order.
    positions : Targets
        Positions and proper motions of the same targets.
    single : bool
        Whether the user gave one target and no list.
    """

    targets: tuple[Target, ...]
    positions: Targets
    single: bool = False

    def __len__(self) -> int:
        """Number of targets."""
        return len(self.targets)
