"""Files that cannot be read by ranges: packed files, and files of servers that send only whole files.

They are unpacked or downloaded once, to a temporary file that has no name and disappears when it is closed.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from tessera.errors import DownloadWarning, InvalidInputError, RemoteError, TesseraError, UnreadableFileError
from tessera.io.failures import as_remote_error
from tessera.io.locations import file_name, shown
from tessera.io.sources import LocalFile, Source

LIMIT_NAME = "TESSERA_MAX_TEMPORARY_GB"
"""Environment variable with the largest size of a temporary file, in GB (1e9 bytes)."""
DEFAULT_LIMIT = 4.0
"""Its default."""

_PIECE = 1 << 20
_SECONDS = 60
_OPENERS: tuple[tuple[bytes, Callable[[Any], Any]], ...] = (
    (b"\x1f\x8b\x08", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
)
_SUFFIXES = (".gz", ".bz2", ".xz")
_URL_CHARACTERS = "%/:=&?~#+!$,;'@()*[]|"


def largest_temporary() -> int:
    """Largest size of a temporary file in bytes.

    Raises
    ------
    InvalidInputError
        When the environment variable is not a number above 0.
    """
    text = os.environ.get(LIMIT_NAME) or str(DEFAULT_LIMIT)
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not 0 < limit < 1e9:
        raise InvalidInputError(LIMIT_NAME, text, "a number of GB above 0")
    return int(limit * 1e9)


class SourceReader(io.RawIOBase):
    """The bytes of a source as a file object, from its beginning to its end.

    Parameters
    ----------
    source : Source
        The source. It stays open.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source, self._position = source, 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes."""
        view = memoryview(buffer).cast("B")
        n = min(len(view), self._source.size - self._position)
        if n:
            self._source.read_into(self._position, view[:n])
        self._position += n
        return n


def find_unpacker(start: bytes) -> Callable[[Any], Any] | None:
    """What unpacks a file object whose first bytes are these, at least 6; None if it is not packed."""
    return next((opener for magic, opener in _OPENERS if start.startswith(magic)), None)


@contextmanager
def packing_errors(name: str) -> Iterator[None]:
    """Turn what is raised for a damaged packed file into one error.

    Parameters
    ----------
    name : str
        Name of the file.

    Raises
    ------
    UnreadableFileError
        In place of the errors of the modules for packed files. Other errors stay as they are.
    """
    try:
        yield
    except TesseraError:
        raise
    except (EOFError, ValueError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise UnreadableFileError(name, f"it cannot be unpacked: {error}") from error
    except OSError as error:
        if "nvalid data stream" in str(error):  # bz2 has no error of its own
            raise UnreadableFileError(name, f"it cannot be unpacked: {error}") from error
        raise


def unpacked(source: Source) -> Source:
    """Unpack a source that is packed with gzip, bzip2 or xz, and close it. Other sources are returned unchanged.

    Raises
    ------
    UnreadableFileError
        When the file is damaged, or larger than `largest_temporary` after unpacking.
    """
    unpack = find_unpacker(source.read(0, min(source.size, 6)))
    if unpack is None:
        return source
    name, version = source.name, source.version
    with packing_errors(name):
        with unpack(io.BufferedReader(SourceReader(source), _PIECE)) as packed:
            made = spool(name, iter(lambda: packed.read(_PIECE), b""))
        source.check_unchanged()
    source.close()
    suffix = next((suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)), "")
    made.name, made.version = name.removesuffix(name[len(name) - len(suffix) :]), version
    return made


def spool(name: str, pieces: Iterator[bytes]) -> LocalFile:
    """Write pieces to a temporary file and open it."""
    most, size = largest_temporary(), 0
    with tempfile.TemporaryFile() as file:
        for piece in pieces:
            size += len(piece)
            if size > most:
                reason = f"it has more than {most / 1e9:g} GB; the environment variable {LIMIT_NAME} sets the limit"
                raise UnreadableFileError(name, reason)
            try:
                file.write(piece)
                file.flush()
            except OSError as error:  # a full disk
                raise UnreadableFileError(name, f"its temporary file cannot be written: {error.strerror}") from error
        return LocalFile(Path(name), os.dup(file.fileno()))


def download(url: str) -> LocalFile:
    """Download a whole file, with a `DownloadWarning`.

    Parameters
    ----------
    url : str
        ``http://`` or ``https://`` URL.

    Raises
    ------
    RemoteError
        When the file cannot be downloaded, or is larger than `largest_temporary`.
    """
    from urllib.request import Request, urlopen  # noqa: PLC0415 - few files are downloaded

    name = shown(url)
    message = f"{name}: the server does not send parts of files, so the whole file is downloaded."
    warnings.warn(message, DownloadWarning, stacklevel=2)
    headers = {"User-Agent": "tessera", "Accept-Encoding": "identity"}
    with as_remote_error(url), urlopen(Request(_quoted(url), headers=headers), timeout=_SECONDS) as answer:  # noqa: S310 - the scheme is http
        expected = answer.headers.get("Content-Length")
        made = spool(name, iter(lambda: answer.read(_PIECE), b""))
    made.name = file_name(url)
    if expected is not None and int(expected) != made.size:
        made.close()
        raise RemoteError(name, f"the connection broke after {made.size:,} of {int(expected):,} bytes")
    return made


def keep(url: str, pieces: Iterator[bytes]) -> LocalFile:
    """Keep a whole file, which a server sends instead of parts, with a `DownloadWarning`."""
    message = f"{shown(url)}: the server does not send parts of files, so the whole file is downloaded."
    warnings.warn(message, DownloadWarning, stacklevel=2)
    return spool(shown(url), pieces)


def _quoted(url: str) -> str:
    """A URL in ASCII."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].encode("idna").decode("ascii")
    path, query = (quote(text, safe=_URL_CHARACTERS) for text in (parts.path, parts.query))
    return urlunsplit((parts.scheme, host, path, query, ""))
