"""Results of a service: a target pixel file of one cube, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Self

from astropy.io import fits

from tessera.cutouts.results import CutoutResult
from tessera.errors import InvalidQueryError, shown
from tessera.lightcurves.pixel_files.opening import open_tpf
from tessera.lightcurves.target_pixels import TargetPixels


@dataclass(frozen=True)
class ServiceCutout(CutoutResult):
    """The result for one target and one cube of a service.

    Parameters
    ----------
    cube : str
        Name of the cube, such as ``tess-s0001-4-2``; empty where no cube could be cut.
    ra, dec : float
        Position of the target, ICRS degrees; NaN for regions and for what moves.
    status, reason, name, data, path
        See `tessera.cutouts.results.CutoutResult`.
    number : int
        Number of the target, from 0.
    target : object
        Target as it was given.
    """

    number: int = 0
    target: Any = None
    data: bytes | bytearray | None = field(default=None, repr=False)

    @property
    def pixels(self) -> TargetPixels:
        """The pixels around the target; light curves and lightkurve's objects are made of them.

        Raises
        ------
        InvalidQueryError
            When there is no file.
        """
        return TargetPixels.read(self._checked())

    @property
    def hdus(self) -> fits.HDUList:
        """The target pixel file as an HDUList, in memory.

        Raises
        ------
        InvalidQueryError
            When there is no file.
        """
        return open_tpf(self._checked())[1]

    def _checked(self) -> Self:
        if self.data is None and self.path is None:
            what = f"{self.cube or 'the service'} has no cutout of {shown(self.target)}"
            raise InvalidQueryError(f"{what}: {self.reason}")
        return self


NOWHERE = (math.nan, math.nan)
"""Position of a target that has none."""
