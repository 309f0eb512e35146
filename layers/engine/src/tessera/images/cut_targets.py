"""Cut many targets out of one image. Pixels of several targets are read together; each target has its own result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol, TypeAlias, TypeVar

from tessera.errors import TesseraError, UnreadableFileError, reason_of
from tessera.windows import Overlap

BATCH_BYTES = 64 << 20
"""Largest number of bytes of pixels of one image that are read together."""
DAMAGED = Exception
"""Errors of one image. For damaged content, zlib, astropy and asdf raise errors of any class."""
PartStatus: TypeAlias = Literal["ok", "empty", "no overlap", "error"]
_REASON_LENGTH = 300
"""Largest number of characters of the reason that another library gives."""

Part_co = TypeVar("Part_co", covariant=True)
Placed: TypeAlias = tuple[int, Overlap]
"""Number of a target, and the window of its cutout."""


class Cutter(Protocol[Part_co]):
    """An image to cut. Its methods identify targets by their numbers."""

    @property
    def pixel_bytes(self) -> int:
        """Memory in bytes for one pixel of all arrays that are read."""

    def place(self, number: int) -> Overlap:
        """Place the window of a target; raise `NoOverlapError` when it does not touch the image."""

    def prefetch(self, overlaps: Sequence[Overlap]) -> None:
        """Read the pixels of several cutouts together."""

    def cut(self, number: int, overlap: Overlap) -> Part_co:
        """Make a cutout."""

    def failed(self, number: int, error: Exception) -> Part_co:
        """Make the result for a target that has no cutout."""

    def forget(self) -> None:
        """Release the pixels that `prefetch` read."""


def cut_targets(cutter: Cutter[Part_co], n_targets: int) -> list[Part_co]:
    """Cut all targets out of an image. The error of a target is stored in its result and not raised.

    Parameters
    ----------
    cutter : Cutter
        The image.
    n_targets : int
        Number of targets.

    Returns
    -------
    list
        The result for each target, in the order of the targets.
    """
    parts: dict[int, Part_co] = {}
    placed: list[Placed] = []
    for number in range(n_targets):
        try:
            placed.append((number, cutter.place(number)))
        except DAMAGED as error:
            parts[number] = cutter.failed(number, error)
    for batch in _batches(placed, cutter.pixel_bytes):
        parts |= _cut_batch(cutter, batch)
    return [parts[number] for number in range(n_targets)]


def reason_text(error: Exception | None, *, named: bool = False) -> str:
    """Reason of an error in one line; empty for None. Other libraries' errors mean damaged content.

    With `named`, the reason why a file cannot be read begins with the name of the file.
    """
    if error is None:
        return ""
    if isinstance(error, MemoryError):
        return "it does not fit into memory"
    if named and isinstance(error, UnreadableFileError):
        return str(error)
    text = " ".join(reason_of(error).split()) or type(error).__name__
    return text if isinstance(error, (TesseraError, OSError)) else f"it is damaged: {text[:_REASON_LENGTH]}"


def _batches(placed: Sequence[Placed], pixel_bytes: int) -> Iterator[list[Placed]]:
    """Groups of targets whose pixels are read together."""
    batch: list[Placed] = []
    n_bytes = 0
    for number, overlap in placed:
        more = pixel_bytes * overlap.window.n_rows * overlap.window.n_columns
        if batch and n_bytes + more > BATCH_BYTES:
            yield batch
            batch, n_bytes = [], 0
        batch.append((number, overlap))
        n_bytes += more
    if batch:
        yield batch


def _cut_batch(cutter: Cutter[Part_co], batch: Sequence[Placed]) -> dict[int, Part_co]:
    try:
        cutter.prefetch([overlap for _, overlap in batch])
    except DAMAGED as error:
        parts = {number: cutter.failed(number, error) for number, _ in batch}
    else:
        parts = {number: _cut(cutter, number, overlap) for number, overlap in batch}
    cutter.forget()
    return parts


def _cut(cutter: Cutter[Part_co], number: int, overlap: Overlap) -> Part_co:
    try:
        return cutter.cut(number, overlap)
    except DAMAGED as error:
        return cutter.failed(number, error)
