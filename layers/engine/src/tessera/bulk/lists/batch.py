"""Some adjacent rows of a list, before they are understood: the columns that matter, as they were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

from tessera.errors import TooManyRowsError

Role: TypeAlias = Literal[
    "name", "tic", "position", "ra", "dec", "pm_ra", "pm_dec", "epoch", "size", "sectors", "aperture"
]
"""What a column says about a target."""


@dataclass(frozen=True, eq=False)
class Column:
    """Cells of a column.

    Parameters
    ----------
    label : str
        Name of the column as the user wrote it, for errors.
    values : list or ndarray, n_rows values
        The cells: an array of integers or floats, with NaN for empty cells; or a list of anything, with None or an
        empty text for them.
    unit : str
        Unit of the numbers; empty if the column says none.
    comma : bool
        Whether a comma in a number stands for the decimal point.
    """

    label: str
    values: Sequence[Any] | NDArray[Any]
    unit: str = ""
    comma: bool = False


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of a list.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    columns : mapping
        The columns that say something about targets.
    broken : mapping
        Place of a row that cannot be read, from 0, to the reason.
    """

    n_rows: int
    columns: Mapping[Role, Column]
    broken: Mapping[int, str] = field(default_factory=dict)


def check_rows(n_rows: int, most_rows: int, argument: str) -> None:
    """Refuse a list with too many rows.

    Parameters
    ----------
    n_rows, most_rows : int
        Number of rows, and the largest one that is allowed.
    argument : str
        Name of the caller's argument, for errors.

    Raises
    ------
    TooManyRowsError
        When there are too many.
    """
    if n_rows > most_rows:
        raise TooManyRowsError(argument, f"a list with more than {most_rows:,} rows", f"at most {most_rows:,} rows")
