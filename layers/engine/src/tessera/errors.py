"""What the engine raises, and the warnings that its users may want to filter.

Every class name is unique in the project: a Lambda function's error reaches Step Functions as the bare
class name, so the names are part of the contract with the state machines.
"""


class TesseraError(Exception):
    """Base of everything the engine raises on purpose."""


class InvalidValueError(TesseraError, ValueError):
    """An argument has a value that is not allowed.

    Parameters
    ----------
    argument : str
        Name of the argument, as the caller wrote it.
    value : object
        What was given.
    allowed : str
        What would have been accepted, in words.
    """

    def __init__(self, argument: str, value: object, allowed: str) -> None:
        super().__init__(f"{argument} is {repr(value)[:200]}; allowed: {allowed}")
        self.argument = argument


class InvalidInputError(InvalidValueError):
    """A user's input cannot be worked with.

    Parameters
    ----------
    argument, value, allowed
        See `InvalidValueError`.
    message : str, optional
        A sentence in front of them.
    """

    def __init__(self, argument: str, value: object, allowed: str, message: str = "") -> None:
        super().__init__(argument, value, allowed)
        if message:
            self.args = (f"{message} {self.args[0]}",)


class InvalidQueryError(TesseraError):
    """A user's input is valid and has no answer, such as a position that no cube covers."""


class FrameError(TesseraError, ValueError):
    """A full-frame image cannot be part of the cube; the message begins with its name.

    Parameters
    ----------
    name : str
        The file, as the user knows it.
    reason : str
        What is wrong with it.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class UnreadableFrameError(FrameError):
    """A frame is truncated, damaged or not a FITS file of the expected structure."""


class InconsistentFramesError(FrameError):
    """A frame does not fit the others: another camera, CCD or shape, or the same exposure twice."""


class PlanError(TesseraError):
    """No plan satisfies the limits (memory, part sizes, number of parts)."""


class CubeFormatError(TesseraError):
    """A file is not a cube of the public layout."""


class NoWcsError(CubeFormatError):
    """No frame of the cube carries a usable WCS."""


class NoOverlapError(TesseraError):
    """The window does not touch the image."""


class ImageFormatError(TesseraError):
    """An image cannot be cut: it has no celestial WCS, or is not two-dimensional; the message says what is wrong."""


class DataWarning(UserWarning):
    """Something in the data is not used; the message says what and why."""


class InputWarning(UserWarning):
    """A part of what the user gave is not used; the message says which."""


UNREADABLE = (TesseraError, OSError, RuntimeError)
"""What a file raises that cannot be reached or read, or does not fit what is asked for."""
UNUSABLE = (*UNREADABLE, ValueError, TypeError, LookupError)
"""The same, and what astropy and asdf raise for damaged content."""
