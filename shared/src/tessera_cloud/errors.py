"""Errors of the cloud side, and who does what about them.

The class name is what Step Functions sees: `TransientError` is retried there, anything else fails the execution. HTTP
answers 4xx for usage, 503 for transient and 500 for fatal errors; only fatal ones should wake an operator.
"""

from typing import Self


class UsageError(Exception):
    """The request can never succeed as it stands; the message tells the user why.

    Parameters
    ----------
    message : str
        A sentence for the user.
    parameter : str, optional
        Name of what is wrong, as the user wrote it.
    value : str, optional
        What was given.
    allowed : str, optional
        What would have been accepted, in words.
    """

    def __init__(self, message: str, *, parameter: str = "", value: str | None = None, allowed: str = "") -> None:
        super().__init__(message)
        self.parameter, self.value, self.allowed = parameter, value, allowed

    @classmethod
    def about(cls, parameter: str, value: object, allowed: str) -> Self:
        """An error that names a parameter, its value (None when it is missing) and what is allowed."""
        shown = None if value is None else f"{value:g}" if isinstance(value, float) else str(value)[:200]
        seen = "missing" if shown is None else repr(shown) if isinstance(value, str) else shown
        return cls(f"{parameter} is {seen}; allowed: {allowed}", parameter=parameter, value=shown, allowed=allowed)


class NotFoundError(UsageError):
    """What the request names does not exist."""


class ConflictError(UsageError):
    """What the request names is in a state that forbids it."""


class TooLargeError(UsageError):
    """The answer would be larger than is ever made."""


class TransientError(Exception):
    """May succeed when tried again with the same parameters."""


class FatalError(Exception):
    """Will not succeed by itself: something is broken or gone."""


class ObjectMissingError(FatalError):
    """An object that should exist does not."""


class NoSuchUploadError(ObjectMissingError):
    """A multipart upload does not exist: never begun, aborted, or already completed."""


class ObjectChangedError(FatalError):
    """An object is not the one that was planned for: its ETag differs, or a conditional write lost the race."""


class NoFramesError(UsageError):
    """A build was asked for where there are no frames."""


class IncompleteUploadError(FatalError):
    """The parts that S3 has are not the parts of the plan."""


class UnfinishedBuildError(FatalError):
    """Blocks are missing, or belong to another plan of the same build; a new execution carries the build on."""


class TooManyUnreadableFramesError(FatalError):
    """More frames are unreadable than a build may leave out."""


class EmptySourceError(FatalError):
    """A source of cubes shows none, though the index has some of it."""


class UnreadCubesError(FatalError):
    """The index was written without cubes whose tasks left no outcome; a new execution reads them."""


class NoCutoutsError(FatalError):
    """Every cutout of a job failed; the job's record says why."""


class BusyError(TransientError):
    """Something is not done now; the message tells users what."""


class NoEphemerisError(BusyError):
    """Who knows where moving targets are does not answer."""


class UnknownTargetError(UsageError):
    """Nothing that moves has that name."""


class AmbiguousTargetError(UsageError):
    """Several things that move have that name; the message lists them."""


class DatasetsError(FatalError):
    """The document that says what datasets of images there are is wrong; the message says what and where."""


class UnreadImagesError(FatalError):
    """Indexes were written without images whose tasks left no outcome; a new execution reads them."""
