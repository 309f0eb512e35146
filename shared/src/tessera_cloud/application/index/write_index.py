"""Writes the index from the listing of the sources, the outcomes of reading their cubes, and our own cubes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from tessera_cloud import keys
from tessera_cloud.application.documents import update_document
from tessera_cloud.application.index.footprint_index import FootprintIndex, parse_index
from tessera_cloud.application.index.list_cubes import as_found, read_own_cubes
from tessera_cloud.application.index.messages import (
    CubeListing,
    CubeOutcome,
    CubeTask,
    Failure,
    FoundCube,
    IndexSummary,
)
from tessera_cloud.application.indexing import LOST, NAMED, Merge, RunRef, read_outcomes
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import UnreadCubesError
from tessera_cloud.ports import Documents

CubeMerge: TypeAlias = Merge[FoundCube, PublishedCube]


def merge_sources(
    index: FootprintIndex, listing: CubeListing, outcomes: Mapping[str, CubeOutcome], own: Sequence[PublishedCube]
) -> CubeMerge:
    """Rows of the sources' cubes, without those CCDs of which we have built a cube.

    A row stays while its source lists the same object. If a cube changed and was not read, its row keeps the footprint
    but loses the ETag. Readers then send a HEAD request first, and the next run reads the cube.

    Parameters
    ----------
    index : FootprintIndex
        Current index.
    listing : CubeListing
        Cubes that the sources list.
    outcomes : mapping
        obs_id to the outcome of its task.
    own : sequence of PublishedCube
        Cubes that we have built.
    """
    rows, ours, merge = {row.obs_id: row for row in index.cubes}, {cube.obs_id for cube in own}, CubeMerge()
    for cube in listing.cubes:
        if cube.obs_id in ours:
            continue
        outcome, row = outcomes.get(cube.obs_id), rows.get(cube.obs_id)
        if outcome is not None and (outcome.found.bucket, outcome.found.key) != (cube.bucket, cube.key):
            outcome = None  # the row is of a cube that we have built, and no pointer names it any more
        merge.add(cube, outcome, row if row is not None and as_found(row) == cube else None)
    for cube in merge.lost:
        row = rows.get(cube.obs_id)
        if row is not None and (row.bucket, row.key) == (cube.bucket, cube.key):
            merge.rows.append(row.model_copy(update={"size": cube.size, "etag": ""}))
    of_ours = [outcome for name, outcome in outcomes.items() if name in ours and outcome.row is None]
    merge.failures += [(outcome.found, outcome.reason) for outcome in of_ours]
    return merge


def _failures(merge: CubeMerge, broken: Sequence[Failure]) -> list[Failure]:
    """Cubes that could not be read, pointers that do not lead to a cube, and cubes without an outcome."""
    return [
        *(Failure(obs_id=cube.obs_id, reason=reason) for cube, reason in merge.failures),
        *broken,
        *(Failure(obs_id=cube.obs_id, reason=LOST) for cube in merge.lost),
    ]


def write_index(ref: RunRef, *, store: Documents) -> IndexSummary:
    """Bring the index up to date with a run.

    The pointers are read after the index, and the index is replaced only if it has not changed since it was read. So no
    cube that is published meanwhile is lost. An index that would not change is not written.

    Raises
    ------
    TransientError
        If other writers were faster ten times.
    """
    listing = CubeListing.model_validate_json(store.read(ref.bucket, ref.listing)[0])
    left = read_outcomes(ref, CubeTask, CubeOutcome, lambda task: keys.cube_outcome(ref.run, task.cube.obs_id), store)
    outcomes = {outcome.found.obs_id: outcome for outcome in left}

    def update(data: bytes | None) -> tuple[bytes | None, IndexSummary]:
        index = parse_index(data)
        own, broken = read_own_cubes(store, ref.bucket)
        merge = merge_sources(index, listing, outcomes, own)
        updated = index.with_cubes([*merge.rows, *own])
        served = {cube.obs_id for cube in updated.cubes}
        removed = [row.obs_id for row in index.cubes if row.obs_id not in served]
        failures = _failures(merge, broken)
        summary = IndexSummary(
            cubes=len(updated.cubes),
            own=len(updated.cubes) - len(merge.rows),
            read=merge.read,
            kept=merge.kept,
            removed=len(removed),
            removed_names=tuple(removed[:NAMED]),
            failed=len(failures),
            failures=tuple(failures[:NAMED]),
            lost=len(merge.lost),
            ignored=len(listing.ignored),
        )
        return (None if data is not None and updated.cubes == index.cubes else updated.to_json()), summary

    return update_document(store, ref.bucket, keys.FOOTPRINT_INDEX, update)


def require_outcomes(summary: IndexSummary) -> None:
    """Check that every task left an outcome. The interpreter of a workflow may overlook tasks that failed.

    Raises
    ------
    UnreadCubesError
        If the tasks of some cubes left no outcome.
    """
    if summary.lost:
        names = ", ".join(failure.obs_id for failure in summary.failures)
        raise UnreadCubesError(f"the tasks of {summary.lost} cubes left no outcome; not read: {names}")
