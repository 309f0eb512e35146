"""Bands: parts of a cube, each the work of one task."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.bulk.plan.sightings import Ints


@dataclass(frozen=True)
class Band:
    """Some adjacent rows of a cube, or of a part of its columns, with the windows that begin there.

    Parameters
    ----------
    number : int
        Number of the band in the plan, from 0.
    cube : int
        Place of the cube in the list of cubes.
    sightings : ndarray of int64, shape (n_targets,)
        Places in the `Sightings` of the plan, by first row and first column.
    starts, stops : ndarray of int64, shape (n_requests,)
        Bytes of the file that are read: the first byte of each request, and the byte after its last one. They increase
        and do not overlap.
    union_bytes : int
        Bytes of all pixels of the windows, each counted once.
    scan : bool
        Whether whole rows are read, because that costs less than single ranges.
    """

    number: int
    cube: int
    sightings: Ints
    starts: Ints
    stops: Ints
    union_bytes: int
    scan: bool = False

    @property
    def n_bytes(self) -> int:
        """Bytes that are read."""
        return int((self.stops - self.starts).sum())

    @property
    def n_requests(self) -> int:
        """Number of range requests."""
        return len(self.starts)
