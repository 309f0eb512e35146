"""Frames are turned into time series, whatever the size of the tiles."""

from __future__ import annotations

import numpy as np
import pytest

from tessera.builds.transpose import (
    CADENCE_TILE,
    PIXEL_TILE,
    allocate_block,
    skewed,
    transpose_pixels,
    transpose_rows,
)


def filled(n_cadences: int, n_planes: int, n_rows: int, n_columns: int) -> np.ndarray:
    block = allocate_block(n_cadences, n_planes, n_rows, n_columns)
    assert block.shape == (n_cadences, n_planes, n_rows, n_columns)
    assert block.dtype == np.dtype(np.uint32)
    block[:] = np.arange(block.size, dtype=np.uint32).reshape(block.shape)
    return block


@pytest.mark.parametrize("n_cadences", [1, CADENCE_TILE - 1, CADENCE_TILE, CADENCE_TILE + 1, 2 * CADENCE_TILE + 5])
@pytest.mark.parametrize("n_columns", [1, 300, PIXEL_TILE // 2, PIXEL_TILE + 3])
@pytest.mark.parametrize("n_planes", [1, 2])
def test_rows_of_a_block_are_rows_of_a_cube(n_cadences: int, n_columns: int, n_planes: int) -> None:
    block = filled(n_cadences, n_planes, 5, n_columns)
    out = transpose_rows(block, 1, 2)
    assert out.flags.c_contiguous
    np.testing.assert_array_equal(out, np.transpose(block[:, :, 1:3], (2, 3, 0, 1)))


def test_a_view_of_an_array_with_more_cadences_is_filled_and_nothing_else() -> None:
    block = filled(3, 2, 1, PIXEL_TILE + 1)[:, :, 0]
    whole = np.zeros((PIXEL_TILE + 1, 8, 2), np.uint32)
    transpose_pixels(block + 1, whole[:, 2:5])
    np.testing.assert_array_equal(whole[:, 2:5], np.transpose(block + 1, (2, 0, 1)))
    assert not whole[:, :2].any()
    assert not whole[:, 5:].any()


def test_runs_are_no_multiple_of_4096_bytes_apart() -> None:
    assert [skewed(n) for n in (1, 1023, 1024, 1025, 2048, 2136, 4096)] == [1, 1023, 1040, 1025, 2064, 2136, 4112]
