"""What a user wants for a list of targets, for all rows that do not say otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np

from tessera.bulk.epochs import EPOCHS, FIRST_YEAR, LAST_YEAR, read_year
from tessera.checks import check_choice, check_integer, check_number, check_switch, did_you_mean
from tessera.errors import InvalidInputError
from tessera.lightcurves.detrending.words import NO_BACKGROUND, Detrending, check_detrend

Output: TypeAlias = Literal["parquet", "lightcurves", "tpf"]
"""A product: light curves as a catalogue of Parquet files, light curves as a FITS file each, or target pixel files."""
Packing: TypeAlias = Literal["zip", "files"]
"""Files of targets in archives of up to `ARCHIVE_BYTES`, or one by one."""

BODY_ROWS = 10_000
"""Largest number of rows in the body of a request."""
UPLOAD_ROWS = 2_000_000
"""Largest number of rows of a list that is uploaded."""
ARCHIVE_BYTES = 2_000_000_000
"""Largest size of an archive of files, in bytes. A file that is larger by itself gets its own archive."""
DEFAULT_SIZE = 11
LARGEST_SIDE = 101
"""Largest side of a window of a list, in pixels."""
LARGEST_SECTOR = 9999
APERTURES = ("default", "threshold", "all")
"""Words for apertures. The threshold is the default, because cubes have no aperture of the mission's pipeline."""
_DIGITS = re.compile(r"[0-9a-f]+")
_SECTORS = f"numbers of sectors from 1 to {LARGEST_SECTOR}, such as 1 or [1, 27]; None for all"


@dataclass(frozen=True, slots=True)
class BulkOptions:
    """What to make of a list of targets.

    Parameters
    ----------
    outputs : tuple of {'parquet', 'lightcurves', 'tpf'}
        Products.
    product : {'SPOC', 'TICA'}
        Kind of frames.
    size : (int, int)
        Rows and columns of a window in pixels, for rows of the list without a size.
    sectors : tuple of int or None
        Sectors, for rows without sectors; None for all.
    aperture : str
        Aperture for rows without one: ``default`` (as in previews), ``all``, or hexadecimal digits; see
        `tessera.lightcurves.masks`.
    background : bool
        Whether the light curves are without the local background.
    layout : {'full', 'slim'}
        Layout of target pixel files; see `tessera.tpf.fixed`.
    packing : {'zip', 'files'}
        How files of single targets are kept.
    best_only : bool
        Whether a target that is on two CCDs of a sector is cut from the better one only. Otherwise it is cut from both,
        and marked.
    epoch : float or None
        Julian year of the positions, for rows that have a proper motion and no epoch.
    flags : bool
        Whether files and light curves have Tessera's own flags; see `tessera.tpf.flags`.
    detrend : {'none', 'pld', 'cbv'}
        What takes the trend from light curves; see `tessera.lightcurves.detrending.detrend`.
    """

    outputs: tuple[Output, ...] = ("parquet",)
    product: Literal["SPOC", "TICA"] = "SPOC"
    size: tuple[int, int] = (DEFAULT_SIZE, DEFAULT_SIZE)
    sectors: tuple[int, ...] | None = None
    aperture: str = "default"
    background: bool = True
    layout: Literal["full", "slim"] = "full"
    packing: Packing = "zip"
    best_only: bool = False
    epoch: float | None = None
    flags: bool = False
    detrend: Detrending = "none"


def check_options(
    *,
    outputs: object = ("parquet",),
    product: object = "SPOC",
    size: Any = DEFAULT_SIZE,
    sectors: Any = None,
    aperture: object = "default",
    background: object = True,
    layout: object = "full",
    packing: object = "zip",
    best_only: object = False,
    epoch: object = None,
    flags: object = False,
    detrend: object = "none",
) -> BulkOptions:
    """Check what a user wants for a list of targets.

    Parameters
    ----------
    outputs : str or list of str, optional
        Products: ``parquet``, ``lightcurves`` or ``tpf``, one or several.
    product, aperture, background, layout, packing, best_only, flags, detrend : optional
        See `BulkOptions`. ``threshold`` is another word for the default aperture.
    size : int or (int, int), optional
        Side of a window in pixels, or (rows, columns).
    sectors : int or list of int, optional
        Sectors; all by default.
    epoch : float or str, optional
        Epoch of the positions, for rows that have a proper motion and no epoch: a Julian year such as 2016.0 or
        ``J2016.0``, or a date.

    Returns
    -------
    BulkOptions
        The options.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    """
    return BulkOptions(
        outputs=_outputs(outputs),
        product=cast("Any", check_choice("product", product, ("SPOC", "TICA"), any_case=True)),
        size=_size(size),
        sectors=_sectors(sectors),
        aperture=_aperture(aperture),
        background=check_switch("background", background),
        layout=cast("Any", check_choice("layout", layout, ("full", "slim"))),
        packing=cast("Any", check_choice("packing", packing, get_args(Packing))),
        best_only=check_switch("best_only", best_only),
        epoch=_epoch(epoch),
        flags=check_switch("flags", flags),
        detrend=cast("Any", _detrend(detrend, background)),
    )


def _detrend(detrend: object, background: object) -> str:
    method = check_detrend(detrend)
    if method == "pld" and not check_switch("background", background):
        raise InvalidInputError("detrend", method, NO_BACKGROUND)
    return method


def _outputs(outputs: object) -> tuple[Output, ...]:
    words = get_args(Output)
    given = [outputs] if isinstance(outputs, str) else outputs
    if not isinstance(given, Iterable) or isinstance(given, (bytes, Mapping)) or not (items := list(given)):
        raise InvalidInputError("outputs", outputs, f"one or several of {', '.join(map(repr, words))}")
    found = {check_choice("outputs", item, words) for item in items}
    return tuple(word for word in words if word in found)


def _size(size: Any) -> tuple[int, int]:
    sides = size if isinstance(size, (tuple, list, np.ndarray)) else (size, size)
    try:
        rows, columns = sides
        return check_integer("size", rows, 1, LARGEST_SIDE), check_integer("size", columns, 1, LARGEST_SIDE)
    except (InvalidInputError, TypeError, ValueError) as error:
        allowed = f"whole numbers of pixels from 1 to {LARGEST_SIDE}: one, or (rows, columns)"
        raise InvalidInputError("size", size, allowed) from error


def _sectors(sectors: Any) -> tuple[int, ...] | None:
    if sectors is None:
        return None
    given = sectors.tolist() if isinstance(sectors, np.ndarray) else sectors
    several = isinstance(given, Iterable) and not isinstance(given, (str, bytes, Mapping))
    try:
        found = {check_integer("sectors", item, 1, LARGEST_SECTOR) for item in (given if several else [given])}
    except InvalidInputError as error:
        raise InvalidInputError("sectors", sectors, _SECTORS) from error
    if not found:
        raise InvalidInputError("sectors", sectors, _SECTORS)
    return tuple(sorted(found))


def _epoch(epoch: object) -> float | None:
    if epoch is None:
        return None
    year = read_year(epoch.strip()) if isinstance(epoch, str) else check_number("epoch", epoch, EPOCHS)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InvalidInputError("epoch", epoch, EPOCHS)
    return year


def _aperture(aperture: object) -> str:
    if isinstance(aperture, str) and (text := aperture.strip().lower()):
        if text in APERTURES:
            return "default" if text == "threshold" else text
        if _DIGITS.fullmatch(text):
            return text
    allowed = f"{', '.join(map(repr, APERTURES))}, or hexadecimal digits{did_you_mean(aperture, APERTURES)}"
    raise InvalidInputError("aperture", aperture, allowed)
