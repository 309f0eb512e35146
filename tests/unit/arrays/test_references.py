"""References lead readers of Zarr that know nothing of cubes to the pixels of a cube."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path
from typing import Any

import icechunk
import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.typing import NDArray

import tessera
from tessera.errors import InvalidInputError, KeptFileError
from tests.support.web import Site, serve

NAME = "tess-s0001-4-2-cube.fits"


def open_repository(folder: Path, prefix: str) -> zarr.Group:
    storage = icechunk.local_filesystem_storage(str(folder))
    repository = icechunk.Repository.open(storage, authorize_virtual_chunk_access={prefix: None})
    return zarr.open_group(repository.readonly_session("main").store, mode="r")


def test_kerchunk_and_xarray_read_a_cube_through_its_references(
    path: Path, pixels: NDArray[np.float32], tmp_path: Path
) -> None:
    target = tmp_path / "new" / "cube.json"
    assert tessera.export_references(path, target) == target
    with xr.open_dataset(str(target), engine="kerchunk") as found, tessera.open_cube(path) as cube:
        np.testing.assert_array_equal(found.pixels, pixels)
        assert found.pixels.encoding["chunks"] == (1, 10, 6, 2), "8 does not divide 30"
        np.testing.assert_array_equal(found.time, cube.time)
        assert found.time.attrs == cube.time.attrs
        assert found.attrs["wcs"] == cube.attrs["wcs"]
    assert [item.name for item in target.parent.iterdir()] == ["cube.json"]


def test_references_lead_to_a_cube_on_the_web(path: Path, pixels: NDArray[np.float32], tmp_path: Path) -> None:
    with serve(Site({f"/{NAME}": path.read_bytes()})) as site:
        tessera.export_references(f"{site.base}/{NAME}", tmp_path / "cube.json", columns=3)
        options = {"remote_protocol": "http"}
        with xr.open_dataset(str(tmp_path / "cube.json"), engine="kerchunk", storage_options=options) as found:
            np.testing.assert_array_equal(found.pixels[20:22, 4:9], pixels[20:22, 4:9])
        with pytest.raises(InvalidInputError, match="which are what icechunk reads, without a port"):
            tessera.export_references(f"{site.base}/{NAME}", tmp_path / "cube", "icechunk")
    assert [item.name for item in tmp_path.iterdir()] == ["cube.json"]


def test_icechunk_reads_a_local_cube_and_notices_that_it_changed(
    path: Path, pixels: NDArray[np.float32], tmp_path: Path
) -> None:
    own = tmp_path / NAME
    own.write_bytes(path.read_bytes())
    rows: list[tuple[int, int]] = []
    tessera.export_references(
        own, tmp_path / "cube", "icechunk", progress=lambda done, total: rows.append((done, total))
    )
    group = open_repository(tmp_path / "cube", f"file://{tmp_path}/")
    array: Any = group["pixels"]
    np.testing.assert_array_equal(array[...], pixels)
    assert group.attrs["sector"] == 1
    assert rows[-1] == (40, 40)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["cube", NAME]
    os.utime(own, (2**31, 2**31))
    with pytest.raises(icechunk.IcechunkError):
        _ = array[3]


def test_references_of_the_largest_cube_are_as_many_as_its_page_says(full: Path, tmp_path: Path) -> None:
    tessera.export_references(full, tmp_path / "cube.json", columns=89)
    refs = json.loads((tmp_path / "cube.json").read_bytes())["refs"]
    chunks = [value for key, value in refs.items() if key.startswith("pixels/") and not key.startswith("pixels/.")]
    assert len(chunks) == 49_872
    with tessera.open_cube(full) as cube:
        row_bytes = cube.sizes["column"] * cube.sizes["time"] * 8
    assert chunks[-1][1] - chunks[0][1] == 2078 * row_bytes - chunks[0][2]


def test_folders_have_any_name_or_are_refused(path: Path, pixels: NDArray[np.float32], tmp_path: Path) -> None:
    own = tmp_path / "{{u}} 100%" / NAME
    own.parent.mkdir()
    own.write_bytes(path.read_bytes())
    tessera.export_references(own, tmp_path / "cube.json")
    with xr.open_dataset(str(tmp_path / "cube.json"), engine="kerchunk") as found:
        np.testing.assert_array_equal(found.pixels[3], pixels[3])
    with pytest.raises(InvalidInputError, match="without a port, blanks, percent signs, and characters beyond ASCII"):
        tessera.export_references(own, tmp_path / "cube", "icechunk")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["cube.json", own.parent.name]


def test_a_repository_that_cannot_be_written_is_one_sentence(path: Path, tmp_path: Path) -> None:
    def harm(done: int, total: int) -> None:
        if done == total:
            for item in [item for item in tmp_path.glob(".cube.*/*") if item.is_dir()]:
                shutil.rmtree(item)
                item.write_text("in the way", encoding="utf-8")

    with pytest.raises(OSError, match=f"the references of {NAME} cannot be written: ") as caught:
        tessera.export_references(path, tmp_path / "cube", "icechunk", progress=harm)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["kerchunk", "icechunk"])
def test_nothing_is_replaced(path: Path, tmp_path: Path, kind: Any) -> None:
    (tmp_path / "there").write_text("mine", encoding="utf-8")
    with pytest.raises(KeptFileError, match="there exists and is not replaced"):
        tessera.export_references(path, tmp_path / "there", kind)
    assert (tmp_path / "there").read_text(encoding="utf-8") == "mine"


def test_icechunk_leaves_nothing_where_it_cannot_read_the_cube(path: Path, tmp_path: Path) -> None:
    import fsspec  # noqa: PLC0415 - only this test needs it

    memory = fsspec.filesystem("memory")
    memory.pipe_file(f"/references/{NAME}", path.read_bytes())
    with pytest.raises(InvalidInputError, match=r"memory://.*allowed: a local path, s3:// or https://"):
        tessera.export_references(f"/references/{NAME}", tmp_path / "cube", "icechunk", filesystem=memory)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"format": "zarr"}, "format is 'zarr'; allowed: 'kerchunk', 'icechunk'"),
        ({"columns": 8}, "columns is 8; allowed: a divisor of 30: 1, 2, 3, 5, 6, 10, 15, 30"),
        ({"columns": 0}, "columns is 0; allowed: an integer from 1 to 30"),
        ({"columns": "all"}, "columns is 'all'; allowed: an integer from 1 to 30"),
        ({"path": "s3://bucket/cube.json"}, "path is 's3://bucket/cube.json'; allowed: a path on this machine"),
        ({"path": ""}, "path is ''; allowed: a path with"),
        ({"path": "/dev/null/cube", "format": "icechunk"}, "path is '/dev/null/cube'; allowed: a path"),
    ],
)
def test_bad_input_is_one_sentence(path: Path, tmp_path: Path, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        tessera.export_references(path, **{"path": tmp_path / "cube", **arguments})
    assert list(tmp_path.iterdir()) == []


def test_references_keep_no_signature_and_lead_to_no_packed_cube(path: Path, tmp_path: Path) -> None:
    signed = f"/{NAME}?X-Amz-Signature=abc"
    with (
        serve(Site({signed: path.read_bytes()})) as site,
        pytest.raises(InvalidInputError, match="without passwords and signatures") as caught,
    ):
        tessera.export_references(f"{site.base}{signed}", tmp_path / "cube.json")
    assert "abc" not in str(caught.value)
    packed = tmp_path / f"{NAME}.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(InvalidInputError, match="a cube that is not packed"):
        tessera.export_references(packed, tmp_path / "cube.json")
    assert list(tmp_path.iterdir()) == [packed]
