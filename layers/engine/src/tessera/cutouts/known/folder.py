"""A folder that keeps what is known of remote cubes for the next process, if the user wants it.

There is one file for each cube, named by a hash of its URL: the ETag and the first bytes of its file, and its sidecar
(`tessera.cubes.reader.Cube.to_sidecar`). A cube is opened with it as with what the process itself knows: its next read
confirms the version, and asks the server with the credentials of the caller.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tessera.cubes.reader import Cube
from tessera.errors import CubeFormatError, InvalidInputError
from tessera.io.files import naming
from tessera.io.outputs import output_path
from tessera.io.sources import FirstAnswer, Location

FOLDER_NAME = "TESSERA_CACHE_DIR"
"""Environment variable with the folder; without it and without an argument, nothing is kept on the disk."""
MAX_FILES = 2000
"""Largest number of files in the folder. All public sectors have 1,500 cubes."""
MAX_FOLDER_BYTES = 500_000_000
"""Largest size of all of them, in bytes."""
_SUFFIX = ".tessera-cube"
_FORMAT = 1
_DIGEST = 32
_PLAINLY = os.O_NOFOLLOW | os.O_NONBLOCK
"""Flags with which a link is not followed, and a pipe does not wait."""


def cache_folder(given: Location | None) -> Path | None:
    """The folder that the caller or the environment names, which is created; None if neither does.

    Raises
    ------
    InvalidInputError
        When it is not a path of this machine, or cannot be written.
    """
    name, wanted = ("cache_dir", given) if given is not None else (FOLDER_NAME, os.environ.get(FOLDER_NAME) or None)
    if wanted is None:
        return None
    allowed = "a folder that can be written"
    try:
        folder = output_path(name, wanted).expanduser()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: no home folder
        raise InvalidInputError(name, str(wanted), allowed) from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise InvalidInputError(name, str(wanted), allowed)
    return folder


class CubeFolder:
    """The folder.

    Parameters
    ----------
    folder : Path
        A folder of `cache_folder`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, place: tuple[Any, ...]) -> Path:
        """Path for a place of `tessera.io.remote.RemoteFile`: a URL, and the bucket or None."""
        url, bucket = place
        text = f"{url}\n{bucket.endpoint if bucket else ''}"
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}{_SUFFIX}"

    def read(self, place: tuple[Any, ...]) -> tuple[FirstAnswer, Cube] | None:
        """What is known of a cube; None if nothing is. A damaged file, or one of another release, is removed."""
        data = _read_own(self._path(place))
        if data is None:
            return None
        found = _parse(data)
        if found is None:
            self.forget(place)
        return found

    def write(self, place: tuple[Any, ...], answer: FirstAnswer, cube: Cube) -> None:
        """Keep what is known of a cube, and remove the oldest files if there are too many.

        Raises
        ------
        OSError
            When the file cannot be written.
        """
        known = {"size": answer.about["size"], "e_tag": answer.about["e_tag"]}
        head = json.dumps({"format": _FORMAT, "start": len(answer.start), **known})
        content = b"".join([head.encode(), b"\n", answer.start, cube.to_sidecar()])
        path = self._path(place)
        with naming(path):
            descriptor, partial = tempfile.mkstemp(prefix=f"{path.name}.", dir=self._folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(hashlib.sha256(content).digest() + content)
                Path(partial).replace(path)
            except BaseException:
                Path(partial).unlink(missing_ok=True)
                raise
        self._limit()

    def has(self, place: tuple[Any, ...]) -> bool:
        """Whether there is a file for a cube."""
        return self._path(place).exists()

    def forget(self, place: tuple[Any, ...]) -> None:
        """Remove the file of a cube, if there is one. What another user put in its place stays, and is never read."""
        _remove(self._path(place))

    def _limit(self) -> None:
        files = sorted(self._files(), reverse=True)
        n_bytes = 0
        for number, (_, size, path) in enumerate(files, 1):
            n_bytes += size
            if number > MAX_FILES or n_bytes > MAX_FOLDER_BYTES:
                _remove(path)

    def _files(self) -> Iterator[tuple[int, int, Path]]:
        """Time of the last change, size and path of each file, unfinished ones included."""
        for path in self._folder.glob(f"*{_SUFFIX}*"):
            with suppress(FileNotFoundError):  # another process removed it
                status = path.lstat()
                yield status.st_mtime_ns, status.st_size, path


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _read_own(path: Path) -> bytes | None:
    """Read a file; None if there is none, or if another user wrote it: the folder may be one that many can write."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | _PLAINLY), "rb") as file:
            status = os.fstat(file.fileno())
            own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
            return file.read() if own and status.st_size <= MAX_FOLDER_BYTES else None
    except OSError:
        return None


def _parse(data: bytes) -> tuple[FirstAnswer, Cube] | None:
    digest, content = data[:_DIGEST], data[_DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        return None
    head, _, rest = content.partition(b"\n")
    try:
        about = json.loads(head)
        if about.pop("format") != _FORMAT:
            return None
        n_start = about.pop("start")
        return FirstAnswer(about, rest[:n_start]), Cube.from_sidecar(rest[n_start:])
    except (CubeFormatError, ValueError, LookupError, TypeError, AttributeError):
        return None
