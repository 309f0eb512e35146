"""The datasets of images that answer requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tessera_cloud import keys
from tessera_cloud.application.backend import HasImages
from tessera_cloud.application.images.datasets import Dataset, read_datasets
from tessera_cloud.application.images.index import ServedDataset, read_dataset_index
from tessera_cloud.errors import NotFoundError, ObjectMissingError, TransientError

_READS = 16
_NAMED = 10
"""Largest number of datasets that an error names."""


def _read(dataset: Dataset, backend: HasImages) -> tuple[ServedDataset, str | None]:
    """Read the index of a dataset and its ETag. The cached index is used if the ETag is the same."""
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
        If the document that lists the datasets is wrong.
    TransientError
        If the store does not answer and nothing is cached. Cached datasets are used even if they are old.
    """
    cache, now = backend.images, backend.now().timestamp()
    if cache.checked and 0 <= now - cache.checked < backend.settings.index_seconds:
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
    """Find a dataset by its name.

    Raises
    ------
    NotFoundError
        If there is no dataset of that name.
    """
    for served in current_datasets(backend):
        if served.dataset.name == name:
            return served
    known = ", ".join(served.dataset.name for served in current_datasets(backend)[:_NAMED])
    raise NotFoundError.named("dataset", name, f"one of /v1/images{f', such as {known}' if known else ''}")
