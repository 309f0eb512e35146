"""What the use cases of the service are handed: ports, settings and a clock, each opened when it is first used.

A use case asks for the smallest of these that has what it needs. `tessera_cloud.bootstrap.Services` is all of them.
"""

from __future__ import annotations

import datetime
from typing import Protocol

from tessera_cloud.application.caches import CubeCache, ImageCache, IndexCache
from tessera_cloud.ports import Ephemerides, Executions, NameResolver, ObjectStore, StateStore
from tessera_cloud.settings import Settings


class HasStore(Protocol):
    """Objects, and where they are."""

    @property
    def store(self) -> ObjectStore:
        """Objects."""

    @property
    def settings(self) -> Settings:
        """Where things are, and limits."""


class HasClock(Protocol):
    """The time."""

    def now(self) -> datetime.datetime:
        """Time in UTC."""


class HasState(Protocol):
    """Records that tasks share."""

    @property
    def state(self) -> StateStore:
        """Records of jobs, and of what ingest has seen."""


class HasNames(Protocol):
    """Names of what does not move."""

    @property
    def names(self) -> NameResolver:
        """Resolver of names."""


class HasPublicStore(HasStore, Protocol):
    """Our own objects, and those of others."""

    @property
    def public_store(self) -> ObjectStore:
        """Objects of others, read without credentials."""


class HasMachines(HasStore, Protocol):
    """State machines, and what they leave."""

    @property
    def executions(self) -> Executions:
        """Executions of the state machines."""


class HasJobs(HasState, HasMachines, HasClock, Protocol):
    """Jobs: their records, their executions and their files."""


class HasIndex(HasStore, HasClock, Protocol):
    """The footprint index, at most some time old."""

    @property
    def index(self) -> IndexCache:
        """What is remembered of the footprint index."""


class HasCubes(HasIndex, Protocol):
    """The footprint index, and cubes of it."""

    @property
    def cubes(self) -> CubeCache:
        """What is remembered of cubes."""


class HasTargets(HasIndex, Protocol):
    """The footprint index, and what moves over it."""

    @property
    def ephemerides(self) -> Ephemerides:
        """Positions of moving targets."""


class HasImages(HasPublicStore, HasClock, Protocol):
    """Datasets of images."""

    @property
    def images(self) -> ImageCache:
        """What is remembered of datasets of images."""


class Backend(HasJobs, HasNames, HasCubes, HasTargets, HasImages, Protocol):
    """All ports of the service."""
