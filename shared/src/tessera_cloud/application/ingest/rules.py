"""Rules of ingest: the state of a CCD, and the decision what to do next. They are pure and do no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tessera_cloud.application.builds.identity import build_id
from tessera_cloud.application.ingest.manifests import Change, Manifest
from tessera_cloud.contracts import Wire
from tessera_cloud.names import CubeId

KIND = "ccd"
"""Kind of the records of CCDs."""
MAX_ATTEMPTS = 3
"""Largest number of executions that ingest starts for the same frames. After that, an operator must act.

Executions that were interrupted do not count.
"""
FIRST_PAUSE = 900.0
"""Time from the end of an interrupted execution to the next one, in seconds. It doubles each time."""
LONGEST_PAUSE = 6 * 3600.0
"""Longest such time, in seconds."""

CLOCK_SECONDS = 3600.0
"""Longest time by which a recorded time may lie ahead, in seconds. Listings take minutes, so a later time is wrong."""

BuildStatus: TypeAlias = Literal[
    "none", "running", "grown", "published", "superseded", "failed", "interrupted", "stopped"
]
"""Status of the build of the frames that are listed now.

``grown`` means that a growing cube has exactly these frames, and no build of the whole cube has begun.

``superseded`` means that the build succeeded, but a cube of a later listing is current, such as that of an operator.
``interrupted`` means that the build ended because Lambda had no room for its tasks, or because it ran out of time, or
because the service was paused. The next execution goes on where it ended.
"""


class CcdState(Wire):
    """State of a CCD after its last listing; record of kind ``ccd``.

    Parameters
    ----------
    hash, previous_hash : str
        Hash of the frames in the last listing, and hash of the frames before the last change.
    n_frames, total_bytes : int
        Number and total size of the frames in the last listing.
    first_seen, last_seen : float
        Times of the first and the last listing with exactly these frames, in seconds since 1970.
    removed, replaced : int
        Numbers of frames that the last change removed, and that it replaced by other bytes.
    built_hash : str
        Hash of the frames whose build was started last, or was found published.
    execution : str
        Name of the execution of that build; empty if ingest did not start it.
    attempt : int
        Number of executions that were started for `hash`.
    spared : int
        Number of them that were interrupted and do not count as attempts.
    published : bool
        Whether the cube of `hash` is served.
    growing : bool
        Whether `execution` adds a segment to a growing cube. It and the others before it do not count for the build of
        the whole cube.
    """

    hash: str
    previous_hash: str = ""
    n_frames: int
    total_bytes: int
    first_seen: float
    last_seen: float
    removed: int = 0
    replaced: int = 0
    built_hash: str = ""
    execution: str = ""
    attempt: int = 0
    spared: int = 0
    published: bool = False
    growing: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Check the CCD again after some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Start:
    """Start an execution of the build, the first or another one for these frames.

    `spared` of the executions before do not count. With `grows`, the execution builds what the current cube lacks.
    """

    attempt: int
    spared: int = 0
    grows: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """Do nothing until the frames change, with the reason.

    ``outdated`` means that a later listing has been handled already.
    """

    reason: Literal["published", "superseded", "building", "empty", "stopped", "gave up", "outdated"]


Action: TypeAlias = Wait | Start | Rest


def until(time: float, now: float) -> float:
    """A recorded time; now, if the recorded time lies so far ahead that the clock must have been wrong."""
    return now if time > now + CLOCK_SECONDS else time


def observe(previous: CcdState | None, manifest: Manifest, now: float, change: Change | None = None) -> CcdState:
    """State after a listing, before any decision."""
    if previous and previous.hash == manifest.hash:
        times = {"first_seen": until(previous.first_seen, now), "last_seen": max(now, until(previous.last_seen, now))}
        return previous.model_copy(update=times)
    change = change or Change()
    seen = {
        "hash": manifest.hash,
        "previous_hash": previous.hash if previous else "",
        "n_frames": len(manifest.frames),
        "total_bytes": manifest.total_bytes,
        "first_seen": now,
        "last_seen": now,
        "removed": len(change.removed),
        "replaced": len(change.replaced),
        "attempt": 0,
        "spared": 0,
        "published": False,
        "growing": False,
    }
    return previous.model_copy(update=seen) if previous else CcdState.model_validate(seen)


def _resting(state: CcdState, build: BuildStatus) -> Rest | None:
    """Reason why no build is needed; None if one is needed."""
    if state.n_frames == 0:
        return Rest("empty")
    if build == "running":
        return Rest("building")
    if build in ("stopped", "superseded"):
        return Rest(build)
    return Rest("gave up") if build == "failed" and state.attempt - state.spared >= MAX_ATTEMPTS else None


def _next(state: CcdState, build: BuildStatus, ended: float, now: float, stable_seconds: float) -> Wait | Start:
    """Start an execution, or wait until the frames have stayed the same for long enough, and the last one has ended."""
    when, spared = state.first_seen + stable_seconds, state.spared
    if build == "interrupted":
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(spared, 10))
        when, spared = max(when, until(ended, now) + pause), spared + 1
    return Wait(when - now) if when > now else Start(state.attempt + 1, spared)


def _next_segment(
    state: CcdState, build: BuildStatus, ended: float, now: float, *, until_complete: float, grow_seconds: float
) -> Wait | Start | None:
    """Add a segment, or wait for the time of it; None if there will be none before the frames are complete.

    A segment that fails is tried again, and in the end left to the build of the whole cube.
    """
    if not grow_seconds or (state.attempt and not state.growing) or state.attempt >= MAX_ATTEMPTS:
        return None
    if build not in ("none", "failed", "interrupted"):
        return None
    when = state.first_seen + grow_seconds
    if build == "interrupted":
        when = max(when, until(ended, now) + FIRST_PAUSE)
    if max(when, now) >= until_complete:
        return None
    return Wait(when - now) if when > now else Start(state.attempt + 1, grows=True)


def decide(
    previous: CcdState | None,
    manifest: Manifest,
    now: float,
    stable_seconds: float,
    *,
    grow_seconds: float = 0.0,
    build: BuildStatus = "none",
    ended: float = 0.0,
    change: Change | None = None,
) -> tuple[CcdState, Action]:
    """Compute the new state of a CCD after a listing, and decide what to do.

    Frames are complete if listings have had the same frames for some time. Their number does not matter, because CCDs
    of one sector differ.

    Parameters
    ----------
    previous : CcdState or None
        State before the listing; None for a new CCD.
    manifest : Manifest
        Frames in the listing.
    now : float
        Time at which the listing began, in seconds since 1970.
    stable_seconds : float
        Time that the frames must have stayed the same before a build starts, in seconds.
    grow_seconds : float, optional
        The same before the current cube gets a segment; 0 for no segments.
    build : BuildStatus
        Status of the build of exactly these frames.
    ended : float
        Time at which an interrupted build ended, in seconds since 1970.
    change : Change, optional
        Change from the frames before to these.

    Returns
    -------
    tuple of (CcdState, Action)
        New state and decision.
    """
    if previous and until(previous.last_seen, now) > now and previous.hash != manifest.hash:
        return previous, Rest("outdated")
    state = observe(previous, manifest, now, change)
    if build == "published":
        return state.model_copy(update={"published": True, "built_hash": state.hash}), Rest("published")
    if state.n_frames and build != "running":
        complete = state.first_seen + stable_seconds
        segment = _next_segment(state, build, ended, now, until_complete=complete, grow_seconds=grow_seconds)
        if segment:
            return state, segment
        if state.growing or build == "grown":  # the whole cube is a build of its own
            return state, Wait(complete - now) if complete > now else Start(1)
    if rest := _resting(state, build):
        return state, rest
    return state, _next(state, build, ended, now, stable_seconds)


def record_start(state: CcdState, execution: str, attempt: int, spared: int = 0, *, growing: bool = False) -> CcdState:
    """State after an execution was started, or found running."""
    started = {"built_hash": state.hash, "execution": execution, "attempt": attempt, "spared": spared}
    return state.model_copy(update=started | {"growing": growing})


def execution_name(cube_id: CubeId, frames_hash: str, attempt: int, *, grows: bool = False) -> str:
    """Name of an execution. The same frames and attempt give the same name, so that only one execution starts."""
    name = f"{cube_id}-{build_id(frames_hash)}{'-grow' if grows else ''}"
    return name if attempt == 1 else f"{name}-{attempt}"
