"""A folder of this machine for products."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tessera.io.files import check_regular, publish
from tessera.io.partials import drop, open_new


@dataclass(frozen=True)
class LocalFolder:
    """A folder of this machine; see `tessera.bulk.products.folder.Folder`.

    Parameters
    ----------
    path : Path
        The folder. It and those of the files are created when they are needed.
    """

    path: Path

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        """Open a new file for writing. It appears at the end of the block, when it is on the disk.

        Raises
        ------
        OSError
            When not every byte can be written, or the name is that of something else than a file. After this and any
            other error, no file appears.
        """
        path = Path(os.path.realpath(self.path / name))
        path.parent.mkdir(parents=True, exist_ok=True)
        check_regular(path)
        descriptor, partial = open_new(path)
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                yield file
                file.flush()
                size = file.tell()
            publish(descriptor, partial, path, size)
        except BaseException:
            drop(descriptor, partial)
            raise
        os.close(descriptor)
