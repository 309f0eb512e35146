"""Large buffers for files that are built in memory."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np

_LARGE = 8 << 20
"""Smallest number of bytes for which huge pages are worth a system call."""
_allocate: Any = ctypes.pythonapi.PyByteArray_FromStringAndSize
_allocate.restype, _allocate.argtypes = ctypes.py_object, (ctypes.c_char_p, ctypes.c_ssize_t)


def new_bytearray(n_bytes: int) -> bytearray:
    """Allocate a bytearray of any content. The caller must set every byte.

    ``bytearray(n)`` writes zeros first, page by page: 0.12 s for 213 MB, of which this saves 0.1 s.

    Parameters
    ----------
    n_bytes : int
        Size in bytes.
    """
    data: bytearray = _allocate(None, n_bytes)
    if n_bytes >= _LARGE and hasattr(mmap, "MADV_HUGEPAGE"):
        first = np.frombuffer(data, np.uint8).ctypes.data
        start = -(-first // mmap.PAGESIZE) * mmap.PAGESIZE
        length = (first + n_bytes - start) // mmap.PAGESIZE * mmap.PAGESIZE
        advise: Any = ctypes.CDLL(None).madvise
        advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        advise(start, length, mmap.MADV_HUGEPAGE)  # a hint; without huge pages, nothing changes
    return data
