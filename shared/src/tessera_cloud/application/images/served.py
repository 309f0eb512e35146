"""The datasets of images that requests are answered from, at most a minute old."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tessera_cloud import keys
from tessera_cloud.application.backend import HasImages
from tessera_cloud.application.images.datasets import Dataset, read_datasets
from tessera_cloud.application.images.index import ServedDataset, read_dataset_index
from tessera_cloud.errors import NotFoundError, ObjectMissingError, TransientError

_READS = 16


def _read(dataset: Dataset, backend: HasImages) -> tuple[ServedDataset, str | None]:
    """A dataset and its index; the index that is known where it has not changed."""
    cache, store, bucket = backend.images, backend.store, backend.settings.cube_bucket
    known = next((served for served in cache.served if served.dataset.name == dataset.name), None)
    if known is not None:
        try:
            etag: str | None = store.head(bucket, keys.dataset_index(dataset.name)).etag
        except ObjectMissingError:
            etag = None
        if etag == cache.etags.get(dataset.name):
            return (known if known.dataset == dataset else ServedDataset(dataset, known.index)), etag
    index, etag = read_dataset_index(store, bucket, dataset.name)
    return ServedDataset(dataset, index), etag


def current_datasets(backend: HasImages) -> tuple[ServedDataset, ...]:
    """All datasets with their indexes, at most `Settings.index_seconds` old.

    Raises
    ------
    DatasetsError
        When the document that says what datasets there are is wrong.
    TransientError
        When there is nothing to serve yet; what is known is served while the store does not answer.
    """
    cache, now = backend.images, backend.now().timestamp()
    if cache.checked and now - cache.checked < backend.settings.index_seconds:
        return cache.served
    try:
        datasets = read_datasets(backend.store, backend.settings).datasets
        with ThreadPoolExecutor(_READS) as pool:
            found = list(pool.map(lambda dataset: _read(dataset, backend), datasets))
    except TransientError:
        if not cache.checked:
            raise
    else:
        cache.etags = {served.dataset.name: etag for served, etag in found}
        cache.served = tuple(served for served, _ in found)
    cache.checked = now
    return cache.served


def find_dataset(name: str, backend: HasImages) -> ServedDataset:
    """A dataset.

    Raises
    ------
    NotFoundError
        When there is none of that name.
    """
    for served in current_datasets(backend):
        if served.dataset.name == name:
            return served
    raise NotFoundError(f"there is no dataset {name!r}", parameter="dataset", value=name, allowed="one of /v1/images")
