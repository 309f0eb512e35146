"""Try what Lambda does not allow: changes of files, a full disk, and work between calls."""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

HELD: list[Any] = []
TICKS: list[int] = []


def lambda_handler(event: dict[str, Any], _context: object) -> Any:
    """Carry out one action."""
    match event["do"]:
        case "change":
            return change(Path(event["path"]))
        case "fill":
            return fill(event["mb"], named=event["named"])
        case "tick":
            return tick()
        case "fail":
            raise ValueError(event["reason"])
        case "work":
            time.sleep(event["seconds"])
        case _:
            pass
    return None


def change(path: Path) -> dict[str, str | None]:
    """Change a file and a folder, and return the errors."""
    moved = path.with_suffix(".moved")
    changes: dict[str, Callable[[], object]] = {
        "write": path.touch,
        "make": path.with_suffix(".folder").mkdir,
        "move": partial(path.replace, moved),
        "delete": moved.unlink,
    }
    found = {}
    for name, make in changes.items():
        try:
            make()
        except OSError as error:
            found[name] = error.strerror
    return found


def fill(mb: int, *, named: bool) -> dict[str, Any]:
    """Fill the temporary folder, in a file with a name or without."""
    make = tempfile.NamedTemporaryFile if named else tempfile.TemporaryFile
    HELD.append(make())
    HELD[-1].write(os.urandom(mb << 20))
    HELD[-1].flush()
    folder = Path(tempfile.gettempdir())
    return {"pid": os.getpid(), "folder": str(folder), "files": len(list(folder.iterdir()))}


def tick() -> int:
    """Return how often a thread has worked since the first call started it."""
    if not TICKS:
        TICKS.append(0)
        threading.Thread(target=count, daemon=True).start()
    return TICKS[0]


def count() -> None:
    """Count for ever."""
    while True:
        TICKS[0] += 1
        time.sleep(0.005)
