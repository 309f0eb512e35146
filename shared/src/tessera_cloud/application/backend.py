"""What the use cases of the service are handed: ports, settings and a clock, each opened when it is first used."""

from __future__ import annotations

import datetime
from typing import Protocol

from tessera_cloud.application.caches import CubeCache, ImageCache, IndexCache
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
