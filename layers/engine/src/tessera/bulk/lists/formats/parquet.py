"""Read lists that are Parquet files, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.bulk.lists.batch import Batch, Column, Role
from tessera.bulk.lists.columns import Chosen, choose_columns
from tessera.bulk.lists.formats.parquet_limits import rows_at_once
from tessera.bulk.lists.formats.parquet_trial import try_parquet
from tessera.bulk.parquet_files import arrow_errors
from tessera.errors import UnreadableFileError
from tessera.extras import import_extra

_Cells: TypeAlias = "list[Any] | NDArray[Any]"

ROWS_AT_ONCE = 20_000
_BYTES_AT_ONCE = 64_000_000
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
    n_rows = rows_at_once(data, name)
    try_parquet(data, n_rows, name)
    with arrow_errors(name):
        batches = io.read_parquet(data, batch_size=n_rows)
    chosen = choose_columns(batches.schema.names, argument)
    for block in _blocks(batches, chosen, name):
        columns = {role: _joined(one, [columns[role] for columns in block]) for role, one in chosen.items()}
        yield Batch(len(next(iter(columns.values())).values), columns)


def _blocks(batches: Any, chosen: Mapping[Role, Chosen], name: str) -> Iterator[list[dict[Role, _Cells]]]:
    """Cells of some batches at a time."""
    iterator = iter(batches)
    block: list[dict[Role, _Cells]] = []
    n_rows = n_bytes = 0
    while True:
        with arrow_errors(name):
            if (batch := next(iterator, None)) is None:
                break
            arrays = {role: batch.column(one.place) for role, one in chosen.items()}
            block.append({role: _cells(array) for role, array in arrays.items()})
        n_rows, n_bytes = n_rows + batch.num_rows, n_bytes + sum(array.nbytes for array in arrays.values())
        if n_rows >= ROWS_AT_ONCE or n_bytes > _BYTES_AT_ONCE:
            yield block
            block, n_rows, n_bytes = [], 0, 0
    if block:
        yield block


def _joined(one: Chosen, pieces: list[_Cells]) -> Column:
    arrays = [piece for piece in pieces if isinstance(piece, np.ndarray)]
    if len(arrays) == len(pieces):
        return Column(one.label, np.concatenate(arrays), one.unit)
    return Column(one.label, [cell for piece in pieces for cell in piece], one.unit)


def _cells(array: Any) -> _Cells:
    types, kind = import_extra("arro3.core", _PURPOSE).DataType, array.type
    if types.is_floating(kind):
        return np.array(array.to_pylist() if array.null_count else array.to_numpy(), np.float64)
    if types.is_integer(kind) and not array.null_count:
        return np.asarray(array.to_numpy())
    return list(array.to_pylist())
