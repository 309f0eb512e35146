"""Cubes and segment tables are signed by the key of whoever makes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tessera import CubeFactory, make_cutouts, sign_records, verify_product
from tessera.cli.main import main
from tessera.cube_sources import open_segments
from tessera.cubes.hashes.reading import record_of
from tessera.cubes.segments.signed import table_text
from tessera.provenance.record import Record
from tessera.provenance.signing import PublicKey
from tests.support.frames import tiny_sector
from tests.support.keys import key_files

NAME = "tess-s0001-4-2-cube"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return key_files(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("frames")
    for name, data in tiny_sector(4, (12, 10)):
        (folder / name).write_bytes(data)
    return sorted(map(str, folder.iterdir()))


@pytest.fixture
def table(frames: list[str], keys: tuple[Path, Path], tmp_path: Path) -> Path:
    """A segment table that was signed when its second segment was added."""
    path = tmp_path / f"{NAME}.json"
    CubeFactory(provenance=True).grow_cube(frames[1:3], path, verbose=False)
    with sign_records(keys[0]):
        CubeFactory().grow_cube([frames[0], frames[3]], path, verbose=False)
    return path


def said(cube: Path, public: Path, frames: list[str]) -> list[tuple[str, str]]:
    return [(item.what, item.text) for item in verify_product(cube, frames or None, public).problems]


def test_the_command_signs_a_cube_and_an_update_of_it(
    frames: list[str], keys: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cube, (private, public) = tmp_path / f"{NAME}.fits", keys
    sign = ["-o", str(cube), "-q", "--sign", str(private)]
    assert main(["cube", "make", *frames[:2], *sign]) == 0
    found = verify_product(cube, frames[:2], public)
    assert (found.status, found.problems, found.notes, found.signed_by) == ("same", [], [], PublicKey(public).id)
    assert main(["cube", "update", *frames[2:], *sign]) == 0
    found = verify_product(cube, frames, public)
    assert (found.status, found.problems, found.signed_by) == ("same", [], PublicKey(public).id)
    cube.write_bytes(cube.read_bytes().replace(b"ed25519:", b"ed25518:"))
    assert "signature" in dict(said(cube, public, frames))
    cube.unlink()
    assert main(["cube", "make", *frames[:2], "-o", str(cube), "-q"]) == 0
    before = cube.read_bytes()
    capsys.readouterr()
    assert main(["cube", "update", *frames[2:], *sign]) == 1
    allowed = "it for a cube with a record, such as 'tessera cube make --sign' makes"
    assert capsys.readouterr().err == f"tessera: --sign is '{private}'; allowed: {allowed}\n"
    assert cube.read_bytes() == before
    assert said(cube, public, frames[:2]) == [("signature", "it is not signed")]


def test_a_segment_table_is_signed(table: Path, frames: list[str], keys: tuple[Path, Path], tmp_path: Path) -> None:
    found = verify_product(table, frames, keys[1])
    assert (found.status, found.problems, found.notes, found.signed_by) == ("same", [], [], PublicKey(keys[1]).id)
    assert found.record is not None
    assert [each["name"] for each in found.record["source"]["segments"]] == [
        f"{NAME}-segment-{number}.fits" for number in (1, 2)
    ]
    unchecked = verify_product(table)
    assert unchecked.notes[1:] == ["its record is signed, and no key was given to check the signature"]
    assert make_cutouts(table, "0 0", 3)[0].status == "no overlap"  # readers take no notice of the signature


def test_without_a_key_the_text_of_the_table_is_the_same(table: Path) -> None:
    joined = open_segments(table)
    plain = table_text(joined.table, lambda: map(record_of, joined.files))
    joined.close()
    about = json.loads(table.read_bytes())
    assert about.pop("provenance").keys() == {"record", "sha256", "signature"}
    assert plain == json.dumps(about, indent=1).encode()


def test_a_table_that_was_changed_or_grew_without_a_key_is_told(
    table: Path, frames: list[str], keys: tuple[Path, Path]
) -> None:
    about = json.loads(table.read_bytes())
    named = about["provenance"]
    about["segments"][0]["etag"] = "another"
    table.write_text(json.dumps(about, indent=1), encoding="ascii")
    assert ("record", "the record is of another segment table: its SHA-256 differs") in said(table, keys[1], [])
    about["segments"][0]["etag"] = ""
    about["provenance"] = named | {"record": named["record"].replace("segment-1", "segment-3")}
    table.write_text(json.dumps(about, indent=1), encoding="ascii")
    text = "the record of provenance was changed: its SHA-256 is another one"
    assert ("record", text) in said(table, keys[1], [])
    table.write_text(json.dumps(about | {"provenance": []}, indent=1), encoding="ascii")
    assert "record" in dict(said(table, keys[1], []))
    foreign = Record("cube", "0.1.0", {}, {}, json.loads(named["record"])["data"])
    table.write_text(json.dumps(about | {"provenance": foreign.named}, indent=1), encoding="ascii")
    assert ("record", "the record of the segment table is that of something else") in said(table, keys[1], [])
    table.write_text(json.dumps({name: about[name] for name in about if name != "provenance"}), encoding="ascii")
    assert said(table, keys[1], []) == [("signature", "it is not signed")]


def test_a_segment_whose_record_is_another_one_is_told(table: Path, frames: list[str], keys: tuple[Path, Path]) -> None:
    segment = table.with_name(f"{NAME}-segment-1.fits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tessera.cubes.hashes.making.__version__", "9.9.9")
        CubeFactory(provenance=True).make_cube(frames[1:3], segment, verbose=False)
    assert ("record", "the record of the segment table is of segments with other records") in said(table, keys[1], [])
