"""Files of targets in archives of a limited size."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from tessera.bulk.options import Packing
from tessera.bulk.products.archives import FilePacker, Member, member_name
from tessera.bulk.products.folder import ProductFile
from tessera.bulk.products.local import LocalFolder
from tessera.provenance.crate import CRATE
from tests.support.archives import file_names

RNG = np.random.default_rng(4)
CONTENT = {f"star_{number}.fits": RNG.bytes(3000 + number) for number in range(9)}


def pack(folder: Path, packing: Packing = "zip", most: int = 20_000) -> tuple[list[Member], list[ProductFile]]:
    files: list[ProductFile] = []
    with FilePacker(LocalFolder(folder), "cube-00001", packing, files.append, most) as packer:
        members = [
            packer.add(name, [content[:1000], b"", content[1000:]], len(content) + 5)
            for name, content in CONTENT.items()
        ]
    return members, files


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_archives_stay_below_their_size_and_hold_every_file_once(tmp_path: Path) -> None:
    members, files = pack(tmp_path)

    assert [file.name for file in files] == [f"files/cube-00001-{number:03d}.zip" for number in range(3)]
    read: dict[tuple[str, str], bytes] = {}
    for file in files:
        content = (tmp_path / file.name).read_bytes()
        assert (file.size, file.sha256) == (len(content), sha256(content))
        assert file.size <= 20_000
        with ZipFile(tmp_path / file.name) as archive:
            assert archive.testzip() is None
            assert {(info.date_time[0], info.external_attr >> 16) for info in archive.infolist()} == {(1980, 0o100644)}
            read |= {(file.name, name): archive.read(name) for name in file_names(archive)}
            described = {item["@id"]: item for item in json.loads(archive.read(CRATE))["@graph"]}
            assert [item["@id"] for item in described["./"]["hasPart"]] == file_names(archive)
            assert all(described[name]["sha256"] == sha256(CONTENT[name]) for name in file_names(archive))
    assert read == {(member.file, member.name): CONTENT[member.name] for member in members}
    assert all(member.sha256 == sha256(CONTENT[member.name]) for member in members)


def test_single_files_have_their_own_checksums(tmp_path: Path) -> None:
    members, files = pack(tmp_path, "files")

    assert [member.file for member in members] == [file.name for file in files] == [f"files/{name}" for name in CONTENT]
    assert all((tmp_path / file.name).read_bytes() == CONTENT[Path(file.name).name] for file in files)
    assert all(member == (file.name, "", file.sha256) for member, file in zip(members, files, strict=True))


def test_files_are_packed(tmp_path: Path) -> None:
    files: list[ProductFile] = []
    with FilePacker(LocalFolder(tmp_path), "cube", "zip", files.append, 100_000) as packer:
        for number in range(40):
            packer.add(f"{number}.fits", [bytes(50_000)], 50_000)

    assert len(files) == 1
    assert files[0].size < 20_000


def test_noise_between_constant_values_is_packed_well(tmp_path: Path) -> None:
    files: list[ProductFile] = []
    content = b"".join(RNG.bytes(400) + bytes(600) for _ in range(300)) + b"text that repeats, but not at once. " * 300
    with FilePacker(LocalFolder(tmp_path), "cube", "zip", files.append) as packer:
        packer.add("noise.fits", [content[:7], content[7:]], len(content))

    with ZipFile(tmp_path / files[0].name) as archive:
        assert archive.testzip() is None
        assert archive.read("noise.fits") == content
    assert files[0].size < 127_000  # 120,000 bytes are noise


def test_a_file_that_is_larger_than_an_archive_has_its_own(tmp_path: Path) -> None:
    members, files = pack(tmp_path, most=1)

    assert len(files) == len({member.file for member in members}) == len(CONTENT)


def test_the_same_files_give_the_same_archives(tmp_path: Path) -> None:
    assert pack(tmp_path / "a") == pack(tmp_path / "b")


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_unpacks_the_archives(tmp_path: Path) -> None:
    _, files = pack(tmp_path)

    for file in files:
        subprocess.run(["unzip", "-qo", tmp_path / file.name, "-d", tmp_path / "all"], check=True)

    unpacked = {path.name: path.read_bytes() for path in (tmp_path / "all").iterdir() if path.name != CRATE}
    assert unpacked == CONTENT


@pytest.mark.parametrize("packing", ["zip", "files"])
def test_after_an_error_no_unfinished_file_appears(tmp_path: Path, packing: Packing) -> None:
    def broken() -> object:
        yield b"begin"
        raise OSError("the pixels cannot be read")

    files: list[ProductFile] = []
    packer = FilePacker(LocalFolder(tmp_path), "cube-00001", packing, files.append)
    with pytest.raises(OSError, match="cannot be read"), packer:
        packer.add("star.fits", broken(), 100)  # type: ignore[arg-type] # yields one piece

    assert files == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_member_of_more_than_four_gigabytes_is_declared_before_it_is_written(tmp_path: Path) -> None:
    files: list[ProductFile] = []
    with FilePacker(LocalFolder(tmp_path), "cube", "zip", files.append) as packer:
        packer.add("large.fits", [b"0" * 1_000_000], 5_000_000_000)

    with ZipFile(tmp_path / files[0].name) as archive:
        assert archive.read("large.fits") == b"0" * 1_000_000
    local_header = (tmp_path / files[0].name).read_bytes()[:60]
    assert int.from_bytes(local_header[4:6], "little") == 45  # the version of the format that has ZIP64


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("TIC 25155310", "_TIC-25155310"),
        ("Barnard's star", "_Barnard-s-star"),
        ("../../etc/passwd", "_etc-passwd"),
        ("84.2912 -80.4691", "_84.2912--80.4691"),
        ("π Men", "_Men"),
        ("Ångström\n\0", "_Angstrom"),
        ("ναός", ""),
        ("", ""),
        ("x" * 300, "_" + "x" * 40),
        ("C:\\con", "_C-con"),
    ],
)
def test_names_of_files_are_safe_on_every_system(target: str, words: str) -> None:
    name = member_name("tess-s0001-4-2", 12, target, "lc.fits")

    assert name == f"tess-s0001-4-2_0000012{words}_lc.fits"
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name)


def test_rows_with_the_same_target_have_different_names() -> None:
    names = {member_name("tess-s0001-4-2", row, "TIC 1", "lc.fits").casefold() for row in (1, 2, 2_000_000, 10_000_000)}

    assert len(names) == 4
