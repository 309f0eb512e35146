"""Levels, scales and gaps, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tessera import InvalidInputError
from tessera.stitching.levels import Gap, Scale, check_gap, check_level, find_gaps, find_scales, measure_level


def test_the_level_is_the_median_of_what_has_no_bits() -> None:
    flux = np.array([10.0, 11.0, 14.0, np.nan, 900.0])
    quality = np.array([0, 0, 0, 0, 4096])
    found = measure_level(flux, quality)
    assert found.level == 11.0
    assert found.scatter == pytest.approx(1.4826)
    assert measure_level(flux, np.full(5, 8)).level == 12.5  # all have bits, so all count
    assert np.isnan(measure_level(np.full(3, np.nan), np.zeros(3, int)).level)
    assert np.isnan(measure_level(np.empty(0), np.empty(0, int)).level)


def test_a_scale_divides_shifts_or_does_nothing() -> None:
    levels = [100.0, 400.0, 200.0]
    assert find_scales(levels, "divide") == [Scale(0.01, 0.0), Scale(0.0025, 0.0), Scale(0.005, 0.0)]
    assert find_scales(levels, "shift") == [Scale(1.0, 100.0), Scale(1.0, -200.0), Scale(1.0, 0.0)]
    assert find_scales(levels, "none") == [Scale(1.0, 0.0)] * 3


def test_a_level_that_cannot_divide_may_be_shifted() -> None:
    levels = [-2.0, 0.0, 4.0, np.nan]
    assert find_scales(levels, "divide") == [None, None, Scale(0.25, 0.0), None]
    assert find_scales(levels, "shift") == [Scale(1.0, 2.0), Scale(1.0, 0.0), Scale(1.0, -4.0), None]
    assert find_scales([np.nan], "shift") == find_scales([np.nan], "none") == [None]


def test_gaps_are_longer_than_the_limit_and_unknown_flux_is_none() -> None:
    time = np.array([1.0, 1.5, 2.0, 2.25, 3.0, 9.0])
    sector = np.array([1, 1, 1, 1, 1, 2], np.int32)
    assert find_gaps(time, np.ones(6), sector, 0.5) == (Gap(2.25, 3.0, 1, 1), Gap(3.0, 9.0, 1, 2))
    unknown = np.array([1.0, np.nan, 1.0, 1.0, np.nan, 1.0])
    gaps = find_gaps(time, unknown, sector, 0.75)
    assert gaps == (Gap(1.0, 2.0, 1, 1), Gap(2.25, 9.0, 1, 2))
    assert [gap.days for gap in gaps] == [1.0, 6.75]
    assert find_gaps(time[:1], np.ones(1), sector[:1], 0.5) == ()


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, "1", True])
def test_a_gap_is_a_number_of_days(value: object) -> None:
    with pytest.raises(InvalidInputError, match=r"gap is .*; allowed: a number of days above 0"):
        check_gap(value)


def test_a_rule_has_a_name() -> None:
    assert (check_level("shift"), check_gap(2)) == ("shift", 2.0)
    with pytest.raises(InvalidInputError, match="level is 'divided'; allowed: 'divide', 'shift', 'none'; did you mean"):
        check_level("divided")
