"""Ingest: new frames lead to builds, even if notifications are lost or repeated.

A notification or the schedule only causes a listing. A listing causes a build if it has stayed the same for some time.
Every step may be repeated, and may run several times at once.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tessera.tess.products import PRODUCTS
from tessera_cloud.application.ingest.ccds import (
    BuildSlots,
    CcdReport,
    IngestPorts,
    check_sector,
    list_sector,
)
from tessera_cloud.application.ingest.messages import Arrival, Check, Sweep, parse_message
from tessera_cloud.application.ingest.rules import CLOCK_SECONDS, Rest, until
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import FatalError, ObjectChangedError, TransientError
from tessera_cloud.ports import LONGEST_DELAY, StateStore

KIND = "sweep"
SETTLED_SECONDS = 23 * 3600.0
"""Time between two scheduled listings of a sector whose cubes are all built, in seconds."""
SCHEDULE_SECONDS = 3600.0
"""Time between two scheduled looks at all sectors, in seconds. See stacks/ingest.yaml."""
LATE_SECONDS = 3600.0
"""Delay after which the message of a due check counts as lost, in seconds."""
_ATTEMPTS = 10
_EARLY_SECONDS = 1.0
_AT_WORK = Rest("building")


class SweepState(Wire):
    """Times of listings of a sector; record of kind ``sweep``. Times are in seconds since 1970.

    Parameters
    ----------
    due : float
        Time of the next check, whose message has been sent; 0 for no check.
    begun : bool
        Whether the listing of that check has begun. Frames that arrive after that need another check.
    listed_at : float
        Time at which the last listing began.
    settled : bool
        Whether nothing was left to do after that listing.
    queued : bool
        Whether only builds that wait for others were left to do after that listing.
    """

    due: float = 0.0
    begun: bool = False
    listed_at: float = 0.0
    settled: bool = False
    queued: bool = False

    def covers(self, due: float, now: float) -> bool:
        """Whether a check that is already on its way begins a listing between `now` and `due`."""
        is_coming = now < self.due <= due
        is_about_to_come = not self.begun and now - LATE_SECONDS < self.due <= now
        return is_coming or is_about_to_come


def next_listing(sweep: Sweep, state: StateStore, now: float) -> float | None:
    """Latest time of the next listing of a sector, in seconds since 1970; None if the sector was never listed.

    A check that is on its way lists it, or else the schedule. Frames that arrive cause a listing before that.
    """
    item = state.get(KIND, str(sweep))
    record = SweepState.model_validate(item.value) if item else SweepState()
    if record.due > now:
        return record.due
    if not record.listed_at:
        return None
    rest = SETTLED_SECONDS if record.settled else 0.0
    return max(record.listed_at + rest + SCHEDULE_SECONDS, now)


@dataclass
class IngestLog:
    """Results of a batch, which a handler writes to the log.

    Parameters
    ----------
    junk : list of str
        Beginnings of messages that were dropped.
    checks_sent : int
        Number of checks that were sent.
    strays : dict
        Sweep to the keys of frames in wrong folders.
    reports : list of CcdReport
        One report per CCD that was checked.
    errors : list of str
        Errors whose messages will arrive again.
    """

    junk: list[str] = field(default_factory=list)
    checks_sent: int = 0
    listed: list[Sweep] = field(default_factory=list)
    strays: dict[Sweep, tuple[str, ...]] = field(default_factory=dict)
    reports: list[CcdReport] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def _read(sweep: Sweep, ports: IngestPorts) -> tuple[SweepState, int]:
    item = ports.state.get(KIND, str(sweep))
    return (SweepState.model_validate(item.value), item.version) if item else (SweepState(), 0)


def _send(check: Check, seconds: float, ports: IngestPorts) -> None:
    ports.queue.send(check.to_json(), delay_seconds=max(0, min(LONGEST_DELAY, math.ceil(seconds))))


def _write(sweep: Sweep, record: SweepState, version: int, ports: IngestPorts) -> None:
    """Write a record over the version that was read before."""
    ports.state.put(KIND, str(sweep), record.model_dump(), over=version)


def _ask(sweep: Sweep, record: SweepState, due: float, *, ports: IngestPorts, now: float) -> SweepState:
    """Send the message of a check, and return the record that names it.

    The message is sent before the record is written. A message that no record names is dropped when it arrives. But a
    record that names a lost message would keep other messages from being sent.
    """
    _send(Check(sweep, due), due - now, ports)
    return record.model_copy(update={"due": due, "begun": False})


def _gave_up(sweep: Sweep) -> TransientError:
    return TransientError(f"the record of sweep {sweep} changed {_ATTEMPTS} times while it was written")


def request_check(sweep: Sweep, due: float, *, ports: IngestPorts, now: float) -> bool:
    """Have a sector listed at a certain time, unless a check lists it earlier.

    Returns
    -------
    bool
        Whether a message was sent.
    """
    for _ in range(_ATTEMPTS):
        record, version = _read(sweep, ports)
        if record.covers(due, now) and not record.queued:
            return False
        asked = _ask(sweep, record, due, ports=ports, now=now)
        with suppress(ObjectChangedError):
            _write(sweep, asked.model_copy(update={"queued": False}), version, ports)
            return True
    raise _gave_up(sweep)


def _finish(sweep: Sweep, began: float, reports: list[CcdReport], *, ports: IngestPorts, now: float) -> None:
    """Record a listing, and send the next check if CCDs need one."""
    waits = [report.wait for report in reports if report.wait is not None]
    for _ in range(_ATTEMPTS):
        record, version = _read(sweep, ports)
        is_asked_for = record.due > now  # frames have arrived meanwhile
        after = record.model_copy(
            update={
                "due": record.due if is_asked_for else 0.0,
                "listed_at": max(began, until(record.listed_at, now)),
                "settled": all(isinstance(report.action, Rest) and report.action != _AT_WORK for report in reports),
                "queued": 0 < len(waits) == sum(report.queued for report in reports) and not is_asked_for,
            }
        )
        if waits and not after.covers(now + min(waits), now):
            after = _ask(sweep, after, now + min(waits), ports=ports, now=now)
        with suppress(ObjectChangedError):
            _write(sweep, after, version, ports)
            return
    raise _gave_up(sweep)


def _begins(sweep: Sweep, checks: list[Check], *, ports: IngestPorts, now: float) -> bool:
    """Whether one of some checks begins a listing now. If so, the record notes that the listing has begun."""
    for _ in range(_ATTEMPTS):
        record, version = _read(sweep, ports)
        wanted = [check for check in checks if check.due in (None, record.due)]
        if not wanted:
            return False  # another check will list the sector
        is_unconditional = any(check.due is None for check in wanted)
        is_early = record.due - now > _EARLY_SECONDS
        if is_early and not is_unconditional:
            _send(wanted[0], record.due - now, ports)
            return False
        is_full = record.queued and not is_unconditional and not BuildSlots(ports)
        if is_full:
            after = _ask(sweep, record, now + ports.pause, ports=ports, now=now)
        else:
            after = record.model_copy(update={"begun": not is_early})
        with suppress(ObjectChangedError):
            _write(sweep, after, version, ports)
            return not is_full
    raise _gave_up(sweep)


def run_sweep(
    sweep: Sweep, checks: list[Check], *, ports: IngestPorts, clock: Callable[[], float], log: IngestLog
) -> None:
    """List a sector if one of some checks is due, and act on the result.

    Errors of single CCDs are in their reports. Another check tries these CCDs again.
    """
    now = clock()
    if not _begins(sweep, checks, ports=ports, now=now):
        return
    listing = list_sector(sweep, ports=ports)
    log.listed.append(sweep)
    if listing.strays:
        log.strays[sweep] = listing.strays
    reports = list(check_sector(sweep, listing, ports=ports, now=now))
    log.reports += reports
    _finish(sweep, now, reports, ports=ports, now=clock())


def take_messages(
    messages: Mapping[str, object],
    *,
    ports: IngestPorts,
    clock: Callable[[], float],
    has_time: Callable[[], bool],
    log: IngestLog,
) -> list[str]:
    """Handle a batch of messages.

    Parameters
    ----------
    messages : mapping
        Message id to body.
    ports : IngestPorts
        Ports and settings.
    clock : callable
        Returns the current time, in seconds since 1970.
    has_time : callable
        Returns whether there is time for one more listing. If not, the remaining checks are sent again.
    log : IngestLog
        Results are added to it.

    Returns
    -------
    list of str
        Ids of messages that must arrive again.
    """
    hints: defaultdict[Sweep, list[str]] = defaultdict(list)
    checks: defaultdict[Sweep, list[tuple[str, Check]]] = defaultdict(list)
    for message_id, body in messages.items():
        arrival = _wanted(parse_message(body, ports.settings), ports)
        log.junk += arrival.junk
        for hint in arrival.hints:
            hints[hint].append(message_id)
        for check in arrival.checks:
            checks[check.sweep].append((message_id, check))
    failed: list[str] = []
    for sweep in sorted(hints):
        with _Failures(hints[sweep], failed, log):
            now = clock()
            log.checks_sent += request_check(sweep, now + ports.pause, ports=ports, now=now)
    for sweep in sorted(checks):
        with _Failures([message_id for message_id, _ in checks[sweep]], failed, log):
            if has_time():
                run_sweep(sweep, [check for _, check in checks[sweep]], ports=ports, clock=clock, log=log)
            else:
                for _, check in checks[sweep]:
                    _send(check, 0.0, ports)
    return list(dict.fromkeys(failed))


def _wanted(arrival: Arrival, ports: IngestPorts) -> Arrival:
    """Part of a message that concerns sectors that this stack builds."""
    wants = ports.settings.wants_sector
    return Arrival(
        tuple(check for check in arrival.checks if wants(check.sweep.sector)),
        frozenset(hint for hint in arrival.hints if wants(hint.sector)),
        arrival.junk,
    )


@dataclass
class _Failures:
    """Context that notes messages as failed if it ends with a transient or fatal error."""

    message_ids: list[str]
    failed: list[str]
    log: IngestLog

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, TransientError | FatalError):
            return False
        self.failed += self.message_ids
        self.log.errors.append(f"{type(error).__name__}: {error}")
        return True


def send_sweeps(*, ports: IngestPorts, now: float) -> list[Sweep]:
    """Send checks of all sectors that have frames. A settled sector gets one check a day.

    Returns
    -------
    list of Sweep
        Sectors that got a check.
    """
    records = {item.name: SweepState.model_validate(item.value) for item in ports.state.query(KIND)}
    settings, asked = ports.settings, []
    for product in PRODUCTS:
        for folder in ports.store.list_folders(settings.ffi_bucket, settings.frame_prefix(product)):
            sweep = Sweep.of_folder(product, folder)
            if sweep is None or not settings.wants_sector(sweep.sector):
                continue
            record = records.get(str(sweep), SweepState())
            if record.settled and -CLOCK_SECONDS < now - record.listed_at < SETTLED_SECONDS:
                continue
            _send(Check(sweep), 0.0, ports)
            asked.append(sweep)
    return asked
