"""What can be said about a cutout of a cube, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
from astropy import units as u

from tessera.tpf.fixed import TpfLayout
from tessera.windows import CubePlacement, check_placement

Status: TypeAlias = Literal["ok", "no overlap", "error"]
Size: TypeAlias = "int | tuple[int, int] | u.Quantity"
"""Rows and columns: pixels, or an angle; one number for both."""


@dataclass(frozen=True)
class CutoutOptions:
    """How cutouts differ from the plain thing.

    Parameters
    ----------
    placement : {'centre', 'tesscut'}, optional
        The target in the centre pixel, or where the TESSCut service puts it; see `tessera.windows.Placement`.
    time : (float, float), optional
        Range of BTJD to keep, ends included.
    cadences : (int, int), optional
        Range of cadences to keep, ends included, by the spacecraft's numbers where the cube has them and else counted
        from 0.
    quality_mask : int, optional
        Cadences with one of these quality bits are left out.
    layout : {'full', 'slim'}, optional
        'slim' leaves out the columns that are constant.
    target_times : bool, optional
        TIME and TIMECORR for the target instead of the CCD's centre.
    pos_corr : bool, optional
        POS_CORR1 and POS_CORR2 from the WCS of every frame instead of zeros; the whole info table is read for it.
    fill_value : float, optional
        Of pixels beyond the frame.
    """

    placement: CubePlacement = "centre"
    time: tuple[float, float] | None = None
    cadences: tuple[int, int] | None = None
    quality_mask: int = 0
    layout: TpfLayout = "full"
    target_times: bool = False
    pos_corr: bool = False
    fill_value: float = np.nan

    def __post_init__(self) -> None:
        check_placement(self.placement, get_args(CubePlacement))


@dataclass(frozen=True)
class CutoutResult:
    """What became of one target in one cube.

    Parameters
    ----------
    cube : str
        Name of the cube, as it was given.
    ra, dec : float
        Target, ICRS degrees.
    status : {'ok', 'no overlap', 'error'}
        What became of it.
    reason : str
        Why there is no cutout; empty when there is one.
    name : str
        File name of the target pixel file.
    data : bytes, bytearray or None
        The file, where no folder was given.
    path : Path or None
        Where it was written, where a folder was given.
    """

    cube: str
    ra: float
    dec: float
    status: Status
    reason: str = ""
    name: str = ""
    data: bytes | bytearray | None = None
    path: Path | None = None
