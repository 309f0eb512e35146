"""Check archives: each file of it, and its description, which is made again from the files."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections import Counter, deque
from collections.abc import Callable
from zipfile import ZipFile, ZipInfo

from tessera.io.deflate import ZIP_START
from tessera.io.file_objects import SourceFile
from tessera.io.ranges import ByteRange
from tessera.io.sources import Source
from tessera.io.temporary import LIMIT_NAME, largest_temporary
from tessera.provenance.crate import CRATE, Crate
from tessera.verify.description import compare_descriptions
from tessera.verify.report import Problem, Status, Verification

VerifyMember = Callable[[str, bytes, bool], Verification]
"""Checks a file in memory, given its name, its content, and whether the archive has no other."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError)
"""What zipfile raises for archives that are damaged, encrypted or packed in another way."""
_HEADER_BYTES = 30 + (1 << 10)
"""Bytes in front of the packed content of a file, usually at most: a header, and the name."""


def is_archive(source: Source) -> bool:
    """Whether a file is a zip archive, by its first bytes."""
    return source.size > len(ZIP_START) and bytes(source.read(0, len(ZIP_START))) == ZIP_START


def verify_archive(name: str, source: Source, verify_member: VerifyMember) -> Verification:
    """Check each file of an archive, and the description of the files.

    Parameters
    ----------
    name : str
        The archive, as it was given.
    source : Source
        The archive, open.
    verify_member : callable
        See `VerifyMember`.
    """
    file = SourceFile(source)
    try:
        archive = ZipFile(file)
    except _DAMAGED as error:
        return Verification(name, "different", [Problem("structure", f"the archive is damaged: {error}")])
    with archive:
        listed = [info for info in archive.infolist() if not info.is_dir()]
        crate, said, unread = Crate(), b"", set[str]()
        alone = len([info for info in listed if info.filename != CRATE]) == 1
        members = []
        for info in listed:
            content = _read(archive, file, info, f"{name}/{info.filename}")
            if isinstance(content, Verification):
                members.append(content)
                unread.add(info.filename)
            elif info.filename == CRATE:
                said = content
            else:
                deque(crate.watch(info.filename, [content]), 0)
                members.append(verify_member(f"{name}/{info.filename}", content, alone))
    counts = Counter(info.filename for info in listed)
    problems = [Problem("structure", f"it has {n} files of the name {each}") for each, n in counts.items() if n > 1]
    if said:
        differing, notes = compare_descriptions(said, crate.content, unread)
    else:
        differing, notes = [], [f"it has no {CRATE} that can be read, which says what it should have"]
    problems += differing
    found = {member.status for member in members} | ({"different"} if problems else set())
    status: Status = "different" if "different" in found else "same" if found == {"same"} else "unknown"
    return Verification(name, status, problems, notes, members=members)


def _read(archive: ZipFile, file: SourceFile, info: ZipInfo, name: str) -> bytes | Verification:
    """Content of a file, or why it cannot be read."""
    size = file.seek(0, os.SEEK_END)
    if info.file_size > (most := largest_temporary()):
        note = f"it has more than {most / 1e9:g} GB; the environment variable {LIMIT_NAME} sets the limit"
        return Verification(name, "unknown", notes=[note])
    packed = min(info.compress_size + _HEADER_BYTES, size - info.header_offset)
    try:
        file.prefetch([ByteRange(info.header_offset, packed)])
        return archive.read(info)
    except _DAMAGED as error:
        return Verification(name, "different", [Problem("structure", f"it cannot be unpacked: {error}")])
    finally:
        file.forget()
