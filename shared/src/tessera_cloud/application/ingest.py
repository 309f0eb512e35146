"""Ingest: frames that arrive lead to builds, whatever happens to the notifications that announce them.

A notification, or the schedule, only leads to a listing; a listing leads to a build when it has been the same for some
time. Every step may happen twice, and at the same time as itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tessera.products import PRODUCTS
from tessera_cloud.application.ingest_events import Arrival, Check, Sweep, parse_message, product_prefix
from tessera_cloud.application.ingest_state import Rest, Wait
from tessera_cloud.application.ingest_sweep import ROOM_SECONDS, CcdReport, IngestPorts, Room, check_sector, list_sector
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import FatalError, ObjectChangedError, TransientError
from tessera_cloud.ports import LONGEST_DELAY

KIND = "sweep"
SETTLED_SECONDS = 23 * 3600.0
"""Between two scheduled listings of a sector whose cubes are all made."""
_ATTEMPTS = 10
_EARLY_SECONDS = 1.0
_AT_WORK = Rest("building")


class SweepState(Wire):
    """When a sector is listed; record of kind ``sweep``.

    Parameters
    ----------
    due : float
        When the next check is due, for which a message is on its way; 0 for none. Seconds since 1970, as all times.
    listed_at : float
        When the last listing began.
    settled : bool
        That listing left nothing to be done.
    queued : bool
        It left builds that wait for others to end, and nothing else.
    """

    due: float = 0.0
    listed_at: float = 0.0
    settled: bool = False
    queued: bool = False


@dataclass
class IngestLog:
    """What happened; a handler writes it to the log.

    Parameters
    ----------
    junk : list of str
        Beginnings of messages that were dropped.
    checks_sent : int
        Listings that were asked for.
    strays : dict
        By sweep, keys of frames that lie in the wrong place.
    reports : list of CcdReport
        One per CCD that was checked.
    errors : list of str
        What will be tried again.
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


def request_check(sweep: Sweep, due: float, *, ports: IngestPorts, now: float) -> bool:
    """Have a sector listed at a time, unless it will be listed until then anyway.

    The message is sent before the record names it: a message that no record names is dropped when it arrives, while a
    record that names a lost message would keep others from being sent.

    Returns
    -------
    bool
        Whether a message was sent that the record names.
    """
    for _ in range(_ATTEMPTS):
        record, version = _read(sweep, ports)
        if now < record.due <= due:
            return False
        _send(Check(sweep, due), due - now, ports)
        try:
            ports.state.put(KIND, str(sweep), record.model_copy(update={"due": due}).model_dump(), over=version)
        except ObjectChangedError:
            continue
        return True
    raise TransientError(f"the record of sweep {sweep} changed {_ATTEMPTS} times while it was written")


def _finish(sweep: Sweep, began: float, reports: list[CcdReport], *, ports: IngestPorts, now: float) -> None:
    """Record a listing, and ask for the next one where CCDs wait for it."""
    waits = [report.action.seconds for report in reports if isinstance(report.action, Wait) and not report.error]
    queued = [report for report in reports if report.queued]
    for _ in range(_ATTEMPTS):
        record, version = _read(sweep, ports)
        update = {
            "due": 0.0 if record.due <= now else record.due,
            "listed_at": max(began, record.listed_at),
            "settled": all(isinstance(report.action, Rest) and report.action != _AT_WORK for report in reports),
            "queued": len(waits) == len(queued) > 0,
        }
        try:
            ports.state.put(KIND, str(sweep), record.model_copy(update=update).model_dump(), over=version)
            break
        except ObjectChangedError:
            continue
    if waits:
        request_check(sweep, now + min(waits), ports=ports, now=now)


def run_sweep(
    sweep: Sweep, checks: Iterable[Check], *, ports: IngestPorts, clock: Callable[[], float], log: IngestLog
) -> None:
    """List a sector where one of some messages wants it, and act on what is there.

    Raises
    ------
    TransientError, FatalError
        When something went wrong with a CCD, after all the others were checked.
    """
    now = clock()
    record, _ = _read(sweep, ports)
    wanted = [check for check in checks if check.due is None or check.due == record.due]
    if not wanted:
        return
    if all(check.due is not None and check.due - now > _EARLY_SECONDS for check in wanted):
        _send(wanted[0], record.due - now, ports)
        return
    if record.queued and all(check.due is not None for check in wanted) and not Room(ports):
        request_check(sweep, now + ROOM_SECONDS, ports=ports, now=now)
        return
    listing = list_sector(sweep, ports=ports)
    log.listed.append(sweep)
    if listing.strays:
        log.strays[sweep] = listing.strays
    reports = []
    for report in check_sector(sweep, listing, ports=ports, now=now):
        reports.append(report)
        log.reports.append(report)
    _finish(sweep, now, reports, ports=ports, now=clock())
    for report in reports:
        if report.error:
            raise report.error


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
    ports, clock
        The outside world; `clock` gives seconds since 1970.
    has_time : callable
        Whether there is time for one more listing; what is left is sent again.
    log : IngestLog
        Is filled.

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
    delay = min(LONGEST_DELAY, ports.settings.stable_seconds)
    for sweep in sorted(hints):
        with _Failures(hints[sweep], failed, log):
            log.checks_sent += request_check(sweep, clock() + delay, ports=ports, now=clock())
    for sweep in sorted(checks):
        with _Failures([message_id for message_id, _ in checks[sweep]], failed, log):
            if has_time():
                run_sweep(sweep, [check for _, check in checks[sweep]], ports=ports, clock=clock, log=log)
            else:
                for _, check in checks[sweep]:
                    _send(check, 0.0, ports)
    return list(dict.fromkeys(failed))


def _wanted(arrival: Arrival, ports: IngestPorts) -> Arrival:
    """What concerns the sectors that this stack builds."""
    wants = ports.settings.wants_sector
    return Arrival(
        tuple(check for check in arrival.checks if wants(check.sweep.sector)),
        frozenset(hint for hint in arrival.hints if wants(hint.sector)),
        arrival.junk,
    )


@dataclass
class _Failures:
    """Notes messages as failed when something goes wrong with them that may go well later."""

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
    """Ask for a listing of every sector that has frames; of those that are settled, once a day.

    Returns
    -------
    list of Sweep
        Those that were asked for.
    """
    records = {item.name: SweepState.model_validate(item.value) for item in ports.state.query(KIND)}
    settings, asked = ports.settings, []
    for product in PRODUCTS:
        for folder in ports.store.list_folders(settings.ffi_bucket, product_prefix(product, settings)):
            sweep = Sweep.of_folder(product, folder)
            if sweep is None or not settings.wants_sector(sweep.sector):
                continue
            record = records.get(str(sweep), SweepState())
            if record.settled and now - record.listed_at < SETTLED_SECONDS:
                continue
            _send(Check(sweep), 0.0, ports)
            asked.append(sweep)
    return asked
