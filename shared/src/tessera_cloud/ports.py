"""What the use cases need of the outside world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

Buffer: TypeAlias = Any
"""Something that supports the buffer protocol."""
LONGEST_DELAY = 900
"""Seconds that a queue may hold a message back."""


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


class RequestPace(Protocol):
    """How fast requests may be sent; `tessera_cloud.patience.Pace` is one."""

    def take(self, *, again: bool = False) -> None:
        """Wait until one more request may be sent; `again` where it was sent before."""

    def slow_down(self) -> None:
        """The server asks for fewer requests."""

    def went_well(self) -> None:
        """A request was answered."""


# ---------------------------------------------------------------- objects
# S3's semantics. All methods raise `TransientError` for what may succeed when tried again, `ObjectMissingError` and
# `ObjectChangedError` as documented, and `FatalError` for the rest.


class RangeReader(Protocol):
    """Reads pieces of objects."""

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
        """Exactly `length` bytes of an object; `ObjectChangedError` when its ETag is not `etag`.

        A store may ask several times; `pace` is asked before each request, and told of refusals.
        """


class ObjectReader(Protocol):
    """Reads whole objects."""

    def read(self, bucket: str, key: str) -> tuple[bytes, ObjectInfo]:
        """A whole object and what it was, or `ObjectMissingError`."""

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """Size and ETag of an object, or `ObjectMissingError`."""


class ObjectLister(ObjectReader, Protocol):
    """Lists objects, and reads them."""

    def list_objects(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """Objects below a prefix, in key order."""

    def list_folders(self, bucket: str, prefix: str) -> Iterator[str]:
        """What follows a prefix up to the next slash, each once and with its slash, in order."""


class ObjectWriter(Protocol):
    """Writes and deletes whole objects."""

    def write(self, bucket: str, key: str, data: bytes, *, only_over: str | None = None, only_new: bool = False) -> str:
        """Write an object and return its ETag.

        With `only_over` the write happens only over the object with that ETag, with `only_new` only where there is
        none; otherwise `ObjectChangedError`.
        """

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object; no error when there is none."""


class Documents(ObjectLister, ObjectWriter, Protocol):
    """Objects that are read and written whole."""


class Uploads(Protocol):
    """Multipart uploads, which become objects when they are completed."""

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


class Links(Protocol):
    """Addresses that anyone may read."""

    def presign(self, bucket: str, key: str, seconds: int, file_name: str) -> str:
        """URL that anyone may GET for some time; the client is told to save it as `file_name`."""


class ObjectStore(RangeReader, Documents, Uploads, Links, Protocol):
    """Objects in buckets, and all that is done with them."""


# ---------------------------------------------------------------- everything else


@dataclass(frozen=True, slots=True)
class StateItem:
    """A small record that several tasks keep up to date.

    Parameters
    ----------
    kind : str
        What sort of record it is, such as ``ccd`` or ``job``.
    name : str
        Of the record among its kind.
    version : int
        Counts its writes from 1.
    value : mapping
        What JSON can hold.
    """

    kind: str
    name: str
    version: int
    value: Mapping[str, Any]


class StateStore(Protocol):
    """Small records that are replaced only where nobody else has replaced them; errors as those of objects."""

    def get(self, kind: str, name: str) -> StateItem | None:
        """A record; None when there is none."""

    def put(self, kind: str, name: str, value: Mapping[str, Any], *, over: int, expires: float | None = None) -> int:
        """Write a record over its version `over`, 0 where there is none yet, and return the new version.

        `ObjectChangedError` when it has another version. After `expires`, in seconds since 1970, it may disappear.
        """

    def query(self, kind: str, prefix: str = "") -> Iterator[StateItem]:
        """Records of a kind whose names begin with a prefix, by name."""


class Queue(Protocol):
    """Messages to ourselves; errors as those of objects."""

    def send(self, message: str, *, delay_seconds: int = 0) -> None:
        """Send a message that arrives at least once, not before a delay of at most `LONGEST_DELAY`."""


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution of a state machine; times in seconds since 1970.

    Parameters
    ----------
    name : str
        Unique among those of the machine.
    status : str
        ``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``.
    started, stopped : float
        None while it runs.
    request, result : mapping
        Input and output, None in a list and while it runs.
    error, cause : str
        Why it failed; empty otherwise.
    """

    name: str
    status: str
    started: float
    stopped: float | None = None
    request: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    error: str = ""
    cause: str = ""


class Executions(Protocol):
    """Executions of state machines, which are named by their ARNs; errors as those of objects."""

    def start(self, machine: str, name: str, request: Mapping[str, Any]) -> bool:
        """Start an execution; False where one of that name was started before, running or not."""

    def describe(self, machine: str, name: str) -> Execution | None:
        """An execution; None where there is none of that name."""

    def list_executions(self, machine: str, *, status: str | None = None, count: int = 100) -> list[Execution]:
        """The newest executions, of one status or of all."""

    def stop(self, machine: str, name: str, cause: str) -> None:
        """Stop an execution; no error when it has ended."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Where a moving target is, as the spacecraft sees it.

    Parameters
    ----------
    target : str
        Full name, such as ``354 Eleonora (A893 BA)``.
    observer : str
        Who sees it there, such as ``TESS``.
    days : tuple of float
        UTC as Julian dates, increasing.
    ra, dec : tuple of float
        Astrometric ICRS degrees.
    """

    target: str
    observer: str
    days: tuple[float, ...]
    ra: tuple[float, ...]
    dec: tuple[float, ...]


class Ephemerides(Protocol):
    """Where names become positions; errors as those of objects."""

    def find(self, name: str, kind: str | None, start: float, stop: float, hours: int) -> Positions:
        """Positions of a target from one UTC Julian date to another, some hours apart.

        `kind` is ``majorbody``, ``smallbody`` or None for either. `UnknownTargetError` and `AmbiguousTargetError` tell
        users what to do.
        """


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """Where something that does not move is.

    Parameters
    ----------
    name : str
        As the one calls it who knew.
    ra, dec : float
        ICRS degrees.
    source : str
        Who knew.
    """

    name: str
    ra: float
    dec: float
    source: str


class NameResolver(Protocol):
    """Where names of stars and galaxies become positions; errors as those of objects."""

    def find(self, name: str) -> NamedPlace | None:
        """The position of a name; None for one that nobody knows."""
