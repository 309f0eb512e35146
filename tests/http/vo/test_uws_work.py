"""What UWS jobs do when many things happen at once, when functions die, and when something is missing."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import ValidationError

from tessera_cloud import keys
from tessera_cloud.application import results
from tessera_cloud.application.switch import pause, resume
from tessera_cloud.application.vo.uws.records import change_uws, find_uws, list_uws
from tessera_cloud.application.vo.uws.watch import read_watched
from tessera_cloud.errors import TransientError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.http.test_jobs import cube_key
from tests.support.api import JOBS as MACHINE
from tests.support.api import Api
from tests.support.builds import SETTINGS
from tests.support.image_service import IMAGE_SETTINGS, MOSAIC
from tests.support.uws import BESIDE, CIRCLE, CUBES, JOBS, WHOLE, HookedState, Uws


@pytest.fixture
def uws(api: Api) -> Uws:
    return Uws(api)


def hooked(api: Api) -> HookedState:
    """Records of an API that has not been used yet, with a hook."""
    api.handlers.state = HookedState()
    return api.handlers.state


# ---------------------------------------------------------------- shared work


def test_an_abort_leaves_the_same_work_to_another_client(uws: Uws) -> None:
    other = Uws(uws.api, "198.51.100.7")
    mine, theirs = uws.make(**WHOLE, PHASE="RUN"), other.make(**WHOLE, PHASE="RUN")
    assert len(uws.api.running_jobs()) == 1
    uws.abort(mine)
    assert (uws.phase(mine), other.phase(theirs)) == ("ABORTED", "EXECUTING")
    uws.api.run_jobs()
    assert (uws.phase(mine), other.phase(theirs), len(other.files(theirs))) == ("ABORTED", "COMPLETED", 2)


@pytest.mark.parametrize("address", ["127.0.0.1", "198.51.100.7"])
def test_the_work_stops_when_nobody_wants_it(uws: Uws, address: str) -> None:
    other = Uws(uws.api, address)
    mine, theirs = uws.make(**WHOLE, PHASE="RUN"), other.make(**WHOLE, PHASE="RUN")
    uws.delete(mine)
    assert (other.phase(theirs), len(uws.api.running_jobs())) == ("EXECUTING", 1)
    other.abort(theirs)
    assert uws.api.running_jobs() == []


def test_work_that_is_done_is_not_done_again(uws: Uws) -> None:
    uws.make(**WHOLE, PHASE="RUN")
    uws.api.run_jobs()
    again = uws.make(**WHOLE, PHASE="RUN")
    assert (uws.phase(again), len(uws.files(again)), uws.api.running_jobs()) == ("COMPLETED", 2, [])


def test_a_job_waits_in_the_queue_until_there_is_room(uws: Uws) -> None:
    services = uws.api.handlers.services
    uws.api.handlers.services = dataclasses.replace(
        services, settings=dataclasses.replace(services.settings, client_jobs=1)
    )
    first = uws.make(**WHOLE, PHASE="RUN")
    second = uws.make(ID=CUBES[0], CIRCLE=CIRCLE, PHASE="RUN")
    assert (uws.phase(first), uws.phase(second)) == ("EXECUTING", "QUEUED")
    uws.api.run_jobs()
    uws.api.sweep_jobs()
    assert (uws.phase(first), uws.phase(second)) == ("COMPLETED", "EXECUTING")


# ---------------------------------------------------------------- functions that die, and races


@pytest.mark.parametrize("at", range(1, 8))
def test_a_job_whose_function_dies_at_any_write_can_be_brought_to_its_end(api: Api, at: int) -> None:
    state, uws = hooked(api), Uws(api)
    job = uws.make(**WHOLE)

    def die(kind: str, name: str) -> None:
        raise TransientError("the function died")

    state.n_writes, state.at, state.before = 0, at, die
    uws.run(job)
    assert state.n_writes >= at
    uws.api.sweep_jobs()
    if uws.phase(job) == "PENDING":
        uws.run(job)
    uws.later(61)
    uws.api.sweep_jobs()
    uws.api.run_jobs()
    assert (uws.phase(job), len(uws.files(job))) == ("COMPLETED", 2)


@pytest.mark.parametrize("delete", [True, False])
@pytest.mark.parametrize("at", range(1, 8))
def test_nothing_runs_after_an_abort_at_any_moment_of_a_start(api: Api, at: int, delete: bool) -> None:
    state, uws = hooked(api), Uws(api)
    job = uws.make(**WHOLE)

    def stop(kind: str, name: str) -> None:
        uws.delete(job) if delete else uws.abort(job)

    state.n_writes, state.at, state.before = 0, at, stop
    uws.run(job)
    assert state.n_writes >= at
    uws.later(61)
    uws.api.sweep_jobs()
    assert uws.api.running_jobs() == []
    if not delete:
        assert uws.phase(job) == "ABORTED"
    assert read_watched(state).jobs == ()


@pytest.mark.parametrize("at", range(1, 5))
def test_nothing_runs_after_an_abort_that_dies(api: Api, at: int) -> None:
    state, uws = hooked(api), Uws(api)
    job = uws.make(**WHOLE, PHASE="RUN")

    def die(kind: str, name: str) -> None:
        raise TransientError("the function died")

    state.n_writes, state.at, state.before = 0, at, die
    uws.abort(job)
    if uws.phase(job) != "ABORTED":  # it died before it had written anything
        uws.abort(job)
    uws.api.sweep_jobs()
    uws.api.sweep_jobs()
    assert (uws.phase(job), uws.api.running_jobs()) == ("ABORTED", [])


def test_two_starts_at_once_are_one(api: Api) -> None:
    state, uws = hooked(api), Uws(api)
    job = uws.make(**WHOLE)

    def start(kind: str, name: str) -> None:
        assert uws.run(job).status == 303

    state.n_writes, state.at, state.before = 0, 2, start
    assert uws.run(job).status == 303
    assert (uws.phase(job), len(uws.api.running_jobs())) == ("EXECUTING", 1)
    uws.abort(job)
    assert uws.api.running_jobs() == []


def test_a_job_that_was_aborted_is_looked_after_for_a_minute(uws: Uws) -> None:
    state = uws.api.handlers.state
    uws.abort(uws.make(**WHOLE, PHASE="RUN"))
    uws.api.sweep_jobs()
    assert len(read_watched(state).jobs) == 1
    uws.later(61)
    uws.api.sweep_jobs()
    assert read_watched(state).jobs == ()


def test_a_job_that_has_ended_needs_nobody_once_that_is_known(uws: Uws) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    uws.api.run_jobs()
    uws.api.sweep_jobs()
    assert read_watched(uws.api.handlers.state).jobs == ()
    assert uws.phase(job) == "COMPLETED"


def test_a_job_that_cannot_be_looked_after_keeps_no_other_waiting(uws: Uws) -> None:
    state = uws.api.handlers.state
    uws.make(ID=CUBES[0], CIRCLE=CIRCLE, PHASE="RUN")
    broken, late = read_watched(state).jobs[0].name, uws.make(**WHOLE, PHASE="RUN")
    uws.send(f"{late}/executionduration", EXECUTIONDURATION="10")
    known = state.get("uws", broken)
    assert known is not None
    state.put("uws", broken, {"parts": "broken"}, over=known.version)
    uws.later(11)
    with pytest.raises(ValidationError):
        uws.api.sweep_jobs()
    assert uws.phase(late) == "ABORTED"


def test_a_job_that_cannot_be_started_for_a_defect_is_not_left(filled: MemoryStore) -> None:
    index = (SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX)
    uws = Uws(Api(MemoryStore(objects={**filled.objects, index: b"broken"})))
    assert uws.send("", **WHOLE, PHASE="RUN").status == 500
    assert uws.listed() == []


# ---------------------------------------------------------------- what is missing


def test_a_damaged_cube_leaves_a_text_and_the_other_files(uws: Uws) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    del uws.api.store.objects[SETTINGS.cube_bucket, cube_key(uws.api, 1)]
    uws.api.run_jobs()
    assert (uws.phase(job), len(uws.files(job))) == ("COMPLETED", 1)
    (text,) = uws.texts(job)
    assert text.startswith("Error: ")
    note = uws.show(job).find("{*}jobInfo/{*}note")
    assert note is not None
    assert str(note.text).startswith(f"incomplete: {CUBES[0]}: ")


def test_a_job_without_any_file_has_failed(uws: Uws) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    for sector in (1, 2):
        del uws.api.store.objects[SETTINGS.cube_bucket, cube_key(uws.api, sector)]
    uws.api.run_jobs()
    assert (uws.phase(job), uws.files(job), len(uws.texts(job))) == ("ERROR", [], 2)
    assert uws.read(f"{job}/error").startswith(f"Error: {CUBES[0]}: ")


def test_work_that_was_stopped_is_an_error_that_may_pass(uws: Uws) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    (name,) = uws.api.running_jobs()
    uws.api.handlers.executions.end(MACHINE, name, "TIMED_OUT")
    uws.api.sweep_jobs()
    assert (uws.phase(job), uws.read(f"{job}/error")) == ("ERROR", "ServiceUnavailable: the job took too long\n")
    summary = uws.show(job).find("{*}errorSummary")
    assert summary is not None
    assert summary.get("type") == "transient"


def test_a_result_that_has_expired_is_missing_in_a_sentence(uws: Uws) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    uws.api.run_jobs()
    (name, _) = uws.files(job)
    for bucket, key in [each for each in uws.api.store.objects if each[1].endswith(name)]:
        del uws.api.store.objects[bucket, key]
    answer = uws.api.get(f"{JOBS}{job}/results/{name}")
    assert answer.status == 404
    assert answer.content.decode().startswith(
        f"UsageError: there is no result '{name}'; allowed: results that have not"
    )


def test_a_job_is_kept_no_longer_than_its_results(uws: Uws) -> None:
    uws.make(**WHOLE, PHASE="RUN")
    uws.api.run_jobs()
    uws.later(3600)
    again = uws.make(**WHOLE, PHASE="RUN")
    assert uws.read(f"{again}/destruction") == "2026-11-21T12:00:00.000Z"
    uws.send(f"{again}/destruction", DESTRUCTION="2026-11-25T00:00:00Z")
    assert uws.read(f"{again}/destruction") == "2026-11-21T12:00:00.000Z"


def test_a_phase_of_a_later_release_is_unknown_and_stays(uws: Uws) -> None:
    job = uws.make(**WHOLE)
    services = uws.api.handlers.services
    found = find_uws(job[1:], services)
    change_uws(found.name, services.state, lambda known: known.changed(phase="FROZEN", colour="blue"))
    assert uws.value(job, "phase") == "UNKNOWN"
    uws.send(f"{job}/destruction", DESTRUCTION="2026-11-20T13:00:00Z")
    (kept,) = list_uws(found.owner, services)
    assert (kept.phase, kept.model_extra) == ("FROZEN", {"colour": "blue"})


# ---------------------------------------------------------------- limits


def test_a_paused_service_starts_nothing_and_answers_the_rest(uws: Uws) -> None:
    job = uws.make(**WHOLE)
    pause(uws.api.handlers.services, reason="the budget is spent", by="budget")
    for answer in (uws.run(job), uws.send("", **WHOLE, PHASE="RUN")):
        assert (answer.status, answer.headers["retry-after"]) == (503, "600")
        assert "the budget is spent" in answer.content.decode()
    assert uws.listed() == [job]
    assert uws.phase(job) == "PENDING"
    assert uws.delete(job).status == 303
    resume(uws.api.handlers.services, by="operator")
    uws.later(5)  # a process uses what it has read of the switch so long
    assert uws.run(uws.make(**WHOLE)).status == 303


def test_records_of_jobs_that_are_gone_are_erased(uws: Uws) -> None:
    state = uws.api.handlers.state
    for _ in range(5):
        uws.delete(uws.make(**WHOLE))
    uws.send(f"{uws.make(**WHOLE)}/destruction", DESTRUCTION="0001-01-01")
    uws.delete(uws.make(**WHOLE, PHASE="RUN"))
    names = [item.name for item in state.query("uws") if "/" in item.name]
    assert len(names) == 1  # that of the job that ran, whose work somebody may still begin
    uws.later(601)
    job = uws.make(**WHOLE)
    assert sorted(item.name.rpartition("/")[2] for item in state.query("uws")) == sorted([job[1:], job[1:], "watched"])


def test_a_time_of_destruction_of_long_ago_is_no_time_at_which_a_record_stays(uws: Uws) -> None:
    uws.send(f"{uws.make(**WHOLE)}/destruction", DESTRUCTION="0001-01-01")
    ends = [expires for (kind, _), (_, _, expires) in uws.api.handlers.state.records.items() if kind == "uws"]
    assert min(expires or 0.0 for expires in ends) == uws.api.handlers.clock().timestamp() + 3600


def test_a_client_has_a_limited_number_of_characters(uws: Uws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.vo.uws.records.MOST_TEXT", 5)
    uws.make(ID="xyz")
    answer = uws.send("", ID="x")
    assert answer.status == 429
    assert "you have 5 characters of parameters; allowed: at most 5; run or delete a job" in answer.content.decode()


def test_a_client_has_a_limited_number_of_pending_jobs(uws: Uws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.vo.uws.records.MOST_PENDING", 2)
    for _ in range(2):
        uws.make(ID="x")
    answer = uws.send("", ID="x")
    assert (answer.status, answer.headers["retry-after"]) == (429, "60")
    assert "you have 2 jobs in phase PENDING; allowed: at most 2" in answer.content.decode()
    uws.delete(uws.made[0])
    assert uws.send("", ID="x").status == 303


def test_a_client_has_a_limited_number_of_running_jobs(uws: Uws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.vo.uws.watch.MOST_RUNNING", 2)
    for _ in range(2):
        uws.make(**WHOLE, PHASE="RUN")
    before = uws.listed()
    assert uws.send("", **WHOLE, PHASE="RUN").status == 429
    assert uws.listed() == before
    job = uws.make(**WHOLE)
    assert uws.run(job).status == 429
    assert uws.phase(job) == "PENDING"


# ---------------------------------------------------------------- images


def test_images_are_cut_at_once(images: MemoryStore) -> None:
    api = Api(MemoryStore(objects=dict(images.objects)), IMAGE_SETTINGS)
    uws = Uws(api)
    name = f"ivo://tessera/images/hst?images/files/{MOSAIC}"
    job = uws.make(ID=name, CIRCLE=["266.4 -28.93 0.01", BESIDE], PHASE="RUN")
    assert uws.phase(job) == "COMPLETED"
    (result,) = [each for each in uws.results(job).values() if each.status == 303]
    key = result.location.removeprefix("https://results.example/").partition("?")[0]
    assert api.store.objects[SETTINGS.result_bucket, key].startswith(b"SIMPLE")
    assert [text[:10] for text in uws.texts(job)] == ["UsageError"]


def test_a_large_cutout_of_an_image_that_is_found_again_has_its_size(
    images: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "INLINE_LIMIT", 20_000)
    uws = Uws(Api(MemoryStore(objects=dict(images.objects)), IMAGE_SETTINGS))
    order = {"ID": "ivo://tessera/images/2mass?galactic/gc_2mass_k.fits", "CIRCLE": "266.4 -28.93 3", "PHASE": "RUN"}
    sizes = [each.get("size") for _ in range(2) for each in uws.show(f"{uws.make(**order)}/results")]
    assert len(sizes) == 2
    assert int(sizes[0] or 0) > 20_000
    assert sizes[0] == sizes[1]
