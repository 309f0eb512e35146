"""What is given with --from is taken where it fits. Otherwise the answer says what was given, and what is wanted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from astropy.coordinates import SkyCoord

import tessera
from tessera import make_cutouts, read_frames
from tessera.provenance.fits_files import format_provenance, read_provenance
from tessera.provenance.record import Record, canonical_json
from tessera.verify.verify import verify_product
from tests.support.frames import tiny_sector

OF_CUBE = "tess-s0001-4-2-cube.fits or a folder that has it, because the product was made of this file"
OF_FRAMES = "frames of tess-s0001-4-2 or a folder with them, because the product was made of frames and not of a cube"


@pytest.fixture(scope="module", name="frames")
def _frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the frames of a CCD."""
    folder = tmp_path_factory.mktemp("frames")
    for name, data in tiny_sector(2, (40, 30)):
        (folder / name).write_bytes(data)
    return folder


def test_frames_are_no_cube_and_a_cube_is_no_frames(frames: Path, cube: Path, sky: SkyCoord, tmp_path: Path) -> None:
    (of_cube,) = make_cutouts(cube, sky, 3, output_dir=tmp_path / "cube")
    (of_frames,) = make_cutouts(read_frames(frames)[0], sky, 3, output_dir=tmp_path / "frames")
    stitched = tessera.search(sky, cubes=cube).stitch(5, level="shift").write(tmp_path / "star.fits")
    assert of_cube.path is not None
    assert of_frames.path is not None
    for product, given, said, wanted in [
        (of_cube.path, frames, "'frames of tess-s0001-4-2 in ", OF_CUBE),
        (of_cube.path, min(frames.iterdir()), "'frames of tess-s0001-4-2 in ", OF_CUBE),
        (stitched, frames, "'frames of tess-s0001-4-2 in ", OF_CUBE),
        (of_frames.path, cube, f"'{cube.anchor}", OF_FRAMES),
    ]:
        found = verify_product(product, given)
        assert (found.status, found.problems) == ("unknown", [])
        [note] = found.notes
        assert note.startswith(f"source is {said}")
        assert note.endswith(f"; allowed: {wanted}")
    for product in (of_cube.path, of_frames.path, stitched):
        assert verify_product(product, [cube, frames]).status == "same"


def test_some_of_the_frames_are_not_a_replaced_file(frames: Path, sky: SkyCoord, tmp_path: Path) -> None:
    (made,) = make_cutouts(read_frames(frames)[0], sky, 3, output_dir=tmp_path)
    assert made.path is not None
    first, *_ = verify_product(made.path, min(frames.iterdir())).problems
    assert first.text.startswith("the source frames of tess-s0001-4-2 are not those that it was made of: their digest ")


def test_a_place_that_cannot_be_read_hints_at_the_option(made: Path, cube: Path, tmp_path: Path) -> None:
    location = "s3://b/tess-s0001-4-2-cube.fits"
    found = read_provenance(made.read_bytes())
    assert found is not None
    document = json.loads(found.record.text)
    document["source"]["location"] = location
    moved = tmp_path / "moved.fits"
    moved.write_bytes(made.read_bytes()[: found.n_bytes] + format_provenance(Record.parse(canonical_json(document))))
    there = verify_product(moved)
    assert there.status == "unknown"
    [note] = there.notes
    assert note.startswith(f"{location} cannot be read: a bucket's name has 3 to 63 ")
    assert note.endswith("; if you have it elsewhere, name it with --from")
    assert verify_product(moved, cube).status == "same"
