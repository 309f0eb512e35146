"""What ingest knows of a CCD, and what it does next: pure rules, without I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tessera_cloud.application.builds.identity import build_id
from tessera_cloud.application.ingest.manifests import Change, Manifest
from tessera_cloud.contracts import Wire
from tessera_cloud.names import CubeId

KIND = "ccd"
"""Of the records of CCDs."""
MAX_ATTEMPTS = 3
"""Executions of a build that ingest starts for the same frames before it leaves the matter to an operator."""

BuildStatus: TypeAlias = Literal["none", "running", "published", "failed", "stopped"]
"""What became of the build of the frames that are listed now."""


class CcdState(Wire):
    """What the last listing of a CCD showed, and what was started; record of kind ``ccd``.

    Parameters
    ----------
    hash, previous_hash : str
        Of the frames that were listed last, and of those that were there before them.
    n_frames, total_bytes : int
        Of the frames that were listed last.
    first_seen, last_seen : float
        When a listing first and last showed just these frames; seconds since 1970.
    removed, replaced : int
        Frames that went, or came with other bytes, in the change to `hash`.
    built_hash : str
        Of the frames whose build was started last, or found published.
    execution : str
        Name of that build's execution; empty when it was not started by ingest.
    attempt : int
        Executions that were started for `hash`.
    published : bool
        The cube of `hash` is the one that is served.
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
    published: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Start:
    """Start an execution of the build, the first or a later one for these frames."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do until the frames change, and why.

    ``outdated`` is a listing that began before the one that was seen last.
    """

    reason: Literal["published", "building", "empty", "stopped", "gave up", "outdated"]


Action: TypeAlias = Wait | Start | Rest


def observe(previous: CcdState | None, manifest: Manifest, now: float, change: Change | None = None) -> CcdState:
    """State after a listing, before anything is done about it."""
    if previous and previous.hash == manifest.hash:
        return previous.model_copy(update={"last_seen": max(now, previous.last_seen)})
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
        "published": False,
    }
    return previous.model_copy(update=seen) if previous else CcdState.model_validate(seen)


def _resting(state: CcdState, build: BuildStatus) -> Rest | None:
    """Why nothing is to be done about frames without a cube; None when a build is wanted."""
    if state.n_frames == 0:
        return Rest("empty")
    if build == "running":
        return Rest("building")
    if build == "stopped":
        return Rest("stopped")
    return Rest("gave up") if build == "failed" and state.attempt >= MAX_ATTEMPTS else None


def decide(
    previous: CcdState | None,
    manifest: Manifest,
    now: float,
    stable_seconds: float,
    *,
    build: BuildStatus = "none",
    change: Change | None = None,
) -> tuple[CcdState, Action]:
    """What to remember of a listing of a CCD, and what to do.

    Frames are complete when listings have shown the same ones for some time; a count says nothing, as CCDs of one
    sector differ.

    Parameters
    ----------
    previous : CcdState or None
        What was remembered before.
    manifest : Manifest
        What is listed now.
    now : float
        When the listing began; seconds since 1970.
    stable_seconds : float
        How long the frames must have been the same before a build starts.
    build : BuildStatus
        What became of the build of just these frames.
    change : Change, optional
        From the frames before to these.
    """
    if previous and previous.last_seen > now and previous.hash != manifest.hash:
        return previous, Rest("outdated")
    state = observe(previous, manifest, now, change)
    if build == "published":
        return state.model_copy(update={"published": True, "built_hash": state.hash}), Rest("published")
    if rest := _resting(state, build):
        return state, rest
    remaining = state.first_seen + stable_seconds - now
    return state, Wait(remaining) if remaining > 0 else Start(state.attempt + 1)


def record_start(state: CcdState, execution: str, attempt: int) -> CcdState:
    """State after an execution was started, or found at work."""
    return state.model_copy(update={"built_hash": state.hash, "execution": execution, "attempt": attempt})


def execution_name(cube_id: CubeId, frames_hash: str, attempt: int) -> str:
    """Name of an execution: the same for the same frames, so that only one starts."""
    name = f"{cube_id}-{build_id(frames_hash)}"
    return name if attempt == 1 else f"{name}-{attempt}"
