"""Cutting one image for many targets: pixels are fetched for several of them together, and each has its own result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol, TypeAlias, TypeVar

from tessera.errors import UNUSABLE
from tessera.windows import Overlap

BATCH_BYTES = 64 << 20
"""Pixels of one image that are fetched together."""
PartStatus: TypeAlias = Literal["ok", "empty", "no overlap", "error"]

Part_co = TypeVar("Part_co", covariant=True)
Placed: TypeAlias = tuple[int, Overlap]
"""Number of a target, and where its cutout is."""


class Cutter(Protocol[Part_co]):
    """An image that is cut; targets are given by their numbers."""

    @property
    def pixel_bytes(self) -> int:
        """Memory for all that is fetched of one pixel."""

    def place(self, number: int) -> Overlap:
        """Where the cutout of a target is; raises NoOverlapError where it is beside the image."""

    def prefetch(self, overlaps: Sequence[Overlap]) -> None:
        """Fetch the pixels of some cutouts."""

    def cut(self, number: int, overlap: Overlap) -> Part_co:
        """Make a cutout."""

    def failed(self, number: int, error: Exception) -> Part_co:
        """What became of a target that has no cutout."""

    def forget(self) -> None:
        """Drop what was fetched."""


def cut_targets(cutter: Cutter[Part_co], n_targets: int) -> list[Part_co]:
    """Cut all targets out of an image; nothing is raised for what is wrong with one of them.

    Parameters
    ----------
    cutter : Cutter
        The image.
    n_targets : int
        How many targets there are.

    Returns
    -------
    list
        What became of each target, in their order.
    """
    parts: dict[int, Part_co] = {}
    placed: list[Placed] = []
    for number in range(n_targets):
        try:
            placed.append((number, cutter.place(number)))
        except UNUSABLE as error:
            parts[number] = cutter.failed(number, error)
    for batch in _batches(placed, cutter.pixel_bytes):
        parts |= _cut_batch(cutter, batch)
    return [parts[number] for number in range(n_targets)]


def _batches(placed: Sequence[Placed], pixel_bytes: int) -> Iterator[list[Placed]]:
    """Targets whose pixels are fetched together."""
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
    except UNUSABLE as error:
        parts = {number: cutter.failed(number, error) for number, _ in batch}
    else:
        parts = {number: _cut(cutter, number, overlap) for number, overlap in batch}
    cutter.forget()
    return parts


def _cut(cutter: Cutter[Part_co], number: int, overlap: Overlap) -> Part_co:
    try:
        return cutter.cut(number, overlap)
    except UNUSABLE as error:
        return cutter.failed(number, error)
