"""A cube that is made with a record has a hash of each frame. `tessera verify` names the frame whose hash differs."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from astropy.io import fits

from tessera import CubeFactory
from tessera.cli.main import main
from tessera.cutouts.open_cube import open_cube
from tessera.errors import InvalidInputError
from tessera.verify.verify import verify_product
from tests.support.checks import checksums_hold, fitsverify_complaints
from tests.support.frames import tiny_sector

NAME = "tess-s0001-4-2-cube.fits"


@pytest.fixture
def frames(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "frames"
    folder.mkdir()
    for name, data in tiny_sector(4, (12, 10)):
        (folder / name).write_bytes(data)
    return sorted(folder.iterdir())


@pytest.fixture
def cube(frames: list[Path], tmp_path: Path) -> Path:
    path = tmp_path / NAME
    CubeFactory(provenance=True).make_cube(frames[::-1], path, verbose=False)
    return path


def without_date(content: bytes) -> list[tuple[str, bytes]]:
    """HDUs without the day on which they were made, and without the checksum of the card that says it."""
    with fits.open(io.BytesIO(content)) as hdus:
        hdus[0].header.remove("DATE")
        hdus[0].header.remove("CHECKSUM")
        return [(hdu.header.tostring(), b"" if hdu.data is None else hdu.data.tobytes()) for hdu in hdus]


def test_the_record_names_the_hash_of_each_frame(cube: Path, frames: list[Path], tmp_path: Path) -> None:
    plain = tmp_path / "plain.fits"
    CubeFactory().make_cube(frames, plain, verbose=False)
    assert without_date(cube.read_bytes())[:3] == without_date(plain.read_bytes())
    assert checksums_hold(cube.read_bytes())
    assert not [line for line in fitsverify_complaints(cube) if "PROVENANCE" in line]
    found = verify_product(cube, frames)
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    assert found.record is not None
    assert found.record["source"]["frames"] == [
        {"name": frame.name, "sha256": hashlib.sha256(frame.read_bytes()).hexdigest()} for frame in frames
    ]
    with open_cube(cube) as opened, open_cube(plain) as other:
        assert opened.cube.series["file"].tolist() == other.cube.series["file"].tolist()
        assert "TSTART" in opened.info


def test_a_frame_with_another_hash_is_named(cube: Path, frames: list[Path]) -> None:
    with fits.open(frames[1], mode="update") as hdus:
        hdus[0].header["FILEVER"] = "2"  # no pixel and no card of the cube
    found = verify_product(cube, frames)
    assert [(item.what, item.place) for item in found.problems] == [("source", {"location": frames[1].name})]
    assert "its SHA-256 was " in found.problems[0].text


def test_a_changed_record_or_header_of_a_cube_is_found(cube: Path, frames: list[Path]) -> None:
    content = cube.read_bytes()
    digest = hashlib.sha256(frames[2].read_bytes()).hexdigest().encode()
    cube.write_bytes(content.replace(digest, digest[::-1]))
    assert [item.what for item in verify_product(cube).problems] == ["record"]
    cube.write_bytes(content)
    with fits.open(cube, mode="update", checksum=True) as hdus:
        hdus[0].header["SECTOR"] = 9
        for hdu in hdus:
            hdu.add_checksum()
    found = verify_product(cube, frames)
    assert [(item.what, "of another file" in item.text) for item in found.problems] == [("record", True)]


def test_an_update_keeps_the_record(frames: list[Path], tmp_path: Path) -> None:
    path = tmp_path / NAME
    CubeFactory(provenance=True).make_cube(frames[:2], path, verbose=False)
    CubeFactory().update_cube(frames[2:], path, verbose=False)
    found = verify_product(path, frames)
    assert (found.status, found.problems) == ("same", [])
    assert found.record is not None
    assert len(found.record["source"]["frames"]) == len(frames)


def test_the_segments_of_a_growing_cube_have_records(frames: list[Path], tmp_path: Path) -> None:
    table = tmp_path / "tess-s0001-4-2-cube.json"
    CubeFactory(provenance=True).grow_cube(frames[1:3], table, verbose=False)
    CubeFactory().grow_cube([frames[0], frames[3]], table, verbose=False)
    found = verify_product(table, frames)
    assert (found.status, found.problems, found.notes) == ("same", [], [])
    for number in (0, 2):
        with fits.open(frames[number], mode="update") as hdus:
            hdus[0].header["FILEVER"] = "2"
    named = [item.place for item in verify_product(table, frames).problems]
    assert named == [{"location": frames[number].name} for number in (0, 2)]


def test_hashes_that_cannot_be_known_are_refused(frames: list[Path], tmp_path: Path) -> None:
    path = tmp_path / NAME
    CubeFactory().make_cube(frames[:2], path, verbose=False)
    with pytest.raises(InvalidInputError, match=r"has no record.* provenance is True"):
        CubeFactory(provenance=True).update_cube(frames[2:], path, verbose=False)


def test_the_command_adds_the_record(frames: list[Path], tmp_path: Path) -> None:
    path = tmp_path / NAME
    names = list(map(str, frames))
    assert main(["cube", "make", *names, "-o", str(path), "-q", "--provenance"]) == 0
    with fits.open(path) as hdus:
        assert [hdu.name for hdu in hdus][3:] == ["PROVENANCE"]
    assert main(["cube", "verify", str(path), *names, "-q"]) == 0
    assert main(["verify", str(path), "-q", "--from", *names]) == 0
