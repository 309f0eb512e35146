"""Documents that several writers update. No writer overwrites a change of another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tessera_cloud.errors import ObjectChangedError, ObjectMissingError, TransientError
from tessera_cloud.ports import Documents

_T = TypeVar("_T")
_ATTEMPTS = 10


def update_document(
    store: Documents, bucket: str, key: str, update: Callable[[bytes | None], tuple[bytes | None, _T]]
) -> _T:
    """Read a document, change it, and write it if no other writer has changed it since; otherwise do it again.

    Parameters
    ----------
    store : Documents
        Store of the document.
    bucket, key : str
        Bucket and key of the document.
    update : callable
        Gets the old content, None if there is no document. Returns the new content, None to leave the document
        unchanged, and a result. It may be called several times.

    Returns
    -------
    object
        Result of the last call of `update`.

    Raises
    ------
    TransientError
        If other writers were faster ten times.
    """
    for _ in range(_ATTEMPTS):
        data: bytes | None
        etag: str | None
        try:
            data, info = store.read(bucket, key)
            etag = info.etag
        except ObjectMissingError:
            data = etag = None
        new, outcome = update(data)
        if new is None:
            return outcome
        try:
            store.write(bucket, key, new, only_over=etag, only_new=etag is None)
        except ObjectChangedError:
            continue
        return outcome
    raise TransientError(f"s3://{bucket}/{key} changed {_ATTEMPTS} times while it was written")
