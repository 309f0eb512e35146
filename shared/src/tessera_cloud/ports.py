"""What the use cases need of the outside world."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from tessera_cloud.patience import Pace

Buffer: TypeAlias = Any
"""Something that supports the buffer protocol."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as a listing or a HEAD shows it.

    Parameters
    ----------
    key : str
        Without the bucket.
    size : int
        Bytes.
    etag : str
        Without quotes.
    modified : float
        When it was written, in seconds since 1970; not compared.
    """

    key: str
    size: int
    etag: str
    modified: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """A part of a multipart upload as S3 has it."""

    number: int
    size: int
    etag: str


class ObjectStore(Protocol):
    """Objects in buckets, with S3's semantics.

    All methods raise `TransientError` for what may succeed when tried again, `ObjectMissingError` and
    `ObjectChangedError` as documented, and `FatalError` for the rest.
    """

    def list_objects(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """Objects below a prefix, in key order."""

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """Size and ETag of an object, or `ObjectMissingError`."""

    def read(self, bucket: str, key: str) -> tuple[bytes, ObjectInfo]:
        """A whole object and what it was, or `ObjectMissingError`."""

    def read_range(
        self, bucket: str, key: str, start: int, length: int, etag: str | None = None, *, pace: Pace | None = None
    ) -> Buffer:
        """Exactly `length` bytes of an object; `ObjectChangedError` when its ETag is not `etag`.

        A store may ask several times; `pace` is asked before each request, and told of refusals.
        """

    def write(self, bucket: str, key: str, data: bytes, *, only_over: str | None = None, only_new: bool = False) -> str:
        """Write an object and return its ETag.

        With `only_over` the write happens only over the object with that ETag, with `only_new` only where there is
        none; otherwise `ObjectChangedError`.
        """

    def begin_upload(self, bucket: str, key: str) -> str:
        """Begin a multipart upload and return its id."""

    def upload_part(self, bucket: str, key: str, upload_id: str, number: int, data: Buffer) -> str:
        """Upload a part, replacing an earlier one with that number, and return its ETag."""

    def list_parts(
        self, bucket: str, key: str, upload_id: str, *, first: int = 1, count: int | None = None
    ) -> list[UploadedPart]:
        """Parts of an upload by number, or `NoSuchUploadError`.

        At most `count` of them (one request if that is up to 1,000), beginning with the number `first`.
        """

    def complete_upload(self, bucket: str, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> str:
        """Turn an upload into an object and return its ETag; `ObjectChangedError` when there is an object already."""

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """Throw an upload away; no error when there is none."""

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object; no error when there is none."""

    def presign(self, bucket: str, key: str, seconds: int, file_name: str) -> str:
        """URL that anyone may GET for some time; the client is told to save it as `file_name`."""
