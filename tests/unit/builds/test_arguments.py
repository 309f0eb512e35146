"""Arguments of builds have limits, which errors name."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tessera import CubeFactory
from tessera.errors import InvalidInputError
from tests.support.frames import tiny_sector


@pytest.mark.parametrize("threads", ["auto", None])
def test_the_number_of_threads_may_be_left_to_the_factory(threads: str | None) -> None:
    assert CubeFactory(threads=threads).threads == (os.cpu_count() or 1)  # type: ignore[arg-type] # "auto" or None
    assert CubeFactory(threads=3).threads == 3


@pytest.mark.parametrize("threads", [0, -3, 1025, 1.5, "3", "many", True, [2]])
def test_another_number_of_threads_is_refused(threads: object) -> None:
    with pytest.raises(InvalidInputError, match=r"^threads is .*; allowed: an integer from 1 to 1024, or 'auto'$"):
        CubeFactory(threads=threads)  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize("name", ["pwrite", "fsync", "ftruncate", "replace"])
def test_an_error_of_the_disk_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    paths = []
    for frame, data in tiny_sector(2, (8, 6)):
        paths.append(tmp_path / frame)
        paths[-1].write_bytes(data)

    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), *map(str, arguments[:1] if name == "replace" else ()))

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".cube.fits.partial").write_bytes(b"what a killed run with other inputs left")
    monkeypatch.setattr(os, name, fail)
    with pytest.raises(OSError, match="No space left on device") as caught:
        CubeFactory().make_cube(paths, tmp_path / "out" / "cube.fits", verbose=False)
    assert "cube.fits" in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []
