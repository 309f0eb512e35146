"""Identity of a build: the hash of its frames."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tessera_cloud.ports import ObjectInfo

FORMAT = "1"
"""Format number of cubes. It changes if the same frames would give another cube."""
_LENGTH = 12


def frames_hash(frames: Iterable[ObjectInfo]) -> str:
    """SHA-256 of keys, sizes and ETags of frames in key order. The build id is its beginning."""
    digest = hashlib.sha256(FORMAT.encode())
    for info in sorted(frames, key=lambda info: info.key):
        digest.update(f"\n{info.key} {info.size} {info.etag}".encode())
    return digest.hexdigest()


def build_id(hash_of_frames: str) -> str:
    """Build id of the frames with this hash."""
    return hash_of_frames[:_LENGTH]
