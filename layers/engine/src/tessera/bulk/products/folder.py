"""Where products are written: a local folder, or the objects below a prefix of a bucket."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


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


class HashedFile(io.RawIOBase):
    """A file that is written from its begin to its end, with its size and SHA-256.

    Parameters
    ----------
    file : IO
        Where the bytes go.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written, in hexadecimal digits."""
        return self._hash.hexdigest()

    def writable(self) -> bool:
        """It can be written."""
        return True

    def tell(self) -> int:
        """Number of bytes that were written."""
        return self.size

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all bytes of a buffer."""
        view = memoryview(data)
        self._hash.update(view)
        self._file.write(view)
        self.size += view.nbytes
        return view.nbytes


@contextmanager
def create_hashed(folder: Folder, name: str, keep: Callable[[ProductFile], object]) -> Iterator[HashedFile]:
    """Write a file of a folder, and hand its size and SHA-256 to `keep` when it is complete."""
    with folder.create(name) as raw:
        file = HashedFile(raw)
        yield file
    keep(ProductFile(name, file.size, file.sha256))


def write_product(folder: Folder, name: str, content: bytes) -> ProductFile:
    """Write a small file of a folder."""
    kept: list[ProductFile] = []
    with create_hashed(folder, name, kept.append) as file:
        file.write(content)
    return kept[0]
