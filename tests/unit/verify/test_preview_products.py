"""Previews say what they were made of, and are made again from it: the JSON, the frames, and pictures."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tessera import sign_records
from tessera.cutouts.open_cube import open_cube
from tessera.cutouts.origin.cube_record import cube_origin
from tessera.lightcurves.detrending.alignment import open_vectors
from tessera.lightcurves.detrending.vector_files import vectors_fits
from tessera.lightcurves.detrending.vectors import AlignedVectors, CotrendingVectors
from tessera.lightcurves.preview import series_of
from tessera.lightcurves.previews.frames import FramesRecipe, build_frames, frames_file
from tessera.lightcurves.previews.pictures import PreviewPicture, preview_png
from tessera.lightcurves.previews.preview import PROVENANCE, build_preview, preview_record
from tessera.lightcurves.previews.recipe import PreviewRecipe
from tessera.provenance.png_files import read_png, write_png
from tessera.provenance.record import Record
from tessera.provenance.signing import PublicKey
from tessera.verify.verify import verify_product
from tessera.windows import Window
from tests.support.keys import key_files
from tests.unit.verify.test_verify import written

WINDOW = Window(15, 10, 7, 6)


def preview_of(cube: Path, vectors: Path | None = None, **options: Any) -> dict[str, Any]:
    given = None if vectors is None else open_vectors(vectors)
    named: dict[str, Any] = {} if given is None else {"detrend": "cbv", "vectors": given.origin}
    recipe = PreviewRecipe("tess-s0001-4-2", WINDOW, 18.4, 13.2, **options, **named)
    aligned = None if given is None else AlignedVectors(given.vectors, given.gap)
    with open_cube(cube) as file:
        preview = build_preview(recipe, file.cube, series_of(file.read_window(WINDOW)), aligned)
        record = preview_record(recipe, cube_origin(cube, file.source, file.cube), preview)
    return {**preview, "pictures": {"median": "https://api.example.org/"}, PROVENANCE: record.named}


def saved(preview: dict[str, Any], path: Path) -> Path:
    return written(json.dumps(preview, indent=2).encode(), path)


@pytest.mark.parametrize("options", [{}, {"background": "rows", "points": 3}, {"aperture": "0000c000000"}])
def test_a_preview_comes_out_the_same(cube: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    path = saved(preview_of(cube, **options), tmp_path / "preview.json")
    found = verify_product(path, cube)
    assert (found.status, found.problems, found.notes) == ("same", [], [])


def vectors_of(cube: Path, folder: Path, n_more: int = 0) -> Path:
    """A file of cotrending vectors of a cube."""
    with open_cube(cube) as file:
        n = file.cube.layout.n_cadences + n_more
    vectors = CotrendingVectors(np.arange(n) / 48, None, np.zeros(n, bool), np.sin(np.arange(n) / 2.0)[np.newaxis])
    path = folder / "tess-s0001-4-2-vectors.fits"
    path.write_bytes(vectors_fits(vectors, [], 4, 2))
    return path


@pytest.mark.parametrize("form", ["preview.json", "picture.png"])
def test_a_preview_with_cotrending_vectors_names_them(cube: Path, tmp_path: Path, form: str) -> None:
    vectors = vectors_of(cube, tmp_path)
    preview = preview_of(cube, vectors)
    png = preview_png(preview, PreviewPicture("difference", "linear", 1))
    path = written(png if form == "picture.png" else json.dumps(preview).encode(), tmp_path / form)
    found = verify_product(path, cube)  # the vectors are beside it
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    content = bytearray(vectors.read_bytes())
    content[content.rindex(b"END" + b" " * 77) // 2880 * 2880 + 2880 + 13] ^= 64  # the first value of the vector
    vectors.write_bytes(content)
    found = verify_product(path, cube)
    told = [*(item.text for item in found.problems), *found.notes]  # a picture may be the same with other vectors
    assert [text for text in told if text.startswith(f"the source {vectors.name} was replaced: the digest of its ")]
    assert form == "picture.png" or found.status == "different"
    vectors_of(cube, tmp_path, 1)
    assert "have the cadences of another cube" in verify_product(path, cube).notes[-1]
    vectors.unlink()
    note = f"its source {vectors.name} is not beside it; name it with --from"
    assert verify_product(path, cube).notes == [note]


def test_what_was_changed_in_a_preview_is_named(cube: Path, tmp_path: Path) -> None:
    preview = preview_of(cube)
    preview["median"][2][1] += 1
    preview["lightcurve"]["flux"][4] = None
    preview["cube"] = "tess-s0001-4-3"
    found = verify_product(saved(preview, tmp_path / "preview.json"), cube)
    assert found.status == "different"
    assert [(item.what, item.place) for item in found.problems] == [
        ("record", {}),
        ("value", {"field": "cube"}),
        ("value", {"field": "lightcurve.flux", "point": 4}),
        ("pixel", {"field": "median", "row": 17, "column": 11}),
    ]
    preview = preview_of(cube)
    preview[PROVENANCE]["record"] = preview[PROVENANCE]["record"].replace('"points":2000', '"points":1000')
    assert [item.what for item in verify_product(saved(preview, tmp_path / "p.json"), cube).problems] == ["record"]
    del preview[PROVENANCE]
    assert verify_product(saved(preview, tmp_path / "p.json"), cube).status == "unknown"


def frames_of(cube: Path, first: int, count: int) -> bytes:
    with open_cube(cube) as file:
        frames = build_frames(file.cube, series_of(file.read_window(WINDOW)).flux)
        origin = cube_origin(cube, file.source, file.cube)
    return frames_file(frames[first : first + count], FramesRecipe(WINDOW, first, count), origin)


def test_frames_come_out_the_same_and_numpy_reads_both_arrays(cube: Path, tmp_path: Path) -> None:
    content = frames_of(cube, 2, 3)
    found = verify_product(written(content, tmp_path / "frames.npy"), cube)
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    file = io.BytesIO(content)
    assert np.load(file)["flux"].shape == (3, 7, 6)
    ((text, sha256),) = np.load(file)
    assert file.read() == b""
    assert Record.read(text.decode(), sha256.decode()).request["first"] == 2
    assert np.load(tmp_path / "frames.npy", mmap_mode="r")["cadence"].shape == (3,)


def test_a_changed_pixel_of_frames_is_named(cube: Path, tmp_path: Path) -> None:
    content = bytearray(frames_of(cube, 2, 3))
    frames = np.load(io.BytesIO(content))
    place = content.index(frames.tobytes()) + frames.dtype.itemsize + 16 + 4 * (6 * 5 + 2)
    content[place : place + 4] = np.float32(7.0).tobytes()
    found = verify_product(written(content, tmp_path / "frames.npy"), cube)
    assert [(item.what, item.place) for item in found.problems] == [
        ("record", {}),
        ("pixel", {"field": "flux", "cadence": 3, "row": 20, "column": 12}),
    ]
    cut = verify_product(written(content[:-9], tmp_path / "frames.npy"), cube)
    assert [item.what for item in cut.problems] == ["record"]


@pytest.mark.parametrize(("image", "scale"), [("median", 3), ("difference", 1)])
def test_a_picture_comes_out_the_same(cube: Path, tmp_path: Path, image: str, scale: int) -> None:
    path = written(preview_png(preview_of(cube), PreviewPicture(image, "sqrt", scale)), tmp_path / "a.png")
    found = verify_product(path, cube)
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    assert json.loads(Image.open(path).text["provenance.record"])["request"]["image"] == image  # type: ignore[attr-defined]


def test_a_changed_picture_is_named(cube: Path, tmp_path: Path) -> None:
    levels, record = read_png(preview_png(preview_of(cube), PreviewPicture("median", "asinh", 2)))
    assert record is not None
    levels[5, 3] ^= 1
    found = verify_product(written(write_png(levels, record), tmp_path / "a.png"), cube)
    assert [(item.what, item.place) for item in found.problems] == [
        ("record", {}),
        ("pixel", {"row": WINDOW.first_row + 7 - 1 - 2, "column": 11}),
    ]
    assert verify_product(written(write_png(levels), tmp_path / "a.png"), cube).status == "unknown"
    assert verify_product(written(write_png(levels)[:60], tmp_path / "a.png"), cube).status == "different"


@pytest.mark.parametrize(
    "content",
    [
        b"\x93NUMPY\x01\x00"
        + (118).to_bytes(2, "little")
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (9000000000000000,), }".ljust(117)
        + b"\n",
        b"\x93NUMPY",
        b"\x89PNG\r\n\x1a\n",
    ],
    ids=["an array of 72 PB", "a start of an array", "a start of a picture"],
)
def test_a_file_that_is_no_sound_one_is_told(tmp_path: Path, content: bytes) -> None:
    found = verify_product(written(content, tmp_path / "file"))
    assert [item.what for item in found.problems] == ["record"]


def test_what_only_looks_like_a_preview_has_no_record(tmp_path: Path) -> None:
    for text in ('{"lightcurve": NaN, "median": 1, "window": 2}', '{"lightcurve": 3}', "[" * 100_000, "{" * 100_000):
        assert verify_product(written(text.encode(), tmp_path / "file")).status == "unknown"
    preview = {"lightcurve": 1, "median": 2, "window": 3, PROVENANCE: {"record": 5}}
    assert verify_product(saved(preview, tmp_path / "preview.json")).status == "different"


@pytest.mark.parametrize("form", ["preview.json", "frames.npy", "picture.png"])
def test_each_form_of_a_preview_is_signed(cube: Path, tmp_path: Path, form: str) -> None:
    private, public = key_files(tmp_path)
    with sign_records(private):
        preview = preview_of(cube)
        contents = {
            "preview.json": json.dumps(preview).encode(),
            "frames.npy": frames_of(cube, 2, 3),
            "picture.png": preview_png(preview, PreviewPicture("median", "sqrt", 3)),
        }
    found = verify_product(written(contents[form], tmp_path / form), cube, public)
    assert (found.status, found.notes, found.signed_by) == ("same", [], PublicKey(public).id)
