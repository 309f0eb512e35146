"""Doors to files, URLs and S3: everything that the rest of the library reads comes through here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from tessera.errors import InvalidInputError

Location: TypeAlias = "str | os.PathLike[str]"
"""Local path, ``s3://bucket/key`` or ``https://host/path``."""


class Source(Protocol):
    """A file of known size from which ranges of bytes are read; safe to use from many threads."""

    name: str
    """File name, without folders."""
    size: int
    """Bytes."""
    version: str
    """Changes when the content does: ETag, or modification time."""
    remote: bool
    """Whether a request has latency that is worth hiding."""

    def read(self, start: int, length: int) -> bytes:
        """Exactly those bytes, or an OSError."""

    def read_buffer(self, start: int, length: int) -> Any:
        """The same as some read-only buffer, which spares a copy."""

    def read_into(self, start: int, out: Any) -> None:
        """Fill a writable buffer from `start` on."""

    def close(self) -> None:
        """Give back what the source holds."""


class LocalFile:
    """A file on this machine.

    Parameters
    ----------
    path : Path
        Where it is.
    """

    remote = False

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        self.path = path
        self.name = path.name
        status = os.fstat(self._descriptor)
        self.size = status.st_size
        self.version = f"{status.st_size}-{status.st_mtime_ns}"

    def read(self, start: int, length: int) -> bytes:
        """See `Source.read`."""
        return bytes(self.read_buffer(start, length))

    def read_buffer(self, start: int, length: int) -> Any:
        """See `Source.read_buffer`."""
        data = bytearray(length)
        self.read_into(start, data)
        return data

    def read_into(self, start: int, out: Any) -> None:
        """See `Source.read_into`."""
        view = memoryview(out).cast("B")
        while len(view):
            n = os.preadv(self._descriptor, [view], start)
            if n == 0:
                raise OSError(f"{self.path} ends at byte {start:,}, {len(view):,} bytes too early")
            view, start = view[n:], start + n

    def close(self) -> None:
        """See `Source.close`."""
        os.close(self._descriptor)


class RemoteFile:
    """An object in S3 or behind HTTP, read by ranges and pinned to the version that was first seen.

    Parameters
    ----------
    url : str
        ``s3://bucket/key``, ``http://...`` or ``https://...``. S3 is read with the credentials and the endpoint of the
        environment, or anonymously where there are none.
    """

    remote = True

    def __init__(self, url: str) -> None:
        import obstore  # noqa: PLC0415 - costs time that local users need not spend

        base, _, key = url.rpartition("/")
        if url.startswith("s3://"):
            base, _, key = url.removeprefix("s3://").partition("/")
        self._obstore = obstore
        self._store = _open_store(url, base)
        self._key = key
        self.url = url
        self.name = key.rpartition("/")[2]
        about = obstore.head(self._store, key)
        self.size = int(about["size"])
        self._etag = about.get("e_tag")
        self.version = f"{self.size}-{self._etag or about.get('last_modified')}"

    def read(self, start: int, length: int) -> bytes:
        """See `Source.read`."""
        return bytes(self.read_buffer(start, length))

    def read_buffer(self, start: int, length: int) -> Any:
        """See `Source.read_buffer`."""
        options: Any = {"range": (start, start + length)}
        if self._etag:
            options["if_match"] = self._etag
        data = self._obstore.get(self._store, self._key, options=options).bytes()
        if len(data) != length:
            raise OSError(f"{self.url}: {len(data)} of {length} bytes came from byte {start:,} on")
        return data

    def read_into(self, start: int, out: Any) -> None:
        """See `Source.read_into`."""
        view = memoryview(out).cast("B")
        view[:] = memoryview(self.read_buffer(start, len(view))).cast("B")

    def close(self) -> None:
        """See `Source.close`."""


def _open_store(url: str, base: str) -> Any:
    from obstore.store import HTTPStore, S3Store  # noqa: PLC0415 - see RemoteFile

    client: Any = {"allow_http": True, "timeout": "60s", "user_agent": "tessera"}
    if not url.startswith("s3://"):
        return HTTPStore.from_url(base, client_options=client)
    options: dict[str, Any] = {"region": os.environ.get("AWS_REGION", "us-east-1")}
    if endpoint := os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"):
        options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
    if not os.environ.get("AWS_ACCESS_KEY_ID"):
        options["skip_signature"] = True
    return S3Store(base, client_options=client, **options)


def open_source(location: Location) -> Source:
    """Open a file, URL or S3 object for reading by ranges.

    Raises
    ------
    FileNotFoundError
        When it does not exist.
    """
    text = os.fspath(location)
    if text.startswith(("s3://", "http://", "https://")):
        return RemoteFile(text)
    return LocalFile(Path(text))


def check_locations(argument: str, locations: Sequence[Location]) -> list[Location]:
    """Check a list of files that a user gave.

    Raises
    ------
    InvalidInputError
        For a single string, something that is no path, or an empty list.
    """
    if isinstance(locations, (str, os.PathLike)):
        raise InvalidInputError(argument, locations, "a list of paths or URLs, such as [path]")
    listed = list(locations)
    if not listed:
        raise InvalidInputError(argument, listed, "a list with at least one path or URL")
    for location in listed:
        if not isinstance(location, (str, os.PathLike)):
            raise InvalidInputError(argument, location, "paths or URLs")
    return listed
