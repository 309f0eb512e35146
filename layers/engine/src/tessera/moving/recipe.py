"""The recipe of the target pixel file of a moving target: with its cube, it decides every byte of the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tessera.errors import ProvenanceError
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.track import MovingOptions
from tessera.provenance.record import from_number, to_number
from tessera.tess.clock import Time

_NAMES = ("placement", "edges", "quality_mask", "flags")


@dataclass(frozen=True)
class MovingRecipe:
    """What decides the target pixel file of a moving target.

    Parameters
    ----------
    ephemeris : Ephemeris
        Positions of the target.
    shape : (int, int)
        Rows and columns of a box.
    options : MovingOptions
        Options of the cutout. How it is read, and whether the cube is checked, changes nothing.
    """

    ephemeris: Ephemeris
    shape: tuple[int, int]
    options: MovingOptions

    @property
    def document(self) -> dict[str, Any]:
        """The recipe as a document of JSON. A function that interpolates has no text, and is null."""
        time, options = self.ephemeris.time, self.options
        asked = {name: getattr(options, name) for name in _NAMES}
        asked["interpolation"] = None if callable(options.interpolation) else options.interpolation
        asked["time"] = None if options.time is None else [to_number(end) for end in options.time]
        asked["cadences"] = None if options.cadences is None else list(options.cadences)
        asked["fill_value"] = to_number(options.fill_value)
        return {
            "shape": list(self.shape),
            "options": asked,
            "ephemeris": {
                "name": self.ephemeris.name,
                "clock": self.ephemeris.clock,
                "scale": time.scale,
                "jd1": np.asarray(time.jd1, float).tolist(),
                "jd2": np.asarray(time.jd2, float).tolist(),
                "ra": self.ephemeris.ra.tolist(),
                "dec": self.ephemeris.dec.tolist(),
            },
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Read what `document` wrote.

        Raises
        ------
        ProvenanceError
            When a function interpolated.
        """
        asked, path = dict(document["options"]), document["ephemeris"]
        if asked["interpolation"] is None:
            raise ProvenanceError("a function of its maker interpolated the positions; a record cannot hold it")
        time, cadences = asked["time"], asked["cadences"]
        asked["time"] = None if time is None else (from_number(time[0]), from_number(time[1]))
        asked["cadences"] = None if cadences is None else (cadences[0], cadences[1])
        asked["fill_value"] = from_number(asked["fill_value"])
        days = Time(path["jd1"], path["jd2"], format="jd", scale=path["scale"])
        ephemeris = Ephemeris(days, np.array(path["ra"]), np.array(path["dec"]), path["clock"], path["name"])
        rows, columns = document["shape"]
        return cls(ephemeris, (rows, columns), MovingOptions(**asked))
