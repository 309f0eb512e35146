"""Small ASDF files that would take hours or all memory: trees of nested aliases, and arrays that claim to be huge."""

from __future__ import annotations

import re
from typing import Any

from tessera.errors import ImageFormatError
from tessera.io.file_objects import SourceFile

MOST_NODES = 10_000_000
"""Largest number of nodes of a tree after each alias is written out. A tree of Roman has some thousand."""
FEW_ALIASES = 16
"""Number of aliases that cannot make a small tree large."""
MOST_TREE_BYTES = 64 << 20
"""Largest size of a tree in bytes."""
_PIECE = 34_560
_END = re.compile(rb"\n\.\.\.\r?\n")
_ALIAS = re.compile(rb"[\s\[,{]\*[A-Za-z0-9_-]+")


def check_tree(file: SourceFile, size: int, name: str) -> None:
    """Check that the aliases of a tree do not multiply it.

    asdf walks the tree with each alias written out. Ten lines that name the line before ten times are 10^10 nodes.

    Parameters
    ----------
    file : SourceFile
        The file, which begins with its tree.
    size : int
        Size of the file in bytes.
    name : str
        Name of the file for the error.

    Raises
    ------
    ImageFormatError
        If the tree is larger than `MOST_TREE_BYTES`, or has more than `MOST_NODES` nodes.
    """
    text = _read_tree(file, size, name)
    if len(_ALIAS.findall(text)) <= FEW_ALIASES:
        return
    import yaml  # noqa: PLC0415 - asdf needs it, and few trees come here

    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError):
        return  # asdf says what is wrong
    if _count(root, {}) > MOST_NODES:
        raise ImageFormatError(f"{name}: its aliases make a tree of more than {MOST_NODES:,} nodes; allowed: fewer")


def _read_tree(file: SourceFile, size: int, name: str) -> bytes:
    text = bytearray()
    while len(text) < size and _END.search(text[-_PIECE - 8 :]) is None:
        if len(text) > MOST_TREE_BYTES:
            raise ImageFormatError(f"{name}: its tree has more than {MOST_TREE_BYTES:,} bytes; allowed: fewer")
        text += bytes(file.read_at(len(text), min(_PIECE, size - len(text))))
    found = _END.search(text)
    return bytes(text[: found.start() + 1] if found else text)


def _count(node: Any, known: dict[int, int]) -> int:
    """Nodes below a node of YAML, aliases written out. A node that contains itself counts as one there."""
    if id(node) not in known:
        known[id(node)] = 1
        value = getattr(node, "value", None)
        for item in value if isinstance(value, list) else []:
            known[id(node)] += sum(_count(each, known) for each in (item if isinstance(item, tuple) else (item,)))
    return known[id(node)]


def check_claim(node: Any, n_bytes: int) -> None:
    """Check that a packed array claims no more bytes than its elements have, because asdf makes room for them first.

    Parameters
    ----------
    node : ndarray or asdf's own type
        The array in the tree.
    n_bytes : int
        Bytes of all its elements.

    Raises
    ------
    ImageFormatError
        If it claims more.
    """
    callback = getattr(node, "_data_callback", None)
    try:
        header = callback(_attr="header") if callback is not None else {}
    except (AttributeError, TypeError):
        return
    claimed = header.get("data_size", 0)
    if header.get("compression", b"").strip(b"\0") and getattr(node, "_strides", None) is None and claimed > n_bytes:
        raise ImageFormatError(f"a packed array claims {claimed:,} bytes; its elements have {n_bytes:,}")
