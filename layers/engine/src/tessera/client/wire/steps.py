"""What an operation asks of its transport: to send a request, to wait, to work on files."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Literal, Self, TypeAlias, TypeVar

from tessera.client.wire.address import Address
from tessera.client.wire.failures import DamagedAnswerError
from tessera.narrator import Narrator

IN_MEMORY = 4_000_000
"""Largest answer in bytes that is held in memory. Larger ones are in a temporary file."""
MOST_JSON = 256_000_000
"""Largest answer in bytes that is not a file."""

_PIECE = 1 << 20
Method: TypeAlias = Literal["GET", "POST", "DELETE", "PUT"]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Body:
    """A body that is no JSON document of ours. A file is read piece by piece.

    Parameters
    ----------
    content : bytes or Path
        The bytes, or the file that has them.
    kind : str
        Its type, such as ``text/csv``; empty for none.
    show : callable, optional
        Shows how many bytes of how many were sent: ``show(done, total)``.
    """

    content: bytes | Path = field(repr=False)
    kind: str
    show: Callable[[int, int], object] | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """Number of bytes."""
        return os.stat(self.content).st_size if isinstance(self.content, Path) else len(self.content)  # noqa: PTH116

    def pieces(self) -> Iterator[bytes]:
        """The bytes, piece by piece."""
        done, total = 0, self.size
        with self.content.open("rb") if isinstance(self.content, Path) else BytesIO(self.content) as file:
            for piece in iter(lambda: file.read(_PIECE), b""):
                yield piece
                done += len(piece)
                if self.show is not None:
                    self.show(done, total)


@dataclass(frozen=True)
class Send:
    """A request.

    Parameters
    ----------
    method : {'GET', 'POST', 'DELETE', 'PUT'}
        Method.
    url : str
        Address with its query.
    document : dict, optional
        Body, which is sent as JSON.
    most : int
        Largest number of bytes of the answer, after unpacking.
    body : Body, optional
        Body that is no document.
    into : binary file, optional
        File to which the content of a good answer is added. What is before its position is not asked for.
    """

    method: Method
    url: str
    document: Mapping[str, Any] | None = None
    most: int = MOST_JSON
    body: Body | None = None
    into: IO[bytes] | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """Headers that this request needs."""
        found = {}
        if self.body is not None:
            found = {"Content-Length": str(self.body.size)} | (
                {"Content-Type": self.body.kind} if self.body.kind else {}
            )
        if self.into is not None:
            found["Accept-Encoding"] = "identity"
            if start := self.into.tell():
                found["Range"] = f"bytes={start}-"
        return found


@dataclass(frozen=True)
class Wait:
    """A pause, in seconds."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Work on this machine that takes a while, such as unpacking an archive."""

    function: Callable[[], Any]


@dataclass(frozen=True)
class Together:
    """Operations that are carried out at the same time. Their results are in the order of the operations.

    Parameters
    ----------
    operations : sequence of Steps
        The operations. The first error ends the others, and is raised.
    most : int
        Largest number of operations at the same time.
    """

    operations: Sequence[Steps[Any]] = field(repr=False)
    most: int


Step: TypeAlias = "Send | Wait | Work | Together"
Steps: TypeAlias = Generator[Step, Any, Result]
"""An operation: it yields steps, is sent what each gives, and returns its result."""


class Answer:
    """An answer, whose content is in memory or, above `IN_MEMORY`, in a temporary file.

    Parameters
    ----------
    status : int
        Status, such as 200.
    headers : mapping
        Headers; names in small letters.
    request : Send
        What was sent.
    where : str
        Address for errors, without passwords.
    """

    def __init__(self, status: int, headers: Mapping[str, str], request: Send, where: str) -> None:
        self.status, self.headers, self.request, self.where = status, headers, request, where
        self._spool = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - `close` closes it
        self.file: IO[bytes] = self._spool
        self.size = 0
        if request.into is not None and status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            self.file = request.into
            if status == HTTPStatus.OK:  # the whole content, although a part was asked for
                self.file.seek(0)
                self.file.truncate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def write(self, piece: bytes) -> None:
        """Add a piece of the content.

        Raises
        ------
        DamagedAnswerError
            When there are too many bytes, or the disk is full.
        """
        self.size += len(piece)
        if self.size > self.request.most:
            raise DamagedAnswerError(f"{self.where} sends more than {self.request.most:,} bytes")
        try:
            self.file.write(piece)
        except OSError as error:
            raise DamagedAnswerError(f"The file for {self.where} cannot be written: {error}") from error

    def read(self) -> bytes:
        """The whole content."""
        self.file.seek(0)
        return self.file.read()

    def close(self) -> None:
        """Remove the content, unless it is in the file of the request."""
        self._spool.close()

    @property
    def kind(self) -> str:
        """Type of the content, such as ``application/json``."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Service:
    """A service, and how patient a client is with it.

    Parameters
    ----------
    address : Address
        Where it is.
    retries : int
        Number of times that a GET is repeated after 502, 504, or a broken connection.
    patience : float
        Longest time in seconds that one request waits for a service that is busy.
    clock : callable
        Seconds since any moment.
    narrator : Narrator
        Says what happens.
    """

    address: Address
    retries: int
    patience: float
    clock: Callable[[], float] = field(repr=False)
    narrator: Narrator = field(repr=False)

    def get(self, path: str, **query: object) -> Send:
        """A request for a path of the API; parameters that are None are left out."""
        return Send("GET", self.address.link(path, **query))

    def post(self, path: str, document: Mapping[str, Any]) -> Send:
        """A request with a body."""
        return Send("POST", self.address.link(path), document)


def wait(seconds: float) -> Steps[None]:
    """Pause."""
    yield Wait(seconds)


def work(function: Callable[[], Result]) -> Steps[Result]:
    """Do work on this machine, beside the event loop if there is one."""
    result: Result = yield Work(function)
    return result
