"""Runs Lambda's runtime client in a process that may write to its own temporary folder only, as on Lambda.

Python itself refuses the writes, so no rights of the system are needed. Code in C that opens files is not held back.
"""

import ctypes
import errno
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

FREEZES = sys.platform == "linux"
"""Whether a process without work can be stopped: only Linux ends a stopped process together with its parent."""
_PR_SET_PDEATHSIG = 1
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {
    "os.chmod": ((0,), (2,)),
    "os.link": ((1,), (3,)),
    "os.mkdir": ((0,), (2,)),
    "os.remove": ((0,), (1,)),
    "os.rename": ((0, 1), (2, 3)),
    "os.rmdir": ((0,), (1,)),
    "os.symlink": ((1,), (2,)),
    "os.truncate": ((0,), ()),
}
"""Audit events of Python, with the places of the changed paths and of open folders that they are relative to."""


def changed_paths(event: str, arguments: Sequence[object]) -> list[str]:
    """Paths that an audit event is about to change; none for open files and for paths relative to an open folder."""
    if event == "open":
        named = [arguments[0]] if isinstance(arguments[2], int) and arguments[2] & _WRITES else []
    else:
        paths, folders = _CHANGES.get(event, ((), ()))
        relative = any(isinstance(arguments[i], int) and arguments[i] >= 0 for i in folders)  # type: ignore[operator]
        named = [] if relative else [arguments[i] for i in paths]
    return [os.fsdecode(path) for path in named if isinstance(path, str | bytes | os.PathLike)]


def is_writable(path: str, folder: str) -> bool:
    """Whether a function may change a path. Python may keep compiled modules, which layers bring along on Lambda."""
    if path == os.devnull or "__pycache__" in Path(path).parts[-2:]:
        return True
    real = os.path.realpath(path)
    return real == folder or real.startswith(folder + os.sep)


def forbid_writes(folder: str) -> None:
    """Let Python refuse every change outside a folder from now on. This cannot be undone."""
    folder = os.path.realpath(folder)

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        for path in changed_paths(event, arguments):
            if not is_writable(path, folder):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    sys.addaudithook(refuse)


def end_with_parent() -> None:
    """Let the system kill this process when its parent ends, also while it is stopped."""
    if FREEZES:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main() -> None:
    """Run the module of the runtime client, which is the first argument."""
    end_with_parent()
    forbid_writes(os.environ["TMPDIR"])
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
