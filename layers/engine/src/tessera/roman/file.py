"""Read ASDF files of images: the tree, and the pixels of a part of an array. This module needs asdf and gwcs."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from tessera.errors import ImageFormatError
from tessera.extras import MissingPackageError, import_extra
from tessera.io.file_objects import ImageInput, SourceFile, open_image_source
from tessera.io.ranges import ByteRange
from tessera.io.sources import LocalFile, Source
from tessera.provenance.record import Origin
from tessera.roman.blocks import Block, PlainBlock, Stored, open_block
from tessera.roman.bombs import bounded_unpacking, check_claim, check_tree

MISSION = "roman"
"""Branch of the tree that contains the image."""

Part: TypeAlias = tuple[slice, slice]
"""Rows and columns."""


class AsdfArray:
    """An array of an ASDF file. Parts of it can be read.

    Parameters
    ----------
    node : ndarray, Quantity or asdf's own type
        The array in the tree.
    file : SourceFile, optional
        Remote file that contains the array. Its rows are read as ranges of bytes; see `tessera.roman.blocks`.
    blocks : dict, optional
        Blocks of the file that are open, by their places. Arrays that share a block unpack it once.
    """

    def __init__(
        self, node: Any, file: SourceFile | None = None, blocks: dict[int, Block | None] | None = None
    ) -> None:
        self.node = node
        self.unit = str(node.unit) if isinstance(node, u.Quantity) else ""
        self.shape: tuple[int, ...] = tuple(node.shape)
        self._file, self._blocks = file, {} if blocks is None else blocks

    @cached_property
    def _n_bytes(self) -> int:
        return int(np.prod(self.shape, dtype=int)) * int(self.node.dtype.itemsize)

    @cached_property
    def _block(self) -> Block | None:
        """Block of a remote array that is stored row by row; None for other arrays."""
        stored = None if self._file is None else _find_block(self.node, self._file, self._n_bytes)
        if stored is None:
            return None
        if stored.start not in self._blocks:
            self._blocks[stored.start] = open_block(stored)
        return self._blocks[stored.start]

    @property
    def is_plain(self) -> bool:
        """Whether each row of a remote array is one range of the file: it is stored row by row and not packed."""
        return isinstance(self._block, PlainBlock)

    def _wanted(self, part: Part) -> list[ByteRange]:
        """Bytes of a part, counted from the beginning of the block."""
        rows, columns = part
        item, n_columns = self.node.dtype.itemsize, self.shape[-1]
        plane = self.shape[-2] * n_columns * item
        n_planes = int(np.prod(self.shape[:-2], dtype=int))
        first, length = columns.start * item, (columns.stop - columns.start) * item
        first += int(self.node._offset)  # noqa: SLF001 - see _find_block
        wanted = range(rows.start, rows.stop)
        starts = (first + index * plane + row * n_columns * item for index in range(n_planes) for row in wanted)
        return [ByteRange(start, length) for start in starts]

    def ranges(self, parts: Iterable[Part]) -> list[ByteRange]:
        """Byte ranges of the file for some parts; an empty list if the array is read as a whole or is in memory."""
        if self._block is None:
            return []
        return self._block.ranges([item for part in parts for item in self._wanted(part)])

    def read(self, part: Part) -> NDArray[Any]:
        """Read the pixels of a part.

        Returns
        -------
        ndarray, shape (..., rows, columns)
            A copy in the machine's byte order, without unit.
        """
        rows, columns = part
        dtype = self.node.dtype.newbyteorder("=")
        if self._block is None:
            check_claim(self.node, self._n_bytes)
            values = self.node.value if isinstance(self.node, u.Quantity) else self.node
            try:
                return np.array(values[..., rows, columns], dtype)
            except ImportError as error:  # of the package that unpacks the array
                raise MissingPackageError("lz4", "arrays that are packed") from error
        raw = b"".join(self._block.read(item.start, item.length) for item in self._wanted(part))
        shape = (*self.shape[:-2], rows.stop - rows.start, columns.stop - columns.start)
        return np.frombuffer(raw, self.node.dtype).reshape(shape).astype(dtype)


def _find_block(node: Any, file: SourceFile, n_bytes: int) -> Stored | None:
    """Place of the block of an array that is stored row by row; None for other arrays.

    Only the array's callback in asdf gives the position of its block. Without it, the array is read as a whole.

    Raises
    ------
    ImageFormatError
        If the array is packed and claims too much, or its block is shorter than the array.
    """
    callback: Any = getattr(node, "_data_callback", None)
    shape = getattr(node, "_shape", None)
    plain = callback is not None and getattr(node, "_strides", 0) is None and getattr(node, "_mask", 0) is None
    if not plain or shape is None or "*" in shape or len(shape) < 2:
        return None
    try:
        header, start = callback(_attr="header"), callback(_attr="data_offset")
    except (AttributeError, TypeError):
        return None
    if start is None:
        return None
    packing = bytes(header.get("compression", b"")).strip(b"\0")
    stored = Stored(file, packing, int(start), int(header["used_size"]), int(header["data_size"]))
    if packing:
        check_claim(node, n_bytes)
    streamed = header.get("flags", 0) & 1  # a block without a length, which reaches to the end of the file
    if not streamed and int(node._offset) + n_bytes > stored.claimed:  # noqa: SLF001 - see above
        raise ImageFormatError(f"an array's block has {stored.claimed:,} bytes; its elements need {n_bytes:,}")
    return stored


class AsdfImage:
    """An open ASDF file of an image.

    Parameters
    ----------
    tree : mapping
        Tree of the file.
    file : SourceFile, optional
        The file, if it is remote.
    name : str
        Name of the file in messages.
    origin : Origin, optional
        What records say of the file.

    Raises
    ------
    ImageFormatError
        When the tree has no two-dimensional image with a generalized WCS.
    """

    def __init__(
        self, tree: Mapping[str, Any], file: SourceFile | None, name: str, origin: Origin | None = None
    ) -> None:
        if MISSION not in tree:
            message = f"File {name} does not contain the expected mission keyword '{MISSION}'. Skipping..."
            raise ImageFormatError(message)
        self.tree, self.branch, self._file, self.origin = tree, tree[MISSION], file, origin
        self._blocks: dict[int, Block | None] = {}
        meta = self.branch.get("meta", {})
        if meta.get("wcs") is None:
            raise ImageFormatError(f"File {name} does not contain a GWCS object. Skipping...")
        self.wcs = meta["wcs"]
        if not hasattr(self.branch.get("data"), "shape") or len(self.branch["data"].shape) != 2:
            raise ImageFormatError(f"File {name} does not contain a two-dimensional image, 'data'. Skipping...")
        if np.dtype(self.branch["data"].dtype).kind not in "biufc":
            kind = self.branch["data"].dtype
            raise ImageFormatError(f"File {name} has pixels of type {kind}; allowed: numbers and booleans. Skipping...")
        self.data = self.array(self.branch["data"])
        self.shape: tuple[int, int] = (self.data.shape[0], self.data.shape[1])

    def array(self, node: Any) -> AsdfArray:
        """Array of a node of the tree."""
        return AsdfArray(node, self._file, self._blocks)

    def is_aligned(self, node: Any) -> bool:
        """Whether a node of the tree is an array with the rows and columns of the image."""
        return is_array(node) and tuple(node.shape[-2:]) == self.shape

    def prefetch(self, arrays: Iterable[AsdfArray], parts: Iterable[Part]) -> None:
        """Read the parts of arrays from a remote file together."""
        if self._file is not None:
            wanted = list(parts)
            self._file.prefetch(item for array in arrays for item in array.ranges(wanted))

    def forget(self) -> None:
        """Release the bytes that `prefetch` read."""
        if self._file is not None:
            self._file.forget()


def is_array(node: Any) -> bool:
    """Whether a node of a tree is an array."""
    duck = all(hasattr(node, name) for name in ("dtype", "shape", "__array__"))
    return isinstance(node, np.ndarray) or duck


@contextmanager
def open_tree(
    item: ImageInput, options: Mapping[str, Any], fsspec_options: Mapping[str, Any] | None = None
) -> Iterator[tuple[Mapping[str, Any], SourceFile | None]]:
    """Open an ASDF file. A local file is mapped into memory; other files are read by ranges.

    Parameters
    ----------
    item : str, Path or file object
        File to open.
    options : mapping
        Arguments of ``asdf.open``.
    fsspec_options : mapping, optional
        See `tessera.io.file_objects.open_image_source`.

    Yields
    ------
    (mapping, SourceFile or None)
        The tree, and the file if it is not mapped into memory.
    """
    with contextlib.closing(_open_source(item, fsspec_options)) as source, _read_tree(source, options) as found:
        yield found


def _open_source(item: ImageInput, fsspec_options: Mapping[str, Any] | None) -> Source:
    for package in ("asdf", "gwcs"):
        import_extra(package, "ASDF files")
    return open_image_source(item, fsspec_options)


@contextmanager
def _read_tree(source: Source, options: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], SourceFile | None]]:
    asdf = import_extra("asdf", "ASDF files")
    with bounded_unpacking():
        file = SourceFile(source)
        start = bytes(file.read_at(0, min(source.size, 9)))
        if not start.startswith(b"#ASDF"):
            hint = "; FITSCutout cuts FITS files" if start.startswith(b"SIMPLE  ") else ""
            raise ImageFormatError(f"{source.name} is not an ASDF file: it begins with {start!r}{hint}")
        check_tree(file, source.size, source.name)
        if isinstance(source, LocalFile) and source.on_disk:
            with asdf.open(source.path, **options) as opened:
                yield opened.tree, None
            source.check_unchanged()
            return
        with asdf.open(file, **{**options, "memmap": False, "lazy_load": True}) as opened:
            yield opened.tree, None if options.get("validate_checksums") else file
        source.check_unchanged()


@contextmanager
def open_asdf(
    item: ImageInput, name: str, options: Mapping[str, Any], fsspec_options: Mapping[str, Any] | None = None
) -> Iterator[AsdfImage]:
    """Open an ASDF file of an image; see `open_tree`.

    Parameters
    ----------
    name : str
        Name of the file in messages.
    item, options, fsspec_options
        See `open_tree`.

    Raises
    ------
    ImageFormatError
        When the file does not contain a Roman image.
    """
    with contextlib.closing(_open_source(item, fsspec_options)) as source, _read_tree(source, options) as (tree, file):
        yield AsdfImage(tree, file, name, Origin.of(name, source.size, getattr(source, "etag", "")))


@contextmanager
def quiet_asdf() -> Iterator[None]:
    """Suppress asdf's warnings about datamodels that are not installed. Their data are kept unchecked.

    Use it in the thread that starts the other threads, because Python's filters of warnings apply to all threads.
    """
    exceptions = import_extra("asdf.exceptions", "ASDF files")
    with warnings.catch_warnings():
        for kind in (exceptions.AsdfConversionWarning, exceptions.AsdfPackageVersionWarning):
            warnings.simplefilter("ignore", kind)
        yield
