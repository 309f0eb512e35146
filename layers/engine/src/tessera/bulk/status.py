"""What became of each row of a list, on each cube: the table that comes with all products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

COLUMNS = (
    "row", "target", "tic", "ra", "dec", "cube", "sector", "camera", "ccd", "best", "status", "reason", "file",
    "member", "sha256",
)  # fmt: skip
"""Columns of ``status.csv``."""


@dataclass(frozen=True, slots=True)
class BulkStatus:
    """A row of the table.

    Parameters
    ----------
    row : int
        Number of the row in the user's list, from 1.
    target : str
        Name or position as the user wrote it.
    tic : int
        Number in the TESS Input Catalog; 0 if it is not known.
    ra, dec : float
        ICRS degrees; NaN if they are not known.
    cube : str
        Id of the cube; empty for a row that is on no cube, or was not understood.
    sector, camera, ccd : int
        Where the cube is from; 0 without a cube.
    best : bool
        Whether no other CCD of the sector sees the target better.
    status : {'ok', 'no overlap', 'error'}
        What became of it.
    reason : str
        Why there is no product; empty if there is one.
    file : str
        Name of the product below the folder of the results: of the archive, or of the file of the catalogue.
    member : str
        Name of the file in the archive; empty without an archive.
    sha256 : str
        SHA-256 of the member if there is one, otherwise of the file, in hexadecimal digits.
    """

    row: int
    target: str
    tic: int
    ra: float
    dec: float
    cube: str = ""
    sector: int = 0
    camera: int = 0
    ccd: int = 0
    best: bool = True
    status: Literal["ok", "no overlap", "error"] = "ok"
    reason: str = ""
    file: str = ""
    member: str = ""
    sha256: str = ""
