"""The record in ASDF files: the node `provenance`, the last one of the tree.

What stands in front of the node, and the blocks behind it, have the bytes that the file has without it. Only the
numbers in the index of blocks differ, which say where the blocks begin. The checksum of the data is that of the file
without the node.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from tessera.errors import ProvenanceError
from tessera.provenance.record import Record

NODE = "provenance"
"""Name of the node."""
END_OF_TREE = b"\n...\n"
_INDEX = re.compile(rb"#ASDF BLOCK INDEX\n%YAML 1\.1\n---\n([-\[\], \n0-9]*)\.\.\.\n\Z")
_NODE = re.compile(rb"\nprovenance:\n  record: \|-\n    ([^\n]*)\n  sha256: ([0-9a-f]*)(?:\n  signature: ([!-~]*))?\Z")


def _tree_end(content: bytes) -> int:
    """Where the tree ends: the newline in front of the line with three dots."""
    end = content.find(END_OF_TREE)
    if not content.startswith(b"#ASDF") or end < 0:
        raise ProvenanceError("the file has no tree of ASDF that ends")
    return end


def _moved(blocks: bytes, n_bytes: int) -> bytes:
    """Blocks and their index, which is right when the blocks begin so many bytes later."""
    index = _INDEX.search(blocks, max(0, blocks.rfind(b"#ASDF BLOCK INDEX")))
    if index is None:
        return blocks
    places = re.sub(rb"\d+", lambda place: b"%d" % (int(place[0]) + n_bytes), index[1])
    return blocks[: index.start(1)] + places + blocks[index.end(1) :]


def digest_asdf(content: bytes) -> dict[str, Any]:
    """What a record says of the data of an ASDF file without a record."""
    return {"file_sha256": hashlib.sha256(content).hexdigest()}


def add_asdf_record(content: bytes, describe: Callable[[dict[str, Any]], Record]) -> bytes:
    """Add the record to an ASDF file.

    Parameters
    ----------
    content : bytes
        The file without its record.
    describe : callable
        Makes the record, given what it says of the data.

    Raises
    ------
    ProvenanceError
        When the file is no ASDF file.
    """
    end, record = _tree_end(content), describe(digest_asdf(content))
    named = record.named
    text = named.pop("record")
    node = f"\n{NODE}:\n  record: |-\n    {text}" + "".join(f"\n  {name}: {value}" for name, value in named.items())
    return content[:end] + node.encode("ascii") + _moved(content[end:], len(node))


def split_asdf(content: bytes) -> tuple[bytes, Record | None]:
    """Take the record from an ASDF file: the file without it, and the record; None if it has none.

    Raises
    ------
    ProvenanceError
        When the file or its record is damaged.
    """
    end = _tree_end(content)
    node = _NODE.search(content, max(0, content.rfind(b"\nprovenance:", 0, end)), end)
    if node is None:
        return content, None
    plain = content[: node.start()] + _moved(content[end:], node.start() - end)
    return plain, Record.read(*(part and part.decode("ascii", "replace") for part in node.groups()))
