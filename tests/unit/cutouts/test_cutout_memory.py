"""Memory that a cutout takes, beside the file that is its result."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tessera.cutouts.batch import make_cutouts
from tessera.fits.buffers import new_bytearray
from tessera.io.sources import LocalFile
from tessera.sky.wcs import fit_linear_wcs
from tessera.tpf import fixed
from tests.support.cubes import target_of
from tests.support.sparse import sparse_cube

SIDE, N_CADENCES = 30, 1500
FILE_BYTES = 20 * SIDE * SIDE * N_CADENCES


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sparse_cube(tmp_path_factory.mktemp("cube"), N_CADENCES, (2078, 2136))


def peak_of(work: Callable[[], Any]) -> int:
    """Most memory that Python and NumPy take at the same time, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_file_in_memory_takes_little_more_than_its_own_size(cube: Path) -> None:
    made = []
    peak = peak_of(lambda: made.extend(make_cutouts([cube], target_of(cube), SIDE)))
    assert len(made[0].data or b"") > FILE_BYTES
    assert peak < 1.3 * FILE_BYTES


def test_a_file_on_disk_takes_its_pixels_once(cube: Path, tmp_path: Path) -> None:
    peak = peak_of(lambda: make_cutouts([cube], target_of(cube), SIDE, output_dir=tmp_path))
    assert peak < 0.4 * FILE_BYTES + 15_000_000


def test_the_file_is_made_while_its_pixels_are_under_way(cube: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def read_pieces(*given: Any) -> Any:
        begun.set()
        return read(*given)

    def fit_wcs(*given: Any) -> Any:
        assert begun.wait(20), "no pixels are read before the headers are made"
        return fit_linear_wcs(*given)

    target, read = target_of(cube), LocalFile.read_pieces
    monkeypatch.setattr(LocalFile, "read_pieces", read_pieces)
    monkeypatch.setattr(fixed, "fit_linear_wcs", fit_wcs)
    (made,) = make_cutouts([cube], target, 3)
    assert made.status == "ok"


@pytest.mark.parametrize("n_bytes", [0, 1, 2880, 9 << 20])
def test_a_new_bytearray_is_a_usual_one(n_bytes: int) -> None:
    data = new_bytearray(n_bytes)
    data[:] = bytes(n_bytes)
    assert type(data) is bytearray
    assert data == bytes(n_bytes)
    np.frombuffer(data, np.uint8)[:] = 7
    assert data.count(7) == n_bytes
