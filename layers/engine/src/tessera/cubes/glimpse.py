"""A first look at a cube, before its info table has been read: headers and the row of one cadence.

The row says where the pixels of a target are, so that they can be asked for while the table is on its way. Nothing is
checked. What is made of a cube follows from its table, as if there had been no first look.
"""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np

from tessera.cubes.checks import read_table_header
from tessera.cubes.frames import ReadBytes
from tessera.cubes.info_rows import InfoRows, table_columns
from tessera.cubes.reader import Cube, read_cube_layout, read_series
from tessera.fits.headers import padded
from tessera.tess.products import find_product

_HEADER_BYTES = 64 << 10
"""Bytes at the beginning of the info table that are read: more than its header."""
_BEFORE, _AFTER = 4 << 10, 36 << 10
"""Bytes before and after the middle of the info table that are read. Its header moves the row by half its size."""


def glimpse(name: str, file_size: int, read: ReadBytes, pool: Executor) -> Cube:
    """Read what a cube would be if the middle cadence were the only one.

    Parameters
    ----------
    name, file_size, read
        See `tessera.cubes.reader.read_cube`.
    pool : Executor
        Threads that read the header and the middle of the info table at the same time.

    Returns
    -------
    Cube
        Layout, and the WCS that the whole cube has if that cadence has a WCS. The series have one value each.

    Raises
    ------
    Exception
        Any error, when the file is damaged or the row is somewhere else.
    """
    primary, layout, data_offset = read_cube_layout(name, file_size, read, check=False)
    table = data_offset + padded(layout.data_bytes)
    first = max(table, (table + file_size) // 2 - _BEFORE)
    lengths = [min(file_size - table, _HEADER_BYTES), min(file_size - first, _BEFORE + _AFTER)]
    start, middle = pool.map(read, (table, first), lengths)
    header, cadence = read_table_header(name, start), layout.n_cadences // 2
    dtype, nulls = table_columns(header)
    place = table + header.n_bytes + cadence * dtype.itemsize - first
    if place < 0:
        raise ValueError(f"the row of cadence {cadence} is not in the middle of the table")
    row = InfoRows(np.frombuffer(middle, dtype, 1, place), nulls)
    product = find_product(name, row)
    series = read_series(name, product, row)
    return Cube(name, product, primary, layout, data_offset, series, cadence, row.cards(0))
