"""Small ASDF files that would take hours or all memory: trees that multiply, and packed arrays that are huge."""

from __future__ import annotations

import bz2
import re
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from tessera.errors import ImageFormatError
from tessera.io.file_objects import SourceFile
from tessera.io.temporary import LIMIT_NAME, largest_temporary

MOST_NODES = 1_000_000
"""Largest number of nodes of a tree after each alias is written out. A tree of Roman has some thousand."""
MOST_LEVELS = 200
"""Largest depth of a tree. asdf and the parser of YAML call themselves for each level."""
MOST_TREE_BYTES = 64 << 20
"""Largest size of a tree in bytes."""
SHARED_BYTES = 64 << 20
"""Size of a packed block that several arrays may share, however small each of them is."""
_PIECE = 34_560
_END = re.compile(rb"\n\.\.\.\r?\n")


def check_tree(file: SourceFile, size: int, name: str) -> None:
    """Check that a tree is small, also with each alias written out, as asdf walks it.

    Ten lines that name the line before ten times are 10^10 nodes.

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
        If the tree is larger than `MOST_TREE_BYTES`, `MOST_NODES` or `MOST_LEVELS`.
    """
    text = _read_tree(file, size, name)
    import yaml  # noqa: PLC0415 - asdf needs it, and it is imported late like asdf

    try:
        for n_nodes, n_levels in _growing(yaml, text):
            if n_nodes > MOST_NODES:
                raise ImageFormatError(f"{name}: its tree has more than {MOST_NODES:,} nodes; allowed: fewer")
            if n_levels > MOST_LEVELS:
                raise ImageFormatError(f"{name}: its tree has more than {MOST_LEVELS} levels; allowed: fewer")
    except yaml.YAMLError:
        return  # asdf says what is wrong


def _read_tree(file: SourceFile, size: int, name: str) -> bytes:
    text = bytearray()
    while len(text) < size and _END.search(text[-_PIECE - 8 :]) is None:
        if len(text) > MOST_TREE_BYTES:
            raise ImageFormatError(f"{name}: its tree has more than {MOST_TREE_BYTES:,} bytes; allowed: fewer")
        text += bytes(file.read_at(len(text), min(_PIECE, size - len(text))))
    found = _END.search(text)
    return bytes(text[: found.start() + 1] if found else text)


def _growing(yaml: Any, text: bytes) -> Iterator[tuple[int, int]]:
    """Yield the nodes of the branch that grows, and its depth, for each node of a tree. No node is kept."""
    known: dict[str | None, tuple[int, int]] = {}
    branches: list[tuple[str | None, int, int]] = []
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        anchor, n_nodes, n_levels = getattr(event, "anchor", None), 1, 1
        if isinstance(event, yaml.CollectionStartEvent):
            known.pop(anchor, None)  # a branch that contains itself counts as one node there
            branches.append((anchor, 1, 1))
            yield 1, len(branches)
            continue
        if isinstance(event, yaml.AliasEvent):
            n_nodes, n_levels = known.get(anchor, (1, 1))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, n_nodes, n_levels = branches.pop()
        elif not isinstance(event, yaml.ScalarEvent):
            continue
        if anchor is not None:
            known[anchor] = n_nodes, n_levels
        if branches:
            own, nodes, levels = branches[-1]
            branches[-1] = own, nodes + n_nodes, max(levels, n_levels + 1)
            yield nodes + n_nodes, len(branches) + n_levels


def check_claim(node: Any, n_bytes: int) -> None:
    """Check that a packed array claims no more bytes than it needs, because asdf makes room for them first.

    Parameters
    ----------
    node : ndarray or asdf's own type
        The array in the tree.
    n_bytes : int
        Bytes of all its elements.

    Raises
    ------
    ImageFormatError
        If it claims more, or is larger than `tessera.io.temporary.largest_temporary`.
    """
    callback = getattr(node, "_data_callback", None)
    try:
        header = callback(_attr="header") if callback is not None else {}
    except (AttributeError, TypeError):
        return
    if not header.get("compression", b"").strip(b"\0"):
        return
    claimed = header.get("data_size", 0)
    if claimed > max(_span(node, n_bytes), SHARED_BYTES):
        raise ImageFormatError(f"a packed array claims {claimed:,} bytes; its elements have {n_bytes:,}")
    _check_size(claimed)


def _check_size(n_bytes: int) -> None:
    if n_bytes > (most := largest_temporary()):
        limit = f"allowed: {most:,}; the environment variable {LIMIT_NAME} sets the limit"
        raise ImageFormatError(f"a packed array has {n_bytes:,} bytes; {limit}")


def _span(node: Any, n_bytes: int) -> int:
    """Bytes from the begin of a block to the end of an array in it."""
    strides, offset = getattr(node, "_strides", None), getattr(node, "_offset", 0)
    if strides is None:
        return int(offset) + n_bytes
    reach = sum((n - 1) * abs(stride) for n, stride in zip(node.shape, strides, strict=False))
    return int(offset) + int(reach) + int(node.dtype.itemsize)


@contextmanager
def bounded_unpacking() -> Iterator[None]:
    """Let asdf unpack arrays that zlib and bzip2 packed within the room that they claim, and within the limit.

    asdf unpacks an array with a unit when it opens a file, before `check_claim` can look at it. If the array is too
    large, asdf 6 warns with the reason, and the tree has no array there. Earlier versions raise the error.

    asdf unpacks a piece of the file as a whole before it looks at the room, and bzip2 makes a piece a million times
    larger. The package lz4 unpacks as before: it makes a file at most 255 times larger.
    """
    import asdf  # noqa: PLC0415 - an extra

    warnings.filterwarnings("ignore", 'Found more than one compressor for "(bzp2|zlib)"')
    _ = asdf.get_config().extensions  # a context forgets those that are loaded in it, and loading takes 0.1 s
    with asdf.config_context() as config:
        config.add_extension(_bounded_extension())
        yield


@cache
def _bounded_extension() -> Any:
    """Extension of asdf that unpacks within limits; always the same, because asdf keeps what it makes of extensions."""
    from asdf.extension import Compressor, Extension  # noqa: PLC0415 - an extra

    class Bzip2(Compressor):  # type: ignore[misc]
        label = b"bzp2"

        def compress(self, data: memoryview, **_options: Any) -> Iterator[bytes]:
            yield bz2.compress(data)

        def decompress(self, data: Iterable[bytes], out: Any, **_options: Any) -> int:
            return _unpack(bz2.BZ2Decompressor(), data, out)

    class Zlib(Compressor):  # type: ignore[misc]
        label = b"zlib"

        def compress(self, data: memoryview, **_options: Any) -> Iterator[bytes]:
            yield zlib.compress(data)

        def decompress(self, data: Iterable[bytes], out: Any, **_options: Any) -> int:
            return _unpack(zlib.decompressobj(), data, out)

    class BoundedUnpacking(Extension):  # type: ignore[misc]
        extension_uri = "asdf://tessera/extensions/bounded-unpacking-1.0.0"
        compressors = (Bzip2(), Zlib())

    return BoundedUnpacking()


def _unpack(unpacker: Any, pieces: Iterable[bytes], out: Any) -> int:
    """Unpack pieces of a file into a buffer, and return the number of bytes."""
    _check_size(len(out))
    done = 0
    for packed in pieces:
        piece = unpacker.decompress(packed, len(out) - done + 1)
        if done + len(piece) > len(out):
            raise ImageFormatError(f"a packed array has more than the {len(out):,} bytes that it claims")
        out[done : done + len(piece)] = piece
        done += len(piece)
    return done
