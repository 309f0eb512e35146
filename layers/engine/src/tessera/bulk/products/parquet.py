"""Light curves of a band as Parquet files, in the partitions of the catalogue.

A band writes some files into each partition that it reaches. A file is small enough for the memory of a task, and its
rows are sorted by their place on the sky.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tessera import __version__
from tessera.bulk.curve_record import curves_record
from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.products.columns import HEALPIX, PURPOSE, CatalogueColumn, arrow_schema, catalogue_columns, file_facts
from tessera.bulk.products.folder import Folder, ProductFile, create_hashed
from tessera.bulk.products.sky import healpix_index, partition_folder, partition_of
from tessera.bulk.products.tables import write_table
from tessera.bulk.status import plain_line
from tessera.bulk.work.made import BulkCurve
from tessera.extras import import_extra
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.provenance.record import Origin
from tessera.tpf.aperture import aperture_digits

BUFFER_BYTES = 64_000_000
"""Largest size of light curves that wait to be written. The largest partition is written then."""
GROUP_BYTES = 4_000_000
"""Size of a row group: what a reader of one light curve reads and unpacks."""
RECORD_KEYS = {"record": "record", "sha256": "record_sha256", "signature": "record_signature"}
"""Parts of a record to their keys in the metadata of a file."""
_CADENCE_BYTES = 60


class _Row(NamedTuple):
    pixel: int
    place: int
    curve: BulkCurve


class CurveTable:
    """Collects light curves, and writes them when there are enough.

    Parameters
    ----------
    folder : Folder
        Folder of the results.
    band : StoredBand
        Targets of the band.
    options : BulkOptions
        What is in the table.
    keep : callable
        Called with each file, and the places of its targets in the band.
    buffer_bytes : int, optional
        Largest size of the light curves that wait.
    origin : Origin, optional
        What the records of the files say of the cube; without it, they have no record.
    vectors : AlignedVectors, optional
        Cotrending vectors of the cube, if they were used.
    named : dict, optional
        Parts of a record that was read, which a file gets in place of its own; see `RECORD_KEYS`.

    Raises
    ------
    MissingPackageError
        When Arrow or HEALPix is not installed.
    """

    def __init__(
        self,
        folder: Folder,
        band: StoredBand,
        options: BulkOptions,
        keep: Callable[[ProductFile, Sequence[int]], object],
        buffer_bytes: int = BUFFER_BYTES,
        *,
        origin: Origin | None = None,
        vectors: AlignedVectors | None = None,
        named: dict[str, str] | None = None,
    ) -> None:
        self._folder, self._band, self._options, self._keep = folder, band, options, keep
        self._buffer_bytes, self._origin, self._vectors, self._named = buffer_bytes, origin, vectors, named
        self._index = healpix_index(band.ra, band.dec)
        self._pixel = partition_of(self._index, band.hats_order)
        self._waiting: defaultdict[int, list[_Row]] = defaultdict(list)
        self._bytes: defaultdict[int, int] = defaultdict(int)
        self._written: defaultdict[int, int] = defaultdict(int)
        self._columns = catalogue_columns(options)
        self._schema = arrow_schema(options)

    def add(self, place: int, curve: BulkCurve) -> None:
        """Add the light curve of the target at a place of the band."""
        pixel = int(self._pixel[place])
        self._waiting[pixel].append(_Row(int(self._index[place]), place, curve))
        self._bytes[pixel] += len(curve.time) * _CADENCE_BYTES
        while sum(self._bytes.values()) > self._buffer_bytes:
            self._write(max(self._bytes, key=lambda pixel: (self._bytes[pixel], -pixel)))

    def finish(self) -> None:
        """Write all that waits."""
        for pixel in sorted(self._waiting):
            self._write(pixel)

    def _write(self, pixel: int) -> None:
        rows = sorted(self._waiting.pop(pixel), key=lambda row: (row.pixel, int(self._band.row[row.place])))
        n_bytes = self._bytes.pop(pixel)
        number = self._written[pixel]
        self._written[pixel] += 1
        name = f"{partition_folder(self._band.hats_order, pixel)}{self._band.number:05d}-{number:03d}.parquet"
        per_group = max(1, GROUP_BYTES * len(rows) // n_bytes)
        kept: list[ProductFile] = []
        table = self._table(rows)
        with create_hashed(self._folder, name, kept.append) as file:
            facts = file_facts(self._options, __version__) | self._record(rows, table)
            write_table(file, table, self._columns, facts, per_group)
        self._keep(kept[0], [row.place for row in rows])

    def _record(self, rows: Sequence[_Row], table: Any) -> dict[str, str]:
        """Text of the record of a file, its SHA-256 and its signature, if any; see docs/explanation/provenance.md."""
        named = self._named or {}
        if self._origin is not None:
            places = [row.place for row in rows]
            named = curves_record(self._origin, self._band, places, self._options, table, vectors=self._vectors).named
        return {RECORD_KEYS[name]: value for name, value in named.items()}

    def _table(self, rows: Sequence[_Row]) -> Any:
        arrow = import_extra("arro3.core", PURPOSE)
        band, curves = self._band, [row.curve for row in rows]
        places = np.array([row.place for row in rows])
        lengths = np.array([len(curve.time) for curve in curves])
        n_rows, n_columns = np.array([curve.mask.shape for curve in curves]).T
        values: dict[str, Any] = {
            HEALPIX: self._index[places],
            "target": [plain_line(band.name[place]) for place in places],
            "aperture": [aperture_digits(curve.mask) for curve in curves],
            "n_aperture": np.array([curve.mask.sum() for curve in curves]),
            "n_cadences": lengths,
            "detrended": [curve.detrended for curve in curves],
            "n_rows": n_rows,
            "n_columns": n_columns,
            **{name: [getattr(band, name)] * len(rows) for name in ("cube", "sector", "camera", "ccd")},
        }
        offsets = arrow.Array.from_numpy(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
        arrays = []
        for column in self._columns:
            if column.many:
                given = [_values(curve, column) for curve in curves]
                flat = arrow.Array.from_numpy(np.concatenate(given).astype(column.kind, copy=False))
                arrays.append(arrow.list_array(offsets, flat, type=self._schema.field(column.name)))
            else:
                given = values[column.name] if column.name in values else getattr(band, column.name)[places]
                arrays.append(_scalars(arrow, column, given))
        return arrow.Table.from_arrays(arrays, schema=self._schema)


def _values(curve: BulkCurve, column: CatalogueColumn) -> NDArray[Any]:
    values = getattr(curve, column.name)
    if values is None:
        return np.full(len(curve.time), np.nan if column.kind == "float64" else -1)
    return np.asarray(values)


def _scalars(arrow: Any, column: CatalogueColumn, values: Any) -> Any:
    if column.kind in ("string", "bool"):
        return arrow.Array(
            [value if column.kind == "string" else bool(value) for value in values],
            type=getattr(arrow.DataType, column.kind)(),
        )
    return arrow.Array.from_numpy(np.asarray(values).astype(column.kind))
