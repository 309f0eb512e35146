"""Manifests: the frames of one CCD in one listing, their hash, and the changes between two of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tessera.errors import InvalidValueError
from tessera_cloud import keys
from tessera_cloud.application.builds.identity import build_id, frames_hash
from tessera_cloud.names import CubeId, frame_ccd
from tessera_cloud.ports import ObjectInfo

Listed: TypeAlias = tuple[str, int, str]
"""Key, size in bytes and ETag of a frame."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Frames of one CCD.

    Parameters
    ----------
    frames : tuple of ObjectInfo
        Frames in the order of their keys, which is the order of time.
    hash : str
        Hash of keys, sizes and ETags.
    """

    frames: tuple[ObjectInfo, ...]
    hash: str

    @classmethod
    def of(cls, frames: Iterable[ObjectInfo]) -> Manifest:
        """Manifest of frames in any order."""
        ordered = tuple(sorted(frames, key=lambda info: info.key))
        return cls(ordered, frames_hash(ordered))

    @property
    def build_id(self) -> str:
        """Build id of these frames."""
        return build_id(self.hash)

    @property
    def total_bytes(self) -> int:
        """Size of all frames in bytes."""
        return sum(info.size for info in self.frames)

    def to_json(self) -> bytes:
        """Format the manifest as a list of key, size and ETag."""
        return json.dumps([(info.key, info.size, info.etag) for info in self.frames]).encode()


def parse_manifest(data: bytes) -> list[Listed]:
    """Parse the text that `Manifest.to_json` wrote. A later release may write more about each frame."""
    return [(key, size, etag) for key, size, etag, *_ in json.loads(data)]


@dataclass(frozen=True, slots=True)
class Change:
    """Changes of a CCD from one listing to a later one.

    Parameters
    ----------
    added, removed, replaced : tuple of str
        File names of frames.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


def _names(listed: Iterable[str]) -> tuple[str, ...]:
    return tuple(key.rsplit("/", 1)[-1] for key in sorted(listed))


def compare(before: Sequence[Listed], after: Manifest) -> Change:
    """Compare a manifest with an earlier one."""
    old = {key: (size, etag) for key, size, etag in before}
    new = {info.key: (info.size, info.etag) for info in after.frames}
    return Change(
        added=_names(new.keys() - old.keys()),
        removed=_names(old.keys() - new.keys()),
        replaced=_names(key for key in new.keys() & old.keys() if new[key] != old[key]),
    )


@dataclass(frozen=True, slots=True)
class SectorListing:
    """One listing of a sector of a product.

    Parameters
    ----------
    manifests : dict
        Cube id to manifest. CCDs without frames are not in it.
    strays : tuple of str
        Keys of frames whose names do not fit their folder. No build reads them.
    """

    manifests: dict[CubeId, Manifest]
    strays: tuple[str, ...]


def group_frames(listed: Iterable[ObjectInfo], *, prefix: str, product: str, sector: int) -> SectorListing:
    """Sort the objects of a sector's folder into manifests, by the rules by which builds find their frames.

    Parameters
    ----------
    listed : iterable of ObjectInfo
        Objects in any order. Objects that are not frames of the product are left out.
    prefix : str
        Prefix of the frames of the product, above the folder of the sector.
    product : str
        ``SPOC`` or ``TICA``.
    sector : int
        Sector of the folder.
    """
    groups: defaultdict[CubeId, list[ObjectInfo]] = defaultdict(list)
    strays = []
    for info in listed:
        try:
            cube_id = CubeId(frame_ccd(product, info.key.rsplit("/", 1)[-1]), product)
        except InvalidValueError:
            continue  # another object between the frames
        if cube_id.ccd_id.sector == sector and info.key.startswith(keys.sector_frames(prefix, cube_id)):
            groups[cube_id].append(info)
        else:
            strays.append(info.key)
    return SectorListing({cube_id: Manifest.of(frames) for cube_id, frames in groups.items()}, tuple(strays))
