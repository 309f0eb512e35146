"""Reads tables of stars: extracts of Gaia, of the TIC, and of others with the same names of columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table

from tessera.bulk.epochs import FIRST_YEAR, LAST_YEAR
from tessera.bulk.parquet_files import arrow_errors
from tessera.errors import InvalidInputError, MissingFileError
from tessera.extras import import_extra
from tessera.targets.table import (
    DEC_COLUMNS,
    EPOCH_COLUMNS,
    PM_DEC_COLUMNS,
    PM_RA_COLUMNS,
    RA_COLUMNS,
    TIC_COLUMNS,
    column_word,
    read_table,
)
from tessera_cloud.application.neighbours.layout import RECORD, Floats, Records

ID_COLUMNS = ("source_id", *TIC_COLUMNS, "gaia_id", "id", "source", "number")
MAGNITUDE_COLUMNS = ("tmag", "tessmag", "tess_mag", "t_mag", "mag_t")
G_COLUMNS = ("phot_g_mean_mag", "gmag", "g_mag", "gaiamag")
BP_COLUMNS = ("phot_bp_mean_mag", "bpmag", "bp_mag", "gaiabp")
RP_COLUMNS = ("phot_rp_mean_mag", "rpmag", "rp_mag", "gaiarp")
"""Names of columns in small letters; the first one that a table has is used."""
COLUMNS = (
    "the columns ra and dec (degrees), source_id, tic or id, and Tmag or phot_g_mean_mag "
    "(better with phot_bp_mean_mag and phot_rp_mean_mag)"
)
"""What is allowed, for errors."""
_MAS_PER_YEAR = u.mas / u.yr
_COLOURS = (-0.2, 3.5)
_LARGEST_EXACT = 2**53
_NUMBER = re.compile(r"(?:.*\s)?(\d{1,19})", re.ASCII)


@dataclass(frozen=True, eq=False)
class StarTable:
    """Stars of a table.

    Parameters
    ----------
    records : structured ndarray, shape (n,)
        The stars.
    epoch : float or None
        Julian year of the positions; None if the table does not say it.
    left_out : dict
        Number of rows that are left out, by what they lack.
    """

    records: Records
    epoch: float | None
    left_out: dict[str, int] = field(default_factory=dict)


def read_stars(path: str) -> StarTable:
    """Read the stars of a file: CSV, ECSV, FITS, VOTable, Parquet, or text with columns.

    Rows without a position, a number or a magnitude are left out and counted.

    Raises
    ------
    InvalidInputError
        If columns are missing, a column is of another kind, or there are several epochs.
    UnreadableFileError
        If the file cannot be read, or is no table.
    """
    table = _read_parquet(path) if path.lower().endswith((".parquet", ".pq")) else read_table(path)
    columns = {column_word(name): table[name] for name in reversed(table.colnames)}
    ra, dec = (_values(_needed(columns, names, path), path, u.deg) for names in (RA_COLUMNS, DEC_COLUMNS))
    magnitude = _tess_magnitudes(columns, path)
    number = _ids(columns, path)
    records = np.zeros(len(table), RECORD)
    records["id"], records["ra"], records["dec"], records["magnitude"] = number, ra % 360.0, dec, magnitude
    records["ra"][records["ra"] == 360] = 0  # of tiny negative angles
    records["pm_ra"], records["pm_dec"] = _motions(columns, path, len(table))
    lacks = {
        "a position": ~(np.isfinite(ra) & (np.abs(dec) <= 90)),
        "a number": number < 0,
        "a magnitude": ~np.isfinite(magnitude),
    }
    kept = ~np.any(list(lacks.values()), axis=0)
    counts = {what: int(mask.sum()) for what, mask in lacks.items() if mask.any()}
    return StarTable(records[kept], _epoch(columns, path), counts)


def _read_parquet(path: str) -> Table:
    io = import_extra("arro3.io", "tables of stars in Parquet")
    if not Path(path).is_file():
        raise MissingFileError(path, "there is no such file")
    with arrow_errors(path):
        arrow = io.read_parquet(path).read_all()
    return Table({name: _cells(arrow.column(name)) for name in arrow.schema.names})


def _cells(column: Any) -> Any:
    """Cells of a column of Arrow; those that are null are masked."""
    if not column.null_count:
        return column.to_numpy()
    cells = column.to_pylist()
    empty = next((type(cell)() for cell in cells if cell is not None), 0.0)
    return np.ma.array([empty if cell is None else cell for cell in cells], mask=[cell is None for cell in cells])


def _column(columns: dict[str, Any], names: Sequence[str]) -> Any:
    return next((columns[name] for name in names if name in columns), None)


def _values(column: Any, path: str, unit: u.UnitBase | None = None) -> Floats:
    """Numbers of a column, in a unit if the column says one; NaN where there is none."""
    given = getattr(column, "unit", None)
    try:
        filled = np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan)
        factor = 1.0 if unit is None or given is None or not str(given) else u.Unit(given).to(unit)
    except (TypeError, ValueError, u.UnitsError) as error:
        allowed = "numbers" if unit is None else f"numbers in {unit}, or in a unit that it can be converted from"
        raise InvalidInputError(f"{path}: column {column.name}", _first(column), allowed) from error
    return np.asarray(filled, np.float64) * factor


def _first(column: Any) -> str:
    return str(column[0]) if len(column) else "empty"


def _needed(columns: dict[str, Any], names: Sequence[str], path: str) -> Any:
    column = _column(columns, names)
    if column is None:
        raise InvalidInputError(path, f"a table with the columns {', '.join(list(columns)[::-1][:20])}", COLUMNS)
    return column


def _ids(columns: dict[str, Any], path: str) -> Any:
    """Numbers of the stars; -1 where there is none."""
    column = _needed(columns, ID_COLUMNS, path)
    values = np.ma.asarray(column)
    if values.dtype.kind in "iu":
        return np.ma.filled(values.astype(np.int64), -1)
    if values.dtype.kind == "f":
        whole = np.ma.filled(values.astype(np.float64), -1)
        if (np.abs(whole) > _LARGEST_EXACT).any():
            raise InvalidInputError(f"{path}: column {column.name}", _first(column), "integers; floats lose digits")
        return np.where(np.isfinite(whole) & (whole == np.floor(whole)), whole, -1).astype(np.int64)
    found = [_NUMBER.fullmatch(str(text).strip()) for text in values.tolist()]
    return np.array([int(match[1]) if match and int(match[1]) < 2**63 else -1 for match in found], np.int64)


def _tess_magnitudes(columns: dict[str, Any], path: str) -> Floats:
    """TESS magnitudes; of Gaia's magnitudes by the relations of Stassun et al. (2019, AJ 158, 138), section 2.3.1.

    Stars without a colour, or with one outside of the relation, get T = G - 0.430.
    """
    given, g = _column(columns, MAGNITUDE_COLUMNS), _column(columns, G_COLUMNS)
    known = np.nan if given is None else _values(given, path)
    if g is None:
        return _values(_needed(columns, MAGNITUDE_COLUMNS, path), path)
    magnitude = _values(g, path) - 0.430
    bp, rp = _column(columns, BP_COLUMNS), _column(columns, RP_COLUMNS)
    if bp is not None and rp is not None:
        colour = _values(bp, path) - _values(rp, path)
        from_colour = np.polyval([-0.00522555, 0.0891337, -0.633923, 0.0324473], colour) + _values(g, path)
        with np.errstate(invalid="ignore"):
            inside = (colour > _COLOURS[0]) & (colour < _COLOURS[1])
        magnitude = np.where(inside, from_colour, magnitude)
    return np.where(np.isfinite(known), known, magnitude)


def _motions(columns: dict[str, Any], path: str, n_rows: int) -> tuple[Floats, Floats]:
    found = [_column(columns, names) for names in (PM_RA_COLUMNS, PM_DEC_COLUMNS)]
    if found[0] is None and found[1] is None:
        return np.full(n_rows, np.nan), np.full(n_rows, np.nan)
    if found[0] is None or found[1] is None:
        name = next(column.name for column in found if column is not None)
        raise InvalidInputError(path, f"a table with the column {name} alone", "both proper motions, or none")
    both = [_values(column, path, _MAS_PER_YEAR) for column in found]
    unknown = ~np.isfinite(both).all(axis=0)
    return np.where(unknown, np.nan, both[0]), np.where(unknown, np.nan, both[1])


def _epoch(columns: dict[str, Any], path: str) -> float | None:
    column = _column(columns, EPOCH_COLUMNS)
    if column is None:
        return None
    years = np.unique(_values(column, path))
    years = years[np.isfinite(years)]
    if len(years) == 0:
        return None
    if len(years) > 1 or not FIRST_YEAR <= years[0] <= LAST_YEAR:
        seen = ", ".join(f"{year:g}" for year in years[:5])
        raise InvalidInputError(f"{path}: column {column.name}", seen, "one Julian year for all stars, such as 2016.0")
    return float(years[0])
