"""The temporary folder of one execution environment, which has a size and goes with the environment, as on Lambda."""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 512


class Scratch:
    """A folder of its own.

    Parameters
    ----------
    parent
        Folder in which it is made; None for that of the system.
    name
        Beginning of its name.
    """

    def __init__(self, parent: Path | None, name: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))

    def used_bytes(self, pid: int) -> int:
        """Bytes on the disk: of the files in the folder, and of files that a process has deleted and still has open."""
        return sum({(found.st_dev, found.st_ino): found.st_blocks * _BLOCK for found in self._files(pid)}.values())

    def remove(self) -> None:
        """Delete the folder with everything in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self, pid: int) -> Iterator[os.stat_result]:
        for parent, _, names in os.walk(self.folder):  # which passes over folders that vanish meanwhile
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    yield (Path(parent) / name).lstat()
        with contextlib.suppress(OSError):  # the process has ended, or the system has no such folder
            device = self.folder.stat().st_dev
            for found in _deleted(pid):
                if found.st_nlink == 0 and found.st_dev == device and stat.S_ISREG(found.st_mode):
                    yield found


def _deleted(pid: int) -> Iterator[os.stat_result]:
    """Open files of a process that have no name any more. Most are connections, and are not looked at any further.

    Raises
    ------
    OSError
        If the process has ended, or if the system does not show open files.
    """
    folder = os.open(f"/proc/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in os.listdir(folder):  # noqa: PTH208 - a Path has no open folder
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                if os.readlink(name, dir_fd=folder).endswith(" (deleted)"):
                    yield os.stat(name, dir_fd=folder)
    finally:
        os.close(folder)
