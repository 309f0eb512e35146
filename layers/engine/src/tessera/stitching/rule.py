"""Which CCD of a sector a stitched light curve takes, where several see the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class OnCcd(Protocol):
    """A target on a CCD."""

    @property
    def sector(self) -> int | None:
        """Number of the sector."""

    @property
    def camera(self) -> int | None:
        """Number of the camera."""

    @property
    def ccd(self) -> int | None:
        """Number of the CCD."""

    @property
    def edge(self) -> float | None:
        """Pixels to the nearest edge of the pixels that see the sky; negative outside of them, None if unknown."""


Place = TypeVar("Place", bound=OnCcd)


@dataclass(frozen=True)
class Choice(Generic[Place]):
    """The CCDs of a stitched light curve.

    Parameters
    ----------
    taken : tuple
        One place in each sector, by sector.
    left : tuple of (place, str)
        The other places, each with the reason why it is not taken.
    """

    taken: tuple[Place, ...]
    left: tuple[tuple[Place, str], ...]


def choose_ccds(places: Sequence[Place]) -> Choice[Place]:
    """Choose one CCD in each sector: the one on which the target lies farthest from the edge of what sees the sky.

    A CCD on which the target is not on pixels that see the sky is never taken. If two distances are equal, the lower
    camera and CCD are taken.

    Parameters
    ----------
    places : sequence
        The CCDs that have the target, such as `tessera.coverage.rows.SearchRow`.

    Returns
    -------
    Choice
        What is taken, and what is left and why.
    """
    taken: list[Place] = []
    left: list[tuple[Place, str]] = []
    by_sector: dict[int, list[Place]] = {}
    for place in places:
        reason = _unusable(place)
        if reason:
            left.append((place, reason))
        else:
            by_sector.setdefault(place.sector or 0, []).append(place)
    for _, some in sorted(by_sector.items()):
        best, *others = sorted(some, key=_rank)
        taken.append(best)
        left += [(other, _reason(best, other)) for other in others]
    return Choice(tuple(taken), tuple(left))


def _unusable(place: OnCcd) -> str:
    """Why a place can never be taken; empty if it can."""
    if place.sector is None:
        return "its cube does not say its sector"
    if place.edge is None:
        return "the pixel of the target is not known"
    return "the target is not on pixels that see the sky" if place.edge < 0 else ""


def _rank(place: OnCcd) -> tuple[float, int, int]:
    return -(place.edge or 0.0), place.camera or 0, place.ccd or 0


def _reason(best: OnCcd, other: OnCcd) -> str:
    return (
        f"camera {best.camera}, CCD {best.ccd} is taken, where the target is {best.edge:g} pixels from the edge; "
        f"here it is {other.edge:g}"
    )
