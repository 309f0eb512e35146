"""Writes the indexes of datasets of images, from their listings and the outcomes of reading their files."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypeAlias

from tessera_cloud import keys
from tessera_cloud.application.documents import update_document
from tessera_cloud.application.images.index import parse_dataset_index
from tessera_cloud.application.images.list_images import is_read_alike
from tessera_cloud.application.images.messages import (
    DatasetIndex,
    DatasetListing,
    FoundImage,
    ImageFailure,
    ImageIndexSummary,
    ImageListing,
    ImageOutcome,
    ImageRow,
    ImageTask,
)
from tessera_cloud.application.indexing import LOST, NAMED, Merge, RunRef, read_outcomes
from tessera_cloud.errors import UnreadImagesError
from tessera_cloud.ports import Documents

_Outcomes: TypeAlias = Mapping[tuple[str, str, str], ImageOutcome]
"""Outcomes by dataset, bucket and key."""
_ImageMerge: TypeAlias = Merge[FoundImage, ImageRow]


def _merge(listing: DatasetListing, index: DatasetIndex | None, outcomes: _Outcomes) -> _ImageMerge:
    """Rows of a dataset: those of unchanged files from its index, the others from outcomes."""
    dataset, merge = listing.dataset, _ImageMerge()
    known = {row.found: row for row in index.rows} if index and is_read_alike(dataset, index) else {}
    for found in listing.found:
        outcome, row = outcomes.get((dataset.name, found.bucket, found.key)), known.get(found)
        merge.add(found, outcome, row and row.model_copy(update={"band": dataset.band_of(found.name)}))
    return merge


def _update(
    data: bytes | None, *, listing: DatasetListing, outcomes: _Outcomes, day: str
) -> tuple[bytes | None, ImageIndexSummary]:
    """New index of a dataset, or None to leave it unchanged; and the summary of the dataset."""
    dataset, index = listing.dataset, parse_dataset_index(data)
    before = index.rows if index else ()
    if listing.reason:
        failure = ImageFailure(dataset=dataset.name, name="", reason=listing.reason)
        return None, _summary(_ImageMerge(rows=list(before)), 0, [failure])
    merge = _merge(listing, index, outcomes)
    places = {(found.bucket, found.key) for found in listing.found}
    removed = sum((row.found.bucket, row.found.key) not in places for row in before)
    reasons = [*((found, LOST) for found in merge.lost), *merge.failures]
    failures = [ImageFailure(dataset=dataset.name, name=found.name, reason=reason) for found, reason in reasons]
    summary, rows = _summary(merge, removed, failures), tuple(merge.rows)
    if index and (index.rows, index.dataset) == (rows, dataset):
        return None, summary
    return DatasetIndex(dataset=dataset, indexed_at=day, rows=rows).model_dump_json().encode(), summary


def _summary(merge: _ImageMerge, removed: int, failures: Sequence[ImageFailure]) -> ImageIndexSummary:
    """Summary of one dataset."""
    return ImageIndexSummary(
        datasets=1,
        images=len(merge.rows),
        read=merge.read,
        kept=merge.kept,
        removed=removed,
        failed=len(failures),
        failures=tuple(failures[:NAMED]),
        lost=len(merge.lost),
    )


def _total(summaries: Sequence[ImageIndexSummary]) -> ImageIndexSummary:
    """Summary of all datasets."""
    failures = [failure for summary in summaries for failure in summary.failures]
    return ImageIndexSummary(
        datasets=len(summaries),
        images=sum(summary.images for summary in summaries),
        read=sum(summary.read for summary in summaries),
        kept=sum(summary.kept for summary in summaries),
        removed=sum(summary.removed for summary in summaries),
        failed=sum(summary.failed for summary in summaries),
        failures=tuple(failures[:NAMED]),
        lost=sum(summary.lost for summary in summaries),
    )


def write_image_indexes(ref: RunRef, *, store: Documents, now: datetime.datetime) -> ImageIndexSummary:
    """Bring the indexes of all datasets up to date with a run.

    The index of a dataset that could not be listed stays unchanged.

    Raises
    ------
    TransientError
        If other writers of an index were faster ten times.
    """
    listing = ImageListing.model_validate_json(store.read(ref.bucket, ref.listing)[0])
    left = read_outcomes(ref, ImageTask, ImageOutcome, lambda task: keys.image_outcome(ref.run, task.number), store)
    outcomes = {(outcome.dataset, outcome.found.bucket, outcome.found.key): outcome for outcome in left}
    day = now.isoformat(timespec="seconds")
    summaries = []
    for dataset in listing.datasets:
        update = partial(_update, listing=dataset, outcomes=outcomes, day=day)
        summaries.append(update_document(store, ref.bucket, keys.dataset_index(dataset.dataset.name), update))
    return _total(summaries)


def require_images(summary: ImageIndexSummary) -> None:
    """Check that every task left an outcome. The interpreter of a workflow may overlook tasks that failed.

    Raises
    ------
    UnreadImagesError
        If the tasks of some files left no outcome.
    """
    if summary.lost:
        names = ", ".join(failure.name for failure in summary.failures if failure.reason == LOST)
        raise UnreadImagesError(f"the tasks of {summary.lost} images left no outcome; not read: {names}")
