"""The switch that stops all work that costs money: a record, read by every function that does such work.

A pause writes the record, closes the links to results, and stops the jobs, lists and builds that run. Requests that
cost nothing worth mentioning, such as those to the catalogue, are still answered.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from tessera_cloud.application.backend import HasControls, HasSwitch
from tessera_cloud.application.records import update_record
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import PausedError, TransientError
from tessera_cloud.ports import StateStore

KIND, NAME = "switch", "service"
"""Kind and name of the record."""
FRESH_SECONDS = 5.0
"""Time for which a process uses what it has read, in seconds."""
CAUSE = "the service is paused"
"""Beginning of the cause of executions that a pause has stopped. They did not fail, and may start again."""
_ATTEMPTS = 5
_MOST = 1000

Who: TypeAlias = Literal["operator", "budget"]


class Switch(Wire):
    """State of the switch.

    Parameters
    ----------
    paused : bool
        Whether paid work is stopped.
    reason : str
        Reason for users, without a full stop; empty if there is none.
    since : float
        Time of the last change, in seconds since 1970.
    by : {'operator', 'budget'}
        Who made the last change.
    """

    paused: bool = False
    reason: str = ""
    since: float = 0.0
    by: Who = "operator"

    @property
    def message(self) -> str:
        """Sentence for users."""
        return f"{CAUSE}: {self.reason}" if self.reason else f"{CAUSE}; ask again later"


def read_switch(state: StateStore) -> Switch:
    """Read the switch. It is not paused if nobody has used it yet."""
    item = state.get(KIND, NAME)
    return Switch() if item is None else Switch.model_validate(item.value)


def write_switch(state: StateStore, switch: Switch) -> None:
    """Write the switch over what it was. Fields that a later release has added stay.

    Raises
    ------
    TransientError
        If others write it at the same time, again and again.
    """
    document = switch.model_dump()
    update_record(state, KIND, NAME, lambda known: ({**(known or {}), **document}, None), attempts=_ATTEMPTS)


def current_switch(backend: HasSwitch) -> Switch:
    """State of the switch, which may be `FRESH_SECONDS` old.

    If the table does not answer, the last state that this process knows counts, because the switch must not be another
    thing that can break the service.
    """
    cache, now = backend.switch, backend.now().timestamp()
    if abs(now - cache.checked) >= FRESH_SECONDS:
        try:
            cache.switch, cache.error = read_switch(backend.state), ""
        except TransientError as error:
            cache.error = str(error)
        cache.checked = now
    return cache.switch or Switch()


def check_running(backend: HasSwitch) -> None:
    """Check that paid work may be done.

    Raises
    ------
    PausedError
        If the service is paused. The message is for users.
    """
    switch = current_switch(backend)
    if switch.paused:
        raise PausedError(switch.message)


def pause(backend: HasControls, *, reason: str, by: Who) -> int:
    """Stop all paid work: new requests, links to results, jobs and builds. It may be called again.

    A pause by the operator replaces any other, for example one by the budget, which would end by itself. A pause by the
    budget replaces none.

    Returns
    -------
    int
        Number of jobs and builds that were stopped.
    """
    known = read_switch(backend.state)
    if not known.paused or by == "operator":
        since = backend.now().timestamp()
        write_switch(backend.state, Switch(paused=True, reason=reason, since=since, by=by))
    return enforce_pause(backend)


def enforce_pause(backend: HasControls) -> int:
    """Close the links, and stop the jobs and builds that run. Returns the number of those that were stopped."""
    try:
        set_links(backend)
    finally:  # what runs is stopped even if the links cannot be closed
        stopped = _stop_all(backend)
    return stopped


def set_links(backend: HasControls) -> None:
    """Close or open the links to results, as the switch says.

    Each change of the switch is followed by this. So the links agree with the switch in the end, also if an operator
    and the budget change it at the same moment.

    Raises
    ------
    TransientError
        If others change the switch at the same time, again and again.
    """
    for _ in range(_ATTEMPTS):
        switch = read_switch(backend.state)
        if switch.paused:
            backend.links.close()
        else:
            backend.links.open()
        if read_switch(backend.state).paused == switch.paused:
            return
    raise TransientError(f"the switch changed {_ATTEMPTS} times while the links were set")


def _stop_all(backend: HasControls) -> int:
    settings, stopped = backend.settings, 0
    machines = (settings.cutout_job_machine, settings.bulk.machine, settings.cube_build_machine)
    for machine in filter(None, machines):
        for execution in backend.executions.list_executions(machine, status="RUNNING", count=_MOST):
            backend.executions.stop(machine, execution.name, CAUSE)
            stopped += 1
    return stopped


def resume(backend: HasControls, *, by: Who) -> None:
    """Let paid work go on, and open the links to results. Jobs must be asked for again; ingest starts builds again."""
    write_switch(backend.state, Switch(since=backend.now().timestamp(), by=by))
    set_links(backend)
