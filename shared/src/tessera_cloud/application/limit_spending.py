"""Pauses the service when its budget is spent, and lets it go on later."""

from __future__ import annotations

import datetime
from typing import Literal, TypeAlias

from tessera_cloud.application.backend import HasGuard
from tessera_cloud.application.switch import enforce_pause, pause, read_switch, resume, set_links

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
    switch, rings_since = read_switch(backend.state), backend.alarms.rings_since(backend.settings.spend_alarm)
    if not switch.paused:
        if rings_since is not None and rings_since > switch.since:
            return take_alarm(backend)
        set_links(backend)
        return "nothing"
    began = datetime.datetime.fromtimestamp(switch.since, datetime.UTC).date()
    is_over = switch.by == "budget" and began < backend.now().date()
    if is_over and rings_since is None:
        resume(backend, by="budget")
        return "resumed"
    enforce_pause(backend)
    return "still paused"
