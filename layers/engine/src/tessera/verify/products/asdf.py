"""ASDF files of image cutouts: their nodes and pixels."""

from __future__ import annotations

import hashlib
import io
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.errors import ProvenanceError
from tessera.extras import import_extra
from tessera.io.file_objects import MemorySource, SourceFile
from tessera.io.sources import Location
from tessera.provenance.asdf_files import END_OF_TREE, NODE, digest_asdf, split_asdf
from tessera.provenance.record import Record
from tessera.roman.bombs import check_tree
from tessera.roman.file import quiet_asdf
from tessera.roman.origin.asdf_record import AsdfRecipe
from tessera.verify.compare import compare_arrays
from tessera.verify.origins import replaced_problems
from tessera.verify.products.product import MadeAgain, Product, in_window
from tessera.verify.report import Problem

START = b"#ASDF"
"""First bytes of an ASDF file."""
_MAGIC = b"\xd3BLK"
_HEAD = struct.Struct(">I4sQQQ16s")
"""Flags, compression, allocated, used and data size, checksum. Source: ASDF Standard 1.6, low-level file layout."""
_VERSIONS = ("asdf_library", "history", NODE)
"""Nodes that name versions of packages and the time. The checksum of the file is that of all nodes."""


def read_asdf(content: bytes) -> Product:
    """Read an ASDF file.

    Raises
    ------
    ProvenanceError
        When the file or its record is damaged.
    """
    product, record = split_asdf(content)
    tree, blocks = _read_tree(product), list(_read_blocks(product))
    if record is None and isinstance(named := tree.get(NODE), Mapping):  # another program wrote the file again
        record = Record.read(named.get("record"), named.get("sha256"), named.get("signature"))
    problems = [
        Problem("checksum", f"the checksum of block {number} of the file is wrong")
        for number, (data, checksum) in enumerate(blocks)
        if any(checksum) and hashlib.md5(data, usedforsecurity=False).digest() != checksum
    ]
    if record is not None and digest_asdf(product) != record.data:
        problems.append(Problem("record", "the record is of another file: its SHA-256 differs"))

    def compare(again: MadeAgain) -> tuple[list[Problem], list[str]]:
        comparison = _Comparison([data for data, _ in blocks], again)
        return comparison.problems(tree), comparison.rounded

    return Product(record, product, problems, compare)


def cut_asdf_again(record: Record, location: Location) -> MadeAgain:
    """Make a cutout of an ASDF image again.

    Raises
    ------
    ProvenanceError
        When it cannot be cut.
    OSError, TesseraError
        See `tessera.roman.cut.cut_asdf_window`.
    """
    recipe = AsdfRecipe.from_document(record.request)
    with quiet_asdf():
        part = recipe.cut(location)
        if part.cutout is None or part.origin is None:
            raise ProvenanceError(f"the image cannot be cut: {part.reason or part.error}")
        content = recipe.write(part, record.engine)
    return MadeAgain(content, in_window(recipe.window), replaced_problems(record.origin, part.origin))


def _read_tree(content: bytes) -> dict[str, Any]:
    load = import_extra("asdf.util", "ASDF files").load_yaml
    try:
        check_tree(SourceFile(MemorySource("file", content)), len(content), "it")
        return dict(load(io.BytesIO(content)))
    except Exception as error:  # yaml has errors of its own, and a damaged file may cause any
        raise ProvenanceError(f"the tree of the ASDF file cannot be read: {error}") from error


def _read_blocks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Stored bytes and checksum of each block."""
    place = content.find(END_OF_TREE) + len(END_OF_TREE)
    while content[place : place + 4] == _MAGIC:
        try:
            (n_head,) = struct.unpack_from(">H", content, place + 4)
            _, _, allocated, used, _, checksum = _HEAD.unpack_from(content, place + 6)
        except struct.error as error:
            raise ProvenanceError(f"the file ends inside the block that begins at byte {place:,}") from error
        start = place + 6 + n_head
        if start + used > len(content):
            raise ProvenanceError(f"the file ends inside the block that begins at byte {place:,}")
        yield content[start : start + used], checksum
        place = start + allocated


class _Comparison:
    """Compares a tree and its blocks with a file that was made again."""

    def __init__(self, blocks: Sequence[bytes], again: MadeAgain) -> None:
        self._blocks, self._again = blocks, again
        self._wanted = [data for data, _ in _read_blocks(again.content)]
        self.rounded: list[str] = []

    def problems(self, tree: Mapping[str, Any]) -> list[Problem]:
        """What differs."""
        wanted = _read_tree(self._again.content)
        ours, theirs = ({name: each[name] for name in each if name not in _VERSIONS} for each in (tree, wanted))
        return list(self._nodes("", ours, theirs))

    def _nodes(self, path: str, found: Any, wanted: Any) -> Iterator[Problem]:
        if isinstance(wanted, Mapping) and isinstance(found, Mapping):
            if _is_array(found) and _is_array(wanted):
                yield from self._arrays(path, found, wanted)
                return
            for name in dict.fromkeys([*wanted, *found]):
                yield from self._nodes(f"{path}.{name}" if path else str(name), *_get(name, found, wanted))
        elif isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
            for number, pair in enumerate(zip(found, wanted, strict=True)):
                yield from self._nodes(f"{path}[{number}]", *pair)
        elif _is_rounded(found, wanted):
            self.rounded.append(path)
        elif type(found) is not type(wanted) or found != wanted:
            text = f"node {path} is {found!r:.200}, not {wanted!r:.200}"
            yield Problem("value", text, {"node": path})

    def _arrays(self, path: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Problem]:
        ours, theirs = _array(found, self._blocks), _array(wanted, self._wanted)
        if ours is None or theirs is None or (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape):
            yield Problem("structure", f"the array {path} has another shape or type", {"node": path})
            return
        yield from compare_arrays(ours, theirs, self._again.locate, name=path, place={"node": path})


class _Missing:
    def __repr__(self) -> str:
        return "missing"


def _get(name: object, *trees: Mapping[Any, Any]) -> list[Any]:
    return [tree.get(name, _MISSING) for tree in trees]


_MISSING = _Missing()


def _is_array(node: Mapping[str, Any]) -> bool:
    return isinstance(node.get("source"), int) and "datatype" in node and "shape" in node


def _array(node: Mapping[str, Any], blocks: Sequence[bytes]) -> NDArray[Any] | None:
    """Array of a node; None if it has a form that no cutout of ours has."""
    try:
        kind = "bool" if node["datatype"] == "bool8" else str(node["datatype"])
        dtype = np.dtype(kind).newbyteorder(">" if node.get("byteorder") == "big" else "<")
        n_items = math.prod(node["shape"])
        return np.frombuffer(blocks[node["source"]], dtype, n_items, node.get("offset", 0)).reshape(node["shape"])
    except (LookupError, TypeError, ValueError):
        return None


def _is_rounded(one: object, other: object) -> bool:
    both = isinstance(one, float) and isinstance(other, float)
    return both and one != other and math.isclose(one, other, rel_tol=1e-11)  # type: ignore[arg-type]
