"""Zip archives of our own writer are read by everyone else's reader."""

from __future__ import annotations

import io
import os
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
import pytest

from tessera.io.deflate import ZipArchive, archives, blocks, pack_gzip, zip_pieces
from tessera.io.deflate.blocks import BLOCK_BYTES, deflate_block

RNG = np.random.default_rng(18)
SIZES = [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES, 3 * BLOCK_BYTES + 77]
NOISE = RNG.normal(0, 3, max(SIZES) // 4 + 1).astype(">f4").tobytes()
CONTENTS = {f"{size}.fits": NOISE[:size] for size in SIZES} | {
    "Größe π.txt": b"text " * 1000,
    "zeros": bytes(SIZES[-1]),
}
READERS = {
    "unzip": ["unzip", "-t", "-q"],
    "bsdtar": ["bsdtar", "-tf"],
    "7z": ["7z", "t"],
    "python": [sys.executable, "-m", "zipfile", "-t"],
}


def zipped(contents: dict[str, bytes], threads: int | None = None, step: int = 100_000) -> bytes:
    with ZipArchive(threads=threads) as archive:
        parts: list[bytes] = []
        for name, content in contents.items():
            pieces = (content[start : start + step] for start in range(0, len(content), step))
            parts += archive.add(name, pieces, len(content))
        return b"".join([*parts, archive.end()])


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "all.zip"
    path.write_bytes(zipped(CONTENTS))
    return path


def test_members_are_read_back_in_their_order_with_date_and_permissions(archive: Path) -> None:
    with ZipFile(archive) as members:
        assert members.testzip() is None
        assert {name: members.read(name) for name in members.namelist()} == CONTENTS
        assert members.namelist() == list(CONTENTS)
        for info in members.infolist():
            assert (info.date_time, info.external_attr >> 16, info.create_system) == ((1980, 1, 1, 0, 0, 0), 0o600, 3)
            assert info.compress_type == ZIP_DEFLATED


@pytest.mark.parametrize("reader", READERS)
def test_other_programs_find_no_fault(archive: Path, reader: str) -> None:
    if not shutil.which(READERS[reader][0]):
        pytest.skip(f"{reader} is not installed; zipfile, which always is, reads the same archive")
    # bsdtar and 7z write names in the letters of the locale, and those of C are ASCII.
    done = subprocess.run(
        [*READERS[reader], str(archive)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )

    assert (done.returncode, done.stderr) == (0, "")


def read_in_turn(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of the members from the first byte on, as a program does that cannot seek."""
    while data[:4] == b"PK\3\4":
        flags, method, crc, packed, size = struct.unpack("<2xHH4xLLL", data[4:26])
        n_name, n_extra = struct.unpack("<HH", data[26:30])
        name, data = data[30 : 30 + n_name], data[30 + n_name + n_extra :]
        unpacker = zlib.decompressobj(-15)
        content, rest = unpacker.decompress(data), unpacker.unused_data
        if flags & 8:
            mark, crc, packed, size = struct.unpack("<4sLLL", rest[:16])
            assert mark == b"PK\7\x08"
        assert (method, crc, packed, size) == (8, zlib.crc32(content), len(data) - len(rest), len(content))
        yield name, content
        data = rest[16:] if flags & 8 else rest


def test_a_reader_that_cannot_seek_finds_every_size(archive: Path) -> None:
    assert dict(read_in_turn(archive.read_bytes())) == {name.encode(): data for name, data in CONTENTS.items()}


def test_the_bytes_depend_neither_on_threads_nor_on_pieces() -> None:
    first = zipped(CONTENTS, threads=1, step=100_000)

    assert first == zipped(CONTENTS, threads=5, step=BLOCK_BYTES + 1)
    assert first == zipped(CONTENTS, threads=2, step=7_777)


def test_a_piece_may_use_the_memory_of_the_one_before() -> None:
    shared = np.empty(BLOCK_BYTES // 2, "<i4")

    def pieces() -> Iterator[memoryview]:
        for number in range(6):
            shared[:] = number
            yield shared.data

    data = b"".join(zip_pieces([("a", pieces(), 6 * shared.nbytes)]))

    assert ZipFile(io.BytesIO(data)).read("a") == np.repeat(np.arange(6, dtype="<i4"), len(shared)).tobytes()


def test_few_blocks_are_made_ahead_of_those_that_are_written() -> None:
    made = 0

    def pieces() -> Iterator[bytes]:
        nonlocal made
        for _ in range(40):
            made += 1
            yield NOISE[:BLOCK_BYTES]

    with ZipArchive(threads=2) as archive:
        ahead = [made - n for n, _ in enumerate(archive.add("a", pieces(), 40 * BLOCK_BYTES))]

    assert made == 40
    assert max(ahead) <= 2 + 2 + 2


def test_stored_members_are_kept_as_they_are_with_the_date_that_was_given() -> None:
    members = [("a.png", [NOISE, NOISE], 2 * len(NOISE)), ("b", [b"small"], 5), ("c", [], 0)]
    data = b"".join(zip_pieces(members, (2026, 11, 26, 12, 30, 2), stored=True))

    assert NOISE + NOISE in data
    with ZipFile(io.BytesIO(data)) as read:
        assert [read.read(name) for name in ["a.png", "b", "c"]] == [NOISE + NOISE, b"small", b""]
        for info in read.infolist():
            assert (info.compress_type, info.date_time) == (ZIP_STORED, (2026, 11, 26, 12, 30, 2))
            assert not info.flag_bits & 8, "readers that cannot seek need the size of stored members first"


def test_a_member_that_is_said_to_be_large_is_read_whatever_its_size() -> None:
    data = b"".join(zip_pieces([("a", [NOISE], 2**33), ("b", [NOISE[:9]], 2**33)]))

    with ZipFile(io.BytesIO(data)) as members:
        assert (members.read("a"), members.read("b")) == (NOISE, NOISE[:9])


def with_members(n_members: int) -> bytes:
    """An archive whose directory has one member so many times."""
    with ZipArchive() as archive:
        member = b"".join(archive.add("a", [b"x"], 1))
        archive._directory *= n_members
        return member + archive.end()


@pytest.mark.parametrize("n_members", [0, 1, 65_535])
def test_any_number_of_members_is_read(n_members: int) -> None:
    with ZipFile(io.BytesIO(with_members(n_members))) as members:
        assert len(members.infolist()) == n_members


def test_only_many_members_need_records_of_zip64() -> None:
    assert [b"PK\6\6" in with_members(number) for number in (65_534, 65_535)] == [False, True]


def test_sizes_and_places_above_four_gigabytes_are_read(tmp_path: Path) -> None:
    zeros = bytes(BLOCK_BYTES)
    path = tmp_path / "large.zip"
    with path.open("wb") as file, ZipArchive() as archive:
        for data in archive.add("zeros", repeat(zeros, 2**33 // BLOCK_BYTES // 4), 2**31):
            file.write(data)
        archive.n_bytes = 5_000_000_000
        file.seek(archive.n_bytes)  # a hole
        for data in archive.add("last", [NOISE], len(NOISE)):
            file.write(data)
        file.write(archive.end())

    with ZipFile(path) as members:
        assert [(info.file_size, info.header_offset) for info in members.infolist()] == [
            (2**31, 0),
            (len(NOISE), 5_000_000_000),
        ]
        assert members.read("last") == NOISE
        with members.open("zeros") as file:
            assert file.read(10) == bytes(10)


def test_blocks_follow_each_other_in_one_stream() -> None:
    stream = b"".join(deflate_block(NOISE[start : start + 1000]) for start in range(0, 10_000, 1000)) + b"\x03\x00"
    unpacker = zlib.decompressobj(-15)

    assert unpacker.decompress(stream) == NOISE[:10_000]
    assert (unpacker.eof, unpacker.unused_data) == (True, b"")


def test_gzip_has_no_time() -> None:
    packed = pack_gzip(NOISE)

    assert zlib.decompress(packed, 31) == NOISE
    assert packed[4:8] == bytes(4)


def test_a_member_that_is_larger_than_was_said_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_ALL", len(NOISE) - 1)

    with pytest.raises(ValueError, match=r"^a has 1,572,9\d\d bytes, but at most 2,147,483,647 were said$"):
        list(zip_pieces([("a", [NOISE], 5)]))


def test_an_error_of_the_content_reaches_the_caller() -> None:
    def pieces() -> Iterator[bytes]:
        yield NOISE
        raise OSError("the cube is gone")

    with pytest.raises(OSError, match="the cube is gone"):
        list(zip_pieces([("a", pieces(), len(NOISE))]))


def test_archives_are_made_by_isa_l_and_without_it_by_zlib(tmp_path: Path) -> None:
    path = tmp_path / "plain.zip"
    program = f"""
import sys; sys.modules["isal"] = None
from tessera.io.deflate import zip_pieces
from tessera.io.deflate.blocks import codec
assert codec.__name__ == "zlib"
open({str(path)!r}, "wb").writelines(zip_pieces([("a", [bytes(range(256)) * 4096] * 3, 3 * 2**20)]))
"""
    subprocess.run([sys.executable, "-c", program], check=True)

    assert blocks.codec.__name__.endswith("isal_zlib")
    assert ZipFile(path).read("a") == bytes(range(256)) * 4096 * 3
