"""Makes the file of a star catalogue from tables, and puts it into the bucket of cubes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import IO

import numpy as np
from numpy.typing import NDArray

from tessera.bulk.epochs import FIRST_YEAR, LAST_YEAR
from tessera.errors import InvalidInputError, InvalidValueError
from tessera_cloud import keys
from tessera_cloud.application.neighbours.layout import (
    MOST_STARS,
    N_CELLS,
    OFFSET,
    RECORD,
    Records,
    StarFile,
    cells_of,
)
from tessera_cloud.application.neighbours.tables import StarTable, read_stars
from tessera_cloud.application.results import ResultWriter
from tessera_cloud.ports import ObjectStore

LONGEST_NAME = 40
_PIECES = 64
"""Pieces of the sky that are sorted one at a time, so that the memory does not depend on the number of stars."""
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, eq=False)
class Made:
    """A file of stars that was made.

    Parameters
    ----------
    path : Path
        The file.
    file : StarFile
        What it has.
    left_out : Counter
        Number of rows that are not in it, by the reason.
    """

    path: Path
    file: StarFile
    left_out: Counter[str]


def make_star_file(sources: Sequence[str | StarTable], name: str, epoch: float | None, path: Path) -> Made:
    """Make the file of a catalogue.

    A star that is in several tables, or several times in one, is taken once.

    Parameters
    ----------
    sources : sequence of str or StarTable
        Paths of the tables, or tables that were read.
    name : str
        Name of the catalogue, such as ``Gaia DR3``.
    epoch : float or None
        Julian year of the positions, for tables that do not say it. It is needed if there are proper motions.
    path : Path
        The new file.

    Raises
    ------
    InvalidInputError
        If a table lacks columns, there is no star, or the epochs differ or are not known.
    UnreadableFileError
        If a table cannot be read.
    """
    _check(name, epoch)
    left_out: Counter[str] = Counter()
    epochs: set[float] = set()
    fastest, n_read = 0.0, 0
    with TemporaryDirectory(dir=path.parent) as folder:
        pieces = _Pieces(Path(folder))
        for source in sources:
            table = read_stars(source) if isinstance(source, str) else source
            left_out.update({f"without {what}": count for what, count in table.left_out.items()})
            motion = float(np.nanmax(np.hypot(table.records["pm_ra"], table.records["pm_dec"]), initial=0.0))
            fastest, n_read = max(fastest, motion), n_read + len(table.records)
            epochs |= {year for year in (table.epoch if epoch is None else epoch,) if year is not None}
            pieces.add(table.records)
        if n_read == 0:
            raise InvalidInputError("tables", "without a star", "tables with at least one star")
        year = _one_epoch(epochs, moves=fastest > 0)
        n_stars, faintest = pieces.write(path)
    left_out.update({"there already": n_read - n_stars} if n_read > n_stars else {})
    key = keys.star_file(_hash(path))
    file = StarFile(name=name, key=key, n_stars=n_stars, epoch=year, faintest=faintest, fastest=fastest)
    return Made(path, file, left_out)


def _check(name: str, epoch: float | None) -> None:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise InvalidValueError("name", name, f"1 to {LONGEST_NAME} characters that can be printed, such as Gaia DR3")
    if epoch is not None and not FIRST_YEAR <= epoch <= LAST_YEAR:
        raise InvalidValueError("epoch", epoch, f"a Julian year from {FIRST_YEAR} to {LAST_YEAR}, such as 2016.0")


def _one_epoch(epochs: set[float], *, moves: bool) -> float:
    if len(epochs) == 1:
        return epochs.pop()
    if epochs or moves:
        seen = " and ".join(f"{year:g}" for year in sorted(epochs)) or "missing"
        raise InvalidInputError("epoch", seen, "one Julian year for all tables, in a column ref_epoch or as the option")
    return 2000.0  # nothing moves


class _Pieces:
    """Stars by pieces of the sky, in temporary files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._per_piece = -(-N_CELLS // _PIECES)
        self._counts = np.zeros(N_CELLS, np.int64)

    def _path(self, piece: int) -> Path:
        return self._folder / f"{piece:02d}"

    def add(self, records: Records) -> None:
        """Add stars."""
        piece = cells_of(records["ra"], records["dec"]) // self._per_piece
        for number in np.unique(piece).tolist():
            with self._path(number).open("ab") as file:
                records[piece == number].tofile(file)

    def write(self, path: Path) -> tuple[int, float]:
        """Write the file of all stars; returns their number, and the largest magnitude."""
        faintest = -np.inf
        with path.open("wb") as file:
            file.seek((N_CELLS + 1) * OFFSET.itemsize)
            for piece in range(_PIECES):
                with suppress(FileNotFoundError):
                    faintest = max(faintest, self._write_piece(np.fromfile(self._path(piece), RECORD), file))
            offsets = np.concatenate([[0], np.cumsum(self._counts)])
            if offsets[-1] > MOST_STARS:
                raise InvalidInputError("tables", f"with {offsets[-1]:,} stars", f"at most {MOST_STARS:,} stars")
            file.seek(0)
            offsets.astype(OFFSET).tofile(file)
        return int(offsets[-1]), float(faintest)

    def _write_piece(self, records: Records, file: IO[bytes]) -> float:
        cells: NDArray[np.int64] = cells_of(records["ra"], records["dec"])
        order = np.lexsort((records["id"], cells))
        records, cells = records[order], cells[order]
        kept = np.ones(len(records), np.bool_)
        kept[1:] = (records["id"][1:] != records["id"][:-1]) | (cells[1:] != cells[:-1])
        records = records[kept]
        self._counts += np.bincount(cells[kept], minlength=N_CELLS)
        file.write(records.tobytes())
        return float(records["magnitude"].max())


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def put_star_file(made: Made, store: ObjectStore, bucket: str) -> None:
    """Put a file of stars into a bucket, and make it the current one. Files of earlier catalogues are deleted.

    Requests find either the old catalogue or the new one: the document that names the file is written last.
    """
    with ResultWriter(store, bucket, made.file.key) as out, made.path.open("rb") as file:
        copyfileobj(file, out, _PIECE_BYTES)
        out.keep()
    store.write(bucket, keys.STAR_DOCUMENT, made.file.model_dump_json(indent=2).encode())
    for found in list(store.list_objects(bucket, keys.STARS)):
        if found.key not in (keys.STAR_DOCUMENT, made.file.key):
            store.delete(bucket, found.key)


def remove_star_file(store: ObjectStore, bucket: str) -> bool:
    """Remove the catalogue from a bucket; returns whether there was one."""
    found = [entry.key for entry in store.list_objects(bucket, keys.STARS)]
    for key in sorted(found, key=lambda key: key != keys.STAR_DOCUMENT):
        store.delete(bucket, key)
    return keys.STAR_DOCUMENT in found
