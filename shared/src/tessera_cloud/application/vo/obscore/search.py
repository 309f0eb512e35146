"""Searches observations by the constraints of SIA 2.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.sky.shapes.shape import Shape
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.vo.obscore.rows import Floats, Observations, Value
from tessera_cloud.application.vo.obscore.tables import CUBES, IMAGES, cube_observations, image_observations

Interval: TypeAlias = tuple[float, float]
Booleans: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Constraints:
    """Constraints on observations. All must hold; of the choices within one, one must. Null satisfies none.

    Parameters
    ----------
    shapes : tuple of Shape, optional
        Shapes that the region of an observation must touch; empty for no constraint.
    spans : mapping, optional
        Pair of columns, the least and the greatest value of an observation, to intervals that they must touch.
    numbers : mapping, optional
        Column to intervals that must contain its value.
    words : mapping, optional
        Column to its allowed values.
    states : frozenset of str, optional
        Polarization states, of which an observation must have one; empty for no constraint.
    ids : frozenset of str, optional
        Identifiers and names of cubes as `rows.plain_id` makes them; empty for no constraint.
    """

    shapes: tuple[Shape, ...] = ()
    spans: Mapping[tuple[str, str], Sequence[Interval]] = field(default_factory=dict)
    numbers: Mapping[str, Sequence[Interval]] = field(default_factory=dict)
    words: Mapping[str, frozenset[Value]] = field(default_factory=dict)
    states: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    def allow(self, common: Mapping[str, Value]) -> bool:
        """Whether observations with these values in common may satisfy the constraints."""
        if self.states and not self.states & set(str(common["pol_states"] or "").split("/")):
            return False
        if any(name in common and common[name] not in allowed for name, allowed in self.words.items()):
            return False
        needed = [*self.numbers, *(name for pair in self.spans for name in pair)]
        return not any(name in common and common[name] is None for name in needed)

    def find(self, observed: Observations) -> Booleans:
        """Find the observations that satisfy all constraints; shape (n,)."""
        hits = np.full(len(observed.files), self.allow(observed.common))
        if not hits.any():
            return hits
        if self.ids:
            hits &= np.array([not self.ids.isdisjoint(names) for names in observed.ids], bool)
        for name, intervals in self.numbers.items():
            values = observed.column(name)
            hits &= _touches(values, values, intervals)
        for (low, high), intervals in self.spans.items():
            hits &= _touches(observed.column(low), observed.column(high), intervals)
        if self.shapes and hits.any():
            hits &= self._covers(observed)
        return hits

    def _covers(self, observed: Observations) -> Booleans:
        touched = np.zeros(len(observed.places.owners), bool)
        for shape in self.shapes:
            rest = np.flatnonzero(~touched)
            touched[rest] = shape.overlaps(observed.places.vectors[rest])
        hits = np.zeros(len(observed.files), bool)
        hits[observed.places.owners[touched]] = True
        return hits


def _touches(low: Floats, high: Floats, intervals: Sequence[Interval]) -> Booleans:
    """Whether each span from `low` to `high` touches one of the intervals. NaN touches none."""
    hits = np.zeros(len(low), bool)
    for first, last in intervals:
        hits |= (low <= last) & (high >= first)
    return hits


@dataclass(frozen=True)
class Found:
    """Some of the observations that satisfy constraints.

    Parameters
    ----------
    groups : tuple of (Observations, sequence of int)
        Observations, and the numbers of those that were found, in ascending order.
    is_cut : bool
        Whether more observations satisfy the constraints.
    """

    groups: tuple[tuple[Observations, Sequence[int]], ...]
    is_cut: bool

    @property
    def n_rows(self) -> int:
        """Number of observations."""
        return sum(len(numbers) for _, numbers in self.groups)


def find_observations(wanted: Constraints, most: int, backend: Backend) -> Found:
    """Find observations: first cubes, then images, each in the order of their index.

    The indexes of images are read only if images can satisfy the constraints.

    Parameters
    ----------
    wanted : Constraints
        Constraints on the observations.
    most : int
        Largest number of observations to return. With 0, nothing is searched, and there may be more.
    backend : Backend
        Index of the cubes, and of the datasets of images.
    """
    if not most:
        return Found((), is_cut=True)
    groups = [cube_observations(backend)] if wanted.allow(CUBES) else []
    groups += image_observations(backend) if wanted.allow(IMAGES) else []
    left, found = most, []
    is_cut = False
    for observed in groups:
        numbers = np.flatnonzero(wanted.find(observed))
        is_cut |= len(numbers) > left
        found.append((observed, numbers[:left].tolist()))
        left -= len(found[-1][1])
    return Found(tuple(found), is_cut)
