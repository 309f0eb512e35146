"""What a build is: the frames that it is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tessera_cloud.ports import ObjectInfo

FORMAT = "1"
"""Changes when the same frames would give another cube."""
_LENGTH = 12


def frames_hash(frames: Iterable[ObjectInfo]) -> str:
    """SHA-256 of the keys, sizes and ETags of frames in key order; the build id is its beginning."""
    digest = hashlib.sha256(FORMAT.encode())
    for info in sorted(frames, key=lambda info: info.key):
        digest.update(f"\n{info.key} {info.size} {info.etag}".encode())
    return digest.hexdigest()


def build_id(hash_of_frames: str) -> str:
    """Id of the build of just these frames."""
    return hash_of_frames[:_LENGTH]
