"""Read lists that are tables of astropy: objects, FITS and VOTable."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import BaseCoordinateFrame, SkyCoord
from astropy.io import fits, votable
from astropy.table import Table
from numpy.typing import NDArray

from tessera.bulk.epochs import julian_year
from tessera.bulk.lists.batch import Batch, Column, Role
from tessera.bulk.lists.columns import choose_columns
from tessera.bulk.lists.formats.votable_limits import check_votable
from tessera.errors import InvalidInputError, UnreadableFileError
from tessera.sky.motion import read_targets
from tessera.tess.clock import Time

_LONGEST_REASON = 120


def table_batch(table: Table, argument: str) -> Batch:
    """Rows of a table of astropy. A column of SkyCoords counts as positions.

    Raises
    ------
    InvalidInputError
        When there are no columns of targets.
    """
    names = list(table.colnames)
    sky = next((name for name in names if isinstance(table[name], (SkyCoord, BaseCoordinateFrame))), None)
    others = [name for name in names if name != sky]
    columns = {} if sky is None else sky_columns(table[sky], argument)
    chosen = choose_columns([*map(str, others), *(["ra", "dec"] if columns else [])], argument)
    for role, one in chosen.items():
        if role not in columns:
            columns[role] = _column(table[others[one.place]], one.label, one.unit)
    return Batch(len(table), columns)


def sky_columns(sky: SkyCoord | BaseCoordinateFrame, argument: str) -> dict[Role, Column]:
    """Columns of positions and, where there are any, of proper motions.

    Raises
    ------
    InvalidInputError
        When the positions cannot be converted to ICRS, or have proper motions without a time.
    """
    try:
        targets = read_targets(sky)
    except InvalidInputError as error:
        raise InvalidInputError(argument, sky, error.allowed) from error
    columns: dict[Role, Column] = {"ra": Column("ra", targets.ra), "dec": Column("dec", targets.dec)}
    if np.isfinite(targets.epoch).any():
        epoch = julian_year(targets.epoch)
        columns |= {
            "pm_ra": Column("pm_ra", targets.pm_ra),
            "pm_dec": Column("pm_dec", targets.pm_dec),
            "epoch": Column("epoch", epoch),
        }
    return columns


def _column(column: Any, label: str, unit: str) -> Column:
    """A column of a table, with its unit."""
    if isinstance(column, Time):
        return Column(label, np.asarray(np.ma.filled(np.ma.asarray(column.tdb.jyear), np.nan), np.float64))
    given = getattr(column, "unit", None)
    if given is not None and str(given):
        unit = str(given)
    return Column(label, cells(column.value if isinstance(column, u.Quantity) else column), unit)


def cells(column: Any) -> list[Any] | NDArray[Any]:
    """Cells of an array that may be masked: an array of numbers, or a list with None for those that are masked."""
    array = np.ma.asarray(getattr(column, "unmasked", column))
    hidden = getattr(column, "mask", False)  # a Series of pandas has a method of this name
    mask = np.ma.getmaskarray(array) | (False if callable(hidden) else hidden)
    if array.ndim == 1 and array.dtype.kind == "f":
        return np.where(mask, np.nan, array.data).astype(np.float64)
    if array.ndim == 1 and array.dtype.kind in "iu" and not mask.any():
        return np.asarray(array.data, array.dtype.newbyteorder("="))
    items = array.data.tolist()
    if array.ndim != 1 or not mask.any():
        return list(items)
    return [None if hidden else item for item, hidden in zip(items, mask.tolist(), strict=True)]


def read_fits(data: bytes, name: str) -> Table:
    """Read the first table of a FITS file.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        Its name, for errors.

    Raises
    ------
    UnreadableFileError
        When there is no table, or the file is damaged.
    """
    with table_errors(name), fits.open(io.BytesIO(data), disable_image_compression=True) as hdus:
        for hdu in hdus:
            if isinstance(hdu, (fits.BinTableHDU, fits.TableHDU)) and "ZIMAGE" not in hdu.header:
                return _fits_table(hdu, len(data))
    raise UnreadableFileError(name, "it has no table")


def _fits_table(hdu: Any, size: int) -> Table:
    n_rows, width = int(hdu.header["NAXIS2"]), int(hdu.header["NAXIS1"])
    if n_rows < 0 or n_rows * max(width, 1) > size:
        raise ValueError(f"its header says {n_rows} rows, and the file is shorter")
    if any("P" in str(column.format) or "Q" in str(column.format) for column in hdu.columns):
        keep = [column.name for column in hdu.columns if not set("PQ") & {*str(column.format)}]
        return Table({name: hdu.data[name] for name in keep}, units={n: hdu.columns[n].unit for n in keep})
    return Table.read(hdu)


def read_votable(data: bytes, name: str, most_rows: int) -> Table:
    """Read the table of a VOTable file.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        Its name, for errors.
    most_rows : int
        Largest number of rows that its header may say.

    Raises
    ------
    UnreadableFileError
        When there is no table or there are several ones, the file refers to other files, or it is damaged.
    """
    check_votable(data, name, most_rows)
    with table_errors(name):
        tables = list(votable.parse(io.BytesIO(data), verify="ignore").iter_tables())
        if len(tables) == 1:
            return tables[0].to_table(use_names_over_ids=True)
    raise UnreadableFileError(name, f"it has {len(tables)} tables; allowed: one")


@contextmanager
def table_errors(name: str) -> Iterator[None]:
    """Turn what astropy raises for a damaged table into one error, and ignore its warnings.

    Parameters
    ----------
    name : str
        Name of the file.

    Raises
    ------
    UnreadableFileError
        In place of any other error. astropy raises errors of all kinds for damaged files.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        reason = "it needs too much memory" if isinstance(error, MemoryError) else reason
        raise UnreadableFileError(name, f"it is not a table: {reason}") from error
