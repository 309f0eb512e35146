"""Errors of the cloud side, and who does what about them.

The class name is what Step Functions sees: `TransientError` is retried there, anything else fails the execution. HTTP
answers 4xx for usage, 503 for transient and 500 for fatal errors; only fatal ones should wake an operator.
"""


class UsageError(Exception):
    """The request can never succeed as it stands; the message tells the user why."""


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
