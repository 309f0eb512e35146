"""Small ASDF files that would take hours or all memory are refused in one sentence."""

import struct
from pathlib import Path

import asdf
import numpy as np
import pytest

from tessera.errors import ImageFormatError
from tessera.roman.file import AsdfArray, open_tree

HEAD = b"#ASDF 1.0.0\n#ASDF_STANDARD 1.5.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"


def nested(depth: int) -> bytes:
    lines = [b"a0: &a0 [x, x]\n"]
    lines += [
        b"a%d: &a%d [%s]\n" % (level, level, b",".join([b"*a%d" % (level - 1)] * 10)) for level in range(1, depth)
    ]
    return HEAD + b"".join(lines) + b"...\n"


def test_aliases_that_multiply_a_tree_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "laugh.asdf"
    path.write_bytes(nested(12))

    with (
        pytest.raises(ImageFormatError, match=r"laugh\.asdf: its aliases make a tree of more than 10,000,000 nodes"),
        open_tree(path, {}),
    ):
        pass


def test_a_tree_with_some_aliases_is_read(tmp_path: Path) -> None:
    path = tmp_path / "some.asdf"
    path.write_bytes(nested(4))

    with open_tree(path, {}) as (tree, _):
        assert tree["a1"] == [["x", "x"]] * 10


def packed(path: Path) -> Path:
    asdf.AsdfFile({"data": np.arange(100.0).reshape(10, 10)}).write_to(path, all_array_compression="zlib")
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
