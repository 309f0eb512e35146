"""Writing the indexes of datasets of images: what was listed, and what reading it gave."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tessera_cloud import keys
from tessera_cloud.application.images.index import read_dataset_index
from tessera_cloud.application.images.list_images import is_read_alike
from tessera_cloud.application.images.messages import (
    DatasetIndex,
    DatasetListing,
    ImageFailure,
    ImageIndexSummary,
    ImageListing,
    ImageOutcome,
    ImageRow,
    ImageRunRef,
    ImageTask,
)
from tessera_cloud.errors import ObjectChangedError, ObjectMissingError, TransientError, UnreadImagesError
from tessera_cloud.ports import ObjectStore

_SMALL_READS = 32
_NAMED = 20
"""Failures that an answer names; the rest is counted."""
_ATTEMPTS = 10
_LOST = "its task left no outcome"

_Outcomes = dict[tuple[str, str, str], ImageOutcome]
"""By dataset, bucket and key."""


@dataclass
class ImageMerge:
    """What became of the files of all datasets.

    Parameters
    ----------
    images, read, kept, removed : int
        See `ImageIndexSummary`.
    failures, lost : list of ImageFailure
        Files that cannot be read, and those of which nothing is known.
    """

    images: int = 0
    read: int = 0
    kept: int = 0
    removed: int = 0
    failures: list[ImageFailure] = field(default_factory=list)
    lost: list[ImageFailure] = field(default_factory=list)

    def rows(self, listing: DatasetListing, index: DatasetIndex | None, outcomes: _Outcomes) -> list[ImageRow]:
        """Rows of a dataset: those of files that stayed the same, and those that were read."""
        dataset, rows = listing.dataset, []
        alike = index.rows if index and is_read_alike(dataset, index) else ()
        known = {row.found: row for row in alike}
        for found in listing.found:
            outcome = outcomes.get((dataset.name, found.bucket, found.key))
            if outcome is not None and outcome.row is not None:
                rows.append(outcome.row)
                self.read += 1
            elif outcome is not None:
                self.failures.append(ImageFailure(dataset=dataset.name, name=found.name, reason=outcome.reason))
            elif found in known:
                rows.append(known[found].model_copy(update={"band": dataset.band_of(found.name)}))
                self.kept += 1
            else:
                self.lost.append(ImageFailure(dataset=dataset.name, name=found.name, reason=_LOST))
        places = {(found.bucket, found.key) for found in listing.found}
        before = index.rows if index else ()
        self.removed += sum((row.found.bucket, row.found.key) not in places for row in before)
        self.images += len(rows)
        return rows


def _read_outcomes(ref: ImageRunRef, store: ObjectStore) -> _Outcomes:
    def read(task: ImageTask) -> ImageOutcome | None:
        try:
            data, _ = store.read(ref.bucket, keys.image_outcome(ref.run, task.number))
        except ObjectMissingError:
            return None
        return ImageOutcome.model_validate_json(data)

    tasks = [ImageTask.model_validate(item) for item in json.loads(store.read(ref.bucket, ref.to_read)[0])]
    with ThreadPoolExecutor(_SMALL_READS) as pool:
        found: Iterable[ImageOutcome] = [outcome for outcome in pool.map(read, tasks) if outcome]
    return {(outcome.dataset, outcome.found.bucket, outcome.found.key): outcome for outcome in found}


def _write(listing: DatasetListing, outcomes: _Outcomes, ref: ImageRunRef, store: ObjectStore, day: str) -> ImageMerge:
    """Bring the index of a dataset up to date, unless somebody else does at the same time; then try again."""
    name = listing.dataset.name
    for _ in range(_ATTEMPTS):
        index, etag = read_dataset_index(store, ref.bucket, name)
        merge = ImageMerge()
        if listing.reason:
            merge.failures.append(ImageFailure(dataset=name, name="", reason=listing.reason))
            merge.images = len(index.rows) if index else 0
            return merge
        rows = tuple(merge.rows(listing, index, outcomes))
        if index and (index.rows, index.dataset) == (rows, listing.dataset):
            return merge
        data = DatasetIndex(dataset=listing.dataset, indexed_at=day, rows=rows).model_dump_json().encode()
        try:
            store.write(ref.bucket, keys.dataset_index(name), data, only_over=etag, only_new=etag is None)
        except ObjectChangedError:
            continue
        return merge
    raise TransientError(f"s3://{ref.bucket}/{keys.dataset_index(name)} changed {_ATTEMPTS} times while it was written")


def write_image_indexes(ref: ImageRunRef, *, store: ObjectStore, now: datetime.datetime) -> ImageIndexSummary:
    """Bring the indexes of all datasets up to date with a run.

    The index of a dataset that could not be listed stays as it is.
    """
    listing = ImageListing.model_validate_json(store.read(ref.bucket, ref.listing)[0])
    outcomes = _read_outcomes(ref, store)
    day = now.isoformat(timespec="seconds")
    merges = [_write(dataset, outcomes, ref, store, day) for dataset in listing.datasets]
    failures = [failure for merge in merges for failure in (*merge.lost, *merge.failures)]
    return ImageIndexSummary(
        datasets=len(merges),
        images=sum(merge.images for merge in merges),
        read=sum(merge.read for merge in merges),
        kept=sum(merge.kept for merge in merges),
        removed=sum(merge.removed for merge in merges),
        failed=len(failures),
        failures=tuple(failures[:_NAMED]),
        lost=sum(len(merge.lost) for merge in merges),
    )


def require_images(summary: ImageIndexSummary) -> None:
    """Notice files of which nothing is known, as the interpreter of a workflow may overlook tasks that failed.

    Raises
    ------
    UnreadImagesError
        When the tasks of some files left no outcome.
    """
    if summary.lost:
        names = ", ".join(failure.name for failure in summary.failures if failure.reason == _LOST)
        raise UnreadImagesError(f"the tasks of {summary.lost} images left no outcome; not read: {names}")
