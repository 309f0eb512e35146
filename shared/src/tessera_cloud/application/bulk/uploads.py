"""Lists that are too large for a request: the client uploads them to the bucket of results."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from tessera_cloud import keys
from tessera_cloud.application.backend import HasClock, HasStore, HasTokens
from tessera_cloud.errors import NotFoundError, ObjectChangedError, ObjectMissingError, TooLargeError, UsageError
from tessera_cloud.ports import ObjectInfo

UPLOAD_BYTES = 200_000_000
"""Largest size of an upload."""
UPLOAD_ID = r"[A-Za-z0-9_-]{22}"
"""Form of the id of an upload."""
UPLOAD_SECONDS = 900
"""Time for which the address of an upload works, in seconds."""
KEPT_BYTES = 16_000_000
"""Largest size of an upload that is kept in memory after it was read."""
_PIECE = 16_000_000
_READS_AHEAD = 4


class HasUploads(HasStore, HasClock, HasTokens, Protocol):
    """What a new upload needs."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that a client may make.

    Parameters
    ----------
    id : str
        Id, which nobody can guess.
    url : str
        Address to which the file is sent with PUT.
    expires : float
        Time at which the address stops to work, in seconds since 1970.
    """

    id: str
    url: str
    expires: float


@dataclass(frozen=True, slots=True)
class UploadedList:
    """A list that was uploaded.

    Parameters
    ----------
    n_bytes : int
        Size.
    sha256 : str
        SHA-256 in hexadecimal digits.
    start : bytes
        The first bytes.
    data : bytes or None
        The whole list; None if it has more than `KEPT_BYTES`.
    """

    n_bytes: int
    sha256: str
    start: bytes
    data: bytes | None


def begin_upload(n_bytes: int, backend: HasUploads) -> Upload:
    """Make the id and the address of an upload of `n_bytes` bytes."""
    upload_id = backend.new_token()
    bucket, key = backend.settings.result_bucket, keys.upload(upload_id)
    url = backend.store.presign_upload(bucket, key, UPLOAD_SECONDS, n_bytes)
    return Upload(upload_id, url, backend.now().timestamp() + UPLOAD_SECONDS)


def read_upload(upload_id: str, backend: HasStore) -> UploadedList:
    """Read a list that was uploaded. All bytes are of one version, also if the client uploads again meanwhile.

    Raises
    ------
    NotFoundError
        If there is no such upload, or if its file has not arrived.
    TooLargeError
        If the file is larger than an upload may be.
    UsageError
        If the file is empty, or is replaced while it is read.
    """
    try:
        info = backend.store.head(backend.settings.result_bucket, keys.upload(upload_id))
    except ObjectMissingError:
        allowed = "the id of an upload whose file has arrived and is not older than "
        days = backend.settings.bulk.kept_days
        raise NotFoundError.named("upload", upload_id, f"{allowed}{days} {'day' if days == 1 else 'days'}") from None
    if not info.size:
        raise UsageError(
            "upload is an empty file; allowed: a list", parameter="upload", value=upload_id, allowed="a list"
        )
    if info.size > UPLOAD_BYTES:
        allowed = f"at most {UPLOAD_BYTES:,} bytes"
        message = f"the upload has {info.size:,} bytes; allowed: {allowed}"
        raise TooLargeError(message, parameter="upload", value=upload_id, allowed=allowed)
    try:
        return _collect(info, backend)
    except (ObjectChangedError, ObjectMissingError):
        allowed = "an upload that stays as it is"
        message = f"the upload was replaced while it was read; allowed: {allowed}"
        raise UsageError(message, parameter="upload", value=upload_id, allowed=allowed) from None


def _collect(info: ObjectInfo, backend: HasStore) -> UploadedList:
    digest, pieces, start = hashlib.sha256(), [], b""
    for piece in read_pieces(info, backend):
        digest.update(piece)
        start = start or piece[:4096]
        if info.size <= KEPT_BYTES:
            pieces.append(piece)
    return UploadedList(info.size, digest.hexdigest(), start, b"".join(pieces) if pieces else None)


def read_pieces(info: ObjectInfo, backend: HasStore) -> Iterator[bytes]:
    """Pieces of an object of the bucket of results, in order, all of the version that `info` describes.

    Raises
    ------
    ObjectChangedError, ObjectMissingError
        If the object was replaced or removed.
    """
    bucket, starts = backend.settings.result_bucket, range(0, info.size, _PIECE)

    def read(start: int) -> bytes:
        length = min(_PIECE, info.size - start)
        return bytes(backend.store.read_range(bucket, info.key, start, length, info.etag))

    with ThreadPoolExecutor(_READS_AHEAD) as pool:
        for begin in range(0, len(starts), _READS_AHEAD):
            yield from pool.map(read, starts[begin : begin + _READS_AHEAD])
