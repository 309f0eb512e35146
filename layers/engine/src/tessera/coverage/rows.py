"""Rows of a search: a target on a cube, and a target that no cube sees."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from tessera.checks import check_choice
from tessera.errors import DataWarning, InvalidInputError, reason_of
from tessera.io.locations import shown
from tessera.io.sources import Location
from tessera.targets.target import Target

ProductChoice: TypeAlias = Literal["SPOC", "TICA", "any"]
"""Kind of frames to search, or all kinds."""
_LARGEST_SECTOR = 99999
_MJD_ZERO = np.datetime64("1858-11-17T00:00:00")


@dataclass(frozen=True, slots=True)
class SearchRow:
    """A target on a cube.

    Parameters
    ----------
    target : Target
        The target.
    product : str
        Kind of the frames: SPOC or TICA.
    sector, camera, ccd : int or None
        Where the cube is from; None if the cube does not say it.
    start, end : str
        Beginning of the first exposure and end of the last one, UTC, such as 2018-07-25T19:29:42. A service gives days.
    cadence : float or None
        Seconds from one exposure to the next; None if it is not known without the cube.
    n_cadences : int or None
        Number of exposures.
    row, column : float or None
        Pixel of the target on the frame. The centre of the first pixel is 0.
    edge : float or None
        Pixels to the nearest edge of the pixels that see the sky; negative outside of them.
    cube : str
        Path or address of the cube, or its name at a service.
    """

    target: Target
    product: str
    sector: int | None
    camera: int | None
    ccd: int | None
    start: str
    end: str
    cadence: float | None
    n_cadences: int | None
    row: float | None
    column: float | None
    edge: float | None
    cube: str

    @property
    def order(self) -> tuple[Any, ...]:
        """Key that sorts rows by target, sector, product, camera and CCD."""
        place = (
            number if number is not None else _LARGEST_SECTOR + 1 for number in (self.sector, self.camera, self.ccd)
        )
        sector, camera, ccd = place
        return self.target.number, sector, self.product, camera, ccd


Key: TypeAlias = "tuple[int, str]"
"""Number of a target, and a cube."""


def key_of(row: SearchRow) -> Key:
    """Target and cube of a row."""
    return row.target.number, row.cube


@dataclass(frozen=True, slots=True)
class Missing:
    """A target that is on no cube.

    Parameters
    ----------
    target : Target
        The target.
    reason : str
        Why it is on none.
    """

    target: Target
    reason: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search is limited to.

    Parameters
    ----------
    sectors : tuple of int or None
        Numbers of sectors; None for all.
    product : str or None
        Kind of frames; None for all.
    """

    sectors: tuple[int, ...] | None
    product: str | None

    def has(self, sector: int | None, product: str) -> bool:
        """Whether a cube is among those that are wanted."""
        return (self.sectors is None or sector in self.sectors) and self.product in (None, product)


def check_wanted(sectors: Any, product: Any, default: str | None) -> Wanted:
    """Check the sectors and the product that a user gave.

    Parameters
    ----------
    sectors : int, iterable of int, or None
        Sectors; None for all.
    product : str or None
        Name of a product in any case, or 'any'.
    default : str or None
        Product if none was given.

    Raises
    ------
    InvalidInputError
        When one of them has another value.
    """
    kind = default if product is None else check_choice("product", product, get_args(ProductChoice), any_case=True)
    return Wanted(_check_sectors(sectors), None if kind == "any" else kind)


def _check_sectors(sectors: Any) -> tuple[int, ...] | None:
    if sectors is None:
        return None
    allowed = f"numbers of sectors, integers from 1 to {_LARGEST_SECTOR}, or None for all"
    several = isinstance(sectors, Iterable) and not isinstance(sectors, (str, bytes)) and np.ndim(sectors) > 0  # type: ignore[arg-type] # also a range
    listed = list(sectors) if several else [sectors]
    good = all(isinstance(item, (int, np.integer)) and not isinstance(item, bool) for item in listed)
    if not listed or not good or not all(1 <= item <= _LARGEST_SECTOR for item in listed):
        raise InvalidInputError("sectors", sectors, allowed)
    return tuple(sorted({int(item) for item in listed}))


def utc_text(mjd: float) -> str:
    """Calendar date of a Modified Julian Date in UTC, to the second; empty if it is not a number."""
    if not np.isfinite(mjd):
        return ""
    return str(_MJD_ZERO + np.timedelta64(round(mjd * 86400), "s"))


def failures(cubes: Sequence[Location], errors: Sequence[Exception | None]) -> dict[str, str]:
    """Reasons why cubes cannot be read, each with a `DataWarning`.

    Raises
    ------
    Exception
        The first error, if every cube has one.
    """
    failed = [(shown(cube), error) for cube, error in zip(cubes, errors, strict=True) if error is not None]
    if failed and len(failed) == len(cubes):
        raise failed[0][1]
    for name, error in failed:
        warnings.warn(f"{name} is not read: {reason_of(error)}", DataWarning, stacklevel=4)
    return {name: reason_of(error) for name, error in failed}
