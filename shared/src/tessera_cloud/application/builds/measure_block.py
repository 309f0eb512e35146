"""Measures one block of a cube that was published: the first step after a build. `write_measures` comes next.

What a block leaves is beside the plan, under the number of the block. A second execution of the build finds it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from tessera.cubes.reference.frame import REFERENCE_END
from tessera_cloud import keys, measure_keys
from tessera_cloud.application.builds.plan_document import BuildStore, read_plan
from tessera_cloud.application.measures.messages import CubePlace, MeasureOutcome, MeasureState, MeasureTask
from tessera_cloud.application.results import exists
from tessera_cloud.application.sidecar import open_cube
from tessera_cloud.ports import RangeReader

_PIECE = 16_000_000
_READS = 8


def is_measured(state: MeasureState, store: BuildStore) -> bool:
    """Whether there is nothing to measure: another cube is current, it still grows, or it has its reference frame."""
    if keys.current_of(state.cube.key) is None or keys.plan_of(state.cube.key) != state.plan.prefix + keys.PLAN:
        return True
    return exists(store, state.cube.bucket, measure_keys.beside(state.cube.key, REFERENCE_END))


def _read(place: CubePlace, store: RangeReader, pool: ThreadPoolExecutor, start: int, length: int) -> Any:
    """Bytes of a cube, by several requests at the same time."""
    whole = bytearray(length)

    def read_piece(first: int) -> None:
        size = min(_PIECE, length - first)
        whole[first : first + size] = store.read_range(place.bucket, place.key, start + first, size, place.etag)

    for _ in pool.map(read_piece, range(0, length, _PIECE)):
        pass
    return whole


def measure_block(task: MeasureTask, *, store: BuildStore) -> MeasureOutcome:
    """Measure the rows of one block of a cube, unless that has been done.

    Parameters
    ----------
    task : MeasureTask
        Plan, cube and number of the block.
    store : BuildStore
        Store of plan and cube.

    Returns
    -------
    MeasureOutcome
        Number of the block, and whether this task measured it.

    Raises
    ------
    NoCadenceError
        If the cube has no good cadence.
    ObjectChangedError, ObjectMissingError
        If the cube was replaced or removed.
    """
    from tessera.measures.bins import plan_bins  # noqa: PLC0415 - the others of this package need none of it
    from tessera.measures.block import measure_block as measure_rows  # noqa: PLC0415 - see above

    key = measure_keys.block_measures(task.plan.prefix, task.block)
    done = MeasureOutcome(block=task.block, measured=False)
    if is_measured(task, store) or exists(store, task.plan.bucket, key):
        return done
    block = read_plan(store, task.plan.bucket, task.plan.prefix).block(task.block)
    place = task.cube
    cube = open_cube(place, store=store, cube_bucket=task.plan.bucket)
    rows = range(block.first_row, block.first_row + block.n_rows)
    with ThreadPoolExecutor(_READS) as pool:
        measured = measure_rows(cube, rows, lambda *span: _read(place, store, pool, *span), plan_bins(cube))
    differences = np.ascontiguousarray(measured.differences, "<f4")
    store.write(task.plan.bucket, measure_keys.block_differences(task.plan.prefix, task.block), differences.tobytes())
    store.write(task.plan.bucket, key, measured.to_bytes())
    return done.model_copy(update={"measured": True})
