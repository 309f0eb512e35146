"""Makes the files of a measured cube from what its blocks left, and writes them beside the cube."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reference.frame import REFERENCE_END
from tessera_cloud import measure_keys
from tessera_cloud.application.builds.measure_block import is_measured
from tessera_cloud.application.builds.plan_document import BuildStore, read_plan
from tessera_cloud.application.measures.messages import MeasureState, MeasuresWritten
from tessera_cloud.application.sidecar import open_cube
from tessera_cloud.errors import ObjectMissingError, UnfinishedBuildError

if TYPE_CHECKING:
    from tessera.measures.bins import TimeBins
    from tessera.measures.block import BlockMeasures
    from tessera_cloud.contracts import CubePlan

_READS = 8


def write_measures(state: MeasureState, *, store: BuildStore) -> MeasuresWritten:
    """Write reference frame, list of changes and cotrending vectors of a cube, unless they are there.

    The reference frame is written last, so that it says that the others are there.

    Parameters
    ----------
    state : MeasureState
        Plan and cube of the build.
    store : BuildStore
        Store of what the blocks left, and of the cube.

    Returns
    -------
    MeasuresWritten
        Keys of the files that were written.

    Raises
    ------
    UnfinishedBuildError
        If a block has left no measures.
    """
    from tessera.measures.bins import plan_bins  # noqa: PLC0415 - the others of this package need none of it
    from tessera.measures.products import build_products, join_blocks  # noqa: PLC0415 - see above
    from tessera.measures.records import add_records  # noqa: PLC0415 - see above
    from tessera.measures.thresholds import Thresholds  # noqa: PLC0415 - see above
    from tessera.provenance.record import Origin  # noqa: PLC0415 - see above

    if is_measured(state, store):
        return MeasuresWritten()
    plan = read_plan(store, state.plan.bucket, state.plan.prefix)
    cube = open_cube(state.cube, store=store, cube_bucket=state.plan.bucket)
    bins = plan_bins(cube)
    differences = np.empty((len(bins), cube.layout.n_rows, cube.layout.n_columns), np.float32)
    blocks = _read_blocks(state, plan, bins, differences, store)
    thresholds, place = Thresholds(), state.cube
    products = build_products(cube, join_blocks(blocks), bins, differences, thresholds)
    origin = Origin.of(f"s3://{place.bucket}/{place.key}", place.size, place.etag, cube.digest, plan.build_id)
    products = add_records(products, origin, thresholds)
    written = []
    for end in sorted(products, key=lambda end: end == REFERENCE_END):
        key = measure_keys.beside(state.cube.key, end)
        store.write(state.cube.bucket, key, products[end])
        written.append(key)
    return MeasuresWritten(keys=tuple(written))


def _read_blocks(
    state: MeasureState, plan: CubePlan, bins: TimeBins, differences: NDArray[np.float32], store: BuildStore
) -> list[BlockMeasures]:
    """Measures of all blocks; their differences are placed in those of the cube."""
    from tessera.measures.block import BlockMeasures  # noqa: PLC0415 - see `write_measures`

    bucket, prefix = state.plan.bucket, state.plan.prefix

    def read(index: int) -> BlockMeasures:
        try:
            data, _ = store.read(bucket, measure_keys.block_measures(prefix, index))
            words, _ = store.read(bucket, measure_keys.block_differences(prefix, index))
        except ObjectMissingError as error:
            raise UnfinishedBuildError(f"{plan.cube_key}: block {index} was not measured") from error
        block = plan.block(index)
        rows = slice(block.first_row, block.first_row + block.n_rows)
        shape = (len(bins), block.n_rows, plan.layout.n_columns)
        differences[:, rows] = np.frombuffer(words, "<f4").reshape(shape)
        return BlockMeasures.from_bytes(data)

    with ThreadPoolExecutor(_READS) as pool:
        return list(pool.map(read, range(len(plan.blocks))))
