"""First step of a list: find the cubes and pixels of its targets, and divide the work into bands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tessera.bulk.plan.price import BulkPlan, price_plan
from tessera.bulk.plan.whole import TargetPlan, plan_targets
from tessera.bulk.status import BulkStatus, format_status
from tessera.bulk.target_rows import TargetRows
from tessera.errors import TesseraError
from tessera.sky.footprint import find_points, footprint_vectors
from tessera.sky.sphere import unit_vectors
from tessera.targets.names import NameResolverError
from tessera_cloud import keys
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.bulk.cubes import SeenCube, opened, see_cubes
from tessera_cloud.application.bulk.documents import BulkItems, LostCube, PlanDocument, rows_to_bytes
from tessera_cloud.application.bulk.order import BandTask, BulkOrder
from tessera_cloud.application.bulk.price import check_allowed, check_vectors, terms_of
from tessera_cloud.application.bulk.rows import read_rows
from tessera_cloud.application.bulk.submit import read_list_of, read_order
from tessera_cloud.application.jobs.records import JobRef
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError, TransientError, UsageError

_AT_ONCE = 16
"""Objects that are written or deleted at the same time."""
_KEPT_SECONDS = 24 * 3600.0
"""Age in seconds up to which a later attempt uses what bands of an earlier one made."""
_IN_MEMORY = 128
"""Bands whose files are in memory at the same time. Each has at most some megabytes."""


@dataclass(frozen=True, eq=False)
class _Planned:
    """A list that may be worked on.

    Parameters
    ----------
    target : TargetPlan
        Its sightings and bands.
    price : BulkPlan
        Its counts.
    seen : sequence of SeenCube
        The cubes that may see its targets.
    """

    target: TargetPlan
    price: BulkPlan
    seen: Sequence[SeenCube]

    @property
    def published(self) -> Mapping[str, PublishedCube]:
        """Cubes of the bands, by name."""
        return {one.published.obs_id: one.published for one in self.seen}


def plan_bulk(ref: JobRef, backend: Backend) -> BulkItems:
    """Plan a list, and write the plan and its bands below its prefix. It may be called again.

    A later attempt finds what an earlier one left. Records of the same plan count, unless they are old; what another
    plan left is deleted. A list that the service cannot work on is no error: its answer says why, and has no bands.
    """
    order = read_order(backend.store, backend.settings.result_bucket, ref.job)
    try:
        planned = _plan(order, backend)
    except NameResolverError as error:
        raise TransientError(str(error)) from error
    except (UsageError, TesseraError) as error:
        _write(backend, keys.bulk_bands(ref.job), b"[]")
        return _items(ref, 0, backend, refused=str(error)[:500])
    digest = _write_bands(ref.job, planned, backend)
    _forget_useless(ref.job, digest, backend)
    lost, lines = _lost_rows(planned.target.rows, planned.seen)
    _write(backend, keys.bulk_rows(ref.job), rows_to_bytes(planned.target.rows))
    _write(backend, keys.bulk_lost(ref.job), lines)
    _write(backend, keys.bulk_bands(ref.job), _list_tasks(ref, planned, digest))
    n_bands, price = len(planned.target.bands), planned.price
    at_once, of_bands = _count_rows(planned)
    document = PlanDocument(
        plan=price.to_dict(), digest=digest, n_bands=n_bands, lost=lost, rows_at_once=at_once, band_rows=of_bands
    )
    _write(backend, keys.bulk_plan(ref.job), document.model_dump_json().encode())
    return _items(ref, n_bands, backend)


def _plan(order: BulkOrder, backend: Backend) -> _Planned:
    options = order.options
    rows = read_rows(read_list_of(order, backend), order.form, options, backend)
    seen = see_cubes(rows, options, backend, fresh=True)
    check_vectors(options, seen, backend)
    target = plan_targets(rows, opened(seen), options, terms_of(backend.settings, options, seen))
    price = price_plan(target)
    check_allowed(price)
    return _Planned(target, price, seen)


def _items(ref: JobRef, n_bands: int, backend: Backend, refused: str = "") -> BulkItems:
    return BulkItems(
        bucket=backend.settings.result_bucket,
        bands=keys.bulk_bands(ref.job),
        n_bands=n_bands,
        max_concurrency=backend.settings.bulk.concurrency,
        refused=refused,
    )


def _write(backend: Backend, key: str, data: bytes) -> None:
    backend.store.write(backend.settings.result_bucket, key, data)


def _write_bands(job: str, planned: _Planned, backend: Backend) -> str:
    """Write the file of each band, and return the hash of all of them and of the versions of their cubes."""
    target, whole = planned.target, hashlib.sha256()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for first in range(0, len(target.bands), _IN_MEMORY):
            numbers = range(len(target.bands))[first : first + _IN_MEMORY]
            files = {number: target.store(number).to_bytes() for number in numbers}
            for number, data in files.items():
                cube = planned.published[target.cubes[target.bands[number].cube].name]
                whole.update(f"{number} {cube.etag} ".encode() + hashlib.sha256(data).digest())
            list(pool.map(lambda item: _write(backend, keys.bulk_band(job, item[0]), item[1]), files.items()))
    return whole.hexdigest()


def _forget_useless(job: str, digest: str, backend: Backend) -> None:
    """Delete what bands of another plan left, so that no product of theirs is taken for one of this plan.

    Products are deleted some days after they were made. So those of an attempt that is long ago are made again, and the
    products of a list live as long as its record.
    """
    store, bucket = backend.store, backend.settings.result_bucket
    try:
        known = PlanDocument.model_validate_json(store.read(bucket, keys.bulk_plan(job))[0]).digest
    except ObjectMissingError:
        known = ""
    oldest = backend.now().timestamp() - _KEPT_SECONDS
    records = store.list_objects(bucket, keys.bulk_records(job))
    if known == digest and all(info.modified >= oldest for info in records):
        return
    prefixes = (keys.bulk_records(job), keys.bulk_band_statuses(job), keys.bulk_products(job))
    found = [info.key for prefix in prefixes for info in store.list_objects(bucket, prefix)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda key: store.delete(bucket, key), found))


def _count_rows(planned: _Planned) -> tuple[int, tuple[float, ...]]:
    """Rows of the list without a cutout, and rows of each band; see `PlanDocument`."""
    target = planned.target.sightings.target
    n_cutouts = np.bincount(target, minlength=len(planned.target.rows))
    share = 1.0 / n_cutouts[target]
    of_bands = (round(float(share[band.sightings].sum()), 6) for band in planned.target.bands)
    return planned.target.rows.n_given - int(np.count_nonzero(n_cutouts)), tuple(of_bands)


def _list_tasks(ref: JobRef, planned: _Planned, digest: str) -> bytes:
    """Items of the Map, as JSON."""
    published = planned.published
    tasks = (
        BandTask(
            job=ref.job,
            attempt=ref.attempt,
            band=band.number,
            plan=digest,
            cube=published[planned.target.cubes[band.cube].name],
        )
        for band in planned.target.bands
    )
    return json.dumps([task.model_dump(mode="json") for task in tasks]).encode()


def _lost_rows(rows: TargetRows, seen: Sequence[SeenCube]) -> tuple[tuple[LostCube, ...], bytes]:
    """Cubes that cannot be opened, and lines of the status table for the targets inside their footprints."""
    broken = [one for one in seen if one.sight is None]
    lost, lines = [], []
    for one in broken:
        reason = f"the cube cannot be read: {one.problem}"
        found = list(_statuses(rows, one.published, reason))
        lost.append(LostCube(cube=one.published.obs_id, reason=reason, n_rows=len(found)))
        lines.append(format_status(found))
    return tuple(lost), b"".join(lines)


def _statuses(rows: TargetRows, cube: PublishedCube, reason: str) -> Iterator[BulkStatus]:
    (inside,) = find_points(footprint_vectors([cube.s_region]), unit_vectors(rows.ra, rows.dec))
    wanted = np.array([some is None or cube.ccd_id.sector in some for some in rows.sector_sets], np.bool_)
    ccd = cube.ccd_id
    for at in np.flatnonzero(inside & wanted[rows.sector_set]).tolist():
        target = int(rows.row[at]), rows.name[at], int(rows.tic[at]), float(rows.ra[at]), float(rows.dec[at])
        yield BulkStatus(*target, cube.obs_id, ccd.sector, ccd.camera, ccd.ccd, status="error", reason=reason)
