"""Where products are written: a local folder, or the objects below a prefix of a bucket."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Protocol


class Folder(Protocol):
    """A place for files. A file appears when it is complete, and replaces one of the same name."""

    def create(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a new file for writing from its begin to its end. After an error in the block, no file appears.

        Parameters
        ----------
        name : str
            Name below the folder, with slashes.
        """


@dataclass(frozen=True, slots=True)
class ProductFile:
    """A file that was written.

    Parameters
    ----------
    name : str
        Name below the folder of the results.
    size : int
        Bytes.
    sha256 : str
        SHA-256 in hexadecimal digits.
    """

    name: str
    size: int
    sha256: str
