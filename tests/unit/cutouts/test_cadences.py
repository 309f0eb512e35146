"""Which cadences a cutout keeps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tessera.cubes.reader import Cube, read_cube
from tessera.cutouts.cadences import select_cadences
from tessera.errors import NoCadenceError
from tests.support.builds import build_cube
from tests.support.frames import tiny_sector


@pytest.fixture(scope="module")
def cube() -> Cube:
    """Four cadences in the middle of 1.0, 2.0, 3.0 and 4.0, with the bits 0, 1, 2 and 3."""
    data = build_cube(tiny_sector(4, (4, 3)))
    read = read_cube("tess-s0001-4-2-cube.fits", len(data), lambda start, length: data[start : start + length])
    numbers = np.arange(1.0, 5.0)
    series = read.series | {"start": numbers - 0.25, "stop": numbers + 0.25}
    series |= {"quality": np.arange(4, dtype=np.int32), "cadence_number": np.zeros(4, np.int32)}
    return dataclasses.replace(read, series=series)


def kept(
    cube: Cube, time: tuple[float, float] | None = None, cadences: tuple[int, int] | None = None, mask: int = 0
) -> list[int] | None:
    found = select_cadences(cube, time, cadences, mask)
    return None if found is None else found.tolist()


def test_all_are_kept_when_nothing_is_asked_for(cube: Cube) -> None:
    assert kept(cube) is None


@pytest.mark.parametrize(
    ("time", "expected"),
    [((2.0, 3.0), [1, 2]), ((2.01, 3.99), [2]), ((0.0, 9.0), [0, 1, 2, 3]), ((4.0, 4.0), [3]), ((4.0, np.inf), [3])],
)
def test_the_middle_of_an_exposure_is_in_a_range_with_its_ends(
    cube: Cube, time: tuple[float, float], expected: list[int]
) -> None:
    assert kept(cube, time) == expected


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ((2.1, 2.2), [1]),  # within an exposure
        ((1.8, 1.8), [1]),
        ((2.2, 2.8), [1, 2]),  # ends in two
        ((1.8, 2.9), [1]),  # has a middle, so that the exposure that it only touches is left out
    ],
)
def test_a_range_without_a_middle_keeps_what_it_touches_if_asked_for(
    cube: Cube, time: tuple[float, float], expected: list[int]
) -> None:
    found = select_cadences(cube, time, None, 0, touched=True)
    assert found is not None
    assert found.tolist() == expected
    with pytest.raises(NoCadenceError):
        select_cadences(cube, (2.3, 2.7), None, 0, touched=True)  # between two exposures


@pytest.mark.parametrize(("cadences", "expected"), [((1, 2), [1, 2]), ((0, 0), [0]), ((2, 9), [2, 3])])
def test_cadences_are_counted_where_they_have_no_numbers(
    cube: Cube, cadences: tuple[int, int], expected: list[int]
) -> None:
    assert kept(cube, None, cadences) == expected


def test_cadences_are_chosen_by_their_numbers_where_they_have_some(cube: Cube) -> None:
    numbered = dataclasses.replace(cube, series=cube.series | {"cadence_number": np.array([0, 71, 72, 80])})
    assert kept(numbered, None, (71, 72)) == [1, 2]
    assert kept(numbered, None, (0, 3)) == [0]


@pytest.mark.parametrize(("mask", "expected"), [(1, [0, 2]), (2, [0, 1]), (3, [0]), (4, [0, 1, 2, 3])])
def test_a_cadence_with_one_of_the_bits_is_left_out(cube: Cube, mask: int, expected: list[int]) -> None:
    assert kept(cube, None, None, mask) == expected


def test_what_is_kept_fits_every_wish(cube: Cube) -> None:
    assert kept(cube, (1.0, 3.0), (1, 3), 2) == [1]


@pytest.mark.parametrize(
    ("time", "cadences", "mask", "words"),
    [
        ((4.01, 9.0), None, 0, "kept by time 4.010000 to 9.000000; the cube has BTJD 1.000000 to 4.000000"),
        (None, (4, 9), 0, "kept by cadences 4 to 9; the cube has .*, cadences 0 to 3"),
        ((1.0, 2.0), (2, 3), 0, "kept by time 1.000000 to 2.000000, cadences 2 to 3;"),
        ((2.0, 2.0), None, 1, "kept by time 2.000000 to 2.000000, quality_mask 1;"),
    ],
)
def test_a_choice_that_keeps_no_cadence_is_an_error_that_says_what_is_there(
    cube: Cube, time: tuple[float, float] | None, cadences: tuple[int, int] | None, mask: int, words: str
) -> None:
    with pytest.raises(NoCadenceError, match=f"no cadence of tess-s0001-4-2-cube.fits is {words}"):
        kept(cube, time, cadences, mask)
