"""Small ASDF files that would take hours or all memory are refused in one sentence."""

import bz2
import struct
import zlib
from pathlib import Path

import asdf
import numpy as np
import pytest
from asdf.exceptions import AsdfConversionWarning
from astropy import units as u

from tessera.errors import ImageFormatError
from tessera.roman.file import AsdfArray, is_array, open_tree

HEAD = b"#ASDF 1.0.0\n#ASDF_STANDARD 1.5.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"


def nested(depth: int) -> bytes:
    lines = [b"a0: &a0 [x, x]\n"]
    lines += [
        b"a%d: &a%d [%s]\n" % (level, level, b",".join([b"*a%d" % (level - 1)] * 10)) for level in range(1, depth)
    ]
    return HEAD + b"".join(lines) + b"...\n"


def doubled(levels: int) -> bytes:
    """A long line that few aliases multiply."""
    lines = [b"a0: &a0 [" + b"x," * 20_000 + b"x]\n"]
    lines += [b"a%d: &a%d [*a%d, *a%d]\n" % (level, level, level - 1, level - 1) for level in range(1, levels)]
    return HEAD + b"".join(lines) + b"...\n"


NODES, LEVELS = r"its tree has more than 1,000,000 nodes; allowed: fewer", "its tree has more than 200 levels"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (nested(9), NODES),
        (nested(9).replace(b"*a", b'"k":*a').replace(b"[", b"{").replace(b"]", b"}"), NODES),
        (doubled(8), NODES),
        (HEAD + b"a: " + b"[" * 200_000 + b"]" * 200_000 + b"\n...\n", LEVELS),
        (HEAD + b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d]\n" % (n, n, n - 1) for n in range(1, 300)), LEVELS),
    ],
    ids=["wide", "without a space", "few aliases", "deep", "deep by aliases"],
)
def test_a_tree_that_is_or_becomes_huge_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "laugh.asdf"
    path.write_bytes(content)

    with pytest.raises(ImageFormatError, match=rf"laugh\.asdf: {message}"), open_tree(path, {}):
        pass


def test_a_tree_that_contains_itself_is_no_huge_tree(tmp_path: Path) -> None:
    path = tmp_path / "self.asdf"
    path.write_bytes(HEAD + b"a: &a [" + b"*a ," * 50 + b"x]\n...\n")

    with open_tree(path, {}) as (tree, _):
        assert tree["a"][0] is tree["a"]


def test_a_tree_with_some_aliases_is_read(tmp_path: Path) -> None:
    path = tmp_path / "some.asdf"
    path.write_bytes(nested(4))

    with open_tree(path, {}) as (tree, _):
        assert tree["a1"] == [["x", "x"]] * 10


def packed(path: Path) -> Path:
    asdf.AsdfFile({"data": np.arange(100.0).reshape(10, 10)}).write_to(
        path, all_array_compression="zlib", include_block_index=False
    )
    return path


def test_a_packed_array_is_read(tmp_path: Path) -> None:
    with open_tree(packed(tmp_path / "a.asdf"), {}) as (tree, _):
        assert AsdfArray(tree["data"]).read((slice(1, 2), slice(0, 3))).tolist() == [[10, 11, 12]]


def test_a_packed_array_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.asdf")
    content = bytearray(path.read_bytes())
    claim = content.index(b"\xd3BLK") + 4 + 2 + 4 + 4 + 8 + 8
    assert struct.unpack(">Q", content[claim : claim + 8]) == (800,)
    content[claim : claim + 8] = struct.pack(">Q", 1 << 30)
    path.write_bytes(content)

    with (
        open_tree(path, {}) as (tree, _),
        pytest.raises(ImageFormatError, match="a packed array claims 1,073,741,824 bytes; its elements have 800"),
    ):
        AsdfArray(tree["data"]).read((slice(0, 1), slice(0, 1)))


def test_a_packed_array_with_strides_may_not_claim_more_than_they_reach(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.asdf")
    content = path.read_bytes()
    claim = content.index(b"\xd3BLK") + 4 + 2 + 4 + 4 + 8 + 8
    huge = content[:claim] + struct.pack(">Q", 1 << 30) + content[claim + 8 :]
    path.write_bytes(huge.replace(b"  shape: [10, 10]\n", b"  shape: [5, 10]\n  strides: [160, 8]\n"))

    with (
        open_tree(path, {}) as (tree, _),
        pytest.raises(ImageFormatError, match="a packed array claims 1,073,741,824 bytes"),
    ):
        AsdfArray(tree["data"]).read((slice(0, 1), slice(0, 1)))


def test_a_packed_array_that_is_huge_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_MAX_TEMPORARY_GB", "0.0000005")

    with (
        open_tree(packed(tmp_path / "a.asdf"), {}) as (tree, _),
        pytest.raises(ImageFormatError, match="a packed array has 800 bytes; allowed: 500; the environment variable"),
    ):
        AsdfArray(tree["data"]).read((slice(0, 1), slice(0, 1)))


@pytest.mark.parametrize("packing", ["zlib", "bzp2"])
def test_a_large_packed_array_with_a_unit_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: str
) -> None:
    """asdf unpacks such arrays when it opens the file, and warns of those that it cannot unpack."""
    path = tmp_path / "a.asdf"
    asdf.AsdfFile({"data": np.zeros((10, 10)) << u.s}).write_to(path, all_array_compression=packing)
    with open_tree(path, {}) as (tree, _):
        assert AsdfArray(tree["data"]).read((slice(0, 1), slice(0, 2))).tolist() == [[0, 0]]

    monkeypatch.setenv("TESSERA_MAX_TEMPORARY_GB", "0.0000005")
    refusal = pytest.warns(AsdfConversionWarning, match="a packed array has 800 bytes; allowed: 500; the environment")
    with refusal, open_tree(path, {}) as (tree, _):
        assert not is_array(tree["data"])


def test_arrays_that_share_a_packed_block_are_read(tmp_path: Path) -> None:
    path, data = tmp_path / "a.asdf", np.arange(100.0).reshape(10, 10)
    asdf.AsdfFile({"all": data, "some": data[:2]}).write_to(path, all_array_compression="zlib")

    with open_tree(path, {}) as (tree, _):
        assert AsdfArray(tree["some"]).read((slice(1, 2), slice(0, 3))).tolist() == [[10, 11, 12]]


def repacked(path: Path, content: bytes, packing: str) -> None:
    """A file whose array has other content than it claims."""
    asdf.AsdfFile({"data": np.zeros((10, 10))}).write_to(path, all_array_compression=packing)
    file = path.read_bytes()
    begin, payload = file.index(b"\xd3BLK"), {"bzp2": bz2, "zlib": zlib}[packing].compress(content)
    sizes = begin + 4 + 2 + 4 + 4
    (length,) = struct.unpack(">H", file[begin + 4 : begin + 6])
    head = file[begin:sizes] + struct.pack(">QQQ", len(payload), len(payload), 800) + bytes(16)
    path.write_bytes(file[:begin] + head + bytes(length - (sizes - begin - 6) - 40) + payload)


@pytest.mark.parametrize("packing", ["zlib", "bzp2"])
def test_a_packed_array_with_more_than_it_claims_is_refused_before_it_is_unpacked(tmp_path: Path, packing: str) -> None:
    repacked(tmp_path / "a.asdf", bytes(100_000_000), packing)

    with (
        open_tree(tmp_path / "a.asdf", {}) as (tree, _),
        pytest.raises(ImageFormatError, match="a packed array has more than the 800 bytes that it claims"),
    ):
        AsdfArray(tree["data"]).read((slice(0, 1), slice(0, 1)))


@pytest.mark.parametrize("packing", ["zlib", "bzp2"])
def test_a_packed_array_with_what_it_claims_is_read(tmp_path: Path, packing: str) -> None:
    repacked(tmp_path / "a.asdf", np.arange(100.0).tobytes(), packing)

    with open_tree(tmp_path / "a.asdf", {}) as (tree, _):
        assert AsdfArray(tree["data"]).read((slice(1, 2), slice(0, 2))).tolist() == [[10, 11]]
