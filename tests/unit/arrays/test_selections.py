"""Datasets of cubes have the pixels of the file, whatever is selected, and read no more than that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import tessera
from tessera.arrays.selection import pixel_ranges, plan_pixels
from tessera.cubes.layout import CubeLayout
from tessera.cutouts.known.cubes import forget_cubes
from tessera.errors import InvalidQueryError
from tests.support.web import Site, serve, wait_for_ends

DIMS = ("time", "row", "column")
SIZES = {"time": 6, "row": 40, "column": 30}


@pytest.fixture(scope="module")
def cube(path: Path) -> Iterator[xr.Dataset]:
    with tessera.open_cube(path) as dataset:
        yield dataset


@pytest.fixture(scope="module")
def expected(pixels: NDArray[np.float32]) -> xr.Dataset:
    planes = {name: (DIMS, pixels[..., plane].transpose(2, 0, 1)) for plane, name in enumerate(("flux", "error"))}
    return xr.Dataset(planes)


def indexers(size: int) -> st.SearchStrategy[Any]:
    places = st.integers(-size, size - 1)
    steps = st.sampled_from([None, 1, 2, 7, -1, -3])
    return st.one_of(
        places,
        st.lists(places, max_size=5),
        st.builds(slice, st.none() | places, st.none() | places, steps),
    )


@settings(max_examples=60)
@given(st.fixed_dictionaries({name: indexers(size) for name, size in SIZES.items()}))
def test_any_selection_has_the_pixels_that_astropy_reads(
    cube: xr.Dataset, expected: xr.Dataset, selection: dict[str, Any]
) -> None:
    for name in ("flux", "error"):
        found = cube[name].isel(selection)
        assert found.dtype == np.dtype("f4")
        np.testing.assert_array_equal(found.values, expected[name].isel(selection).values)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 39), st.integers(0, 29)), min_size=1, max_size=6))
def test_a_list_of_single_pixels_has_their_light_curves(
    cube: xr.Dataset, expected: xr.Dataset, places: list[tuple[int, int]]
) -> None:
    row, column = (xr.DataArray(list(axis), dims="star") for axis in zip(*places, strict=True))
    found = cube.flux.isel(row=row, column=column)
    np.testing.assert_array_equal(found.values, expected.flux.isel(row=row, column=column).values)
    flipped = cube.error.transpose("column", "time", "row").isel(column=column[:1])
    np.testing.assert_array_equal(
        flipped.values, expected.error.transpose("column", "time", "row").isel(column=column[:1])
    )


def test_a_slice_is_that_of_astropys_section(path: Path, cube: xr.Dataset) -> None:
    with fits.open(path) as hdus:
        section = hdus[1].section[3:14, 5:16, :, :]
    window = cube.isel(row=slice(3, 14), column=slice(5, 16)).load()
    for plane, name in enumerate(("flux", "error")):
        np.testing.assert_array_equal(window[name].transpose("row", "column", "time"), section[..., plane])


@pytest.fixture(scope="module")
def site(path: Path) -> Iterator[Site]:
    with serve(Site({"/tess-s0001-4-2-cube.fits": path.read_bytes()})) as site:
        yield site


def ranges(site: Site) -> list[tuple[int, int]]:
    """Ranges that were requested since the last call."""
    heads = [{name.lower(): value for name, value in head.items()} for _, _, head in site.requests]
    assert all("if-match" in head for head in heads), "requests are pinned to the version"
    spans = [head["range"].removeprefix("bytes=").split("-") for head in heads]
    site.forget_requests()
    return [(int(first), int(last) + 1) for first, last in spans]


def test_a_window_is_one_pinned_request_per_row_for_both_planes(site: Site, expected: xr.Dataset) -> None:
    place = {"row": slice(28, 39), "column": slice(6, 17)}
    with tessera.open_cube(f"{site.base}/tess-s0001-4-2-cube.fits") as cube:
        site.forget_requests()
        window = cube.isel(place).load()
        found = ranges(site)
    assert len(found) == 11
    assert sum(stop - start for start, stop in found) == 11 * 11 * 6 * 2 * 4
    xr.testing.assert_equal(window.drop_vars(window.coords), expected.isel(place))


def test_a_window_is_read_once_for_all_that_is_done_with_it(site: Site) -> None:
    with tessera.open_cube(f"{site.base}/tess-s0001-4-2-cube.fits") as cube:
        window = cube.isel(row=slice(28, 39), column=slice(6, 17))
        site.forget_requests()
        window.tessera.to_lightcurve()
        assert len(ranges(site)) == 11
        window.tessera.to_target_pixels()
        assert window.transpose("row", "column", "time").tessera.to_target_pixels().shape == (6, 11, 11)
        assert window.flux.median("time").shape == (11, 11)
        window.load()
        assert site.requests == []


def test_stars_of_a_list_cost_a_request_per_row(site: Site) -> None:
    row, column = xr.DataArray([30, 30, 35], dims="star"), xr.DataArray([7, 8, 29], dims="star")
    with tessera.open_cube(f"{site.base}/tess-s0001-4-2-cube.fits") as cube:
        site.forget_requests()
        cube.flux.isel(row=row, column=column).load()
        assert sorted(stop - start for start, stop in ranges(site)) == [48, 2 * 48]


def test_whole_rows_that_follow_each_other_are_one_request(site: Site) -> None:
    with tessera.open_cube(f"{site.base}/tess-s0001-4-2-cube.fits") as cube:
        site.forget_requests()
        cube.flux.isel(row=slice(32, 35)).load()
        assert [stop - start for start, stop in ranges(site)] == [3 * 30 * 48]


def test_nothing_is_read_for_an_empty_selection_or_to_look_at_a_cube(site: Site) -> None:
    forget_cubes()
    site.forget_requests()
    with tessera.open_cube(f"{site.base}/tess-s0001-4-2-cube.fits") as cube:
        wait_for_ends()
        assert len(site.requests) == 3
        site.forget_requests()
        assert cube.flux.isel(row=slice(5, 5)).values.shape == (6, 0, 30)
        assert "flux" in repr(cube)
        assert "flux" in cube._repr_html_()
        assert float(cube.ra[3, 4]) > 0
        assert site.requests == []


def test_gaps_are_read_where_that_is_faster_than_another_request() -> None:
    layout = CubeLayout(10, 2136, 1000, 2)  # 8,000 bytes per pixel
    pixels = np.array([5, 6, 9, 2000, 2136 + 5], np.int64)
    reads = plan_pixels(layout, 5760, pixels, pixel_ranges(layout, pixels, (0, 1000), 1 << 20))
    assert [(read.first, read.n, read.data.start, read.data.length) for read in reads] == [
        (0, 3, 5760 + 5 * 8000, 5 * 8000),
        (3, 1, 5760 + 2000 * 8000, 8000),
        (4, 1, 5760 + 2141 * 8000, 8000),
    ]
    starts, stops = pixel_ranges(layout, pixels[:2], (10, 20), 0)
    assert (starts.tolist(), stops.tolist()) == ([40_080, 48_080], [40_160, 48_160])


def test_the_largest_cube_is_opened_and_cut(full: Path) -> None:
    with tessera.open_cube(full) as cube:
        assert cube.sizes == {"time": 11_775, "row": 2078, "column": 2136}
        window = cube.isel(row=slice(1000, 1011), column=slice(1003, 1014)).load()
    assert window.flux.shape == (11_775, 11, 11)


ROWS, WINDOW = {"time": slice(1), "row": slice(100)}, {"row": slice(11), "column": slice(11)}


@pytest.mark.parametrize(("limit", "place"), [(0.5, ROWS), (0.001, WINDOW)])
def test_a_selection_that_would_read_too_much_is_refused(full: Path, limit: float, place: dict[str, slice]) -> None:
    sentence = rf"GB of tess-s0001-4-2-cube\.fits; max_read allows {limit} GB at once"
    with tessera.open_cube(full, max_read=limit) as cube, pytest.raises(InvalidQueryError, match=sentence):
        _ = cube.error.isel(place).values
