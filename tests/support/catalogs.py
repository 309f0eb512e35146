"""Real listings of sectors: keys and start times of all frames."""

from __future__ import annotations

import hashlib
import lzma
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from tessera_cloud.ports import ObjectInfo
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import SETTINGS
from tests.support.paths import DATA

NAMES = ("s0001-spoc", "s0027-spoc", "s0027-tica", "s0056-spoc")


@dataclass(frozen=True)
class CatalogFrame:
    """A frame in MAST's bucket: the key below the prefix of all products, and the start time."""

    key: str
    start: str

    @property
    def info(self) -> ObjectInfo:
        """The frame in a listing. Size and ETag are made up, because the catalogues do not have them."""
        return ObjectInfo(self.key, 35_527_680, hashlib.md5(self.key.encode()).hexdigest())


@cache
def read_catalog(name: str) -> tuple[CatalogFrame, ...]:
    """Frames in the order of the catalogue."""
    text = lzma.decompress((DATA / "ffi_catalogs" / f"{name}.txt.xz").read_bytes()).decode()
    prefix = SETTINGS.tica_prefix if name.endswith("tica") else SETTINGS.ffi_prefix
    lines = (line.split(" ") for line in text.splitlines())
    return tuple(CatalogFrame(prefix + path.removeprefix("ffi/"), start) for path, start in lines)


def shuffled(frames: Iterable[ObjectInfo], seed: int = 1) -> list[ObjectInfo]:
    """Frames in random order."""
    infos = list(frames)
    random.Random(seed).shuffle(infos)
    return infos


@dataclass
class ListedStore(MemoryStore):
    """A store whose frames exist only in listings, so that a test can have a hundred thousand of them."""

    listed: dict[str, ObjectInfo] = field(default_factory=dict)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        if bucket != SETTINGS.ffi_bucket:
            yield from super().list_objects(bucket, prefix)
            return
        self._note("list", bucket, prefix)
        yield from (self.listed[key] for key in sorted(self.listed) if key.startswith(prefix))

    def list_folders(self, bucket: str, prefix: str) -> Iterator[str]:
        self._note("list_folders", bucket, prefix)
        rests = (key.removeprefix(prefix) for key in self.listed if key.startswith(prefix))
        yield from sorted({rest.partition("/")[0] + "/" for rest in rests})

    @property
    def listings(self) -> list[str]:
        """Prefixes of all listings of frames so far."""
        return [key for operation, bucket, key in self.requests if (operation, bucket) == ("list", SETTINGS.ffi_bucket)]
