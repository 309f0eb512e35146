"""What the readers of Parquet files share: numbers of the fields of a footer, and one error for damaged files.

Source: parquet.thrift of Apache Parquet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tessera.errors import UnreadableFileError

SCHEMA, GROUPS = 2, 4
"""Fields of a footer: the elements of the schema, and the groups of rows."""
KIND, CHILDREN = 1, 5
"""Fields of an element of the schema: the type of a column, and the number of columns in one that has others."""
COLUMNS = 1
"""Field of a group of rows: its columns."""
CHUNK = 3
"""Field of a column in a group of rows: what follows."""
N_VALUES, COMPRESSED, DATA_PAGE, DICTIONARY_PAGE = 5, 7, 9, 11
"""Number of values, packed size in bytes, and where the first page of data and the dictionary begin in the file."""


@contextmanager
def arrow_errors(name: str) -> Iterator[None]:
    """Turn what is raised for a damaged file into one error.

    Parameters
    ----------
    name : str
        Name of the file.

    Raises
    ------
    UnreadableFileError
        In place of any other error. Arrow panics at some damages, which is no `Exception` for Python.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if isinstance(error, (OSError, MemoryError)):  # the file itself cannot be read
            raise
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise UnreadableFileError(name, f"it is damaged, or no Parquet file ({reason})") from error
