"""What the use cases of the service are handed: ports, settings and a clock, each opened when it is first used."""

from __future__ import annotations

import datetime
from typing import Protocol

from tessera_cloud.application.caches import IndexCache
from tessera_cloud.application.cube_cache import CubeCache
from tessera_cloud.application.image_cache import ImageCache
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.application.index.served import served_index, settle
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.ports import Ephemerides, Executions, NameResolver, ObjectStore, StateStore
from tessera_cloud.settings import Settings


class Backend(Protocol):
    """Ports of the service; `tessera_cloud.bootstrap.Services` is one."""

    @property
    def store(self) -> ObjectStore:
        """Objects."""

    @property
    def settings(self) -> Settings:
        """Where things are, and limits."""

    @property
    def cubes(self) -> CubeCache:
        """What is remembered of cubes."""

    @property
    def index(self) -> IndexCache:
        """What is remembered of the footprint index."""

    @property
    def public_store(self) -> ObjectStore:
        """Objects of others, read without credentials."""

    @property
    def images(self) -> ImageCache:
        """What is remembered of datasets of images."""

    @property
    def state(self) -> StateStore:
        """Records of jobs."""

    @property
    def executions(self) -> Executions:
        """Executions of the state machines."""

    @property
    def ephemerides(self) -> Ephemerides:
        """Who knows where moving targets are."""

    @property
    def names(self) -> NameResolver:
        """Who knows where everything else is."""

    def now(self) -> datetime.datetime:
        """Time in UTC."""


def current_index(backend: Backend) -> FootprintIndex:
    """The index that a request is answered from."""
    now = backend.now().timestamp()
    return served_index(backend.index, store=backend.store, settings=backend.settings, now=now)


def settled(published: PublishedCube, backend: Backend) -> PublishedCube | None:
    """A cube of the index as it is now; None where it is gone."""
    return settle(published, backend.store, backend.index, backend.now().timestamp())
