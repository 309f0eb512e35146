"""Options of a cutout from a cube, and its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from tessera.checks import check_choice, check_switch
from tessera.cutouts.cadences import check_selection
from tessera.cutouts.known.folder import cache_folder
from tessera.errors import InvalidInputError
from tessera.inputs import check_cube_fill
from tessera.io.sources import Location
from tessera.tpf.fixed import TpfLayout
from tessera.windows import CubePlacement, check_placement

Status: TypeAlias = Literal["ok", "no overlap", "error"]
Size: TypeAlias = "int | float | u.Quantity | Sequence[int | float | u.Quantity] | NDArray[Any]"
"""Size in pixels or as angle: one value for both axes, or (rows, columns)."""


@dataclass(frozen=True)
class CutoutOptions:
    """Options of cutouts of fixed targets.

    Parameters
    ----------
    placement : {'centre', 'tesscut'}, optional
        Rule that places the window: 'centre' puts the target in the centre pixel, and 'tesscut' follows the TESSCut
        service; see `tessera.windows.Placement`.
    time : (float, float), optional
        First and last time to keep, BTJD, ends included. An end may be infinite.
    cadences : (int, int), optional
        First and last cadence number to keep, ends included. If the cube has no cadence numbers of the spacecraft, the
        cadences are counted from 0.
    quality_mask : int, optional
        Bits of quality flags. Cadences with one of these bits are left out.
    layout : {'full', 'slim'}, optional
        Columns of the target pixel file; 'slim' leaves out the constant columns.
    target_times : bool, optional
        Whether TIME and TIMECORR are for the target instead of the centre of the CCD.
    pos_corr : bool, optional
        Whether POS_CORR1 and POS_CORR2 come from the WCS of every frame instead of being zeros. This reads the whole
        info table.
    fill_value : float, optional
        Value of pixels beyond the frame and, with `flags`, of collateral pixels.
    difference : bool, optional
        Whether FLUX is the difference from the reference frame of the cube, which `tessera.measure_cube` has made in
        the cube's folder; see docs/guide/differences.md.
    check : bool, optional
        Whether to refuse damaged cubes: files of a wrong size, and headers and info tables with a wrong checksum.
        Pixels are not checked.
    cache_dir : str or Path, optional
        Folder that keeps headers, times and WCS of remote cubes for other processes. By default, the environment
        variable TESSERA_CACHE_DIR names it; without both, only the process itself keeps them.
    flags : bool, optional
        Whether to mark pixels and cadences that are not what they seem: collateral pixels get bit 10 in APERTURE, and
        the fill value; blank, repeated and saturated cadences get bits from 2**24 on in QUALITY. The primary header
        counts the science pixels. docs/explanation/formats.md lists the bits. `quality_mask` does not see them.
    provenance : bool, optional
        Whether the file says in a last HDU, PROVENANCE, what it was made of; see docs/explanation/provenance.md.

    Raises
    ------
    InvalidInputError
        When an option has a value that is not allowed.
    """

    placement: CubePlacement = "centre"
    time: tuple[float, float] | None = None
    cadences: tuple[int, int] | None = None
    quality_mask: int = 0
    layout: TpfLayout = "full"
    target_times: bool = False
    pos_corr: bool = False
    fill_value: float = np.nan
    difference: bool = False
    check: bool = True
    cache_dir: Location | None = None
    flags: bool = False
    provenance: bool = True

    def __post_init__(self) -> None:
        check_placement(self.placement, get_args(CubePlacement))
        check_choice("layout", self.layout, get_args(TpfLayout))
        time, cadences, quality_mask = check_selection(self.time, self.cadences, self.quality_mask)
        checked = {
            "time": time,
            "cadences": cadences,
            "quality_mask": quality_mask,
            "target_times": check_switch("target_times", self.target_times),
            "pos_corr": check_switch("pos_corr", self.pos_corr),
            "difference": check_switch("difference", self.difference),
            "check": check_switch("check", self.check),
            "flags": check_switch("flags", self.flags),
            "provenance": check_switch("provenance", self.provenance),
            "fill_value": check_cube_fill(self.fill_value),
        }
        if checked["flags"] and checked["difference"]:
            raise InvalidInputError("flags", self.flags, "False for differences, whose pixels do not tell the flags")
        cache_folder(self.cache_dir)
        for name, value in checked.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class CutoutResult:
    """The result for one target in one cube.

    Parameters
    ----------
    cube : str
        Path or address of the cube, as it was given.
    ra, dec : float
        Position of the target as it was given, ICRS degrees; NaN if it is masked or not finite. The cards RA_OBJ and
        DEC_OBJ of the file have the position in the middle of the cube's times.
    status : {'ok', 'no overlap', 'error'}
        Outcome. With 'no overlap', the window does not touch the frame, or the options keep no cadence of the cube.
    reason : str
        Why there is no cutout. With 'ok', that a proper motion is not known and was not used; otherwise empty.
    name : str
        File name of the target pixel file; empty if there is no cutout.
    data : bytes, bytearray or None
        Content of the file, if no folder was given.
    path : Path or None
        Path of the file, if a folder was given.
    """

    cube: str
    ra: float
    dec: float
    status: Status
    reason: str = ""
    name: str = ""
    data: bytes | bytearray | None = field(default=None, repr=False)
    path: Path | None = None
