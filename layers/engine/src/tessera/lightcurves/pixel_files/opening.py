"""Open target pixel files: paths, URLs, bytes, zip archives, HDU lists of astropy, and results of cutouts."""

from __future__ import annotations

import gzip
import io
import os
import warnings
import zipfile
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from astropy.io import fits

from tessera.errors import InvalidInputError, TpfFormatError
from tessera.io.locations import shown
from tessera.io.sources import Location, open_source
from tessera.io.temporary import LIMIT_NAME, largest_temporary

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b\x08"
_SHOWN_MEMBERS = 5
_ALLOWED = "a path or URL, bytes, an astropy HDUList, or a result of make_cutouts or make_moving_cutouts"


class HasFile(Protocol):
    """A result of a cutout: where its target pixel file is, or why there is none."""

    @property
    def status(self) -> str:
        """Outcome; 'ok' if there is a file."""

    @property
    def reason(self) -> str:
        """Why there is no file."""

    @property
    def name(self) -> str:
        """Name of the file."""

    @property
    def data(self) -> bytes | bytearray | None:
        """Content of the file, if it is in memory."""

    @property
    def path(self) -> os.PathLike[str] | None:
        """Path of the file, if it is on the disk."""


TpfSource: TypeAlias = "Location | bytes | bytearray | memoryview | fits.HDUList | HasFile"
"""Where a target pixel file is."""


def open_tpf(source: TpfSource, member: str | None = None) -> tuple[str, fits.HDUList]:
    """Read a target pixel file completely.

    Parameters
    ----------
    source : path, URL, bytes, HDUList or result
        See `tessera.TargetPixels.read`.
    member : str, optional
        Name of the file in a zip archive of several files.

    Returns
    -------
    (str, HDUList)
        Name of the file for messages, and its HDUs in memory.

    Raises
    ------
    InvalidInputError
        When `source` is something else, is a result without a file, or `member` is not in the archive.
    UnreadableFileError
        When the file cannot be read.
    TpfFormatError
        When it is not a FITS file.
    """
    if isinstance(source, fits.HDUList):
        return Path(source.filename() or "the HDUList").name, source
    name, content = _content(source)
    if content[:4] == _ZIP:
        name, content = _from_archive(name, content, member)
    elif member is not None:
        raise InvalidInputError("member", member, f"None, because {name} is not a zip archive")
    if content[:3] == _GZIP:
        content = _unpacked(name, content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the error says what is wrong
            return name, fits.HDUList.fromstring(bytes(content))
    except Exception as error:
        raise TpfFormatError(f"{name} is not a FITS file, or is damaged") from error


def _content(source: Any) -> tuple[str, Any]:
    """Name and content of a file."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "the target pixel file", source
    if hasattr(source, "status") and hasattr(source, "data"):
        if source.data is not None:
            return source.name, source.data
        if source.path is None:
            allowed = f"a result with a target pixel file; this one has none: {source.reason or source.status}"
            raise InvalidInputError("source", source.status, allowed)
        source = source.path
    if not isinstance(source, (str, os.PathLike)):
        raise InvalidInputError("source", source, _ALLOWED)
    with closing(open_source(source)) as file:
        return shown(source), file.read(0, file.size)


def _from_archive(name: str, content: Any, member: str | None) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [item for item in archive.namelist() if item.lower().endswith((".fits", ".fits.gz", ".fit"))]
            wanted = names[0] if member is None and len(names) == 1 else member
            if wanted not in names:
                some = ", ".join(names[:_SHOWN_MEMBERS]) + (", ..." if len(names) > _SHOWN_MEMBERS else "")
                allowed = (
                    f"one of the {len(names)} FITS files in {name}: {some}" if names else f"no FITS file in {name}"
                )
                raise InvalidInputError("member", member, allowed)
            return str(wanted), archive.read(wanted)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise TpfFormatError(f"{name} is a damaged zip archive") from error


def _unpacked(name: str, content: Any) -> bytes:
    most = largest_temporary()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            unpacked = packed.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise TpfFormatError(f"{name} cannot be unpacked with gzip") from error
    if len(unpacked) > most:
        reason = (
            f"has more than {most / 1e9:g} GB after unpacking; the environment variable {LIMIT_NAME} sets the limit"
        )
        raise TpfFormatError(f"{name} {reason}")
    return unpacked
