"""Reading the array of a growing cube: which ranges of its segments a range of the whole array needs."""

from __future__ import annotations

from tessera.cubes.layout import CubeLayout
from tessera.cubes.segments.joining import Segment, find_runs, read_joined
from tessera.io.ranges import ByteRange

LAYOUT = CubeLayout(2, 3, 6, 1)
SEGMENTS = [
    Segment("a.fits", 1000, "", 100, 0, ((0, 2), (5, 1))),
    Segment("b.fits", 1000, "", 200, 0, ((2, 3),)),
]


def asked(start: int, length: int) -> list[tuple[int, int, int]]:
    """Number of the segment, first byte and number of bytes of each request for a range of the whole array."""
    found: list[tuple[int, int, int]] = []

    def read(number: int, data: ByteRange) -> bytes:
        found.append((number, data.start, data.length))
        return bytes(data.length)

    assert len(read_joined(LAYOUT, SEGMENTS, ByteRange(start, length), read)) == length
    return found


def test_whole_pixels_are_one_range_of_each_segment() -> None:
    assert asked(0, 24) == [(0, 100, 12), (1, 200, 12)]
    assert asked(24, 48) == [(0, 112, 24), (1, 212, 24)]
    assert asked(22, 4) == [(0, 100, 24), (1, 200, 24)]  # a bit of two pixels


def test_some_cadences_of_a_pixel_are_read_where_they_are() -> None:
    assert asked(24 + 2 * 4, 3 * 4) == [(1, 212, 12)]
    assert asked(24 + 4, 4) == [(0, 116, 4)]
    assert asked(24 + 4 * 4, 2 * 4) == [(0, 120, 4), (1, 220, 4)]
    assert asked(24 + 4 * 4 + 1, 1) == [(1, 220, 4)]


def test_runs_are_adjacent_cadences_in_the_order_of_the_file() -> None:
    assert find_runs([0, 1, 5, 4, 7, 8, 9]) == ((0, 2), (5, 1), (4, 1), (7, 3))
    assert find_runs([]) == ()
