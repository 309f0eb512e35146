"""Find names and positions in the columns of tables."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Row, Table
from astropy.utils.data import get_readable_fileobj

from tessera.errors import InvalidInputError, MissingFileError, UnreadableFileError

RA_COLUMNS = (
    "ra", "ra_deg", "radeg", "raj2000", "ra_icrs", "ra_obj", "right_ascension",
    "_raj2000", "_ra_icrs", "_ra.icrs", "_ra",
)  # fmt: skip
DEC_COLUMNS = (
    "dec", "dec_deg", "decdeg", "de", "de_deg", "dedeg", "dej2000", "decj2000", "de_icrs", "dec_icrs", "dec_obj",
    "declination", "_dej2000", "_de_icrs", "_de.icrs", "_de",
)  # fmt: skip
TIC_COLUMNS = ("tic", "tic_id", "ticid", "tid")
POSITION_COLUMNS = ("position", "coordinates")
NAME_COLUMNS = ("name", "target", "target_name", "object", "main_id", *POSITION_COLUMNS, "star", "id")
"""Names of columns in small letters, with "_" for blanks; the first one that a table has is used."""

PM_RA_COLUMNS = ("pmra", "pm_ra", "pmra_cosdec", "pm_ra_cosdec", "pmracosdec", "pm_ra_cosd")
PM_DEC_COLUMNS = ("pmdec", "pm_dec", "pmde", "pm_de")
EPOCH_COLUMNS = ("epoch", "ref_epoch", "obstime", "epoch_ra")
"""Names of columns of proper motions, and of the time of the position; written as those of positions."""

_FORMATS = {"csv": "ascii.csv", "ecsv": "ascii.ecsv", "fits": "fits", "fit": "fits", "vot": "votable", "xml": "votable"}
"""End of a file's name to astropy's name of its format."""

_COMPRESSED = re.compile(r"\.(gz|bz2|xz)$")
DELIMITERS = ",;\t"
"""Characters that may be between cells. The one that is most frequent among the names of the columns is."""

COLUMNS = "a table with the columns ra and dec (degrees, unless they say their unit), or name, or tic"
"""What is allowed, for errors."""
TIC_LIMIT = 2**63
"""Numbers of the TESS Input Catalog are smaller."""
_ROUNDED = re.compile(r"\d+(?:\.(\d*))?E\+?(\d{1,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class TableRow:
    """What a row of a table says about a target.

    Parameters
    ----------
    name : str
        Name; empty if there is none.
    tic : int, str or None
        Number in the TESS Input Catalog; a text that is no such number as it is.
    position : (float, float), str or None
        ICRS degrees, or a written position.
    """

    name: str
    tic: int | str | None
    position: tuple[float, float] | str | None


def as_table(given: Any) -> Table | None:
    """Table of astropy, for a table of astropy or pandas or a structured array; None for anything else."""
    if isinstance(given, (Table, Row)):
        return Table(given)
    if isinstance(given, np.ndarray) and given.dtype.names:
        return Table(given)
    if hasattr(given, "iloc") and hasattr(given, "columns"):
        return Table.from_pandas(given.rename(columns=str))
    return None


def read_table(path: str) -> Table:
    """Read a table of targets from a file: CSV, ECSV, FITS, VOTable, or text with columns.

    Parameters
    ----------
    path : str
        Path of the file. The end of its name says its format; without a known end, astropy finds out.

    Raises
    ------
    UnreadableFileError
        When the file cannot be read, or is no table.
    """
    end = _COMPRESSED.sub("", path.lower()).rpartition(".")[2]
    kind = _FORMATS.get(end, "ascii")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of units and of versions of formats
            table = Table.read(path, format=kind) if kind in ("fits", "votable") else _read_text(path, kind)
    except FileNotFoundError as error:
        raise MissingFileError(path, "there is no such file") from error
    except Exception as error:  # astropy raises errors of any kind for files that are no tables
        if isinstance(error, OSError) and error.strerror:
            raise UnreadableFileError(path, error.strerror.lower(), error.errno) from error
        raise UnreadableFileError(path, f"it is not a table: {_beginning(error)}") from error
    return table


def _read_text(path: str, kind: str) -> Table:
    """Read a table from text as spreadsheets and archives write it.

    There may be a byte order mark, semicolons or tabs in place of commas, and comments above the names of the columns.
    """
    with get_readable_fileobj(path, encoding="binary") as file:
        text = file.read().decode("utf-8-sig")
    if text.startswith("# %ECSV"):
        kind = "ascii.ecsv"
    lines = io.StringIO(text, newline=None).read().split("\n")
    if kind != "ascii.csv":
        return Table.read(lines, format=kind)
    lines = list(dropwhile(is_comment, lines))
    delimiter = max(DELIMITERS, key=(lines or [""])[0].count)
    return Table.read(lines, format=kind, delimiter=delimiter)


def is_comment(line: str) -> bool:
    """Whether a line above the names of the columns is a comment, and not these names after a '#'."""
    names = {column_word(name) for name in re.split("[,;\t]", line)}
    if "column" in names:  # VizieR's line about a column
        names = set()
    return not line.strip() or (line.startswith("#") and not names & {*RA_COLUMNS, *TIC_COLUMNS, *NAME_COLUMNS})


def column_word(name: str) -> str:
    """Name of a column as in `RA_COLUMNS`."""
    return "_".join(name.strip("# \t\r\n").lower().replace("-", " ").split())


def _beginning(error: Exception) -> str:
    """Beginning of what an error of astropy says, in one line."""
    return " ".join(str(error).split())[:120] or type(error).__name__


def read_rows(table: Table, argument: str) -> Iterator[TableRow]:
    """Read the rows of a table.

    Parameters
    ----------
    table : Table
        Table with columns of positions, names or numbers of the TESS Input Catalog. A column of SkyCoords counts as
        positions.
    argument : str
        Name of the caller's argument, for errors.

    Raises
    ------
    InvalidInputError
        When the table has no row, or none of these columns.
    """
    known = {column_word(str(name)): str(name) for name in reversed(table.colnames)}
    ra, dec, tic, name = (
        next((known[word] for word in words if word in known), None)
        for words in (RA_COLUMNS, DEC_COLUMNS, TIC_COLUMNS, NAME_COLUMNS)
    )
    sky = next((column for column in table.colnames if isinstance(table[column], SkyCoord)), None)
    if len(table) == 0 or ((ra is None or dec is None) and not (sky or tic or name)):
        found = f"{len(table)} rows with the columns {', '.join(table.colnames)}"
        raise InvalidInputError(argument, found, COLUMNS)
    if sky is not None:
        places: list[Any] = list(zip(*_degrees_of(table[sky].icrs), strict=True))
    elif ra is not None and dec is not None:
        places = list(map(_place, _values(table[ra]), _values(table[dec])))
    else:
        places = [None] * len(table)
    names = [""] * len(table) if name is None or name == sky else list(map(_text, _values(table[name])))
    tics = [None] * len(table) if tic is None else list(map(read_tic, _values(table[tic])))
    yield from map(TableRow, names, tics, places)


def _degrees_of(sky: SkyCoord) -> tuple[list[float], list[float]]:
    return sky.ra.deg.tolist(), sky.dec.deg.tolist()


def _values(column: Any) -> list[Any]:
    """Values of a column, in degrees if they are angles; None where they are masked."""
    if isinstance(column, u.Quantity) or getattr(column, "unit", None) is not None:
        column = _in_degrees(column)
    return [None if value is np.ma.masked else value for value in np.ma.asarray(column).tolist()]


def _in_degrees(column: Any) -> Any:
    unit = u.Unit(column.unit, parse_strict="silent")
    if unit.physical_type != "angle" or column.dtype.kind not in "iuf":
        return column.value if isinstance(column, u.Quantity) else column
    return np.ma.asarray(column.value if isinstance(column, u.Quantity) else column) * unit.to(u.deg)


def _place(ra: Any, dec: Any) -> tuple[float, float] | str | None:
    """Position of two cells; None if one of them is empty."""
    if any(value is None or str(value).strip() in ("", "nan") for value in (ra, dec)):
        return None
    try:
        pair = float(ra), float(dec)
    except (TypeError, ValueError):
        return f"{ra} {dec}"
    return None if any(map(math.isnan, pair)) else pair


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return " ".join(text.split())


def read_tic(value: Any) -> int | str | None:
    """Number in the TESS Input Catalog that a cell has; None if it is empty, and its text if it is no such number."""
    given = _text(value)
    text = given.upper().removeprefix("TIC").strip()
    if (match := _ROUNDED.fullmatch(text)) and len(match[1] or "") < int(match[2]):
        return given  # a spreadsheet has rounded it, such as 2.61137E+08
    if text in ("", "NAN"):
        return None
    with suppress(ValueError, OverflowError):
        whole = int(text) if text.isdecimal() else int(float(text))
        if (text.isdecimal() or whole == float(text)) and 0 <= whole < TIC_LIMIT:
            return whole
    return given
