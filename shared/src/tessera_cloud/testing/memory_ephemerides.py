"""Positions of moving targets from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tessera_cloud.errors import AmbiguousTargetError, UnknownTargetError
from tessera_cloud.ports import Positions

Place = tuple[float, float, float]
"""Julian date in UTC, RA and Dec in degrees."""


class MemoryEphemerides:
    """A few targets as `Ephemerides`. The answer has all places of a target, at whatever times the caller asks for.

    Parameters
    ----------
    targets : mapping
        Full name, such as ``354 Eleonora``, to places. A part of a name finds its target if only one name has it.
    """

    def __init__(self, targets: Mapping[str, Sequence[Place]] | None = None) -> None:
        self.targets = dict(targets or {})
        self.asked: list[tuple[str, str | None, float, float, int]] = []

    def find(self, name: str, kind: str | None, start: float, stop: float, hours: int) -> Positions:
        """See `Ephemerides`."""
        self.asked.append((name, kind, start, stop, hours))
        found = [target for target in self.targets if name.lower() in target.lower()]
        if not found:
            raise UnknownTargetError.about("obj_id", name, "a name that is known")
        if len(found) > 1:
            raise AmbiguousTargetError.about("obj_id", name, "; ".join(found))
        days, ra, dec = zip(*sorted(self.targets[found[0]]), strict=True)
        return Positions(found[0], "TESS", days, ra, dec)
