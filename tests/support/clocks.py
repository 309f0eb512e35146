"""Clocks of tests: one that stands still, for files that are compared with their dates, and that of other programs."""

from __future__ import annotations

import datetime
from contextlib import AbstractContextManager, nullcontext

import time_machine

STILL_DAY = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC)


def still_day() -> time_machine.travel:
    """A context in which it is always STILL_DAY."""
    return time_machine.travel(STILL_DAY, tick=False)


def clock_of_programs() -> AbstractContextManager[object]:
    """A context with the clock that other programs have, for what is signed here and checked there."""
    hatch = time_machine.escape_hatch
    return time_machine.travel(hatch.datetime.datetime.now(datetime.UTC)) if hatch.is_travelling() else nullcontext()
