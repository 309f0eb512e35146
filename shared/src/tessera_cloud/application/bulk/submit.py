"""Lists of targets that clients ask for: the list, the order that is made of it, and the job.

The id of a list is the hash of all that decides its results: the list, the options, the cubes that are served, and the
version. So the same list twice is worked on once.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from tessera.bulk.options import BulkOptions
from tessera_cloud import keys
from tessera_cloud.application.backend import HasIndex, HasJobs, HasStore
from tessera_cloud.application.bulk.order import BulkOrder
from tessera_cloud.application.bulk.uploads import read_pieces
from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.jobs.plans import read_ordered
from tessera_cloud.application.jobs.records import Asker
from tessera_cloud.application.jobs.submit import JobStatus, Wanted, submit
from tessera_cloud.application.jobs.work import lists
from tessera_cloud.application.results import order_id
from tessera_cloud.errors import ObjectChangedError, ObjectMissingError, UsageError
from tessera_cloud.ports import ObjectReader

_REPLACED = "the uploaded list was replaced after it was asked for; ask for it again"


@dataclass(frozen=True)
class GivenList:
    """A list as a client gave it.

    Parameters
    ----------
    form : str
        Format; see `tessera.bulk.lists.forms`.
    sha256 : str
        SHA-256 in hexadecimal digits.
    n_bytes : int
        Size.
    data : bytes or None
        The list; None for an upload that is too large to be kept in memory.
    upload : str
        Id of the upload; empty if the list was in the request.
    """

    form: str
    sha256: str
    n_bytes: int
    data: bytes | None
    upload: str = ""

    @classmethod
    def of(cls, data: bytes, form: str) -> GivenList:
        """A list that was in the request."""
        return cls(form, hashlib.sha256(data).hexdigest(), len(data), data)


def place_order(given: GivenList, options: BulkOptions, backend: HasIndex) -> BulkOrder:
    """Make the order for a list and options."""
    wanted: dict[str, Any] = asdict(options)
    wanted |= {"form": given.form, "sha256": given.sha256, "n_bytes": given.n_bytes}
    return BulkOrder(id=order_id("bulk", wanted, _cubes(options, backend)), upload=given.upload, **wanted)


def _cubes(options: BulkOptions, backend: HasIndex) -> str:
    """Hash of the cubes of a product that are served."""
    served = hashlib.sha256()
    for cube in current_index(backend).cubes:
        if cube.cube_id.product == options.product:
            served.update(f"{cube.bucket}/{cube.key} {cube.etag}\n".encode())
    return served.hexdigest()


def submit_list(order: BulkOrder, given: GivenList, n_cubes: int, asker: Asker, backend: HasJobs) -> JobStatus:
    """Let a list wait for its turn, or find it; see `tessera_cloud.application.jobs.submit.submit`."""
    objects = {keys.bulk_order(order.id): order.model_dump_json().encode()}
    if not given.upload:
        assert given.data is not None
        objects = {keys.bulk_list(order.id): given.data} | objects
    wanted = Wanted(order.id, n_cubes, objects, keys.bulk_manifest(order.id))
    return submit(wanted, asker, backend, lists(backend.settings))


def read_order(store: ObjectReader, bucket: str, job_id: str) -> BulkOrder:
    """Read the order of a list; raises `NewerOrderError` if a later release wrote it and this one cannot do it."""
    return read_ordered(BulkOrder, store.read(bucket, keys.bulk_order(job_id))[0], job_id)


def read_list_of(order: BulkOrder, backend: HasStore) -> bytes:
    """Read the list of an order.

    Raises
    ------
    UsageError
        If it is not the list that was asked for, because the client has uploaded another file since, or is gone.
    """
    bucket = backend.settings.result_bucket
    key = keys.upload(order.upload) if order.upload else keys.bulk_list(order.id)
    try:
        data = b"".join(read_pieces(backend.store.head(bucket, key), backend))
    except ObjectMissingError:
        raise UsageError("the list is gone; upload it again") from None
    except ObjectChangedError:
        raise UsageError(_REPLACED) from None
    if hashlib.sha256(data).hexdigest() != order.sha256:
        raise UsageError(_REPLACED)
    return data
