"""Cutouts that hold a path are those of astrocut, limits included."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from astrocut.cutout_processing import path_to_footprints as peers
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from tessera.compat.moving.path_to_footprints import box_shape, path_to_footprints
from tessera.errors import InvalidInputError, InvalidQueryError

N_ROWS, N_COLUMNS = 48, 64


def image_wcs() -> WCS:
    """A WCS with ra = column / 8 and dec = row / 8: both are exact, so that a pixel's edge is one."""
    cards = {"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR", "CDELT1": 0.125, "CDELT2": 0.125, "CRPIX1": 1, "CRPIX2": 1}
    size = {"NAXIS": 2, "NAXIS1": N_COLUMNS, "NAXIS2": N_ROWS, "CRVAL1": 0.0, "CRVAL2": 0.0}
    return WCS(fits.Header(size | cards))


def at(columns: Any, rows: Any) -> SkyCoord:
    return SkyCoord(np.divide(columns, 8) % 360, np.divide(rows, 8), unit="deg")


def walk(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of a target that wanders through the image; the peer takes rows for columns at its edges."""
    steps = np.random.default_rng(seed).integers(-6, 7, (2, 30)) / 4
    columns, rows = 20.0 + np.cumsum(steps, axis=1)
    return np.clip(columns, 8, 40), np.clip(rows, 8, 40)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("max_pixels", [1, 24, 25, 30, 60, 81, 10_000])
def test_footprints_are_the_peers(seed: int, max_pixels: int) -> None:
    path, wcs = at(*walk(seed)), image_wcs()
    ours = path_to_footprints(path, (4, 6), wcs, max_pixels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peers(path, (4, 6), wcs, max_pixels)
    assert [set(item) for item in ours] == [{"coordinates", "size"}] * len(theirs)
    assert [item["size"] for item in ours] == [tuple(item["size"]) for item in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine["coordinates"].separation(other["coordinates"]).arcsec < 1e-6


@pytest.mark.parametrize(("max_pixels", "sizes"), [(35, [(5, 7)]), (34, [(5, 5), (5, 5)])])
def test_a_footprint_may_have_just_as_many_pixels_as_are_allowed(max_pixels: int, sizes: list[tuple[int, int]]) -> None:
    path, wcs = at([20.5, 22.5], [20.5, 20.5]), image_wcs()
    assert [item["size"] for item in path_to_footprints(path, 5, wcs, max_pixels)] == sizes
    assert [tuple(item["size"]) for item in peers(path, [5, 5], wcs, max_pixels)] == sizes


def test_a_footprint_has_at_most_10_000_pixels_by_default() -> None:
    wcs = image_wcs()
    wcs.array_shape = (20_000, 20_000)
    for apart, n_rows, n in ((96, 100, 1), (133, 73, 2)):  # 100 x 100 pixels, and 137 x 73, which are 10,001
        path = at([50.25, 50.25 + apart], [50.5, 50.5])
        assert len(path_to_footprints(path, (4, n_rows), wcs)) == n
        assert len(path_to_footprints(path, (4, n_rows), wcs, 10_001)) == 1


@pytest.mark.parametrize(
    ("column", "row"), [(-0.5, 5), (5, -0.5), (N_COLUMNS - 0.5625, 5), (5, N_ROWS - 0.5625), (-0.5, -0.5)]
)
def test_the_image_begins_with_the_edges_of_its_first_pixels(column: float, row: float) -> None:
    (found,) = path_to_footprints(at([column], [row]), 3, image_wcs())
    assert found["size"] == (3, 3)


@pytest.mark.parametrize(
    ("column", "row"),
    [(-0.5625, 5), (5, -0.5625), (N_COLUMNS - 0.5, 5), (5, N_ROWS - 0.5), (N_COLUMNS - 0.5, N_ROWS - 0.5)],
)
def test_the_image_ends_before_the_edges_of_its_last_pixels(column: float, row: float) -> None:
    with pytest.raises(InvalidQueryError, match="not on the image"):
        path_to_footprints(at([column], [row]), 3, image_wcs())


def test_places_of_any_frame_are_found() -> None:
    (found,) = path_to_footprints(at([20.0], [10.0]).galactic, 4, image_wcs())
    assert found["coordinates"].separation(at([20.0], [10.0]))[0].deg < 1e-9


@pytest.mark.parametrize(
    ("size", "shape"),
    [(5, (5, 5)), ((4, 6), (4, 6)), ([4.0, 6.0], (4, 6)), (1, (1, 1)), (np.array([10_000, 1]), (10_000, 1))],
)
def test_a_size_is_columns_and_rows(size: Any, shape: tuple[int, int]) -> None:
    assert box_shape(size) == shape


@pytest.mark.parametrize("size", [0, -1, 2.5, (1, 10_001), (0, 5), (5, 0), (1, 2, 3), (), "five", None, np.nan])
def test_something_else_than_a_size_is_refused(size: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^size is .*; allowed: 1 to 10000 whole pixels"):
        box_shape(size)


@pytest.mark.parametrize("shape", [None, (48,)])
def test_a_wcs_without_the_size_of_its_image_is_refused(shape: Any) -> None:
    wcs = image_wcs() if shape is None else WCS(naxis=1)
    wcs.array_shape = shape
    with pytest.raises(InvalidInputError, match="NAXIS1 and NAXIS2"):
        path_to_footprints(at([5], [5]), 3, "no WCS")
    with pytest.raises(InvalidInputError, match="NAXIS1 and NAXIS2"):
        path_to_footprints(at([5], [5]), 3, wcs)
