"""Where a moving target is on a cube's frames, and the boxes around it; nothing is read here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.cutouts.cadences import select_cadences
from tessera.errors import InvalidInputError, NoOverlapError
from tessera.moving.ephemeris import Ephemeris, Interpolation, cadence_days
from tessera.moving.read_plan import ReadCost, Track
from tessera.sky.positions import path_pixels
from tessera.tpf.moving import Boxes, MovingTpf, cube_tpf
from tessera.windows import MovingPlacement, Placement, check_placement, place_axes

Edges: TypeAlias = Literal["fill", "drop"]
"""Cadences whose box reaches beyond the frame: filled there, or left out."""


@dataclass(frozen=True)
class MovingOptions:
    """How moving cutouts differ from the plain thing.

    Parameters
    ----------
    placement : {'centre', 'tesscut', 'round_lower'}, optional
        The target in the centre pixel of its box, or where the TESSCut service or astrocut puts it; see
        `tessera.windows.Placement`.
    interpolation : {'cubic', 'linear'} or callable, optional
        See `tessera.moving.ephemeris.Interpolation`.
    edges : {'fill', 'drop'}, optional
        What becomes of cadences whose box reaches beyond the frame.
    time, cadences, quality_mask
        See `tessera.cutouts.results.CutoutOptions`.
    fill_value : float, optional
        Of pixels beyond the frame.
    cost : ReadCost, optional
        How requests are weighed against bytes.
    """

    placement: MovingPlacement = "centre"
    interpolation: Interpolation = "cubic"
    edges: Edges = "fill"
    time: tuple[float, float] | None = None
    cadences: tuple[int, int] | None = None
    quality_mask: int = 0
    fill_value: float = np.nan
    cost: ReadCost = field(default_factory=ReadCost)

    def __post_init__(self) -> None:
        check_placement(self.placement, get_args(MovingPlacement))
        if self.edges not in get_args(Edges):
            raise InvalidInputError("edges", self.edges, " or ".join(map(repr, get_args(Edges))))


@dataclass(frozen=True)
class TargetTrack:
    """Boxes around a target on a cube, and the target.

    Parameters
    ----------
    boxes : Track
        One for each of n cadences.
    row, column : ndarray, shape (n,)
        The target on the frame; the centre of the first pixel is 0.
    ra, dec : ndarray, shape (n,)
        The target, ICRS degrees.
    filled : ndarray of bool, shape (n,)
        Whether the box reaches beyond the frame.
    """

    boxes: Track
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    filled: NDArray[np.bool_]


def follow_target(
    cube: Cube, ephemeris: Ephemeris, shape: tuple[int, int], options: MovingOptions | None = None
) -> TargetTrack:
    """Boxes of the cadences in which a target is on a cube's frames.

    Parameters
    ----------
    cube : Cube
        Whose WCS and times are used.
    ephemeris : Ephemeris
        The target.
    shape : (int, int)
        Rows and columns of a box.
    options : MovingOptions, optional
        What differs from the plain thing.

    Raises
    ------
    NoOverlapError
        When no box has a pixel of the frame, with the reason.
    """
    options = options or MovingOptions()
    ra, dec = ephemeris.at_cadences(cube, options.interpolation)
    chosen = select_cadences(cube, options.time, options.cadences, options.quality_mask)
    keep = np.isfinite(ra) if chosen is None else np.isfinite(ra) & np.isin(np.arange(len(ra)), chosen)
    if not keep.any():
        days = cadence_days(cube, ephemeris.clock)
        raise NoOverlapError(
            f"the ephemeris tells of BTJD {ephemeris.span[0]:.4f} to {ephemeris.span[1]:.4f}; {cube.name} has no "
            f"cadence of those that were asked for in it (all: {days[0]:.4f} to {days[-1]:.4f})"
        )
    row, column = np.full(len(ra), np.nan), np.full(len(ra), np.nan)
    row[keep], column[keep] = path_pixels(cube.wcs, ra[keep], dec[keep])
    at = np.flatnonzero(np.isfinite(row))
    n_rows, n_columns = shape
    rule = Placement(options.placement)
    (first_row, _), (first_column, _) = place_axes(row[at], n_rows, rule), place_axes(column[at], n_columns, rule)
    boxes = Track(at, first_row, first_column, n_rows, n_columns)
    missing = boxes.missing(cube.layout.n_rows, cube.layout.n_columns)
    there = missing < (1 if options.edges == "drop" else n_rows * n_columns)
    if not there.any():
        raise NoOverlapError(f"the target is never on the frames of {cube.name}")
    at = at[there]
    return TargetTrack(boxes.take(there), row[at], column[at], ra[at], dec[at], missing[there] > 0)


def track_tpf(cube: Cube, target: TargetTrack, planes: NDArray[np.float32], name: str, version: str) -> MovingTpf:
    """The target pixel file of boxes that were read.

    Parameters
    ----------
    cube : Cube
        Which they are of.
    target : TargetTrack
        Where they are.
    planes : ndarray of float32
        From `tessera.moving.track_pixels.assemble_track`.
    name : str
        Of the target.
    version : str
        Of the software.
    """
    boxes = target.boxes
    place = (target.column - boxes.first_column, target.row - boxes.first_row)
    moving = Boxes(planes, *place, target.ra, target.dec, int(target.filled.sum()))
    path = boxes.footprint(cube.layout.n_rows, cube.layout.n_columns)
    return cube_tpf(cube, boxes.cadences, moving, path, target=name, version=version)


def moving_name(cube: Cube, target: str, shape: tuple[int, int]) -> str:
    """File name: cube, target, columns x rows; ASCII, since it becomes a key and a header of HTTP."""
    name = re.sub(r"[^\w.+()-]+", "_", target, flags=re.ASCII).strip("_.") or "path"
    return f"{cube.obs_id}_{name}_{shape[1]}x{shape[0]}_astrocut.fits"
