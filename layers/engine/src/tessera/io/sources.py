"""Read files, URLs and S3 objects by ranges of bytes. The rest of the library reads all its input this way."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from tessera.errors import InvalidInputError

FIRST_BYTES = 12 * 2880
"""Bytes that the first request to a remote file reads: enough for the headers of a frame or a cube."""

Location: TypeAlias = "str | os.PathLike[str]"
"""Local path, or URL: ``s3://bucket/key``, ``http://...`` or ``https://...``."""


class Source(Protocol):
    """A file from which ranges of bytes are read. Several threads may use it at the same time."""

    name: str
    """File name, without folders."""
    remote: bool
    """Whether every read is a request over the network, so that simultaneous reads are faster."""

    @property
    def size(self) -> int:
        """Size of the file in bytes."""

    @property
    def version(self) -> str:
        """Text that changes when the content changes; it contains the ETag or the time of modification."""

    def read(self, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from byte `start`, or raise an OSError."""

    def read_buffer(self, start: int, length: int) -> Any:
        """Return the same bytes as a buffer, which saves a copy. The caller must not change it."""

    def read_into(self, start: int, out: Any) -> None:
        """Fill a writable buffer with the bytes from byte `start`, or raise an OSError."""

    def check_unchanged(self) -> None:
        """Raise `ReplacedError` when the bytes that were read may come from different versions of the file."""

    def close(self) -> None:
        """Close the file."""


class LocalFile:
    """A file on this machine.

    Parameters
    ----------
    path : Path
        Path of the file.
    """

    remote = False

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        self.path = path
        self.name = path.name
        self.size, self.version = self._known()

    def _known(self) -> tuple[int, str]:
        status = os.fstat(self._descriptor)
        return status.st_size, f"{status.st_size}-{status.st_mtime_ns}"

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

    def check_unchanged(self) -> None:
        """See `Source.check_unchanged`. A new file at the same path does no harm: the old file is still open."""
        if self._known() != (self.size, self.version):
            raise ReplacedError(f"{self.path} was changed while it was read")

    def close(self) -> None:
        """See `Source.close`."""
        os.close(self._descriptor)


class ReplacedError(OSError):
    """A file was changed or replaced while it was read."""


class RemoteFile:
    """An object in S3 or on a web server. All reads return the version that the first read returned, or fail.

    Parameters
    ----------
    url : str
        ``s3://bucket/key``, ``http://...`` or ``https://...``. S3 is read with the endpoint and the credentials of the
        environment, or anonymously if it has no credentials.
    """

    remote = True

    def __init__(self, url: str) -> None:
        import obstore  # noqa: PLC0415 - slow to import, and local files do not need it
        from obstore.exceptions import BaseError  # noqa: PLC0415 - see above

        base, _, self._key = url.rpartition("/")
        if url.startswith("s3://"):
            base, _, self._key = url.removeprefix("s3://").partition("/")
        self._get = obstore.get
        try:
            self._store = _open_store(url.startswith("s3://"), base, *_s3_environment())
        except (BaseError, ValueError) as error:
            raise OSError(f"{url} cannot be read: {_first_line(error)}") from error
        self.url = url
        self.name = self._key.rpartition("/")[2]
        self._about: Any = None
        self._start = b""
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """See `Source.size`. It comes with the first bytes, which most readers need next."""
        return int(self._known()["size"])

    @property
    def version(self) -> str:
        """See `Source.version`."""
        return _version(self._known())

    def _known(self) -> Any:
        with self._lock:
            if not self._start:
                self._start = bytes(self._request(0, FIRST_BYTES))
        return self._about

    def _request(self, start: int, length: int) -> Any:
        from obstore.exceptions import BaseError, PreconditionError  # noqa: PLC0415 - see above

        options: Any = {"range": (start, start + length)}
        if self._about is not None and self._about.get("e_tag"):
            options["if_match"] = self._about["e_tag"]
        try:
            answer = self._get(self._store, self._key, options=options)
            data = answer.bytes()
        except FileNotFoundError as error:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.url) from error
        except PreconditionError as error:
            raise ReplacedError(f"{self.url} was replaced while it was read") from error
        except BaseError as error:
            raise OSError(f"{self.url} cannot be read: {_first_line(error)}") from error
        if self._about is None:
            self._about = answer.meta
        elif _version(answer.meta) != _version(self._about):
            raise ReplacedError(f"{self.url} was replaced while it was read")
        return data

    def read(self, start: int, length: int) -> bytes:
        """See `Source.read`."""
        return bytes(self.read_buffer(start, length))

    def read_buffer(self, start: int, length: int) -> Any:
        """See `Source.read_buffer`."""
        if start + length <= len(self._start):
            return self._start[start : start + length]
        data = self._request(start, length)
        if len(data) != length:
            raise OSError(f"{self.url}: {len(data)} of {length} bytes from byte {start:,} were received")
        return data

    def read_into(self, start: int, out: Any) -> None:
        """See `Source.read_into`."""
        view = memoryview(out).cast("B")
        view[:] = memoryview(self.read_buffer(start, len(view))).cast("B")

    def check_unchanged(self) -> None:
        """See `Source.check_unchanged`. Nothing to do: every request already checked the version."""

    def close(self) -> None:
        """See `Source.close`."""


def _first_line(error: Exception) -> str:
    """First line of an error of obstore; the lines after it are internals."""
    return str(error).partition("\n")[0]


def _version(about: Any) -> str:
    """Version of an object: its size, and its ETag or the time of its last change."""
    return f"{about['size']}-{about.get('e_tag') or about.get('last_modified')}"


def _s3_environment() -> tuple[str, str | None, bool]:
    """Region and endpoint of S3 from the environment, and whether the environment has credentials."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return os.environ.get("AWS_REGION", "us-east-1"), endpoint, bool(os.environ.get("AWS_ACCESS_KEY_ID"))


@lru_cache(maxsize=64)
def _open_store(s3: bool, base: str, region: str, endpoint: str | None, signed: bool) -> Any:
    """Open a bucket or a web folder. The cache keeps it, so that its connections are used again."""
    from obstore.store import HTTPStore, S3Store  # noqa: PLC0415 - see RemoteFile

    client: Any = {"allow_http": True, "timeout": "60s", "user_agent": "tessera"}
    if not s3:
        return HTTPStore.from_url(base, client_options=client)
    options: dict[str, Any] = {"region": region}
    if endpoint:
        options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
    if not signed:
        options["skip_signature"] = True
    return S3Store(base, client_options=client, **options)


def open_source(location: Location) -> Source:
    """Open a file, URL or S3 object for reading by ranges.

    Raises
    ------
    FileNotFoundError
        When a local file does not exist. A remote file is not accessed before the first read.
    """
    text = os.fspath(location)
    if text.startswith(("s3://", "http://", "https://")):
        return RemoteFile(text)
    return LocalFile(Path(text))


def check_locations(argument: str, locations: Sequence[Location]) -> list[Location]:
    """Check a list of files that a user gave, and return it as a list.

    Raises
    ------
    InvalidInputError
        When `locations` is a single string or path, is empty, or contains an item that is not a path.
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
