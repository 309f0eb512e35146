"""The footprint index: one object with the columns of MAST's footprint file and a few more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.sky.footprint import Footprint, find_distances, find_overlaps, footprint_vectors
from tessera.sky.sphere import unit_vectors
from tessera.tess.products import SPOC
from tessera_cloud import keys
from tessera_cloud.application.documents import update_document
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.ports import Documents, ObjectReader

EDGE_MARGIN = 0.12
"""Degrees by which the edge of a distorted frame may lie outside the polygon through its corners. All frames of 18
sectors but one stay within half of it."""
FINE_MARGIN = 0.012
"""The same for a footprint with more vertices: two pixels."""
_FOUR_CORNERS = 10
"""Number of blanks in an s_region of four corners, the first of which is repeated."""
_COLUMNS = tuple(name for name in PublishedCube.model_fields if name != "left_out")
_DERIVED = "target_name"
"""Column of MAST's file that follows from the others."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cube that may see a position.

    Parameters
    ----------
    published : PublishedCube
        The cube.
    inside : bool
        Whether the position is inside the footprint.
    certain : bool
        Whether it is so far inside that the footprint is enough. Otherwise the cube's WCS can tell.
    """

    published: PublishedCube
    inside: bool
    certain: bool


@dataclass(frozen=True)
class FootprintIndex:
    """Published cubes and their footprints.

    Parameters
    ----------
    cubes : tuple of PublishedCube
        Cubes in the order of their obs_id.
    vectors : ndarray of float64, shape (n, vertices, 3)
        Unit vectors to the vertices of each footprint, in the order of `cubes`.
    rest : mapping
        What the document has beside columns. No release writes anything yet; a later one may.
    """

    cubes: tuple[PublishedCube, ...]
    vectors: NDArray[np.float64]
    rest: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def _margins(self) -> NDArray[np.float64]:
        """Degrees by which the edge of each frame may be elsewhere than the edge of its footprint."""
        return np.array(
            [EDGE_MARGIN if cube.s_region.count(" ") == _FOUR_CORNERS else FINE_MARGIN for cube in self.cubes]
        )

    @classmethod
    def from_json(cls, data: bytes) -> FootprintIndex:
        """Parse the text that `to_json` wrote, in this release, an earlier or a later one.

        A column that is missing, or null in a row, has its default: its writer did not know it. Columns that this
        release does not know are extra fields of their rows.
        """
        table: dict[str, Any] = json.loads(data)
        n_rows = len(table["obs_id"])
        columns = {name: value for name, value in table.items() if isinstance(value, list) and len(value) == n_rows}
        rest = {name: value for name, value in table.items() if name not in columns}
        columns.pop(_DERIVED, None)
        cubes = (
            PublishedCube(**{name: value for name, value in zip(columns, row, strict=True) if value is not None})
            for row in zip(*columns.values(), strict=True)
        )
        return cls.of(cubes, rest)

    @classmethod
    def of(cls, cubes: Iterable[PublishedCube], rest: Mapping[str, Any] | None = None) -> FootprintIndex:
        """Index of some cubes."""
        ordered = tuple(sorted(cubes, key=lambda cube: cube.obs_id))
        return cls(ordered, footprint_vectors([cube.s_region for cube in ordered]), rest or {})

    def with_cubes(self, cubes: Iterable[PublishedCube]) -> FootprintIndex:
        """Index of other cubes. A cube that is in this one too keeps the columns that this release does not know."""
        known = {(cube.bucket, cube.key, cube.etag): cube.model_extra or {} for cube in self.cubes}
        rows = (
            cube.model_copy(update=known.get((cube.bucket, cube.key, cube.etag), {}) | (cube.model_extra or {}))
            for cube in cubes
        )
        return self.of(rows, self.rest)

    def to_json(self) -> bytes:
        """Format the index as a JSON object of parallel columns."""
        extra = dict.fromkeys(name for cube in self.cubes for name in cube.model_extra or {})
        columns: dict[str, Any] = {name: [getattr(cube, name) for cube in self.cubes] for name in _COLUMNS}
        columns |= {name: [(cube.model_extra or {}).get(name) for cube in self.cubes] for name in extra}
        columns[_DERIVED] = [cube.cube_id.target_name for cube in self.cubes]
        return json.dumps(dict(self.rest) | columns).encode()

    def find(
        self, region: Footprint, sectors: frozenset[int] | None = None, product: str = SPOC.name
    ) -> list[PublishedCube]:
        """Cubes of a product whose footprint shares a point with a region, in index order. None means all sectors."""
        return self.select(find_overlaps(self.vectors, region), sectors, product)

    def select(
        self, hits: NDArray[np.bool_], sectors: frozenset[int] | None = None, product: str = SPOC.name
    ) -> list[PublishedCube]:
        """Cubes of a product and of some sectors that are marked in `hits`, of shape (n,), in index order."""
        return [
            cube
            for cube, hit in zip(self.cubes, hits, strict=True)
            if hit and cube.cube_id.product == product and (sectors is None or cube.sequence_number in sectors)
        ]

    def find_position(self, ra: float, dec: float, product: str = SPOC.name) -> list[Candidate]:
        """Cubes of a product that may see a position, in index order."""
        direction = unit_vectors(np.array([ra]), np.array([dec]))
        distances = find_distances(self.vectors, direction, EDGE_MARGIN)[:, 0]
        return [
            Candidate(cube, bool(distance >= 0), bool(distance > margin))
            for cube, distance, margin in zip(self.cubes, distances, self._margins, strict=True)
            if distance >= -margin and cube.cube_id.product == product
        ]


def parse_index(data: bytes | None) -> FootprintIndex:
    """Index from its object; empty if there is no object."""
    return FootprintIndex.of(()) if data is None else FootprintIndex.from_json(data)


def read_index(store: ObjectReader, bucket: str) -> tuple[FootprintIndex, str | None]:
    """Read the index and its ETag; an empty index and None if no cube has been published yet."""
    try:
        data, info = store.read(bucket, keys.FOOTPRINT_INDEX)
    except ObjectMissingError:
        return parse_index(None), None
    return parse_index(data), info.etag


def read_pointer(store: ObjectReader, bucket: str, key: str) -> tuple[PublishedCube | None, str | None]:
    """Read the cube that a pointer names, and the ETag of the pointer; None and None if there is no pointer."""
    try:
        data, info = store.read(bucket, key)
    except ObjectMissingError:
        return None, None
    return PublishedCube.model_validate_json(data), info.etag


def _move_pointer(cube: PublishedCube, store: Documents) -> PublishedCube:
    def update(data: bytes | None) -> tuple[bytes | None, PublishedCube]:
        current = None if data is None else PublishedCube.model_validate_json(data)
        if current and current.generation > cube.generation:
            return None, current
        same = current is not None and (current.key, current.etag) == (cube.key, cube.etag)
        moved = cube.model_copy(update=current.model_extra) if current and same else cube
        return moved.model_dump_json().encode(), moved

    return update_document(store, cube.bucket, keys.current(cube.cube_id), update)


def publish(cube: PublishedCube, *, store: Documents) -> PublishedCube:
    """Make a cube current and add it to the index, unless a cube of a later listing is current.

    Several builds may end at the same time. So pointer and index are replaced only if they have not changed since they
    were read.

    Returns
    -------
    PublishedCube
        Cube that the pointer names now.

    Raises
    ------
    TransientError
        If other writers were faster ten times.
    """
    current = _move_pointer(cube, store)

    def update(data: bytes | None) -> tuple[bytes | None, PublishedCube]:
        index = parse_index(data)
        row = next((other for other in index.cubes if other.obs_id == current.obs_id), None)
        if row and row.generation > current.generation:
            return None, current
        others = [other for other in index.cubes if other is not row]
        return index.with_cubes([*others, current]).to_json(), current

    return update_document(store, current.bucket, keys.FOOTPRINT_INDEX, update)
