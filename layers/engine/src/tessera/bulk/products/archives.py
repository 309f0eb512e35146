"""Files of single targets: in archives of a limited size, or one by one."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple, Self
from zipfile import ZIP_DEFLATED, ZipFile

from tessera.bulk.options import ARCHIVE_BYTES, Packing
from tessera.bulk.products.folder import Folder, HashedFile, ProductFile, create_hashed

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

FILES = "files/"
"""Folder of archives and of single files below that of the results."""
_LEVEL = 1
"""Effort of the packing; more effort saves 3 % of a target pixel file."""
_UNIX, _MODE = 3, 0o100644 << 16
_MEMBER_BYTES = 400
"""Bytes that an archive has for each member beside its content, at most: the name stands there twice."""
_EXPANSION = 1000
"""Packed bytes are at most a thousandth more than the content."""
_LARGEST_PLAIN = 2**31 - 1
"""Largest member that is not announced as a large one (ZIP64)."""
_UNSAFE = re.compile("[^A-Za-z0-9.+-]+")
_LONGEST_NAME = 40


class Member(NamedTuple):
    """Where the file of a target is: the archive or the file, the name in the archive, and the SHA-256."""

    file: str
    name: str
    sha256: str


class FilePacker:
    """Writes files of targets. Use it as a context manager: after an error in the block, no unfinished file appears.

    Parameters
    ----------
    folder : Folder
        Folder of the results.
    stem : str
        Beginning of the names of archives, which no other band has.
    packing : {'zip', 'files'}
        Archives, or single files.
    keep : callable
        Called with each complete file of the folder.
    most : int, optional
        Largest size of an archive in bytes. A member that is larger by itself has its own archive.
    """

    def __init__(
        self,
        folder: Folder,
        stem: str,
        packing: Packing,
        keep: Callable[[ProductFile], object],
        most: int = ARCHIVE_BYTES,
    ) -> None:
        self._folder, self._stem, self._packing, self._keep, self._most = folder, stem, packing, keep, most
        self._stack = ExitStack()
        self._archive: ZipFile | None = None
        self._file: HashedFile | None = None
        self._name, self._number = "", 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type] # the three values of the block

    def add(self, name: str, pieces: Iterable[ReadableBuffer], n_bytes: int, *, noisy: bool = False) -> Member:
        """Write a file.

        Parameters
        ----------
        name : str
            Name of the file, which no other file of the list has.
        pieces : iterable of buffers
            Its content.
        n_bytes : int
            Its size, or a little more.
        noisy : bool, optional
            Whether it has noise and constant values only, as target pixel files have. Then only repeated bytes are
            looked for, in half of the time.
        """
        if self._packing == "files":
            return self._write(name, pieces)
        archive = self._archive_for(n_bytes)
        digest = hashlib.sha256()
        with archive.open(name, "w", force_zip64=n_bytes > _LARGEST_PLAIN) as member:  # dated 1980-01-01, as all are
            if noisy:
                _pack_repeated_bytes(member)
            for piece in pieces:
                digest.update(piece)
                member.write(piece)
        info = archive.getinfo(name)
        info.create_system, info.external_attr = _UNIX, _MODE
        return Member(self._name, name, digest.hexdigest())

    def finish(self) -> None:
        """End the archive."""
        self._stack.close()
        self._archive = None

    def _write(self, name: str, pieces: Iterable[ReadableBuffer]) -> Member:
        kept: list[ProductFile] = []
        with create_hashed(self._folder, f"{FILES}{name}", kept.append) as file:
            for piece in pieces:
                file.write(piece)
        self._keep(kept[0])
        return Member(kept[0].name, "", kept[0].sha256)

    def _archive_for(self, n_bytes: int) -> ZipFile:
        """The archive that the next file of up to this size goes into: a new one if it would become too large."""
        if self._archive is not None and self._file is not None:
            ends = _MEMBER_BYTES * (len(self._archive.filelist) + 1)
            if self._file.size + n_bytes + n_bytes // _EXPANSION + ends <= self._most:
                return self._archive
        self.finish()
        self._name = f"{FILES}{self._stem}-{self._number:03d}.zip"
        self._number += 1
        self._file = self._stack.enter_context(create_hashed(self._folder, self._name, self._keep))
        self._archive = self._stack.enter_context(ZipFile(self._file, "w", ZIP_DEFLATED, compresslevel=_LEVEL))
        return self._archive


def _pack_repeated_bytes(member: object) -> None:
    """Pack a member by run lengths and Huffman codes, for which zipfile has no argument."""
    vars(member)["_compressor"] = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, strategy=zlib.Z_RLE)


def member_name(cube: str, row: int, target: str, ending: str) -> str:
    """Name of the file of a target on a cube. The cube and the row make it different from all others of the list.

    Parameters
    ----------
    cube : str
        Id of the cube.
    row : int
        Number of the row in the list.
    target : str
        Name of the target. Letters, digits and ``.+-`` of it are kept.
    ending : str
        Kind of the file, such as ``lc.fits``.
    """
    plain = unicodedata.normalize("NFKD", target).encode("ascii", "ignore").decode()
    words = _UNSAFE.sub("-", plain)[:_LONGEST_NAME].strip("-.")
    return "_".join(part for part in (cube, f"{row:07d}", words, ending) if part)
