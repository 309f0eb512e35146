"""A cube is a store of Zarr: readers of Zarr find the pixels, coordinates and attributes of the dataset."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.typing import NDArray
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype

import tessera
from tessera import open_zarr_store
from tessera.arrays.store import CubeStore
from tests.support.coroutines import run_coroutine
from tests.support.web import Site, serve


@pytest.fixture(scope="module")
def store(path: Path) -> Iterator[CubeStore]:
    with open_zarr_store(path) as store:
        yield store


@pytest.mark.parametrize("place", [..., (slice(3, 14), slice(5, 16)), (39, slice(22, 30)), (0, 29, -1, 1)])
def test_zarr_reads_the_pixels_also_in_the_padded_chunk_of_a_row(
    store: CubeStore, pixels: NDArray[np.float32], place: Any
) -> None:
    array = zarr.open_group(store, mode="r")["pixels"]
    assert isinstance(array, zarr.Array)
    assert array.chunks == (1, 8, 6, 2)
    np.testing.assert_array_equal(array[place], pixels[place])


def test_xarray_finds_the_coordinates_and_attributes_of_the_dataset(store: CubeStore, path: Path) -> None:
    found = xr.open_zarr(store, chunks=None)
    with tessera.open_cube(path) as cube:
        for name in ("time", "row", "column", "quality", "cadence_number", "time_correction"):
            xr.testing.assert_identical(found[name].variable, cube[name].variable)
        assert found.attrs == cube.attrs
        np.testing.assert_array_equal(found.pixels.isel(plane=1).transpose(*cube.error.dims), cube.error)


def test_every_key_that_is_listed_exists_and_no_other(store: CubeStore) -> None:
    async def ask() -> None:
        keys = [key async for key in store.list()]
        assert len(keys) == len(set(keys)) == 8 + 6 + 40 * 4
        for key in keys:
            data = await store.get(key, default_buffer_prototype())
            assert data is not None
            assert await store.exists(key)
        assert sorted([name async for name in store.list_dir("pixels/c")]) == sorted(map(str, range(40)))
        assert [name async for name in store.list_dir("time")] == ["zarr.json", "c"]
        for key in (
            "pixels/c/40/0/0/0",
            "pixels/c/0/4/0/0",
            "pixels/c/00/0/0/0",
            "pixels/c/0/0/0/1",
            "flux",
            "time/c/1",
        ):
            assert await store.get(key, default_buffer_prototype()) is None
            assert not await store.exists(key)

    run_coroutine(ask())


def test_parts_of_a_chunk_are_those_of_its_bytes(store: CubeStore) -> None:
    async def ask() -> None:
        key, prototype = "pixels/c/2/3/0/0", default_buffer_prototype()
        parts = (None, RangeByteRequest(10, 30), OffsetByteRequest(380), SuffixByteRequest(7))
        found = await store.get_partial_values(prototype, [(key, part) for part in parts])
        whole, *others = [item.to_bytes() for item in found if item is not None]
        assert len(whole) == 8 * 48
        assert whole[6 * 48 :] == bytes(2 * 48)
        assert others == [whole[10:30], whole[380:], whole[-7:]]

    run_coroutine(ask())


def test_neighbouring_chunks_of_a_row_are_one_request(path: Path) -> None:
    name = "tess-s0001-4-2-cube.fits"
    with serve(Site({f"/{name}": path.read_bytes()})) as site, open_zarr_store(f"{site.base}/{name}") as store:
        array = zarr.open_group(store, mode="r")["pixels"]
        site.forget_requests()
        assert isinstance(array, zarr.Array)
        _ = array[30:32, 6:30]
        assert len(site.requests) == 2


def test_a_store_can_be_sent_to_another_process_and_is_equal_to_itself(store: CubeStore, path: Path) -> None:
    other = pickle.loads(pickle.dumps(store))
    assert other == store
    assert other != path
    array = zarr.open_group(other, mode="r")["pixels"]
    assert isinstance(array, zarr.Array)
    assert array[20, 10, 0, 0] == 1 + 10 + 30 * 20
    other.close()


def test_a_store_cannot_be_written(store: CubeStore) -> None:
    array = zarr.open_group(store, mode="r")["pixels"]
    assert isinstance(array, zarr.Array)
    with pytest.raises(ValueError, match="cannot be written"):
        array[0, 0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        zarr.open_group(store, mode="w")
    with pytest.raises(ValueError, match="cannot be written"):
        store.with_read_only(read_only=False)
    with pytest.raises(ValueError, match="cannot be written"):
        run_coroutine(store.delete("zarr.json"))
