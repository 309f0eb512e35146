"""Pauses the service when its budget is spent, and lets it go on later."""

from __future__ import annotations

import datetime
from typing import Literal, TypeAlias

from tessera_cloud.application.backend import HasGuard
from tessera_cloud.application.switch import Switch, enforce_pause, pause, read_switch, resume, set_links
from tessera_cloud.errors import TransientError

SPENT = "its budget for the day is spent; it goes on after midnight UTC at the earliest"
"""Reason of the pause, for users."""
Outcome: TypeAlias = Literal["paused", "still paused", "resumed", "nothing"]


def take_alarm(backend: HasGuard) -> Outcome:
    """Pause the service because an alarm says that the budget is spent."""
    pause(backend, reason=SPENT, by="budget")
    return "paused"


def look_after(backend: HasGuard) -> Outcome:
    """Look after a pause: end it if the budget allows work again, or else make sure that nothing runs.

    If there is none, begin it if the alarm rings and its event was lost; an operator who resumed after the alarm began
    to ring is obeyed. Whoever changed the switch may have died before the links agreed with it, so they are set again.

    A pause by the budget ends on the next day (UTC), but not while the last 24 hours cost more than the budget. Only an
    operator ends a pause by the operator.
    """
    switch = read_switch(backend.state)
    if not switch.paused:
        set_links(backend)
        return take_alarm(backend) if _is_lost(switch, backend) else "nothing"
    began = datetime.datetime.fromtimestamp(switch.since, datetime.UTC).date()
    is_over = switch.by == "budget" and began < backend.now().date()
    if is_over and _rings_since(backend) is None:
        resume(backend, by="budget")
        return "resumed"
    enforce_pause(backend)
    return "still paused"


def _rings_since(backend: HasGuard) -> float | None:
    """Time since which the alarm rings; None if it does not, or if there is no alarm, as on one machine."""
    name = backend.settings.spend_alarm
    return backend.alarms.rings_since(name) if name else None


def _is_lost(switch: Switch, backend: HasGuard) -> bool:
    """Whether the alarm rings since the last change of the switch. If nobody answers, the clock asks again."""
    try:
        rings_since = _rings_since(backend)
    except TransientError:
        return False
    return rings_since is not None and rings_since > switch.since
