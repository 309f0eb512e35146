"""What a user wants for a list of targets, for all rows that do not say otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

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
