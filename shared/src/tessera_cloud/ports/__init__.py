"""Ports: interfaces through which use cases reach the outside."""

from tessera_cloud.ports.control import (
    LONGEST_DELAY,
    Alarms,
    Execution,
    Executions,
    Queue,
    ResultLinks,
    StateItem,
    StateStore,
)
from tessera_cloud.ports.objects import (
    Buffer,
    Documents,
    Links,
    ObjectInfo,
    ObjectLister,
    ObjectReader,
    ObjectStore,
    ObjectWriter,
    RangeReader,
    RequestPace,
    UploadedPart,
    Uploads,
)
from tessera_cloud.ports.targets import Ephemerides, NameResolver, Positions, StarCatalogue

__all__ = [
    "LONGEST_DELAY",
    "Alarms",
    "Buffer",
    "Documents",
    "Ephemerides",
    "Execution",
    "Executions",
    "Links",
    "NameResolver",
    "ObjectInfo",
    "ObjectLister",
    "ObjectReader",
    "ObjectStore",
    "ObjectWriter",
    "Positions",
    "Queue",
    "RangeReader",
    "RequestPace",
    "ResultLinks",
    "StarCatalogue",
    "StateItem",
    "StateStore",
    "UploadedPart",
    "Uploads",
]
