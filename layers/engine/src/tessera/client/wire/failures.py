"""Errors of the client of a service."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.errors import InvalidQueryError, TesseraError


@dataclass(frozen=True)
class About:
    """What the service says about an error.

    Parameters
    ----------
    status : int or None
        Status of the answer, such as 400; None when there was no answer.
    code : str
        Kind of the error, such as ``invalid_request``.
    parameter, value, allowed : str or None
        Parameter that is wrong, its value, and what is allowed, where the service says so.
    request_id : str
        Id of the request in the logs of the service, if the answer has one.
    parts : tuple of tuple of int
        Sectors of requests that together have what is too large for one, where the service says so.
    """

    status: int | None = None
    code: str = ""
    parameter: str | None = None
    value: str | None = None
    allowed: str | None = None
    request_id: str = ""
    parts: tuple[tuple[int, ...], ...] = ()


class ServiceError(TesseraError):
    """A service cannot do what it was asked for. All errors of the client but those of arguments are of this kind.

    Parameters
    ----------
    message : str
        One sentence that begins with the address of the service.
    about : About, optional
        What the service says about the error. Its values are attributes of the error, too.
    """

    def __init__(self, message: str, about: About | None = None) -> None:
        about = About() if about is None else about
        super().__init__(f"{message} (request {about.request_id})" if about.request_id else message)
        self.status, self.code, self.request_id = about.status, about.code, about.request_id
        self.parameter, self.value, self.allowed = about.parameter, about.value, about.allowed
        self.parts = about.parts


class RefusedRequestError(ServiceError, ValueError):
    """The service refuses a request, for example because a parameter has a value that is not allowed."""


class NothingFoundError(ServiceError, InvalidQueryError):
    """The service has nothing for a request: no such name, cube or job, or no pixels at a place."""


class BusyServiceError(ServiceError):
    """The service is busy, or a service behind it is, and stayed so for longer than the client may wait."""


class UnreachableServiceError(ServiceError, ConnectionError):
    """The service does not answer, or the connection broke."""


class ForeignServerError(ServiceError):
    """A server is not a Tessera service: its answers are something else."""


class DamagedAnswerError(ServiceError):
    """An answer cannot be used: an archive is damaged, its files have wrong names, or something is too large."""


class FailedJobError(ServiceError):
    """A job failed, was cancelled, or did not end in time."""
