"""Lists the files of the datasets of images, and finds those that must be read."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tessera_cloud import keys
from tessera_cloud.application.backend import HasPublicStore, HasStore
from tessera_cloud.application.images.datasets import Dataset, read_datasets, store_of
from tessera_cloud.application.images.index import read_dataset_index
from tessera_cloud.application.images.messages import (
    DatasetIndex,
    DatasetListing,
    FoundImage,
    ImageListing,
    ImageTask,
)
from tessera_cloud.application.indexing import SMALL_READS, RunRef, RunRequest, write_run
from tessera_cloud.errors import FatalError, ObjectMissingError
from tessera_cloud.ports import ObjectLister, ObjectReader

MOST_IMAGES = 100_000
"""Largest number of files of a dataset. A larger index would take too long to read."""


def _list_prefix(dataset: Dataset, store: ObjectLister) -> Iterator[FoundImage]:
    for info in store.list_objects(dataset.bucket, dataset.prefix):
        if info.key.endswith(dataset.suffix) and info.size:
            yield FoundImage(bucket=dataset.bucket, key=info.key, size=info.size, etag=info.etag)


def _head(place: tuple[str, str], store: ObjectReader) -> FoundImage:
    bucket, key = place
    info = store.head(bucket, key)
    return FoundImage(bucket=bucket, key=key, size=info.size, etag=info.etag)


def find_images(dataset: Dataset, store: ObjectLister) -> DatasetListing:
    """List the files of a dataset. If that fails, the listing has the reason, and other datasets are still listed."""
    try:
        if dataset.bucket:
            found = tuple(_list_prefix(dataset, store))
        else:
            with ThreadPoolExecutor(SMALL_READS) as pool:
                found = tuple(pool.map(lambda place: _head(place, store), dict.fromkeys(dataset.places)))
    except ObjectMissingError as error:
        return DatasetListing(dataset=dataset, reason=f"there is no such object: {error}")
    except FatalError as error:
        return DatasetListing(dataset=dataset, reason=str(error)[:300])
    if not found:
        return DatasetListing(dataset=dataset, reason="there are no such files")
    if len(found) > MOST_IMAGES:
        return DatasetListing(dataset=dataset, reason=f"{len(found):,} files; allowed: at most {MOST_IMAGES:,}")
    return DatasetListing(dataset=dataset, found=found)


def is_read_alike(dataset: Dataset, index: DatasetIndex | None) -> bool:
    """Whether the rows of an index are still right for the dataset: its kind and extensions are those of the index."""
    if index is None:
        return False
    then = index.dataset
    return (then.kind, then.extensions) == (dataset.kind, dataset.extensions)


def _tasks(run: str, listings: list[DatasetListing], backend: HasStore) -> Iterator[ImageTask]:
    number = 0
    for listing in listings:
        dataset = listing.dataset
        index, _ = read_dataset_index(backend.store, backend.settings.cube_bucket, dataset.name)
        known = {row.found for row in index.rows} if index and is_read_alike(dataset, index) else set()
        for found in listing.found:
            if found not in known:
                yield ImageTask(
                    run=run,
                    number=number,
                    dataset=dataset.name,
                    kind=dataset.kind,
                    public=dataset.public,
                    extension=dataset.extension,
                    band=dataset.band_of(found.name),
                    image=found,
                )
                number += 1


def list_images(request: RunRequest, backend: HasPublicStore) -> RunRef:
    """List all datasets, and write the listing and the list of files that are new or changed.

    Raises
    ------
    DatasetsError
        If the document that lists the datasets is wrong.
    """
    bucket = backend.settings.cube_bucket
    datasets = read_datasets(backend.store, backend.settings).datasets
    listings = [find_images(dataset, store_of(backend, public=dataset.public)) for dataset in datasets]
    tasks = list(_tasks(request.run, listings, backend))
    ref = RunRef(
        run=request.run,
        bucket=bucket,
        listing=keys.image_listing(request.run),
        to_read=keys.images_to_read(request.run),
        results=keys.image_results(request.run),
        n_found=sum(len(listing.found) for listing in listings),
        n_to_read=len(tasks),
        max_concurrency=backend.settings.index_concurrency,
    )
    write_run(ref, ImageListing(datasets=tuple(listings)), tasks, backend.store)
    return ref
