"""The work on one band, from the bytes of its cube to the files of its targets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.products.band import failed_band, open_band
from tessera.bulk.products.folder import Folder, ProductFile
from tessera.bulk.status import BulkStatus
from tessera.bulk.work.making import make_band
from tessera.bulk.work.reading import ReadBuffer
from tessera.cubes.read_ahead import READ_AHEAD_BYTES
from tessera.cubes.reader import Cube
from tessera.errors import UNREADABLE, CubeFormatError, TesseraError
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.provenance.record import Origin


@dataclass(frozen=True)
class BandOutcome:
    """What became of a band.

    Parameters
    ----------
    number : int
        Number of the band.
    cube : str
        Id of its cube.
    n_ok, n_failed : int
        Targets with products, and without.
    n_requests, n_bytes : int
        Range requests that were sent, and bytes that were read.
    files : tuple of ProductFile
        Files that were written.
    statuses : tuple of BulkStatus
        Rows of the status table, in the order of the list.
    reason : str
        Why no target of the band could be made; empty otherwise.
    """

    number: int
    cube: str
    n_ok: int
    n_failed: int
    n_requests: int = 0
    n_bytes: int = 0
    files: tuple[ProductFile, ...] = ()
    statuses: tuple[BulkStatus, ...] = ()
    reason: str = ""


class _UnreadableError(TesseraError):
    """The cube cannot be read. It keeps errors of the cube apart from those of the folder of the results."""


class _CountedRead:
    """Reads a cube, and counts requests and bytes."""

    def __init__(self, read: ReadBuffer) -> None:
        self._read, self._lock = read, threading.Lock()
        self.n_requests = self.n_bytes = 0

    def __call__(self, start: int, length: int) -> Any:
        with self._lock:
            self.n_requests += 1
        try:
            data = self._read(start, length)
        except UNREADABLE as error:
            raise _UnreadableError(str(error)) from error
        with self._lock:
            self.n_bytes += length
        return data


def cut_band(
    band: StoredBand,
    cube: Cube,
    read: ReadBuffer,
    folder: Folder,
    options: BulkOptions,
    *,
    pool: Executor | None = None,
    ahead: int = READ_AHEAD_BYTES,
    origin: Origin | None = None,
    vectors: AlignedVectors | None = None,
    check_unchanged: Callable[[], object] | None = None,
    on_target: Callable[[int], object] | None = None,
) -> BandOutcome:
    """Make the products of a band. The same band gives the same files, so it can be done again.

    A target that cannot be made costs only itself. A cube that cannot be read, or was replaced, costs its band: then
    the outcome has the reason, and no file.

    Parameters
    ----------
    band, cube, read, options, pool, ahead, origin, vectors
        See `tessera.bulk.work.making.make_band`. `read` raises errors of `tessera.errors.UNREADABLE` for a cube that
        cannot be read. What else it raises ends the work.
    folder : Folder
        Where the files are written.
    check_unchanged : callable, optional
        Called before the first read and after the last one. It raises `tessera.io.sources.ReplacedError` if the cube is
        not the one of the plan.
    on_target : callable, optional
        Called after each target with the number of targets that are done.

    Raises
    ------
    OSError
        When a file cannot be written.
    """
    counted = _CountedRead(read)
    try:
        _check(check_unchanged)
        with open_band(folder, band, cube, options, origin=origin, vectors=vectors) as writer:
            how: dict[str, Any] = {"pool": pool, "ahead": ahead, "origin": origin, "vectors": vectors}
            for done, made in enumerate(make_band(band, cube, counted, options, **how), 1):
                writer.add(made)
                if on_target is not None:
                    on_target(done)
            _check(check_unchanged)
    except (_UnreadableError, CubeFormatError) as error:
        return lost_band(band, str(error), counted.n_requests, counted.n_bytes)
    counts = (writer.n_ok, writer.n_failed, counted.n_requests, counted.n_bytes)
    return BandOutcome(band.number, band.cube, *counts, writer.files, writer.statuses)


def _check(check_unchanged: Callable[[], object] | None) -> None:
    try:
        if check_unchanged is not None:
            check_unchanged()
    except UNREADABLE as error:
        raise _UnreadableError(str(error)) from error


def lost_band(band: StoredBand, reason: str, n_requests: int = 0, n_bytes: int = 0) -> BandOutcome:
    """Outcome of a band of which nothing could be made, such as one whose cube cannot be opened."""
    statuses = failed_band(band, reason)
    return BandOutcome(band.number, band.cube, 0, len(band), n_requests, n_bytes, (), statuses, reason)
