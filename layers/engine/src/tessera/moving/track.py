"""Find a moving target on the frames of a cube, and place boxes around it. This module reads no pixels."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from tessera.checks import check_choice, check_switch
from tessera.cubes.frame_pixels import FrameWcs
from tessera.cubes.info_rows import InfoRows
from tessera.cubes.reader import Cube
from tessera.cutouts.cadences import check_selection, select_cadences
from tessera.errors import InvalidInputError, NoOverlapError
from tessera.inputs import check_cube_fill
from tessera.moving.ephemeris import Ephemeris, Interpolation, cadence_days, check_interpolation
from tessera.moving.read_plan import ReadCost, Track
from tessera.tpf.flags import Flags
from tessera.tpf.moving import Boxes, MovingTpf, cube_tpf
from tessera.windows import MovingPlacement, Placement, check_placement, place_axes

Edges: TypeAlias = Literal["fill", "drop"]
"""Treatment of cadences whose box reaches beyond the frame: pixels are filled, or the cadence is left out."""


_MAX_NAME = 100
"""Characters of the name of a target in the name of a file."""


@dataclass(frozen=True)
class MovingOptions:
    """Options of cutouts of moving targets.

    Parameters
    ----------
    placement : {'centre', 'tesscut', 'round_lower'}, optional
        Rule that places the boxes: 'centre' puts the target in the centre pixel, 'tesscut' follows the TESSCut service,
        and 'round_lower' follows astrocut; see `tessera.windows.Placement`.
    interpolation : {'cubic', 'linear'} or callable, optional
        Interpolation between positions; see `tessera.moving.ephemeris.Interpolation`.
    edges : {'fill', 'drop'}, optional
        Treatment of cadences whose box reaches beyond the frame: 'fill' writes `fill_value` there, and 'drop' leaves
        out the cadence.
    time, cadences, quality_mask, check, provenance
        See `tessera.cutouts.results.CutoutOptions`.
    fill_value : float, optional
        Value of pixels beyond the frame.
    flags : bool, optional
        Whether collateral pixels and cadences without a new picture are marked; see
        `tessera.cutouts.results.CutoutOptions`.
    cost : ReadCost, optional
        Cost of requests, compared with the cost of bytes.

    Raises
    ------
    InvalidInputError
        When an option has a value that is not allowed.
    """

    placement: MovingPlacement = "centre"
    interpolation: Interpolation = "cubic"
    edges: Edges = "fill"
    time: tuple[float, float] | None = None
    cadences: tuple[int, int] | None = None
    quality_mask: int = 0
    fill_value: float = np.nan
    cost: ReadCost = field(default_factory=ReadCost)
    check: bool = True
    flags: bool = False
    provenance: bool = True

    def __post_init__(self) -> None:
        check_placement(self.placement, get_args(MovingPlacement))
        check_interpolation(self.interpolation)
        check_choice("edges", self.edges, get_args(Edges))
        if not isinstance(self.cost, ReadCost):
            raise InvalidInputError("cost", self.cost, "ReadCost(...)")
        time, cadences, quality_mask = check_selection(self.time, self.cadences, self.quality_mask)
        checked = {
            "time": time,
            "cadences": cadences,
            "quality_mask": quality_mask,
            "fill_value": check_cube_fill(self.fill_value),
            "check": check_switch("check", self.check),
            "flags": check_switch("flags", self.flags),
            "provenance": check_switch("provenance", self.provenance),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class TargetTrack:
    """Boxes around a target on a cube, and positions of the target.

    Parameters
    ----------
    boxes : Track
        Boxes, one for each of n cadences.
    row, column : ndarray, shape (n,)
        Position of the target on the frame, in pixels; the centre of the first pixel is 0.
    ra, dec : ndarray, shape (n,)
        Position of the target, ICRS degrees.
    filled : ndarray of bool, shape (n,)
        Whether the box of a cadence reaches beyond the frame.
    borrowed : ndarray of bool, shape (n,)
        Whether the frame of a cadence has no usable WCS. Then the WCS of the frame that is nearest in time is used.
    """

    boxes: Track
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    filled: NDArray[np.bool_]
    borrowed: NDArray[np.bool_]

    @property
    def notes(self) -> str:
        """What is special about some of the cadences, as text; empty if there is nothing."""
        n = len(self.boxes.cadences)
        special = (
            (self.filled, "reach beyond the frame and are filled there"),
            (self.borrowed, "have no WCS of their own and use that of the frame nearest in time"),
        )
        return "; ".join(f"{some.sum()} of {n} cadences {what}" for some, what in special if some.any())


def follow_target(
    cube: Cube, info: InfoRows, ephemeris: Ephemeris, shape: tuple[int, int], options: MovingOptions | None = None
) -> TargetTrack:
    """Place a box in each cadence in which a target is on the frames of a cube.

    Parameters
    ----------
    cube : Cube
        Cube whose times are used.
    info : InfoRows
        Info table of the cube. The position in a cadence is found with the WCS of its frame.
    ephemeris : Ephemeris
        Positions of the target.
    shape : (int, int)
        Rows and columns of a box.
    options : MovingOptions, optional
        Options of the cutouts.

    Raises
    ------
    NoOverlapError
        When there is no box to cut. The message says why.
    """
    options = options or MovingOptions()
    ra, dec = ephemeris.at_cadences(cube, info, options.interpolation)
    chosen = select_cadences(cube, options.time, options.cadences, options.quality_mask)
    keep = np.isfinite(ra) if chosen is None else np.isfinite(ra) & np.isin(np.arange(len(ra)), chosen)
    if not keep.any():
        days, word = cadence_days(cube, ephemeris.clock), "BTJD" if ephemeris.clock == "barycentre" else "TJD"
        raise NoOverlapError(
            f"the ephemeris covers {word} {ephemeris.span[0]:.4f} to {ephemeris.span[1]:.4f}; no requested cadence of "
            f"{cube.name} is in this range (all cadences: {days[0]:.4f} to {days[-1]:.4f})"
        )
    at = np.flatnonzero(keep)
    found = FrameWcs(cube, info).find(at, ra[at], dec[at])
    known = np.isfinite(found.row)
    at, row, column, borrowed = at[known], found.row[known], found.column[known], found.borrowed[known]
    n_rows, n_columns = shape
    rule = Placement(options.placement)
    (first_row, _), (first_column, _) = place_axes(row, n_rows, rule), place_axes(column, n_columns, rule)
    boxes = Track(at, first_row, first_column, n_rows, n_columns)
    missing = boxes.missing(cube.layout.n_rows, cube.layout.n_columns)
    there = missing < (1 if options.edges == "drop" else n_rows * n_columns)
    if not there.any():
        raise NoOverlapError(f"the target is never on the frames of {cube.name}")
    at = at[there]
    places = (row[there], column[there], ra[at], dec[at])
    return TargetTrack(boxes.take(there), *places, missing[there] > 0, borrowed[there])


def track_tpf(
    cube: Cube,
    target: TargetTrack,
    planes: NDArray[np.float32],
    name: str,
    version: str,
    *,
    flags: bool = False,
    fill_value: float = np.nan,
) -> MovingTpf:
    """Make the content of a target pixel file from boxes that were read.

    Parameters
    ----------
    cube : Cube
        Cube of the boxes.
    target : TargetTrack
        Places of the boxes and of the target.
    planes : ndarray of float32, shape (n_planes, n, n_rows, n_columns)
        Pixels, from `tessera.moving.track_pixels.assemble_track`.
    name : str
        Name of the target.
    version : str
        Version of the software.
    flags, fill_value : optional
        See `MovingOptions`.
    """
    boxes = target.boxes
    place = (target.column - boxes.first_column, target.row - boxes.first_row)
    counts, shape = (int(target.filled.sum()), int(target.borrowed.sum())), (boxes.n_rows, boxes.n_columns)
    found = Flags.of(cube, boxes.first_row, boxes.first_column, shape) if flags else None
    moving = Boxes(planes, *place, target.ra, target.dec, *counts, found, fill_value)
    path = boxes.footprint(cube.layout.n_rows, cube.layout.n_columns)
    return cube_tpf(cube, boxes.cadences, moving, path, target=name, version=version)


def moving_name(cube: Cube, target: str, shape: tuple[int, int]) -> str:
    """File name of cube, target and columns x rows. It is ASCII, because it is used in keys and in HTTP headers."""
    name = re.sub(r"[^\w.+()-]+", "_", target, flags=re.ASCII)[:_MAX_NAME].strip("_.") or "path"
    return f"{cube.obs_id}_{name}_{shape[1]}x{shape[0]}_astrocut.fits"
