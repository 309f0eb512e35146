"""Parquet files whose few bytes stand for many: they are refused before they are unpacked."""

from __future__ import annotations

import io
import tracemalloc
from typing import Any

import arro3.core
import arro3.io
import numpy as np
import pytest

from tessera.bulk.lists.formats.parquet_limits import rows_at_once
from tessera.bulk.lists.read import read_list
from tessera.bulk.options import BulkOptions
from tessera.errors import InvalidInputError, UnreadableFileError

UTF8 = arro3.core.DataType.utf8()


def parquet(table: dict[str, Any], **others: Any) -> bytes:
    out = io.BytesIO()
    arro3.io.write_parquet(arro3.core.Table.from_pydict(table), out, **others)
    return out.getvalue()


def positions(n_rows: int) -> dict[str, Any]:
    return {"ra": arro3.core.Array(np.arange(n_rows) / 1e4), "dec": arro3.core.Array(np.arange(n_rows) / 1e5)}


@pytest.mark.parametrize("version", ["parquet_1_0", "parquet_2_0"])
@pytest.mark.parametrize("compression", ["uncompressed", "snappy", "zstd(1)", "gzip(1)"])
def test_usual_files_are_read_in_large_pieces(version: str, compression: str) -> None:
    names = arro3.core.Array([f"s{k}" for k in range(3000)], UTF8)
    data = parquet(
        positions(3000) | {"name": names},
        writer_version=version,
        compression=compression,
        max_row_group_size=1000,
        data_page_row_count_limit=100,
    )
    assert rows_at_once(data, "list") >= 10_000
    rows = read_list(data, BulkOptions())
    assert rows.problems == ()
    np.testing.assert_array_equal(rows.ra, np.arange(3000) / 1e4)
    assert rows.name == tuple(f"s{k}" for k in range(3000))


def test_one_long_text_for_many_rows_is_a_problem_of_each_in_little_memory() -> None:
    text = "x" * 150_000
    data = parquet(positions(1000) | {"name": arro3.core.Array([text] * 1000, UTF8)}, compression="zstd(1)")
    assert len(data) < 200_000
    assert rows_at_once(data, "list") < 1000
    tracemalloc.start()
    rows = read_list(data, BulkOptions())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows.problems) == 1000
    assert all("at most 100 characters" in problem.reason for problem in rows.problems)
    assert peak < 350e6  # all texts at once have 150 MB, and are copied


def test_texts_that_share_their_beginnings_are_refused_if_they_are_long() -> None:
    table = positions(1) | {"name": arro3.core.Array(["y" * 70_000_000], UTF8)}
    data = parquet(
        table, compression="zstd(1)", dictionary_enabled=False, column_encoding={"name": "delta_byte_array"},
        max_statistics_size=8,
    )  # fmt: skip
    assert len(data) < 1_000_000
    with pytest.raises(
        UnreadableFileError, match=r"its pages need 70,[\d,]+ bytes at once; allowed: at most 500,000,000"
    ):
        read_list(data, BulkOptions())


def test_a_page_that_says_more_than_its_footer_is_refused() -> None:
    data = bytearray(parquet(positions(50), dictionary_enabled=False))
    stop = 7  # the header of the first page: its type, then its unpacked size
    assert data[4:7] == b"\x15\x00\x15"
    while data[stop] & 128:
        stop += 1
    data[7 : stop + 1] = b"\xfe\xff\xff\xff\x07"  # 1,073,741,823, in as many bytes more
    with pytest.raises(UnreadableFileError, match=r"its pages need 1,073,[\d,]+ bytes at once|footer is damaged"):
        read_list(bytes(data), BulkOptions())


def test_damaged_files_are_one_error_and_never_a_panic() -> None:
    data = parquet(positions(50) | {"name": arro3.core.Array([f"s{k}" for k in range(50)], UTF8)}, compression="snappy")
    rng = np.random.default_rng(20260101)
    n_errors = 0
    for _ in range(20):
        bad = bytearray(data)
        for place in rng.integers(4, len(data) - 4, 3):
            bad[place] = rng.integers(256)
        try:
            read_list(bytes(bad), BulkOptions())
        except (UnreadableFileError, InvalidInputError) as error:
            n_errors += 1
            assert "\n" not in str(error)  # noqa: PT017 - most of the files are damaged, but not all
    assert n_errors > 5


def test_a_damaged_page_that_would_abort_this_process_is_one_error() -> None:
    pairs = np.array([7.5, 8.5])
    data = bytearray(parquet({"ra": np.tile(pairs, 25), "dec": np.tile(pairs + 1, 25)}, compression="uncompressed"))
    width = data.index(pairs.tobytes()) + 37  # of the page of the dictionary's places, behind its header
    data[width] = 255
    with pytest.raises(
        UnreadableFileError, match=r"^the list cannot be read: it is not a table: its pages are damaged$"
    ):
        read_list(bytes(data), BulkOptions())
