"""Ports: interfaces through which use cases reach the outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from tessera.targets.places import NamedPlace
from tessera.tess.star import Star

Buffer: TypeAlias = Any
"""An object that supports the buffer protocol."""
LONGEST_DELAY = 900
"""Longest delay of a message in a queue, in seconds."""


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


class ObjectLister(ObjectReader, Protocol):
    """Lists and reads objects."""

    def list_objects(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """Objects below a prefix, in key order."""

    def list_folders(self, bucket: str, prefix: str) -> Iterator[str]:
        """Folders directly below a prefix, each once, with a slash at its end and without the prefix, in order."""


class ObjectWriter(Protocol):
    """Writes and deletes whole objects."""

    def write(self, bucket: str, key: str, data: bytes, *, only_over: str | None = None, only_new: bool = False) -> str:
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

    def upload_part(self, bucket: str, key: str, upload_id: str, number: int, data: Buffer) -> str:
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

    def presign(self, bucket: str, key: str, seconds: int, file_name: str) -> str:
        """URL that anyone may GET for `seconds` seconds. Clients save the answer as `file_name`."""


class ObjectStore(RangeReader, Documents, Uploads, Links, Protocol):
    """All that can be done with objects in buckets."""


@dataclass(frozen=True, slots=True)
class StateItem:
    """A small record that several tasks update.

    Parameters
    ----------
    kind : str
        Kind of record, such as ``ccd`` or ``job``.
    name : str
        Name of the record, unique within its kind.
    version : int
        Number of writes so far; the first write makes version 1.
    value : mapping
        Content, of JSON types.
    """

    kind: str
    name: str
    version: int
    value: Mapping[str, Any]


class StateStore(Protocol):
    """Small records that are replaced only if nobody else has replaced them. The errors are those of objects."""

    def get(self, kind: str, name: str) -> StateItem | None:
        """Read a record; None if there is none."""

    def put(self, kind: str, name: str, value: Mapping[str, Any], *, over: int, expires: float | None = None) -> int:
        """Write a record over its version `over`, 0 if there is no record yet, and return the new version.

        The record may disappear after the time `expires`, in seconds since 1970.

        Raises
        ------
        ObjectChangedError
            If the record has another version.
        """

    def query(self, kind: str, prefix: str = "") -> Iterator[StateItem]:
        """Records of a kind whose names begin with a prefix, by name."""


class Queue(Protocol):
    """Messages to ourselves. The errors are those of objects."""

    def send(self, message: str, *, delay_seconds: int = 0) -> None:
        """Send a message. It arrives at least once, after a delay of at most `LONGEST_DELAY` seconds or later."""


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution of a state machine. Times are in seconds since 1970.

    Parameters
    ----------
    name : str
        Name, unique for its state machine.
    status : str
        ``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``.
    started, stopped : float
        Begin and end; `stopped` is None while the execution runs.
    request, result : mapping
        Input and output. Both are None in a list, and `result` is None while the execution runs.
    error, cause : str
        Error name and message of a failed execution; empty otherwise.
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
    """Executions of state machines, which are named by their ARNs. The errors are those of objects."""

    def start(self, machine: str, name: str, request: Mapping[str, Any]) -> bool:
        """Start an execution; False if one of that name was started before, even if it has ended."""

    def describe(self, machine: str, name: str) -> Execution | None:
        """Read an execution; None if there is none of that name."""

    def list_executions(self, machine: str, *, status: str | None = None, count: int = 100) -> list[Execution]:
        """The newest executions, with one status or with any."""

    def stop(self, machine: str, name: str, cause: str) -> None:
        """Stop an execution. It is no error if it has ended."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions of a moving target.

    Parameters
    ----------
    target : str
        Full name, such as ``354 Eleonora (A893 BA)``.
    observer : str
        Observer of the positions, such as ``TESS``.
    days : tuple of float
        Julian dates in UTC, increasing.
    ra, dec : tuple of float
        Astrometric ICRS positions in degrees.
    """

    target: str
    observer: str
    days: tuple[float, ...]
    ra: tuple[float, ...]
    dec: tuple[float, ...]


class Ephemerides(Protocol):
    """Service that knows the paths of moving targets. The errors are those of objects."""

    def find(self, name: str, kind: str | None, start: float, stop: float, hours: int) -> Positions:
        """Positions of a target from one time to another.

        Parameters
        ----------
        name : str
            Name, number or designation of the target.
        kind : str or None
            ``majorbody``, ``smallbody``, or None for either.
        start, stop : float
            First and last time, Julian dates in UTC.
        hours : int
            Hours between two positions.

        Raises
        ------
        UnknownTargetError, AmbiguousTargetError
            If no target or several targets have this name. The message tells the user what is allowed.
        """


class NameResolver(Protocol):
    """Service that knows positions of stars and galaxies. The errors are those of objects."""

    def find(self, name: str) -> NamedPlace | None:
        """Find the position of a name; None if the resolver does not know the name."""


class StarCatalogue(Protocol):
    """The TESS Input Catalog (TIC)."""

    def find(self, tic: int) -> Star | None:
        """What is known about the star with a number; None if the number or the catalogue's answer is missing.

        A catalogue never fails a cutout. So this method raises no error, and returns within some seconds.
        """
