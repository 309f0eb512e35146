"""Lists a sector once, and decides for each of its CCDs whether to start a build."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tessera.tess.ids import CcdId
from tessera_cloud import keys
from tessera_cloud.application.ingest.manifests import (
    Change,
    Manifest,
    SectorListing,
    compare,
    group_frames,
    parse_manifest,
)
from tessera_cloud.application.ingest.messages import Sweep
from tessera_cloud.application.ingest.rules import (
    KIND,
    Action,
    BuildStatus,
    CcdState,
    Rest,
    Start,
    Wait,
    decide,
    execution_name,
    record_start,
)
from tessera_cloud.application.switch import CAUSE, read_switch
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import FatalError, ObjectChangedError, ObjectMissingError, TransientError
from tessera_cloud.names import CubeId
from tessera_cloud.ports import LONGEST_DELAY, Documents, Execution, Executions, Queue, StateItem, StateStore
from tessera_cloud.settings import Settings

_ATTEMPTS = 10
_NAMES = 500
"""Names that are tried for an execution. Step Functions knows a name for 90 days, in which 400 may be interrupted."""
_STATUS: dict[str, BuildStatus] = {
    "RUNNING": "running",
    "PENDING_REDRIVE": "running",
    "ABORTED": "stopped",
    "TIMED_OUT": "interrupted",
}
_INTERRUPTIONS = frozenset({"Lambda.TooManyRequestsException", "UnfinishedBuildError"})
"""Errors of executions whose tasks found no room. CompleteUpload raises the second if blocks were left."""


@dataclass(frozen=True, slots=True)
class IngestPorts:
    """Ports and settings that ingest needs."""

    store: Documents
    state: StateStore
    queue: Queue
    executions: Executions
    settings: Settings

    @property
    def pause(self) -> float:
        """Seconds from a hint to the listing, and to the next attempt after an error or while too many builds run."""
        return min(LONGEST_DELAY, self.settings.stable_seconds)


class BuildSlots:
    """Number of builds that may still be started: none while the service is paused.

    The running builds are counted once, when that is needed. The switch is read each time: a sweep takes minutes.
    """

    def __init__(self, ports: IngestPorts) -> None:
        self._ports = ports

    @cached_property
    def _free(self) -> list[None]:
        settings = self._ports.settings
        machine, most = settings.cube_build_machine, settings.builds_at_once
        running = self._ports.executions.list_executions(machine, status="RUNNING", count=most)
        return [None] * (most - len(running))

    def __bool__(self) -> bool:
        return not read_switch(self._ports.state).paused and bool(self._free)

    def take(self) -> bool:
        """Reserve one of the free builds; False if there is none."""
        if self:
            self._free.pop()
            return True
        return False


@dataclass(frozen=True, slots=True)
class CcdReport:
    """Result of a sweep for one CCD.

    Parameters
    ----------
    cube_id : CubeId
        Cube of the CCD.
    action : Wait, Start or Rest
        Decision that was made and carried out.
    state : CcdState or None
        New content of the record; None after an error.
    change : Change or None
        Change since the frames before; None if the frames are the same, or the first ones.
    queued : bool
        Whether a build waits for others to end.
    error : Exception or None
        Error, if one was raised. The record is then unchanged, and the next sweep continues from it.
    """

    cube_id: CubeId
    action: Action
    state: CcdState | None
    change: Change | None = None
    queued: bool = False
    error: Exception | None = None

    @property
    def wait(self) -> float | None:
        """Seconds until the CCD must be checked again; None if only new frames can change the decision."""
        return self.action.seconds if isinstance(self.action, Wait) else None


def list_sector(sweep: Sweep, *, ports: IngestPorts) -> SectorListing:
    """List the frames of a sector once."""
    prefix = sweep.prefix(ports.settings)
    listed = ports.store.list_objects(ports.settings.ffi_bucket, f"{prefix}s{sweep.sector:04d}/")
    return group_frames(listed, prefix=prefix, product=sweep.product, sector=sweep.sector)


def _known_ccds(sweep: Sweep, state: StateStore) -> dict[CubeId, StateItem]:
    """Records of the CCDs of a sector, also of CCDs that have no frames any more."""
    prefix = str(CubeId(CcdId(sweep.sector, 1, 1), sweep.product)).removesuffix("1-1")
    return {CubeId.parse(item.name): item for item in state.query(KIND, prefix)}


def _published_build(cube_id: CubeId, ports: IngestPorts) -> tuple[str, bool]:
    """Build id of the cube that is current, empty if no cube of our own is current; and whether it is a growing one."""
    try:
        data, _ = ports.store.read(ports.settings.cube_bucket, keys.current(cube_id))
    except ObjectMissingError:
        return "", False
    cube = PublishedCube.model_validate_json(data)
    return cube.build_id, bool(cube.segments)


def _build_status(
    cube_id: CubeId, manifest: Manifest, previous: CcdState | None, ports: IngestPorts
) -> tuple[BuildStatus, float]:
    """Status of the build of these frames, and when it ended, in seconds since 1970; 0 if it has not.

    A published cube counts even if the record of the CCD was lost.
    """
    same = previous if previous and previous.hash == manifest.hash else None
    if same and same.published:
        return "published", 0.0
    started = same is not None and same.built_hash == manifest.hash
    machine = ports.settings.cube_build_machine
    execution = ports.executions.describe(machine, same.execution) if same and started else None
    current, grows = _published_build(cube_id, ports)  # after the execution: one that ended has published
    if current == manifest.build_id:
        if not grows:
            return "published", 0.0
        if not (same and started) or same.growing:
            return "grown", 0.0
    if not started:
        return "none", 0.0
    return _ended(execution, current) if execution else ("failed", 0.0)


def _ended(execution: Execution, current: str) -> tuple[BuildStatus, float]:
    """Status of a build whose cube is not current, and when its execution ended; 0 if it has not."""
    stopped = execution.stopped or 0.0
    if execution.status == "SUCCEEDED" and current:
        return "superseded", stopped
    paused = execution.status == "ABORTED" and execution.cause.startswith(CAUSE)
    if paused or (execution.status == "FAILED" and execution.error in _INTERRUPTIONS):
        return "interrupted", stopped
    return _STATUS.get(execution.status, "failed"), stopped


def _change(cube_id: CubeId, manifest: Manifest, previous: CcdState | None, ports: IngestPorts) -> Change | None:
    """Write the manifest of new frames, and compare it with the manifest of the frames before."""
    if previous and previous.hash == manifest.hash:
        return None
    bucket = ports.settings.cube_bucket
    ports.store.write(bucket, keys.ingest_manifest(cube_id, manifest.hash), manifest.to_json())
    if previous is None:
        return None
    try:
        data, _ = ports.store.read(bucket, keys.ingest_manifest(cube_id, previous.hash))
    except ObjectMissingError:
        return None
    return compare(parse_manifest(data), manifest)


def _forget(cube_id: CubeId, previous: CcdState | None, state: CcdState, ports: IngestPorts) -> None:
    """Delete manifests older than the last two."""
    old = previous.previous_hash if previous else ""
    if old and old not in (state.hash, state.previous_hash):
        ports.store.delete(ports.settings.cube_bucket, keys.ingest_manifest(cube_id, old))


def _start(cube_id: CubeId, state: CcdState, start: Start, ports: IngestPorts) -> CcdState:
    """Start an execution, or find one that another sweep has started. Returns the state that names it.

    Names of executions that have ended are skipped: the execution failed, or its cube has been replaced since.
    """
    machine, ccd_id = ports.settings.cube_build_machine, cube_id.ccd_id
    request = {"sector": ccd_id.sector, "camera": ccd_id.camera, "ccd": ccd_id.ccd, "product": cube_id.product}
    if start.grows:
        request["grow"] = True
    spared = start.spared
    for attempt in range(start.attempt, start.attempt + _NAMES):
        name = execution_name(cube_id, state.hash, attempt, grows=start.grows)
        is_new = ports.executions.start(machine, name, request)
        known = None if is_new else ports.executions.describe(machine, name)
        status = _ended(known, "")[0] if known else "running"
        if status == "running":
            return record_start(state, name, attempt, spared, growing=start.grows)
        spared += status == "interrupted"
    raise FatalError(f"{_NAMES} executions of the build of {cube_id}, {state.hash[:12]}, have ended without a cube")


def _carry_out(cube_id: CubeId, state: CcdState, version: int, start: Start, ports: IngestPorts) -> CcdState:
    """Start a build and record it. If another sweep changes the record first, it finds the execution by its name."""
    started = _start(cube_id, state, start, ports)
    try:
        ports.state.put(KIND, str(cube_id), started.model_dump(), over=version)
    except ObjectChangedError:
        return state
    return started


def check_ccd(
    cube_id: CubeId, manifest: Manifest, known: StateItem | None, *, ports: IngestPorts, now: float, slots: BuildSlots
) -> CcdReport:
    """Bring the record of a CCD up to date, and start a build if its frames are complete.

    Parameters
    ----------
    cube_id : CubeId
        Cube of the CCD.
    manifest : Manifest
        Frames of the CCD in the listing.
    known : StateItem or None
        Record of the CCD; None if there is none yet.
    ports : IngestPorts
        Ports and settings.
    now : float
        Time at which the listing began, in seconds since 1970.
    slots : BuildSlots
        Builds that may still be started.
    """
    for _ in range(_ATTEMPTS):
        previous = CcdState.model_validate(known.value) if known else None
        change = _change(cube_id, manifest, previous, ports)
        build, ended = _build_status(cube_id, manifest, previous, ports)
        times = {"stable_seconds": ports.settings.stable_seconds, "grow_seconds": ports.settings.grow_seconds}
        state, action = decide(previous, manifest, now, build=build, ended=ended, change=change, **times)
        if action == Rest("outdated"):
            return CcdReport(cube_id, action, state)
        try:
            version = ports.state.put(KIND, str(cube_id), state.model_dump(), over=known.version if known else 0)
        except ObjectChangedError:
            known = ports.state.get(KIND, str(cube_id))
            continue
        _forget(cube_id, previous, state, ports)
        if not isinstance(action, Start):
            return CcdReport(cube_id, action, state, change)
        if not slots.take():
            return CcdReport(cube_id, Wait(ports.pause), state, change, queued=True)
        return CcdReport(cube_id, action, _carry_out(cube_id, state, version, action, ports), change)
    raise TransientError(f"the state of {cube_id} changed {_ATTEMPTS} times while it was written")


def check_sector(sweep: Sweep, listing: SectorListing, *, ports: IngestPorts, now: float) -> Iterator[CcdReport]:
    """Check each CCD of a sector separately. An error of one CCD does not stop the others."""
    known = _known_ccds(sweep, ports.state)
    slots = BuildSlots(ports)
    for cube_id in sorted(known.keys() | listing.manifests.keys(), key=str):
        manifest = listing.manifests.get(cube_id) or Manifest.of(())
        try:
            yield check_ccd(cube_id, manifest, known.get(cube_id), ports=ports, now=now, slots=slots)
        except (TransientError, FatalError) as error:
            yield CcdReport(cube_id, Wait(ports.pause), None, error=error)
