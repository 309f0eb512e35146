"""The index of footprints that MAST publishes, and our own index of the same form.

It is a JSON object of columns of equal length. The columns are obs_id, s_region, target_name, sequence_number (the
sector), t_min and t_max. Our own index also has the bucket and the key of each cube.
"""

from __future__ import annotations

import json
import os
import threading
import warnings
from collections.abc import Callable
from contextlib import closing
from time import monotonic
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from tessera.errors import DataWarning, UnreadableFileError
from tessera.io.sources import Location, open_source
from tessera.sky.footprint import Footprint, footprint_vectors
from tessera.tess.ids import CcdId
from tessera.tess.products import SPOC, Product

INDEX_SECONDS = 900.0
"""Seconds after which an index is read again."""
_COLUMNS = "obs_id, s_region, target_name and sequence_number"


def parse_index(data: bytes, name: str = "index") -> Table:
    """Read an index of footprints.

    Parameters
    ----------
    data : bytes
        The index as JSON.
    name : str, optional
        Name of its file, for the error.

    Returns
    -------
    Table
        Columns of the index, and ``polygon``: the corners as unit vectors, shape (n, vertices, 3). A footprint that
        has fewer than four corners is left out with a `DataWarning`.

    Raises
    ------
    UnreadableFileError
        When the data are not an index.
    """
    try:
        columns: dict[str, list[Any]] = json.loads(data)
        rows = zip(columns["obs_id"], columns["s_region"], columns["target_name"], strict=True)
        usable = [_usable(str(obs_id), str(region)) for obs_id, region, _ in rows]
        table = Table(columns)[usable]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnreadableFileError(name, f"it is not an index of footprints: JSON of {_COLUMNS} as lists") from error
    table["polygon"] = footprint_vectors(list(table["s_region"]))
    return table


def _usable(name: str, s_region: str) -> bool:
    try:
        n_vertices = len(Footprint.parse_s_region(s_region).vertices)
    except ValueError as error:
        warnings.warn(f"The footprint of {name} is not used: {error}", DataWarning, stacklevel=2)
        return False
    if n_vertices < 4:
        warnings.warn(f"The footprint of {name} is not used: {n_vertices} corners", DataWarning, stacklevel=2)
    return n_vertices >= 4


def footprint_corners(all_ffis: Table) -> NDArray[np.float64]:
    """Corners of the footprints as unit vectors. A table that `parse_index` did not make has only s_region texts."""
    if "polygon" in all_ffis.colnames and all_ffis["polygon"].dtype.kind == "f":
        return np.asarray(all_ffis["polygon"])
    return footprint_vectors(list(all_ffis["s_region"]))


def ccd_ids(found: Table, product: Product = SPOC) -> list[tuple[dict[str, Any], CcdId]]:
    """Rows of one product, each with its sector, camera and CCD."""
    rows = (dict(zip(row.colnames, row, strict=True)) for row in found)
    matches = ((row, product.obs_id.match(row["obs_id"])) for row in rows if row["target_name"] == product.target_name)
    return [(row, CcdId(*map(int, match.groups()))) for row, match in matches if match]


class FootprintIndexes:
    """Cache of indexes of footprints. Each index is kept for `INDEX_SECONDS`.

    Parameters
    ----------
    clock : callable, optional
        Function that returns the time in seconds since any fixed moment.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, Any], tuple[float, Table]] = {}

    def read(self, location: Location) -> Table:
        """Return an index from memory, or read it.

        Parameters
        ----------
        location : str or Path
            Local path, ``s3://`` or ``https://`` URL of the index, or a location in a file system of fsspec.

        Raises
        ------
        OSError
            When the index cannot be read.
        """
        name = os.fspath(location)
        key = (str(name), getattr(location, "filesystem", None))
        with self._lock:
            read_at, table = self._known.get(key, (-np.inf, None))
            if self._clock() - read_at >= INDEX_SECONDS:
                with closing(open_source(location)) as source:
                    table = parse_index(source.read(0, source.size), name)
                self._known[key] = self._clock(), table
        return table.copy()

    def forget(self) -> None:
        """Clear the cache, so that the next call of `read` reads its index again."""
        with self._lock:
            self._known.clear()


INDEXES = FootprintIndexes()
"""The cache of this process."""
