"""Apertures that files of a request mark: one for all cubes, and others for single cubes.

They are written in one text, with commas between them: ``default,tess-s0001-4-2:0e38e0``. Each is a word of
`tessera.lightcurves.masks`, or hexadecimal digits as `tessera.lightcurves.photometry.parse_aperture` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WORDS = ("default", "all")


@dataclass(frozen=True)
class Apertures:
    """Apertures of a request.

    Parameters
    ----------
    common : str
        Aperture of the cubes that have none of their own; empty for none.
    own : mapping
        Apertures of single cubes, by name.
    """

    common: str
    own: Mapping[str, str]

    def of(self, obs_id: str) -> str | None:
        """Aperture of a cube; None if it has none."""
        return self.own.get(obs_id, self.common) or None

    @property
    def digits(self) -> list[str]:
        """Apertures that are digits."""
        return [aperture for aperture in (self.common, *self.own.values()) if aperture and aperture not in WORDS]

    def __str__(self) -> str:
        """The same text for the same apertures."""
        own = (f"{cube}:{aperture}" for cube, aperture in sorted(self.own.items()))
        return ",".join([*([self.common] if self.common else []), *own])


def read_apertures(text: str) -> Apertures:
    """Read the apertures of a request.

    Raises
    ------
    ValueError
        When there are two for the same cubes.
    """
    common, own = "", dict[str, str]()
    for item in text.lower().split(",") if text else ():
        cube, _, aperture = item.rpartition(":")
        if own.get(cube, "" if cube else common):
            raise ValueError(f"there are two apertures for {cube or 'all cubes'}")
        if cube:
            own[cube] = aperture
        else:
            common = aperture
    return Apertures(common, own)
