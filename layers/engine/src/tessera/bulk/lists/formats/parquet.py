"""Read lists that are Parquet files, some rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.bulk.lists.batch import Batch, Column
from tessera.bulk.lists.columns import Chosen, choose_columns
from tessera.errors import UnreadableFileError
from tessera.extras import import_extra

ROWS_AT_ONCE = 50_000
_MAGIC = b"PAR1"
_PURPOSE = "lists in Parquet"


def read_parquet(data: bytes, name: str, argument: str) -> Iterator[Batch]:
    """Read a Parquet file.

    Parameters
    ----------
    data : bytes
        The file.
    name, argument : str
        Name of the file, and of the caller's argument, for errors.

    Yields
    ------
    Batch
        Some rows.

    Raises
    ------
    InvalidInputError
        When there are no columns of targets.
    UnreadableFileError
        When the file is damaged.
    MissingPackageError
        When arro3 is not installed.
    """
    io = import_extra("arro3.io", _PURPOSE)
    if not (data.startswith(_MAGIC) and data.endswith(_MAGIC) and len(data) > 12):
        raise UnreadableFileError(name, "it is not a Parquet file, or not a whole one")
    batches = _guarded(lambda: io.read_parquet(data, batch_size=ROWS_AT_ONCE), name)
    fields = [(str(field.name), field.type) for field in batches.schema]
    chosen = choose_columns([label for label, _ in fields], argument)
    iterator = iter(batches)
    while (batch := _guarded(lambda: next(iterator, None), name)) is not None:
        yield Batch(batch.num_rows, {role: _column(batch, one, name) for role, one in chosen.items()})


def _column(batch: Any, one: Chosen, name: str) -> Column:
    return Column(one.label, _guarded(lambda: _cells(batch.column(one.place)), name), one.unit)


def _cells(array: Any) -> list[Any] | NDArray[Any]:
    types, kind = import_extra("arro3.core", _PURPOSE).DataType, array.type
    if types.is_floating(kind):
        return np.array(array.to_pylist() if array.null_count else array.to_numpy(), np.float64)
    if types.is_integer(kind) and not array.null_count:
        return np.asarray(array.to_numpy())
    return list(array.to_pylist())


def _guarded(work: Callable[[], Any], name: str) -> Any:
    """Do a piece of work of arro3, whose Rust also panics at damaged files."""
    try:
        return work()
    except BaseException as error:  # a panic is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        reason = " ".join(str(error).split())[:120]
        raise UnreadableFileError(name, f"it is not a table: {reason}") from error
