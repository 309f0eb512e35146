"""Cubes, also growing ones, are checked against the frames that they were built of."""

from __future__ import annotations

from pathlib import Path

from astropy.io import fits

from tessera import CubeFactory
from tessera.verify.verify import verify_product
from tests.support.frames import tiny_sector


def test_a_cube_is_checked_against_its_frames(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for name, data in tiny_sector(3, (12, 10)):
        (folder / name).write_bytes(data)
    (folder / "notes.txt").write_bytes(b"no frame")
    frames = sorted(folder.glob("*.fits"))
    made = tmp_path / "tess-s0001-4-2-cube.fits"
    CubeFactory().make_cube(frames, made, verbose=False)
    assert verify_product(made, folder).status == verify_product(made, frames).status == "same"
    alone = verify_product(made)
    assert (alone.status, alone.problems) == ("unknown", [])
    assert "name the frames with --from" in alone.notes[0]
    left_out = verify_product(made, frames[:2])
    assert [(item.what, frames[2].name in item.text) for item in left_out.problems] == [("source", True)]
    with fits.open(frames[1], mode="update") as hdus:
        hdus[1].data[4, 5] += 1
    other = verify_product(made, frames)
    assert [(item.what, frames[1].name in item.text) for item in other.problems] == [("pixel", True)]
    content = bytearray(made.read_bytes())
    content[content.index(b"XTENSION= 'IMAGE") + 2880 + 3] ^= 1
    broken = tmp_path / "tess-s0001-4-2-other.fits"
    broken.write_bytes(content)
    assert "checksum" in {item.what for item in verify_product(broken).problems}


def test_a_growing_cube_is_checked_against_its_frames(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for name, data in tiny_sector(3, (12, 10)):
        (folder / name).write_bytes(data)
    frames = sorted(folder.iterdir())
    for some in (frames[:2], frames[2:]):
        table = CubeFactory().grow_cube(some, tmp_path / "tess-s0001-4-2-cube.json", verbose=False)
    assert verify_product(table, folder).status == "same"
    assert verify_product(table).status == "unknown"
    with fits.open(frames[1], mode="update") as hdus:
        hdus[1].data[7, 3] += 1
    assert [problem.what for problem in verify_product(table, folder).problems] == ["pixel"]
