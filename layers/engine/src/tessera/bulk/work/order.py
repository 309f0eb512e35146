"""What the processes of one machine share: where the cubes and the results of a list are, and the work on a band."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.products.local import LocalFolder
from tessera.bulk.work.band import BandOutcome, cut_band, lost_band
from tessera.bulk.work.records import BandRecord, RunFolder
from tessera.cube_sources import open_cube_source
from tessera.cubes.reader import Cube
from tessera.cutouts.origin.cube_record import cube_origin
from tessera.errors import UNREADABLE, MissingFileError
from tessera.io.locations import shown
from tessera.io.ranges import REQUESTS_IN_FLIGHT
from tessera.io.sources import Location, ReplacedError, Source
from tessera.lightcurves.detrending.alignment import choose_vectors, open_vectors
from tessera.lightcurves.detrending.vectors import AlignedVectors


@dataclass(frozen=True)
class KnownCube:
    """A cube that was opened for the plan.

    Parameters
    ----------
    location : str or Path
        Where it is, in its file system.
    version : str
        Version of the file; see `tessera.io.sources.Source`.
    sidecar : bytes
        Everything but its pixels; see `tessera.cubes.reader.Cube.to_sidecar`.
    """

    location: Location
    version: str
    sidecar: bytes


@dataclass(frozen=True)
class ListOrder:
    """What is made, and where.

    Parameters
    ----------
    folder : Path
        Folder of the results.
    options : BulkOptions
        What is made.
    """

    folder: Path
    options: BulkOptions

    def cut(self, band: StoredBand, known: KnownCube, on_target: Callable[[int], object] | None = None) -> BandRecord:
        """Make the products of a band of a cube and keep its record.

        Raises
        ------
        OSError
            When a file cannot be written.
        """
        record = BandRecord.of(self._cut(band, known, on_target))
        RunFolder(self.folder).keep(record)
        return record

    def _cut(self, band: StoredBand, known: KnownCube, on_target: Callable[[int], object] | None) -> BandOutcome:
        try:
            source = open_cube_source(known.location)
        except UNREADABLE as error:
            return lost_band(band, str(error))
        with closing(source), reading_pool(source) as pool:

            def check_unchanged() -> None:
                if source.version != known.version:
                    raise ReplacedError(shown(known.location), "replaced")
                source.check_unchanged()

            cube = Cube.from_sidecar(known.sidecar)
            return cut_band(
                band,
                cube,
                source.read_buffer,
                LocalFolder(self.folder),
                self.options,
                pool=pool,
                origin=cube_origin(known.location, source, cube),
                vectors=_vectors_of(known) if self.options.detrend == "cbv" else None,
                check_unchanged=check_unchanged,
                on_target=on_target,
            )


def _vectors_of(known: KnownCube) -> AlignedVectors | None:
    """Cotrending vectors beside a cube; None if there are none. Then each light curve says so."""
    try:
        vectors = open_vectors(choose_vectors(None, shown(known.location)))
    except MissingFileError:
        return None
    return AlignedVectors(vectors.vectors, vectors.gap, vectors.origin)


@contextmanager
def reading_pool(source: Source) -> Iterator[ThreadPoolExecutor | None]:
    """Threads that read a remote cube; None for a file of this machine."""
    if not source.remote:
        yield None
        return
    with ThreadPoolExecutor(REQUESTS_IN_FLIGHT, "tessera-rows") as pool:
        yield pool
