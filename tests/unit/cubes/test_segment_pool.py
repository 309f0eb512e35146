"""Requests to the segments of a growing cube."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tessera.cubes.layout import CubeLayout
from tessera.cubes.segments.joining import Segment, read_joined
from tessera.cubes.segments.pool import segment_pool
from tessera.io.ranges import REQUESTS_IN_FLIGHT, ByteRange

ROWS, DAYS = 11, 27


def test_a_small_cutout_waits_for_all_segments_at_once() -> None:
    """Each request waits until all have been sent."""
    layout = CubeLayout(ROWS, 3, DAYS, 1)
    segments = [Segment(f"{day}.fits", 10_000, "", 0, 0, ((day, 1),)) for day in range(DAYS)]
    sent = threading.Barrier(ROWS * DAYS, timeout=30)

    def read(number: int, data: ByteRange) -> bytes:
        sent.wait()
        return bytes([number]) * data.length

    def read_row(row: int) -> bytes:
        return bytes(read_joined(layout, segments, layout.row_range(row, 0, 2), read, segment_pool().map))

    with ThreadPoolExecutor(REQUESTS_IN_FLIGHT) as rows:
        found = list(rows.map(read_row, range(ROWS)))
    assert found == [b"".join(bytes([day]) * 4 for day in range(DAYS)) * 2] * ROWS
