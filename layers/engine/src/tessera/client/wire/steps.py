"""What an operation asks of its transport: to send a request, to wait, to work on files."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import Any, Literal, Self, TypeAlias, TypeVar

from tessera.client.wire.address import Address
from tessera.client.wire.failures import DamagedAnswerError
from tessera.narrator import Narrator

IN_MEMORY = 4_000_000
"""Largest answer in bytes that is held in memory. Larger ones are in a temporary file."""
MOST_JSON = 256_000_000
"""Largest answer in bytes that is not a file."""

Method: TypeAlias = Literal["GET", "POST", "DELETE"]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Send:
    """A request.

    Parameters
    ----------
    method : {'GET', 'POST', 'DELETE'}
        Method.
    url : str
        Address with its query.
    document : dict, optional
        Body, which is sent as JSON.
    most : int
        Largest number of bytes of the answer, after unpacking.
    """

    method: Method
    url: str
    document: Mapping[str, Any] | None = None
    most: int = MOST_JSON


@dataclass(frozen=True)
class Wait:
    """A pause, in seconds."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Work on this machine that takes a while, such as unpacking an archive."""

    function: Callable[[], Any]


Step: TypeAlias = "Send | Wait | Work"
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
        self.file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - `close` closes it
        self.size = 0

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
            raise DamagedAnswerError(f"The temporary file for {self.where} cannot be written: {error}") from error

    def read(self) -> bytes:
        """The whole content."""
        self.file.seek(0)
        return self.file.read()

    def close(self) -> None:
        """Remove the content."""
        self.file.close()

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
