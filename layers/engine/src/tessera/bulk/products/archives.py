"""Files of single targets: in archives of a limited size, or one by one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple, Self

from tessera.bulk.options import ARCHIVE_BYTES, Packing
from tessera.bulk.products.folder import Folder, HashedFile, ProductFile, create_hashed
from tessera.io.deflate import ZipArchive
from tessera.provenance.crate import CRATE, MOST_BYTES, Crate

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

FILES = "files/"
"""Folder of archives and of single files below that of the results."""
_MODE = 0o100644
_MEMBER_BYTES = 400
"""Bytes that an archive has for each member beside its content, at most: the name stands there twice."""
_EXPANSION = 1000
"""Packed bytes are at most a thousandth more than the content."""
_UNSAFE = re.compile("[^A-Za-z0-9.+-]+")
_LONGEST_NAME = 40


class _Archive(NamedTuple):
    """An archive in the making."""

    file: HashedFile
    archive: ZipArchive
    crate: Crate

    def end(self) -> None:
        """Write the description of the files, and the directory."""
        content = self.crate.content
        self.file.writelines(self.archive.add(CRATE, [content], len(content)))
        self.file.write(self.archive.end())


class Member(NamedTuple):
    """Where the file of a target is: the archive or the file, the name in the archive, and the SHA-256."""

    file: str
    name: str
    sha256: str


class FilePacker:
    """Writes files of targets. Use it as a context manager: after an error in the block, no unfinished file appears.

    The last member of each archive is a description of the others; see `tessera.provenance.crate`.

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
        self._open: _Archive | None = None
        self._name, self._number = "", 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type] # the three values of the block

    def add(self, name: str, pieces: Iterable[ReadableBuffer], n_bytes: int) -> Member:
        """Write a file.

        Parameters
        ----------
        name : str
            Name of the file, which no other file of the list has.
        pieces : iterable of buffers
            Its content.
        n_bytes : int
            Its size, or a little more.
        """
        if self._packing == "files":
            return self._write(name, pieces)
        file, archive, crate = self._archive_for(n_bytes)
        file.writelines(archive.add(name, crate.watch(name, pieces), n_bytes))
        return Member(self._name, name, crate.sha256(name))

    def finish(self) -> None:
        """End the archive."""
        self._stack.close()
        self._open = None

    def _write(self, name: str, pieces: Iterable[ReadableBuffer]) -> Member:
        kept: list[ProductFile] = []
        with create_hashed(self._folder, f"{FILES}{name}", kept.append) as file:
            for piece in pieces:
                file.write(piece)
        self._keep(kept[0])
        return Member(kept[0].name, "", kept[0].sha256)

    def _archive_for(self, n_bytes: int) -> _Archive:
        """The archive that the next file of up to this size goes into: a new one if it would become too large."""
        if self._open is not None:
            archive = self._open.archive
            ends = _MEMBER_BYTES * (len(archive.names) + 2) + self._open.crate.n_bytes + MOST_BYTES
            if archive.n_bytes + n_bytes + n_bytes // _EXPANSION + ends <= self._most:
                return self._open
        self.finish()
        self._name = f"{FILES}{self._stem}-{self._number:03d}.zip"
        self._number += 1
        self._open = self._stack.enter_context(self._create(self._name))
        return self._open

    @contextmanager
    def _create(self, name: str) -> Iterator[_Archive]:
        with create_hashed(self._folder, name, self._keep) as file, ZipArchive(mode=_MODE) as archive:
            made = _Archive(file, archive, Crate())
            yield made
            made.end()


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
