"""Write large pieces of a file by several threads, through the system's memory or past it.

What is written to a file goes to the system's memory first, and from there to the disk. That is fast as long as memory
is at hand, and as the system lets it wait there. A virtual machine must often get free memory back from its host first,
and when a tenth of the memory waits, whoever writes soon waits, too. A large file is therefore written past the
system's memory (direct I/O): the disk takes it from the memory of the program, with half of the processor's time.
"""

from __future__ import annotations

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tessera.io.files import begin_flush, naming, write_all

LARGE = 1 << 30
"""Bytes from which on a file is written past the system's memory. Below, it is as fast to keep them there."""
_UNIT = 4096
"""Past the system's memory, positions, sizes and addresses are multiples of this."""


class PieceWriter:
    """Writes pieces of a file. Each piece is made in memory that the writer gives to its thread.

    Use it as a context manager: after the block, no thread writes any more, although it may still have a piece.

    Parameters
    ----------
    descriptor : int
        Descriptor of the file, open for writing.
    path : Path
        Path of the file.
    shown : Path
        Path for errors.
    direct : bool
        Whether pieces are written past the system's memory, if the file system can do that.
    """

    def __init__(self, descriptor: int, path: Path, shown: Path, *, direct: bool) -> None:
        self._descriptor, self._shown = descriptor, shown
        self._direct = _open_direct(path) if direct else None
        self._local = threading.local()
        self._writing = threading.Lock()
        self._left = False

    @property
    def direct(self) -> bool:
        """Whether pieces are written past the system's memory. A thread then waits for the disk while it writes."""
        return self._direct is not None

    def memory(self, n_bytes: int, position: int) -> NDArray[np.uint8]:
        """Memory for a piece at this position of the file. It belongs to the thread until the thread asks again."""
        raw: NDArray[np.uint8] | None = getattr(self._local, "raw", None)
        if raw is None or len(raw) < n_bytes + _UNIT:
            raw = self._local.raw = np.empty(n_bytes + _UNIT, np.uint8)
        start = (position - raw.ctypes.data) % _UNIT  # so that whole units of the file are whole units of the memory
        return raw[start : start + n_bytes]

    def write(self, piece: NDArray[np.uint8], position: int) -> None:
        """Write a piece, unless the block of the writer has been left.

        Raises
        ------
        OSError
            When not every byte can be written.
        """
        view = memoryview(piece)  # type: ignore[arg-type] # numpy declares it on 3.12 only
        with self._writing:  # the system writes one range of a file at a time; a thread that waits here costs nothing
            if self._left:  # after a second interrupt: the descriptor may be that of another file by now
                return
            if self._direct is not None:
                self._write_past_memory(view, position)
                return
            write_all(self._descriptor, view, position, self._shown)
        self._flushes.submit(begin_flush, self._descriptor, position, view.nbytes)

    def _write_past_memory(self, view: memoryview, position: int) -> None:
        """Write the whole units of a piece past the system's memory, and its ends as usual."""
        start = min(-position % _UNIT, len(view))
        stop = start + (len(view) - start) // _UNIT * _UNIT
        write_all(self._descriptor, view[:start], position, self._shown)
        while start < stop and self._direct is not None:
            try:
                with naming(self._shown):
                    n = os.pwrite(self._direct, view[start:stop], position + start)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                n = 0  # this disk has larger units
            start += n
            if n == 0 or n % _UNIT:  # the disk may be full: the usual way says so
                self._close()
        write_all(self._descriptor, view[start:], position + start, self._shown)

    def _close(self) -> None:
        if self._direct is not None:
            os.close(self._direct)
            self._direct = None

    def __enter__(self) -> Self:
        self._flushes = ThreadPoolExecutor(1, "tessera-flush")
        return self

    def __exit__(self, *_error: object) -> None:
        self._left = True
        with self._writing:
            self._close()
        self._flushes.shutdown(cancel_futures=True)  # the flush of the whole file does the rest


def _open_direct(path: Path) -> int | None:
    """Open a file that is there for writing past the system's memory; None where that is not possible."""
    try:
        return os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_DIRECT)
    except (AttributeError, OSError):  # macOS has no such flag, and some file systems do not know it
        return None
