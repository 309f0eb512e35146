"""Notices when a process of the stack ends while the stack runs."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

WATCH_SECONDS = 0.5


class Part(Protocol):
    """A process of the stack."""

    @property
    def name(self) -> str:
        """What the process does."""

    @property
    def log(self) -> object:
        """Path of its log."""

    def status(self) -> int | None:
        """Exit status; None while the process runs."""


class Watch:
    """A thread that looks at the parts of the stack, and reports the first one that has ended.

    Parameters
    ----------
    parts
        Processes to watch.
    report
        Is called once, in the thread, with a sentence that names the part, its exit status and its log.
    end_users
        Is called before, and ends what would go on asking the part.
    """

    def __init__(
        self, parts: Sequence[Part], report: Callable[[str], object], end_users: Callable[[], object] | None = None
    ) -> None:
        self._parts, self._report, self._end_users = parts, report, end_users
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(WATCH_SECONDS):
            for part in self._parts:
                status = part.status()
                if status is not None:
                    if self._end_users:
                        self._end_users()
                    self._report(f"{part.name} ended with status {status} while Tessera was running; see {part.log}")
                    return
