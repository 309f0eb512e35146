"""Frames are turned into time series, whatever the size of the tiles."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tessera.builds.transpose import (
    CADENCE_TILE,
    PIXEL_TILE,
    RowStream,
    allocate_block,
    skewed,
    transpose_pixels,
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
@pytest.mark.parametrize("piece_bytes", [1, 5_000, 1 << 23])
def test_rows_of_a_block_are_read_as_rows_of_a_cube(
    n_cadences: int, n_columns: int, n_planes: int, piece_bytes: int
) -> None:
    block = filled(n_cadences, n_planes, 5, n_columns)
    stream = RowStream(block, 1, 2, piece_bytes=piece_bytes)
    expected = np.ascontiguousarray(np.transpose(block[:, :, 1:3], (2, 3, 0, 1))).tobytes()
    assert len(stream) == len(expected)
    assert stream.read() == expected
    assert stream.read() == stream.read(10) == b""


@pytest.mark.parametrize("size", [1, 7, 16_384, 1 << 20])
def test_rows_are_read_in_small_pieces_and_again_after_a_retry(size: int) -> None:
    block = filled(9, 2, 3, 130)
    stream, expected = RowStream(block, 0, 3, piece_bytes=1000), np.transpose(block, (2, 3, 0, 1)).tobytes()
    for start in (0, 4_000, 0):
        stream.seek(start)
        found = b"".join(bytes(piece) for piece in iter(lambda: stream.read(size), b""))
        assert found == expected[start:]
    assert stream.seek(0, 2) == stream.tell() == len(expected)


def test_a_stream_holds_a_piece_and_no_rows() -> None:
    block = filled(100, 2, 8, 1000)
    tracemalloc.start()
    stream = RowStream(block, 0, 8, piece_bytes=64_000)
    while stream.read(16_384):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 80_000 < len(stream) / 50


def test_a_view_of_an_array_with_more_cadences_is_filled_and_nothing_else() -> None:
    block = filled(3, 2, 1, PIXEL_TILE + 1)[:, :, 0]
    whole = np.zeros((PIXEL_TILE + 1, 8, 2), np.uint32)
    transpose_pixels(block + 1, whole[:, 2:5])
    np.testing.assert_array_equal(whole[:, 2:5], np.transpose(block + 1, (2, 0, 1)))
    assert not whole[:, :2].any()
    assert not whole[:, 5:].any()


def test_runs_are_no_multiple_of_4096_bytes_apart() -> None:
    assert [skewed(n) for n in (1, 1023, 1024, 1025, 2048, 2136, 4096)] == [1, 1023, 1040, 1025, 2064, 2136, 4112]
