"""What ingest decides about a CCD: rules that hold for every history of listings and builds."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tessera_cloud.application.ingest.manifests import Change, Manifest
from tessera_cloud.application.ingest.rules import (
    CLOCK_SECONDS,
    FIRST_PAUSE,
    MAX_ATTEMPTS,
    BuildStatus,
    CcdState,
    Rest,
    Start,
    Wait,
    decide,
    execution_name,
    record_start,
)
from tessera_cloud.names import CubeId
from tessera_cloud.ports import ObjectInfo

STABLE = 100.0
EMPTY = Manifest.of(())
MANIFESTS = [Manifest.of([ObjectInfo(f"frame-{number}", 1, "e") for number in range(n)]) for n in range(1, 4)]
ANY = [*MANIFESTS, EMPTY]


@dataclass(frozen=True)
class Listing:
    """A listing some seconds after the one before, and what became of the build of what it shows."""

    pause: float
    manifest: Manifest
    build: BuildStatus


BUILDS: list[BuildStatus] = ["none", "running", "published", "superseded", "failed", "interrupted", "stopped"]
listings = st.builds(
    Listing,
    pause=st.sampled_from([0.0, 1.0, STABLE / 2, STABLE, 5 * STABLE]),
    manifest=st.sampled_from(ANY),
    build=st.sampled_from(BUILDS),
)
histories = st.lists(listings, min_size=1, max_size=30)


@given(histories)
def test_a_build_starts_only_after_the_same_frames_were_seen_for_long_enough(history: list[Listing]) -> None:
    state, now, since, seen = None, 0.0, 0.0, ""
    for listing in history:
        now += listing.pause
        if listing.manifest.hash != seen:
            since, seen = now, listing.manifest.hash
        state, action = decide(state, listing.manifest, now, STABLE, build=listing.build)
        if isinstance(action, Start):
            assert now - since >= STABLE
            assert listing.build in ("none", "failed", "interrupted")
            assert listing.manifest.frames
            state = record_start(state, "name", action.attempt)
        elif isinstance(action, Wait):
            assert action.seconds > 0
            rested = FIRST_PAUSE if listing.build == "interrupted" else 0.0
            assert now + action.seconds == max(since + STABLE, rested)
        assert (state.hash, state.first_seen, state.last_seen) == (seen, since, now)


@given(histories)
def test_the_same_frames_are_tried_a_few_times_at_most(history: list[Listing]) -> None:
    state, now, starts, seen = None, 0.0, 0, ""
    for listing in history:
        now += listing.pause
        if listing.manifest.hash != seen:
            starts, seen = 0, listing.manifest.hash
        build: BuildStatus = "failed" if starts else listing.build
        state, action = decide(state, listing.manifest, now, STABLE, build=build)
        if isinstance(action, Start):
            starts += 1
            assert action.attempt == starts <= MAX_ATTEMPTS
            state = record_start(state, execution_name(CubeId.parse("s0001-1-1"), seen, action.attempt), starts)


@given(histories, st.sampled_from(MANIFESTS))
def test_frames_that_stay_are_built_whatever_was_before(history: list[Listing], manifest: Manifest) -> None:
    state, now = None, 0.0
    for listing in history:
        now += listing.pause
        state, _ = decide(state, listing.manifest, now, STABLE, build=listing.build)
    state, action = decide(state, manifest, now + 1, STABLE)
    if isinstance(action, Wait):
        state, action = decide(state, manifest, now + 1 + action.seconds, STABLE)
    assert action == Start(1)


@given(histories, st.sampled_from(ANY), st.sampled_from(BUILDS))
def test_deciding_again_changes_nothing(history: list[Listing], manifest: Manifest, build: BuildStatus) -> None:
    state, now = None, 0.0
    for listing in history:
        now += listing.pause
        state, _ = decide(state, listing.manifest, now, STABLE, build=listing.build)
    once = decide(state, manifest, now, STABLE, build=build)
    assert decide(once[0], manifest, now, STABLE, build=build) == once


@given(histories, st.sampled_from(ANY), st.floats(1.0, CLOCK_SECONDS))
def test_an_older_listing_of_other_frames_is_of_no_account(
    history: list[Listing], manifest: Manifest, age: float
) -> None:
    state, now = None, 1e7
    for listing in history:
        now += listing.pause
        state, _ = decide(state, listing.manifest, now, STABLE, build=listing.build)
    assert state is not None
    after, action = decide(state, manifest, now - age, STABLE)
    if manifest.hash == state.hash:
        assert after == state
    else:
        assert (after, action) == (state, Rest("outdated"))


@given(histories, st.sampled_from(MANIFESTS), st.floats(1e6, 1e9))
def test_times_that_lie_ahead_keep_no_frames_from_being_built(
    history: list[Listing], manifest: Manifest, ahead: float
) -> None:
    """The clock was wrong once; afterwards a new listing comes from a clock that is right."""
    state, now = None, 1e9
    for listing in history:
        now += listing.pause
        state, _ = decide(state, listing.manifest, now + ahead, STABLE, build=listing.build)
    state, action = decide(state, manifest, now, STABLE)
    if isinstance(action, Wait):
        assert action.seconds <= STABLE
        state, action = decide(state, manifest, now + STABLE, STABLE)
    assert isinstance(action, Start)
    assert state.last_seen <= now + STABLE


def test_a_build_that_succeeded_behind_a_later_one_is_not_repeated() -> None:
    state, _ = decide(None, MANIFESTS[0], 0.0, STABLE)
    state = record_start(state, "name", 1)
    for now in (STABLE, 10 * STABLE):
        state, action = decide(state, MANIFESTS[0], now, STABLE, build="superseded")
        assert action == Rest("superseded")
    assert (state.attempt, state.published) == (1, False)


@given(histories)
def test_states_survive_the_table(history: list[Listing]) -> None:
    state, now = None, 0.0
    for listing in history:
        now += listing.pause
        state, _ = decide(state, listing.manifest, now, STABLE, build=listing.build)
        assert CcdState.model_validate(state.model_dump()) == state


def test_what_is_published_is_remembered_without_a_start() -> None:
    state, action = decide(None, MANIFESTS[0], 5.0, STABLE, build="published")
    assert action == Rest("published")
    assert (state.published, state.built_hash, state.attempt) == (True, MANIFESTS[0].hash, 0)


def test_a_change_is_remembered_until_the_next() -> None:
    first, _ = decide(None, MANIFESTS[2], 0.0, STABLE)
    change = Change(added=("a",), removed=("b", "c"), replaced=("d",))
    second, _ = decide(first, MANIFESTS[1], 10.0, STABLE, change=change)
    third, _ = decide(second, MANIFESTS[1], 20.0, STABLE)
    assert (third.removed, third.replaced, third.previous_hash) == (2, 1, MANIFESTS[2].hash)
    fourth, _ = decide(third, MANIFESTS[2], 30.0, STABLE, change=Change(added=("b",)))
    assert (fourth.removed, fourth.replaced, fourth.previous_hash) == (0, 0, MANIFESTS[1].hash)


def test_new_frames_begin_a_new_count_of_attempts() -> None:
    state, _ = decide(None, MANIFESTS[0], 0.0, STABLE)
    state = record_start(state, "name", MAX_ATTEMPTS)
    _, action = decide(state, MANIFESTS[0], 2 * STABLE, STABLE, build="failed")
    assert action == Rest("gave up")
    state, _ = decide(state, MANIFESTS[1], 3 * STABLE, STABLE)
    assert decide(state, MANIFESTS[1], 4 * STABLE, STABLE)[1] == Start(1)


def test_a_start_is_remembered_with_all_that_was_before() -> None:
    state, _ = decide(None, MANIFESTS[1], 7.0, STABLE)
    assert state == CcdState(
        hash=MANIFESTS[1].hash, n_frames=2, total_bytes=2, first_seen=7.0, last_seen=7.0, attempt=0, published=False
    )
    started = record_start(state, "s0001-1-1-0123", 2)
    new = {"built_hash": state.hash, "execution": "s0001-1-1-0123", "attempt": 2}
    assert started == CcdState(**(state.model_dump() | new))


def test_other_frames_keep_what_is_known_of_the_last_build() -> None:
    state, _ = decide(None, MANIFESTS[0], 0.0, STABLE)
    state, _ = decide(record_start(state, "name", 1), MANIFESTS[0], 10.0, STABLE, build="published")
    assert state.published
    later, action = decide(state, MANIFESTS[2], 50.0, STABLE)
    assert action == Wait(STABLE)
    assert later == CcdState(
        hash=MANIFESTS[2].hash,
        previous_hash=MANIFESTS[0].hash,
        n_frames=3,
        total_bytes=3,
        first_seen=50.0,
        last_seen=50.0,
        built_hash=MANIFESTS[0].hash,
        execution="name",
    )


def test_the_rest_of_the_time_is_waited_for_to_the_end() -> None:
    state, _ = decide(None, MANIFESTS[0], 0.0, STABLE)
    assert decide(state, MANIFESTS[0], STABLE - 0.5, STABLE)[1] == Wait(0.5)
    assert decide(state, MANIFESTS[0], STABLE, STABLE)[1] == Start(1)


def test_every_reason_to_rest_is_told() -> None:
    def action(manifest: Manifest, build: BuildStatus, attempt: int = 0) -> object:
        state, _ = decide(None, manifest, 0.0, STABLE)
        return decide(record_start(state, "name", attempt), manifest, STABLE, STABLE, build=build)[1]

    assert action(EMPTY, "none") == Rest("empty")
    assert action(EMPTY, "published") == Rest("published")
    assert action(MANIFESTS[0], "running") == Rest("building")
    assert action(MANIFESTS[0], "stopped") == Rest("stopped")
    assert action(MANIFESTS[0], "failed", 3) == Rest("gave up")
    assert action(MANIFESTS[0], "failed", 4) == Rest("gave up")
    assert action(MANIFESTS[0], "failed", 2) == Start(3)
    assert action(MANIFESTS[0], "none", 3) == Start(4)


def test_a_listing_that_began_at_the_same_time_is_no_older_one() -> None:
    state, _ = decide(None, MANIFESTS[0], 10.0, STABLE)
    assert decide(state, MANIFESTS[1], 10.0, STABLE)[0].hash == MANIFESTS[1].hash
    assert decide(state, MANIFESTS[1], 9.5, STABLE) == (state, Rest("outdated"))
    assert decide(state, MANIFESTS[0], 9.5, STABLE)[0].last_seen == 10.0
    assert decide(state, MANIFESTS[0], 10.5, STABLE)[0].last_seen == 10.5


def test_names_of_executions_are_those_of_cube_and_build_and_fit() -> None:
    cube_id, frames_hash = CubeId.parse("tica-s0027-1-4"), "0123456789abcdef" * 4
    assert execution_name(cube_id, frames_hash, 1) == "tica-s0027-1-4-0123456789ab"
    assert execution_name(cube_id, frames_hash, 12) == "tica-s0027-1-4-0123456789ab-12"
