"""What became of each row of a list, on each cube: the table that comes with all products."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

Status: TypeAlias = Literal["ok", "no overlap", "error"]
COLUMNS = (
    "row", "target", "tic", "ra", "dec", "cube", "sector", "camera", "ccd", "best", "status", "reason", "product",
    "file", "member", "sha256",
)  # fmt: skip
"""Columns of ``status.csv``."""
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")
"""Characters that would end a line, or that programs do not show."""


@dataclass(frozen=True, slots=True)
class BulkStatus:
    """A row of the table: one product of a row of the list on a cube, or why there is none.

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
    product : {'parquet', 'lightcurves', 'tpf', ''}
        Kind of the product, see `tessera.bulk.options.Output`; empty if there is none of any kind.
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
    status: Status = "ok"
    reason: str = ""
    product: str = ""
    file: str = ""
    member: str = ""
    sha256: str = ""


def format_status(rows: Iterable[BulkStatus]) -> bytes:
    """Format rows as lines of CSV without the names of the columns: what a band leaves for the table.

    Each row is one line: characters that would end a line become spaces. Values that are not known are empty.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(_values, rows))
    return text.getvalue().encode()


def status_header() -> bytes:
    """The first line of ``status.csv``."""
    return f"{','.join(COLUMNS)}\n".encode()


def parse_status(content: bytes) -> list[BulkStatus]:
    """Read lines of `format_status`, or a whole ``status.csv``.

    Raises
    ------
    ValueError
        When the content is neither.
    """
    lines = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
    return [_parse(values) for values in lines if values != list(COLUMNS)]


def _values(row: BulkStatus) -> Iterator[object]:
    known = bool(row.cube)
    yield from (row.row, plain_line(row.target), row.tic or "", _number(row.ra), _number(row.dec), plain_line(row.cube))
    yield from ((row.sector, row.camera, row.ccd) if known else ("", "", ""))
    yield ("true" if row.best else "false") if known else ""
    yield from (row.status, plain_line(row.reason), row.product, row.file, row.member, row.sha256)


def plain_line(text: str) -> str:
    """The text as one line that can be encoded: spaces for control characters, question marks for half characters."""
    return _CONTROL.sub(" ", text).encode(errors="replace").decode()


def _number(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""


def _parse(values: list[str]) -> BulkStatus:
    if len(values) != len(COLUMNS) or values[10] not in ("ok", "no overlap", "error"):
        raise ValueError(f"{','.join(values)[:80]!r} is not a line of status.csv")
    row, target, tic, ra, dec, cube, sector, camera, ccd, best, status, reason, product, file, member, sha256 = values
    detector = int(sector or 0), int(camera or 0), int(ccd or 0)
    place = int(row), target, int(tic or 0), float(ra or "nan"), float(dec or "nan"), cube, *detector, best != "false"
    return BulkStatus(*place, cast("Status", status), reason, product, file, member, sha256)
