"""Writing the index: what the sources have, what was read of it, and the cubes that were built here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import FootprintIndex, read_index
from tessera_cloud.application.index.list_cubes import SMALL_READS, as_found, read_own_cubes
from tessera_cloud.application.index.messages import (
    CubeListing,
    CubeOutcome,
    CubeTask,
    Failure,
    FoundCube,
    IndexSummary,
    RunRef,
)
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectChangedError, ObjectMissingError, TransientError, UnreadCubesError
from tessera_cloud.ports import ObjectStore

_ATTEMPTS = 10
_NAMED = 20
"""Cubes that an answer names; the rest is counted."""


@dataclass
class Merge:
    """Rows of the sources' cubes, and what became of them.

    Parameters
    ----------
    rows : list of PublishedCube
        To be indexed.
    read, kept : int
        How many of them are new or changed, and how many stay.
    failures : list of Failure
        Cubes that could not be read.
    lost : list of Failure
        Cubes that should have been read, of which no outcome is there.
    """

    rows: list[PublishedCube] = field(default_factory=list)
    read: int = 0
    kept: int = 0
    failures: list[Failure] = field(default_factory=list)
    lost: list[Failure] = field(default_factory=list)

    def add(self, cube: FoundCube, row: PublishedCube | None, outcome: CubeOutcome | None) -> None:
        """Decide about a cube from its row in the index and from what reading it gave."""
        if outcome is not None and outcome.row is not None:
            self.rows.append(outcome.row)
            self.read += 1
        elif outcome is not None:
            self.failures.append(Failure(obs_id=cube.obs_id, reason=outcome.reason))
        elif row is not None and as_found(row) == cube:
            self.rows.append(row)
            self.kept += 1
        else:
            self.lost.append(Failure(obs_id=cube.obs_id, reason="its task left no outcome"))
            if row is not None and (row.bucket, row.key) == (cube.bucket, cube.key):
                self.rows.append(row.model_copy(update={"size": cube.size, "etag": ""}))


def merge_sources(
    index: FootprintIndex, listing: CubeListing, outcomes: Mapping[str, CubeOutcome], own: Sequence[PublishedCube]
) -> Merge:
    """Rows of what the sources have now, but for CCDs of which a cube was built here.

    A row stays while the source shows the same object. A cube that changed and was not read keeps its polygon but loses
    its ETag, so that readers ask for the cube first and the next run reads it.
    """
    rows, ours, merge = {row.obs_id: row for row in index.cubes}, {cube.obs_id for cube in own}, Merge()
    for cube in listing.cubes:
        outcome = outcomes.get(cube.obs_id)
        if cube.obs_id in ours:
            continue
        if outcome is not None and (outcome.found.bucket, outcome.found.key) != (cube.bucket, cube.key):
            outcome = None  # of a cube that was built here, and is not pointed to any more
        merge.add(cube, rows.get(cube.obs_id), outcome)
    merge.failures += [
        Failure(obs_id=name, reason=outcome.reason)
        for name, outcome in outcomes.items()
        if name in ours and outcome.row is None
    ]
    return merge


def _read_outcomes(ref: RunRef, store: ObjectStore) -> dict[str, CubeOutcome]:
    """What the tasks of a run have left, by obs_id."""

    def read(task: CubeTask) -> CubeOutcome | None:
        try:
            data, _ = store.read(ref.bucket, keys.cube_outcome(ref.run, task.cube.obs_id))
        except ObjectMissingError:
            return None
        return CubeOutcome.model_validate_json(data)

    tasks = [CubeTask.model_validate(item) for item in json.loads(store.read(ref.bucket, ref.to_read)[0])]
    with ThreadPoolExecutor(SMALL_READS) as pool:
        return {outcome.found.obs_id: outcome for outcome in pool.map(read, tasks) if outcome}


def _summary(merge: Merge, listing: CubeListing, index: FootprintIndex, removed: Sequence[str]) -> IndexSummary:
    failures = [*merge.failures, *merge.lost]
    return IndexSummary(
        cubes=len(index.cubes),
        own=len(index.cubes) - len(merge.rows),
        read=merge.read,
        kept=merge.kept,
        removed=len(removed),
        removed_names=tuple(removed[:_NAMED]),
        failed=len(failures),
        failures=tuple(failures[:_NAMED]),
        lost=len(merge.lost),
        ignored=len(listing.ignored),
    )


def write_index(ref: RunRef, *, store: ObjectStore) -> IndexSummary:
    """Bring the index up to date with a run.

    The pointers are read after the index, and the index is replaced only where it has not changed since: no cube that
    is published in the meantime is lost. An index that would not change is not written.

    Raises
    ------
    TransientError
        When other writers were faster ten times.
    """
    listing = CubeListing.model_validate_json(store.read(ref.bucket, ref.listing)[0])
    outcomes = _read_outcomes(ref, store)
    for _ in range(_ATTEMPTS):
        index, etag = read_index(store, ref.bucket)
        own, broken = read_own_cubes(store, ref.bucket)
        merge = merge_sources(index, listing, outcomes, own)
        merge.failures += broken
        updated = FootprintIndex.of([*merge.rows, *own])
        served = {cube.obs_id for cube in updated.cubes}
        removed = [row.obs_id for row in index.cubes if row.obs_id not in served]
        try:
            if updated.cubes != index.cubes or etag is None:
                data = updated.to_json()
                store.write(ref.bucket, keys.FOOTPRINT_INDEX, data, only_over=etag, only_new=etag is None)
        except ObjectChangedError:
            continue
        return _summary(merge, listing, updated, removed)
    raise TransientError(f"s3://{ref.bucket}/{keys.FOOTPRINT_INDEX} changed {_ATTEMPTS} times while it was written")


def require_outcomes(summary: IndexSummary) -> None:
    """Notice cubes of which nothing is known, as the interpreter of a workflow may overlook tasks that failed.

    Raises
    ------
    UnreadCubesError
        When the tasks of some cubes left no outcome.
    """
    if summary.lost:
        names = ", ".join(failure.obs_id for failure in summary.failures)
        raise UnreadCubesError(f"the tasks of {summary.lost} cubes left no outcome; not read: {names}")
