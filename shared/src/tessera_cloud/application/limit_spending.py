"""Pauses the service when its budget is spent, and lets it go on later."""

from __future__ import annotations

import datetime
from typing import Literal, TypeAlias

from tessera_cloud.application.backend import HasGuard
from tessera_cloud.application.switch import enforce_pause, pause, read_switch, resume

SPENT = "its budget for the day is spent; it goes on after midnight UTC at the earliest"
"""Reason of the pause, for users."""
Outcome: TypeAlias = Literal["paused", "still paused", "resumed", "nothing"]


def take_alarm(backend: HasGuard) -> Outcome:
    """Pause the service because an alarm says that the budget is spent."""
    pause(backend, reason=SPENT, by="budget")
    return "paused"


def look_after(backend: HasGuard) -> Outcome:
    """Look after a pause: end it if the budget allows work again, or else make sure that nothing runs.

    A pause by the budget ends on the next day (UTC), but not while the last 24 hours cost more than the budget. Only an
    operator ends a pause by the operator.
    """
    switch = read_switch(backend.state)
    if not switch.paused:
        return "nothing"
    began = datetime.datetime.fromtimestamp(switch.since, datetime.UTC).date()
    is_over = switch.by == "budget" and began < backend.now().date()
    if is_over and not backend.alarms.is_ringing(backend.settings.spend_alarm):
        resume(backend, by="budget")
        return "resumed"
    enforce_pause(backend)
    return "still paused"
