"""Work on one band of a list: read its pixels, and write its products and its record."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import isfinite

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.status import format_status
from tessera.bulk.work import band as engine
from tessera.bulk.work.band import BandOutcome, lost_band
from tessera.cubes.reader import Cube
from tessera.errors import TesseraError, UnreadableFileError
from tessera_cloud import keys
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.bulk.folder import ProductFolder
from tessera_cloud.application.bulk.order import BandFile, BandRecord, BandTask
from tessera_cloud.application.bulk.submit import read_order
from tessera_cloud.application.cutouts.planned import published_origin
from tessera_cloud.application.index.look_again import look_again
from tessera_cloud.application.index.withdrawn import is_withdrawn
from tessera_cloud.application.lightcurves.vectors import find_vectors
from tessera_cloud.application.sidecar import cube_ranges, known_cube
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import VANISHED, FatalError, ObjectMissingError
from tessera_cloud.ports import Buffer, RequestPace

_IN_FLIGHT = 32
"""Requests of a task at the same time."""
_REPLACED = "the cube was replaced or removed after the list was planned; ask for the list again"


def cut_band(task: BandTask, backend: HasCubes) -> BandRecord:
    """Make the products of one band, and leave a record. A band that has a record of this plan is not done again.

    A band whose cube cannot be read, or was replaced since the plan, gets a record with the reason, and the list goes
    on. A later attempt does such a band again. The record is written last, so a task that is killed leaves none, and
    the next one writes the same products again.
    """
    store, bucket = backend.store, backend.settings.result_bucket
    known = _read_record(task, backend)
    if known is not None:
        return known
    band = StoredBand.from_bytes(store.read(bucket, keys.bulk_band(task.job, task.band))[0])
    outcome = _make(band, task, read_order(store, bucket, task.job).options, backend)
    store.write(bucket, keys.bulk_status(task.job, task.band), format_status(outcome.statuses))
    failed = {status.row for status in outcome.statuses if status.status == "error"}
    made = {status.row for status in outcome.statuses if status.status == "ok"} - failed
    record = BandRecord(
        band=task.band,
        cube=outcome.cube,
        n_ok=len(made),
        n_failed=len(failed),
        n_no_overlap=len(band) - len(made) - len(failed),
        n_requests=outcome.n_requests,
        n_bytes=outcome.n_bytes,
        files=tuple(BandFile(name=file.name, bytes=file.size, sha256=file.sha256) for file in outcome.files),
        reason=outcome.reason,
        plan=task.plan,
        attempt=task.attempt,
    )
    store.write(bucket, keys.bulk_record(task.job, task.band), record.model_dump_json().encode())
    return record


def _read_record(task: BandTask, backend: HasCubes) -> BandRecord | None:
    """Record of a band that need not be done again; None otherwise."""
    try:
        data, _ = backend.store.read(backend.settings.result_bucket, keys.bulk_record(task.job, task.band))
    except ObjectMissingError:
        return None
    record = BandRecord.model_validate_json(data)
    return record if record.plan == task.plan and record.counts_in(task.attempt) else None


def _make(band: StoredBand, task: BandTask, options: BulkOptions, backend: HasCubes) -> BandOutcome:
    published = task.cube
    if is_withdrawn(published.obs_id, backend):
        return lost_band(band, "the cube was withdrawn")
    try:
        cube = known_cube(published, backend)
    except VANISHED:
        look_again(backend)
        return lost_band(band, _REPLACED)
    except (TesseraError, FatalError) as error:
        return lost_band(band, str(error)[:500])
    try:
        vectors = find_vectors(published, backend) if options.detrend == "cbv" else None
    except UnreadableFileError as error:
        return lost_band(band, str(error))
    folder = ProductFolder(backend.store, backend.settings.result_bucket, task.job)
    read = _reader(published, cube, band.pace, backend)
    with ThreadPoolExecutor(_IN_FLIGHT) as pool:
        origin = published_origin(published, cube)
        return engine.cut_band(band, cube, read, folder, options, pool=pool, vectors=vectors, origin=origin)


class _ReplacedError(TesseraError):
    """The cube is not the one that was planned."""


def _reader(published: PublishedCube, cube: Cube, rate: float, backend: HasCubes) -> Callable[[int, int], Buffer]:
    """Reads ranges of the version of a cube that was planned; of a public bucket at the pace of the task."""
    paced = published.bucket in backend.settings.public_buckets and isfinite(rate)
    pace: RequestPace | None = backend.pace_of(rate) if paced else None
    ranges = cube_ranges(published, cube, backend.store, pace)

    def read(start: int, length: int) -> Buffer:
        try:
            return ranges(start, length)
        except VANISHED as error:
            look_again(backend)
            raise _ReplacedError(_REPLACED) from error

    return read
