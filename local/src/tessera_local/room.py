"""Checks that the disk has room for frames and their cubes, before anything is copied."""

import shutil
from pathlib import Path

SPARE_BYTES = 50_000_000
"""Room for plans, indexes and logs."""


class RoomError(RuntimeError):
    """The disk has too little room. The message says how much is needed and how much is free."""


def check_room(home: Path, frame_bytes: int) -> None:
    """Check that frames and their cubes, which have about the same size, fit on the disk of a home.

    Raises
    ------
    RoomError
        If they do not fit.
    """
    needed, free = 2 * frame_bytes + SPARE_BYTES, shutil.disk_usage(home).free
    if frame_bytes and needed > free:
        raise RoomError(
            f"frames and their cubes need {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free on {home}; "
            "make room, load fewer frames, or choose another disk with --home"
        )


def is_full(home: Path) -> bool:
    """Whether the disk of a home has no room left."""
    return shutil.disk_usage(home).free < SPARE_BYTES / 10
