"""Unpack archives of a service, whole or not at all."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

from tessera.client.wire.failures import DamagedAnswerError
from tessera.client.wire.steps import Answer
from tessera.io.files import write_files
from tessera.io.outputs import check_space
from tessera.provenance.crate import CRATE

MOST_MEMBERS = 10_000
"""Largest number of files of an archive."""
MOST_ON_DISK = 30_000_000_000
"""Largest size in bytes of all files of an archive. A job of the service makes at most 25 GB."""
MOST_IN_MEMORY = 1_000_000_000
"""Largest size in bytes of all files of an archive that are kept in memory."""
_PIECE = 1 << 20
_START = 100 * 2880
_LONGEST_NAME = 240
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+()-]*", re.ASCII)
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError, OSError)
"""What zipfile raises for archives that are damaged, encrypted or packed in another way."""


class CheckFile(Protocol):
    """Checks a file before it is written: raises an error if its path has something that must stay."""

    def __call__(self, path: Path, start: bytes, /) -> object:
        """Check the path, given the first bytes of the new content."""


def unpack(
    answer: Answer, folder: Path | None, suffixes: tuple[str, ...], check: CheckFile, apart: str = ""
) -> list[tuple[str, bytes | Path]]:
    """Unpack an archive, without the description of its files.

    Parameters
    ----------
    answer : Answer
        Answer that is the archive.
    folder : Path or None
        Folder of the files. Without it, they are returned as bytes.
    suffixes : tuple of str
        Ends that the names of files may have.
    check : callable
        See `CheckFile`.
    apart : str, optional
        Name of a file that is returned as bytes, even with a folder.

    Returns
    -------
    list of (str, bytes or Path)
        Name of each file, and its content or its path.

    Raises
    ------
    DamagedAnswerError
        When the archive is damaged or too large, or has a name that is not allowed. No file is written.
    KeptFileError
        When a path has something that must stay. No file is written.
    """
    answer.file.seek(0)
    try:
        with closing(zipfile.ZipFile(answer.file)) as archive:
            members = _checked(archive, answer.where, suffixes, MOST_IN_MEMORY if folder is None else MOST_ON_DISK)
            if folder is None:
                return [(member.filename, archive.read(member)) for member in members]
            _verify(archive)
    except _DAMAGED as error:
        raise DamagedAnswerError(f"{answer.where} sends an archive that is damaged: {error}") from error
    answer.file.seek(0)
    with closing(zipfile.ZipFile(answer.file)) as archive:
        written = _write(archive, [member for member in members if member.filename != apart], folder, check)
        return written + [(apart, archive.read(member)) for member in members if member.filename == apart]


def _checked(archive: zipfile.ZipFile, where: str, suffixes: tuple[str, ...], most: int) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise DamagedAnswerError(
            f"{where} sends an archive of {len(members):,} files; at most {MOST_MEMBERS:,} are read"
        )
    if (size := sum(member.file_size for member in members)) > most:
        kept = "" if most == MOST_ON_DISK else "; give output_dir, or ask for less"
        raise DamagedAnswerError(f"{where} sends an archive of {size:,} bytes; at most {most:,} are unpacked{kept}")
    members = [member for member in members if member.orig_filename != CRATE]
    taken = set()
    for member in members:
        name = member.orig_filename
        if not is_safe(name, suffixes) or name.lower() in taken:
            shown = name if len(name) < 80 else f"{name[:77]}..."
            raise DamagedAnswerError(f"{where} sends an archive with the file {shown!r}, which is not written anywhere")
        taken.add(name.lower())
    return members


def is_safe(name: str, suffixes: tuple[str, ...]) -> bool:
    """Whether a name is that of a plain file that may be written to a folder."""
    return bool(_NAME.fullmatch(name)) and len(name) <= _LONGEST_NAME and name.lower().endswith(suffixes)


def _verify(archive: zipfile.ZipFile) -> None:
    """Unpack everything once, so that no file is written of an archive that is damaged further on."""
    if (name := archive.testzip()) is not None:
        raise zipfile.BadZipFile(f"the checksum of {name!r} is wrong")


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as file:
        yield from iter(lambda: file.read(_PIECE), b"")


def _start(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        return file.read(_START)


def _write(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path, check: CheckFile
) -> list[tuple[str, bytes | Path]]:
    paths = [folder / member.filename for member in members]
    for path, member in zip(paths, members, strict=True):
        check(path, _start(archive, member))
    if paths:
        check_space("output_dir", paths[0], sum(member.file_size for member in members))
    write_files((path, _pieces(archive, member)) for path, member in zip(paths, members, strict=True))
    return [(path.name, path) for path in paths]


def save(answer: Answer, folder: Path | None, name: str, check: CheckFile) -> bytes | Path:
    """Write an answer that is one file, and return its path; return its content if there is no folder.

    Raises
    ------
    KeptFileError
        When the path has something that must stay.
    """
    answer.file.seek(0)
    if folder is None:
        return answer.file.read()
    path = folder / name
    check(path, answer.file.read(_START))
    answer.file.seek(0)
    return write_files([(path, iter(lambda: answer.file.read(_PIECE), b""))])[0]
