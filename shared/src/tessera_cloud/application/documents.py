"""Documents that several writers keep up to date: whoever changes one never overwrites what another wrote meanwhile."""

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
    """Read a document, change it, and write it where nobody else has written it since; otherwise do it again.

    Parameters
    ----------
    store : Documents
        Where it is.
    bucket, key : str
        Of the document.
    update : callable
        From what the document is, None where there is none, to what it shall be, None where it stays as it is, and to
        what is returned. It may be called several times.

    Raises
    ------
    TransientError
        When other writers were faster ten times.
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
