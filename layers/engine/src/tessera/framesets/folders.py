"""List the files of a folder, on this machine, in S3 or in a file system of fsspec."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tessera.errors import RemoteError
from tessera.io.buckets import Bucket, CredentialsError
from tessera.io.failures import as_remote_error
from tessera.io.locations import S3, WEB, InFileSystem, local_path, location_text, scheme_of, shown
from tessera.io.sources import Location


def is_folder(location: Location) -> bool:
    """Whether a location is that of a folder: a folder of this machine, or anything else that ends with a slash."""
    text = location_text(location)
    if not isinstance(text, InFileSystem) and scheme_of(text) in ("", "file"):
        return local_path(text).is_dir()
    return text.endswith("/")


def list_folder(location: Location) -> Sequence[Location]:
    """List all files below a folder, in the order of their names.

    Parameters
    ----------
    location : str or Path
        Folder of this machine, ``s3://bucket/prefix/``, or a location of `tessera.io.filesystems.in_filesystem`.

    Raises
    ------
    UnreadableFileError
        When the folder cannot be listed. Web servers cannot list folders.
    """
    text = location_text(location)
    if isinstance(text, InFileSystem):
        with as_remote_error(text):
            return [InFileSystem(str(path), text.filesystem) for path in sorted(text.filesystem.find(str(text)))]
    scheme = scheme_of(text)
    if scheme in S3:
        return sorted(_list_bucket(text))
    if scheme in WEB or scheme not in ("", "file"):
        raise RemoteError(shown(text), "only folders of this machine and of S3 can be listed; give a list of files")
    folders = os.walk(local_path(text))
    return sorted(Path(folder) / name for folder, _, names in folders for name in names)


def _list_bucket(url: str) -> list[str]:
    name, _, prefix = url.partition("://")[2].partition("/")
    with as_remote_error(url):
        bucket = Bucket.named(name)
        try:
            return [f"s3://{name}/{key}" for key in _keys(bucket.open(), prefix)]
        except CredentialsError as error:
            raise RemoteError(shown(url), str(error), 401) from None


def _keys(store: Any, prefix: str) -> Iterator[str]:
    from obstore import list as list_objects  # noqa: PLC0415 - slow to import, and local folders do not need it

    for some in list_objects(store, prefix=prefix.rstrip("/") or None):
        yield from (str(item["path"]) for item in some)
