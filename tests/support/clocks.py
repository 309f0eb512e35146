"""A clock that stands still, for files that are compared with their dates."""

from __future__ import annotations

import datetime

import time_machine

STILL_DAY = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC)


def still_day() -> time_machine.travel:
    """A context in which it is always STILL_DAY."""
    return time_machine.travel(STILL_DAY, tick=False)
