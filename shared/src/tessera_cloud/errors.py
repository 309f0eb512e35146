"""Errors of the cloud side.

Step Functions decides by the class name: it retries `TransientError` and fails the execution after any other error.
HTTP answers 4xx to usage errors, 503 to transient errors and 500 to fatal errors. Only fatal errors should alert an
operator.
"""

import json
from typing import Self

from tessera.errors import SHOWN, shown


def cut(text: str) -> str:
    """Beginning of a text: at most as many characters as an error shows of a value."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def as_text(value: object) -> str:
    """Text of a value as users write it: a text as it is, a number in its shortest form, and the rest as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value + 0.0).removesuffix(".0")  # without the sign of -0
    return json.dumps(value, default=str, ensure_ascii=False)


def message_of(cause: str) -> str:
    """Message of the cause of an execution that failed. A function's cause is JSON, which also has a traceback."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause


class UsageError(Exception):
    """The request cannot succeed as it is. The message tells the user why.

    Parameters
    ----------
    message : str
        A sentence for the user.
    parameter : str, optional
        Name of the wrong parameter, as the user wrote it.
    value : str, optional
        Value that the user gave. Its beginning is kept.
    allowed : str, optional
        Description of the values that are allowed.
    """

    def __init__(self, message: str, *, parameter: str = "", value: str | None = None, allowed: str = "") -> None:
        super().__init__(message)
        self.parameter, self.value, self.allowed = cut(parameter), None if value is None else cut(value), allowed

    @classmethod
    def about(cls, parameter: str, value: object, allowed: str) -> Self:
        """Error that names a parameter, its value (None if it is missing) and the allowed values."""
        text = None if value is None else as_text(value)
        seen = "missing" if text is None else shown(value) if isinstance(value, str) else cut(text)
        return cls(f"{cut(parameter)} is {seen}; allowed: {allowed}", parameter=parameter, value=text, allowed=allowed)

    @classmethod
    def unknown(cls, parameter: str, allowed: str) -> Self:
        """Error that names a parameter that does not exist, and those that do."""
        message = f"{cut(parameter)} is not a parameter of this operation; allowed: {allowed}"
        return cls(message, parameter=parameter, allowed=allowed)


class NotFoundError(UsageError):
    """The request names something that does not exist."""

    @classmethod
    def named(cls, parameter: str, name: str, allowed: str) -> Self:
        """Error that names a thing that does not exist, such as a job, and where those are that do."""
        message = f"there is no {parameter} {shown(name)}; allowed: {allowed}"
        return cls(message, parameter=parameter, value=name, allowed=allowed)


class WithdrawnError(NotFoundError):
    """The request names a cube that an operator has withdrawn."""


class ConflictError(UsageError):
    """The request does not fit the state of the thing that it names."""


class MultiValuedError(UsageError):
    """The request gives a parameter several times that may be given once."""


class TooLargeError(UsageError):
    """The request asks for more than the service makes."""


class TooManySectorsError(TooLargeError):
    """The request asks for more sectors than one answer has.

    Parameters
    ----------
    message : str
        A sentence for the user.
    parts : list of list of int
        Sectors of requests that together have all of them.
    **about
        See `UsageError`.
    """

    def __init__(self, message: str, parts: list[list[int]], **about: str) -> None:
        super().__init__(message, **about)
        self.parts = parts


class OverLimitsError(TooLargeError):
    """The work on a list exceeds limits.

    Parameters
    ----------
    message : str
        A sentence for the user that names each limit.
    limits : list of dict
        Name (``limit``), value of the list and largest ``allowed`` value of each limit.
    """

    def __init__(self, message: str, limits: list[dict[str, str | float]]) -> None:
        first = limits[0]
        super().__init__(message, parameter=str(first["limit"]), value=f"{first['value']:.12g}")
        self.allowed = f"at most {first['allowed']:,.12g}"
        self.limits = limits


class NotAllowedError(UsageError):
    """The request lacks the secret that it needs."""


class TooManyRequestsError(UsageError):
    """The client has used up its share for now.

    Parameters
    ----------
    message : str
        A sentence for the user.
    retry_seconds : int
        Time after which the client may try again, in seconds.
    """

    def __init__(self, message: str, *, retry_seconds: int) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class TransientError(Exception):
    """The same call may succeed later."""


class FatalError(Exception):
    """The same call would fail again, because something is broken or gone."""


class ObjectMissingError(FatalError):
    """An expected object does not exist."""


class NewerOrderError(FatalError):
    """An order of a later release asks for something that this release cannot do."""


class NoSuchUploadError(ObjectMissingError):
    """A multipart upload does not exist: it was never begun, was aborted, or is already complete."""


class ObjectChangedError(FatalError):
    """An object was replaced: its ETag differs from the expected one, or another writer was faster."""


class ForbiddenError(FatalError):
    """An object may not be read. A source of others may have withdrawn it."""


VANISHED = (ObjectMissingError, ObjectChangedError, ForbiddenError)
"""Errors of reading a cube that is not what the index says."""


class NoFramesError(UsageError):
    """There are no frames for the requested build."""


class IncompleteUploadError(FatalError):
    """The parts that S3 has differ from the parts of the plan."""


class UnfinishedBuildError(FatalError):
    """Blocks are missing, or belong to another plan of the same build. A new execution continues the build."""


class TooManyUnreadableFramesError(FatalError):
    """More frames are unreadable than a build may leave out."""


class EmptySourceError(FatalError):
    """A source of cubes lists no cubes, although the index has cubes of it."""


class UnreadCubesError(FatalError):
    """The index was written without some cubes, because their tasks left no outcome. A new execution reads them."""


class NoCutoutsError(FatalError):
    """Every cutout of a job failed. The record of the job has the reason."""


class CounterFullError(UsageError):
    """A counter would become larger than is allowed."""


class BusyError(TransientError):
    """The service refuses something for now. The message tells the user what."""


class PausedError(TransientError):
    """The service is paused, by its operator or because its budget is spent. The message tells the user why."""


class NoEphemerisError(BusyError):
    """The service of ephemerides does not answer."""


class UnknownTargetError(UsageError):
    """No moving target has this name."""


class AmbiguousTargetError(UsageError):
    """Several moving targets have this name. The message lists them."""


class DatasetsError(FatalError):
    """The document that lists the datasets of images is wrong. The message names the mistakes and their places."""


class UnreadImagesError(FatalError):
    """Indexes were written without some images, because their tasks left no outcome. A new execution reads them."""
