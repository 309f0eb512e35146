"""A memory of the process with a limit: what was found out lately, for the next call."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """Values by key. What was not used for the longest time is forgotten first.

    Several threads may use it. A forked process begins with what its parent knew.

    Parameters
    ----------
    max_entries : int
        Largest number of values.
    max_bytes : int
        Largest size of all values together, in bytes. A larger value is not kept.
    """

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._max_entries, self._max_bytes = max_entries, max_bytes
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._n_bytes = 0
        self._lock = threading.Lock()
        # Without this, a fork could copy the lock while another thread holds it.
        release = self._lock.release
        os.register_at_fork(before=self._lock.acquire, after_in_parent=release, after_in_child=release)

    def get(self, key: Hashable) -> Value | None:
        """Value of a key, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Value, n_bytes: int) -> None:
        """Keep a value of `n_bytes` bytes in place of the one that the key had."""
        with self._lock:
            self._drop(key)
            if n_bytes > self._max_bytes:
                return
            self._kept[key] = value, n_bytes
            self._n_bytes += n_bytes
            while len(self._kept) > self._max_entries or self._n_bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def forget(self, key: Hashable) -> None:
        """Forget a value, if there is one."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._n_bytes = 0

    @property
    def n_bytes(self) -> int:
        """Size of all values in bytes."""
        return self._n_bytes

    def __len__(self) -> int:
        """Number of values."""
        return len(self._kept)

    def _drop(self, key: Hashable) -> None:
        _, n_bytes = self._kept.pop(key, (None, 0))
        self._n_bytes -= n_bytes
