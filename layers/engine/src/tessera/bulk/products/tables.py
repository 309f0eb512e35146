"""Write tables of Arrow as Parquet files, always the same bytes for the same table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tessera import __version__
from tessera.bulk.products.columns import HEALPIX, PURPOSE, CatalogueColumn
from tessera.extras import import_extra

FACTS_KEY = "tessera"
"""Key of the metadata of a file, a JSON document; see `tessera.bulk.products.columns.file_facts`."""
_COMPRESSION = "zstd(3)"


def write_table(
    file: Any, table: Any, columns: Sequence[CatalogueColumn], facts: Mapping[str, str], per_group: int = 1
) -> None:
    """Write a table of Arrow as Parquet. The same table gives the same bytes.

    Parameters
    ----------
    file : IO or HashedFile
        File that is written from its begin to its end.
    table : arro3.core.Table
        Rows.
    columns : sequence of CatalogueColumn
        Columns of the table.
    facts : mapping
        Metadata of the file.
    per_group : int, optional
        Rows in a row group.
    """
    split = {_path(column): "byte_stream_split" for column in columns if column.kind == "float64"}
    plain = {_path(column): False for column in columns if column.kind == "float64" or column.name == HEALPIX}
    import_extra("arro3.io", PURPOSE).write_parquet(
        table,
        file,
        compression=_COMPRESSION,
        column_encoding=split,
        column_dictionary_enabled=plain,
        created_by=f"tessera {__version__}",
        key_value_metadata={FACTS_KEY: json.dumps(facts, sort_keys=True)},  # of several keys, the order would be random
        max_row_group_size=per_group,
    )


def _path(column: CatalogueColumn) -> Any:
    """Path of a column in a Parquet file."""
    return (column.name, "list", "item") if column.many else column.name
