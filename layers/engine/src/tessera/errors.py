"""Errors and warnings of the engine.

Every class name is unique in the project. Step Functions sees only the class name of an error that a Lambda function
raises, so the state machines depend on these names.
"""

from __future__ import annotations

SHOWN = 80
"""Largest number of characters of a value in an error."""
SHOWN_NAME = 300
"""Largest number of characters of a path or URL in an error that a file cannot be read. Signed URLs are long."""


class TesseraError(Exception):
    """Base of all errors that the engine raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:
        """Let errors travel between processes, although most of them are made of other arguments than their message."""
        return _remake, (type(self), self.args), self.__dict__


def _remake(kind: type[TesseraError], arguments: tuple[object, ...]) -> TesseraError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments  # errors that are an OSError, too, do not keep them
    return error


def shown(value: object) -> str:
    """Text of a value for an error: one line of at most 80 characters."""
    text = repr(value) if isinstance(value, str) else " ".join(repr(value).split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


class InvalidValueError(TesseraError, ValueError):
    """An argument has a value that is not allowed.

    Parameters
    ----------
    argument : str
        Name of the argument, as the caller wrote it.
    value : object
        Value that was given.
    allowed : str
        Description of the allowed values.
    """

    def __init__(self, argument: str, value: object, allowed: str) -> None:
        super().__init__(f"{argument} is {shown(value)}; allowed: {allowed}")
        self.argument = argument
        self.allowed = allowed


class InvalidInputError(InvalidValueError):
    """An argument of a public function has a value that is not allowed.

    Parameters
    ----------
    argument, value, allowed
        See `InvalidValueError`.
    message : str, optional
        Sentence at the beginning of the error's text.
    """

    def __init__(self, argument: str, value: object, allowed: str, message: str = "") -> None:
        super().__init__(argument, value, allowed)
        if message:
            self.args = (f"{message} {self.args[0]}",)


class TooManyRowsError(InvalidInputError):
    """A list has more rows than are allowed."""


class UnknownTrendError(InvalidInputError):
    """A light curve cannot be detrended so: it has too few cadences, or the vectors are not those of its CCD."""


class InvalidQueryError(TesseraError):
    """The input is valid, but there is no result for it. For example, no cube covers the position."""


class FrameError(TesseraError, ValueError):
    """A frame cannot be part of the cube. The message begins with the name of the file.

    Parameters
    ----------
    name : str
        Name of the file.
    reason : str
        Reason why the frame cannot be used.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class UnreadableFrameError(FrameError):
    """A frame is truncated, damaged or not a FITS file of the expected structure."""


class PackedFrameError(UnreadableFrameError):
    """A frame must be unpacked before ranges of it can be read.

    Parameters
    ----------
    name, reason
        See `FrameError`.
    packing : {'gzip', 'bzip2', 'xz', 'tiles', 'compress', 'zip'}
        How it is packed.
    """

    def __init__(self, name: str, reason: str, packing: str) -> None:
        super().__init__(name, reason)
        self.packing = packing


class InconsistentFramesError(FrameError):
    """A frame does not match the other frames: another camera, CCD or shape, or the same exposure twice."""


class PlanError(TesseraError):
    """No plan satisfies the limits (memory, part sizes, number of parts)."""


class CubeFormatError(TesseraError):
    """A file is not a cube in the public layout."""


class TpfFormatError(TesseraError, ValueError):
    """A file is not a target pixel file, or is damaged. The message begins with the name of the file."""


class NoWcsError(CubeFormatError):
    """A cube or a frame has no usable WCS."""


class NoOverlapError(TesseraError):
    """The window does not touch the image."""


class NoCadenceError(NoOverlapError):
    """No cadence of a cube is kept by the times, cadences and quality flags of a request."""


class KeptFileError(TesseraError):
    """A file exists where a product would be written, and is not replaced because it is something else."""


class ProvenanceError(TesseraError, ValueError):
    """The record of what a file was made of is damaged, or cannot be followed."""


class SignatureError(TesseraError):
    """A record is not signed by a key that was given."""


class ImageFormatError(TesseraError):
    """An image cannot be cut, for example because it has no celestial WCS or is not two-dimensional."""


def _short(name: str) -> str:
    return name if len(name) <= SHOWN_NAME else f"{name[: SHOWN_NAME // 2]}...{name[-SHOWN_NAME // 2 :]}"


class UnreadableFileError(TesseraError, OSError):
    """A file cannot be read. The message is one line that begins with the name of the file.

    Parameters
    ----------
    name : str
        Path or URL of the file, without passwords and signatures.
    reason : str
        Reason why the file cannot be read.
    code : int, optional
        Number of the system's error; see the module `errno`.
    """

    def __init__(self, name: str, reason: str, code: int | None = None) -> None:
        super().__init__(f"{_short(name)} cannot be read: {reason}")
        self.name, self.reason, self.errno = name, reason, code


class MissingFileError(UnreadableFileError, FileNotFoundError):
    """There is no file at a path or URL."""


class RemoteError(UnreadableFileError):
    """A file on a server, in S3 or in a file system of fsspec cannot be read.

    Parameters
    ----------
    url : str
        URL of the file, without passwords and signatures.
    reason : str
        Reason why the file cannot be read.
    status : int, optional
        Status of the server's answer, such as 403. None when there was no answer.
    """

    def __init__(self, url: str, reason: str, status: int | None = None) -> None:
        super().__init__(url, reason)
        self.url, self.status = url, status


class MissingRemoteFileError(RemoteError, MissingFileError):
    """A server says that there is no file at a URL."""


def reason_of(error: Exception) -> str:
    """Reason of an error, without the name of the file where the error has both."""
    return error.reason if isinstance(error, (UnreadableFileError, FrameError)) else str(error)


class DownloadWarning(UserWarning):
    """A whole file was downloaded, because its server does not send parts of files."""


class DataWarning(UserWarning):
    """Some of the data was not used, or not as it was. The message says which data, and why."""


class InputWarning(UserWarning):
    """A part of the user's input was not used. The message says which part."""


UNREADABLE = (TesseraError, OSError, RuntimeError)
"""Errors of a file that cannot be reached or read, or does not match the request."""
UNUSABLE = (*UNREADABLE, ValueError, TypeError, LookupError)
"""The errors in `UNREADABLE`, and those that astropy and asdf raise for damaged content."""
