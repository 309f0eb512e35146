"""Objects in buckets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

Buffer: TypeAlias = Any
"""An object that supports the buffer protocol."""
Body: TypeAlias = Any
"""What is written: a `Buffer`, or an `io.RawIOBase` with a length that can be read more than once."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object in a listing or in the answer to a HEAD request.

    Parameters
    ----------
    key : str
        Key without the bucket.
    size : int
        Size in bytes.
    etag : str
        ETag without quotes.
    modified : float
        Time of the last write, in seconds since 1970. Comparisons ignore it.
    """

    key: str
    size: int
    etag: str
    modified: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """A part of a multipart upload that S3 has received."""

    number: int
    size: int
    etag: str


class RequestPace(Protocol):
    """Limit on the rate of requests, such as `tessera_cloud.patience.Pace`."""

    def take(self, *, again: bool = False) -> None:
        """Wait until one more request may be sent. `again` means that it was sent before."""

    def slow_down(self) -> None:
        """Note that the server asks for fewer requests."""

    def went_well(self) -> None:
        """Note that the server answered a request."""


# ---------------------------------------------------------------- objects
# The semantics are those of S3. Every method raises `TransientError` if the same call may succeed later, and
# `ObjectMissingError` and `ObjectChangedError` as documented. All other errors are `FatalError`.


class RangeReader(Protocol):
    """Reads ranges of objects."""

    def read_range(
        self,
        bucket: str,
        key: str,
        start: int,
        length: int,
        etag: str | None = None,
        *,
        pace: RequestPace | None = None,
    ) -> Buffer:
        """Read exactly `length` bytes of an object, from byte `start` on.

        A store may send several requests. It asks `pace` before each of them, and reports refusals to it.

        Raises
        ------
        ObjectChangedError
            If `etag` is given and the object has another ETag.
        """


class ObjectReader(Protocol):
    """Reads whole objects."""

    def read(self, bucket: str, key: str) -> tuple[bytes, ObjectInfo]:
        """Read a whole object; returns its bytes and its description, or raises `ObjectMissingError`."""

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """Size and ETag of an object; raises `ObjectMissingError` if there is none."""


class RangeStore(RangeReader, ObjectReader, Protocol):
    """Reads ranges of objects, and whole objects."""


class ObjectLister(ObjectReader, Protocol):
    """Lists and reads objects."""

    def list_objects(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """Objects below a prefix, in key order."""

    def list_folders(self, bucket: str, prefix: str) -> Iterator[str]:
        """Folders directly below a prefix, each once, with a slash at its end and without the prefix, in order."""


class ObjectWriter(Protocol):
    """Writes and deletes whole objects."""

    def write(self, bucket: str, key: str, data: Body, *, only_over: str | None = None, only_new: bool = False) -> str:
        """Write an object and return its ETag.

        Parameters
        ----------
        only_over : str, optional
            Write only over the object that has this ETag.
        only_new : bool, optional
            Write only if there is no object.

        Raises
        ------
        ObjectChangedError
            If the condition does not hold.
        """

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object. It is no error if there is none."""


class Documents(ObjectLister, ObjectWriter, Protocol):
    """Reads and writes whole objects."""


class Uploads(Protocol):
    """Multipart uploads, which become objects when they are completed."""

    def begin_upload(self, bucket: str, key: str) -> str:
        """Begin a multipart upload and return its id."""

    def upload_part(self, bucket: str, key: str, upload_id: str, number: int, data: Body) -> str:
        """Upload a part, replacing an earlier part with the same number, and return its ETag."""

    def list_parts(
        self, bucket: str, key: str, upload_id: str, *, first: int = 1, count: int | None = None
    ) -> list[UploadedPart]:
        """Parts of an upload, by number.

        Parameters
        ----------
        first : int, optional
            Smallest part number.
        count : int, optional
            Largest number of parts; all by default. Up to 1,000 parts need one request.

        Raises
        ------
        NoSuchUploadError
            If there is no such upload.
        """

    def list_uploads(self, bucket: str, prefix: str) -> Iterator[tuple[str, str, float]]:
        """Key, id and begin, in seconds since 1970, of unfinished uploads of keys with a prefix, in any order."""

    def complete_upload(self, bucket: str, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> str:
        """Turn an upload into an object and return its ETag; raises `ObjectChangedError` if one exists already."""

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """Abort an upload and drop its parts. It is no error if there is no such upload."""


class Links(Protocol):
    """Addresses of objects that work without credentials."""

    def presign(self, bucket: str, key: str, seconds: int, file_name: str, content_type: str = "") -> str:
        """URL that anyone may GET for `seconds` seconds. Clients save the answer as `file_name`.

        With `content_type`, the answer has it; otherwise that of the object.
        """

    def presign_upload(self, bucket: str, key: str, seconds: int, n_bytes: int) -> str:
        """URL to which anyone may PUT the object for `seconds` seconds, with exactly `n_bytes` bytes."""


class ObjectStore(RangeReader, Documents, Uploads, Links, Protocol):
    """All that can be done with objects in buckets."""
