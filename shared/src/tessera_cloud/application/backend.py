"""Ports, settings and clock that use cases get as arguments. Each is opened at its first use.

A use case asks for the smallest protocol that has everything it needs. `tessera_cloud.bootstrap.Services` has all of
them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Protocol

from tessera_cloud.application.caches import (
    AnswerCache,
    CubeCache,
    ImageCache,
    IndexCache,
    ListCache,
    ShareCache,
    SwitchCache,
)
from tessera_cloud.ports import (
    Alarms,
    Ephemerides,
    Executions,
    NameResolver,
    ObjectStore,
    RequestPace,
    ResultLinks,
    StarCatalogue,
    StarPlaces,
    StateStore,
)
from tessera_cloud.settings import Settings


class HasStore(Protocol):
    """The object store and the settings."""

    @property
    def store(self) -> ObjectStore:
        """The object store."""

    @property
    def settings(self) -> Settings:
        """Names of buckets and other resources, and limits."""


class HasClock(Protocol):
    """The clock."""

    def now(self) -> datetime.datetime:
        """Current time in UTC."""


class HasState(Protocol):
    """Shared records."""

    @property
    def state(self) -> StateStore:
        """Records of jobs, and of frames that ingest has seen."""


class HasNames(Protocol):
    """Names of stars and galaxies."""

    @property
    def names(self) -> NameResolver:
        """Resolver of names."""


class HasStars(Protocol):
    """The TESS Input Catalog."""

    @property
    def stars(self) -> StarCatalogue:
        """Catalogue of stars."""


class HasStarPlaces(Protocol):
    """Positions in the TESS Input Catalog."""

    @property
    def star_places(self) -> StarPlaces | None:
        """Positions of many stars at once; None if there is no catalogue."""


class HasLists(Protocol):
    """Lists of targets."""

    @property
    def lists(self) -> ListCache:
        """Cache of what lists have left."""


class HasPublicStore(HasStore, Protocol):
    """Our own objects, and objects in public buckets."""

    @property
    def public_store(self) -> ObjectStore:
        """Objects in public buckets, read without credentials."""


class HasMachines(HasStore, Protocol):
    """The state machines and the object store."""

    @property
    def executions(self) -> Executions:
        """Executions of the state machines."""


class HasJobs(HasState, HasMachines, HasClock, Protocol):
    """Jobs: their records, their executions and their files."""


class HasFrames(HasState, HasClock, Protocol):
    """What ingest has seen of frames, and when it lists them."""


class HasSwitch(HasState, HasClock, Protocol):
    """The switch that stops paid work."""

    @property
    def switch(self) -> SwitchCache:
        """Cache of the switch."""


class HasShares(HasState, HasClock, Protocol):
    """The shares of clients."""

    @property
    def shares(self) -> ShareCache:
        """Cache of what was counted for clients."""


class HasControls(HasState, HasMachines, HasClock, Protocol):
    """All that a pause of the service changes."""

    @property
    def links(self) -> ResultLinks:
        """Links to results."""


class HasGuard(HasControls, Protocol):
    """All that a pause changes, and the alarms that ask for one."""

    @property
    def alarms(self) -> Alarms:
        """Alarms of the metrics."""


class HasIndex(HasStore, HasClock, Protocol):
    """The footprint index, which may be `Settings.index_seconds` old."""

    @property
    def index(self) -> IndexCache:
        """Cache of the footprint index."""


class HasCubes(HasIndex, Protocol):
    """The footprint index and its cubes."""

    @property
    def cubes(self) -> CubeCache:
        """Cache of cubes."""

    @property
    def answers(self) -> AnswerCache:
        """Cache of small answers."""

    def pace_of(self, rate: float) -> RequestPace:
        """Pace of a task that may send `rate` requests per second."""


class HasTargets(HasIndex, Protocol):
    """The footprint index, and positions of moving targets."""

    @property
    def ephemerides(self) -> Ephemerides:
        """Positions of moving targets."""


class HasImages(HasPublicStore, HasClock, Protocol):
    """Datasets of images."""

    @property
    def images(self) -> ImageCache:
        """Cache of datasets of images."""


class HasTokens(Protocol):
    """Secrets for clients."""

    @property
    def new_token(self) -> Callable[[], str]:
        """Makes a secret that nobody can guess."""


class Backend(
    HasJobs,
    HasTokens,
    HasSwitch,
    HasShares,
    HasNames,
    HasStars,
    HasStarPlaces,
    HasCubes,
    HasTargets,
    HasImages,
    HasLists,
    Protocol,
):
    """All ports of the service."""
