"""UWS 1.1 as its clients see it: the list, a job and all below it, in every phase."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from vo_models.uws.models import ErrorSummary

from tessera_cloud.application.jobs.waiting import UNRESERVED, held
from tessera_cloud.application.switch import pause
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import Api
from tests.support.builds import SETTINGS
from tests.support.uws import BESIDE, CIRCLE, CUBES, JOBS, WHOLE, Uws

_UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


@pytest.fixture
def uws(api: Api, monkeypatch: pytest.MonkeyPatch) -> Uws:
    monkeypatch.setattr("tessera_cloud.http.vo.uws.job_routes.POLL_SECONDS", 0.01)
    return Uws(api)


@pytest.fixture(scope="module")
def calm(filled: MemoryStore) -> Uws:
    """A client of an API of which nothing runs, for all requests that change nothing."""
    return Uws(Api(MemoryStore(objects=dict(filled.objects))))


def test_a_new_job_is_pending_and_shows_what_was_asked_for(uws: Uws) -> None:
    job = uws.make(**WHOLE, runid="survey")
    document = uws.show(job)
    assert document.get("version") == "1.1"
    assert [each.tag.removeprefix(_UWS) for each in document] == [
        "jobId", "runId", "ownerId", "phase", "quote", "creationTime", "startTime", "endTime", "executionDuration",
        "destruction", "parameters", "results",
    ]  # fmt: skip
    nil = [each.tag.removeprefix(_UWS) for each in document if each.get(_NIL) == "true"]
    assert nil == ["ownerId", "quote", "startTime", "endTime"]
    assert uws.value(job, "phase") == "PENDING"
    assert uws.value(job, "runId") == "survey"
    assert uws.value(job, "creationTime") == "2026-11-20T12:00:00.000Z"
    assert uws.value(job, "destruction") == "2026-11-21T12:00:00.000Z"
    given = [(each.get("id"), each.text) for each in uws.show(f"{job}/parameters")]
    assert given == [("ID", CUBES[0]), ("ID", CUBES[1]), ("CIRCLE", CIRCLE)]


def test_a_job_runs_and_its_links_lead_to_its_files(uws: Uws) -> None:
    job = uws.make(**WHOLE)
    answer = uws.run(job)
    assert (answer.status, answer.location.endswith(job)) == (303, True)
    assert uws.phase(job) == "EXECUTING"
    progress = uws.show(job).find(f"{_UWS}jobInfo")
    assert progress is not None
    assert dict(progress[0].attrib) == {"cubes": "2", "files": "0"}
    uws.api.run_jobs()
    assert uws.phase(job) == "COMPLETED"
    results = list(uws.show(f"{job}/results"))
    for result, (name, answer) in zip(results, uws.results(job).items(), strict=True):
        key = answer.location.removeprefix("https://results.example/").partition("?")[0]
        data = uws.api.store.objects[SETTINGS.result_bucket, key]
        assert (result.get("mime-type"), int(str(result.get("size")))) == ("application/fits", len(data))
        assert data.startswith(b"SIMPLE")
        assert name.endswith(".fits")
        assert answer.location.endswith(f"name={name}&type=application/fits")
    assert [name[:14] for name in uws.files(job)] == list(CUBES)


def test_a_job_that_is_made_with_run_runs(uws: Uws) -> None:
    assert uws.phase(uws.make(**WHOLE, PHASE="RUN")) == "EXECUTING"


@pytest.mark.parametrize("path", ["", "/phase", "/executionduration", "/destruction", "/quote", "/owner", "/error",
                                  "/results", "/parameters"])  # fmt: skip
def test_every_resource_of_an_unknown_job_is_missing_in_a_sentence(calm: Uws, path: str) -> None:
    answer = calm.api.get(f"{JOBS}/{'0' * 32}{path}")
    assert answer.status == 404
    assert answer.content.decode().startswith(f"UsageError: there is no job '{'0' * 32}'; allowed: ")


def test_what_is_not_known_is_empty(calm: Uws) -> None:
    job = calm.make(**WHOLE)
    assert [calm.read(f"{job}/{name}") for name in ("quote", "owner")] == ["", ""]


def test_a_job_that_has_not_failed_has_no_error(calm: Uws) -> None:
    answer = calm.api.get(f"{JOBS}{calm.make(**WHOLE)}/error")
    assert answer.status == 404
    assert answer.content.decode().startswith("UsageError: the job has no error, because its phase is PENDING")


def test_wrong_parameters_make_a_job_fail_in_a_sentence(uws: Uws) -> None:
    job = uws.make(ID=CUBES[0], CIRCLE="here", PHASE="RUN")
    assert uws.phase(job) == "ERROR"
    assert uws.read(f"{job}/error").startswith("UsageError: CIRCLE is 'here'; allowed: ")
    summary = uws.show(job).find(f"{_UWS}errorSummary")
    assert summary is not None
    assert dict(summary.attrib) == {"type": "fatal", "hasDetail": "true"}
    assert ErrorSummary.model_fields.keys() == {"message", "type", "has_detail"}
    assert None not in (uws.value(job, "startTime"), uws.value(job, "endTime"))


def test_a_combination_without_pixels_is_told_by_a_text(uws: Uws) -> None:
    job = uws.make(ID=CUBES, CIRCLE=[CIRCLE, BESIDE], PHASE="RUN")
    uws.api.run_jobs()
    assert uws.phase(job) == "COMPLETED"
    assert len(uws.files(job)) == 2
    assert [text.partition(" in ")[0] for text in uws.texts(job)] == [
        f"UsageError: {cube} has no pixels" for cube in CUBES
    ]


def test_a_cube_without_cadences_then_is_told_by_a_text(uws: Uws) -> None:
    job = uws.make(ID=CUBES, CIRCLE=CIRCLE, TIME="58354 58360", PHASE="RUN")
    uws.api.run_jobs()
    assert (uws.phase(job), len(uws.files(job)), len(uws.texts(job))) == ("COMPLETED", 1, 1)


# ---------------------------------------------------------------- changes


@pytest.mark.parametrize("path", ["", "/parameters"])
def test_parameters_change_only_while_a_job_is_pending(uws: Uws, path: str) -> None:
    job = uws.make(ID=CUBES, CIRCLE=BESIDE)
    assert uws.send(job + path, circle=CIRCLE).status == 303
    given = [(each.get("id"), each.text) for each in uws.show(f"{job}/parameters")]
    assert given == [("ID", CUBES[0]), ("ID", CUBES[1]), ("CIRCLE", CIRCLE)]
    uws.run(job)
    answer = uws.send(job + path, CIRCLE=BESIDE)
    assert answer.status == 409
    assert answer.content.decode().startswith("UsageError: the phase of the job is EXECUTING")


def test_changes_may_not_make_parameters_too_long(calm: Uws) -> None:
    job = calm.make(ID="x" * 15_000)
    answer = calm.send(f"{job}/parameters", TARGET="y" * 15_000)
    assert answer.status == 400
    assert answer.content.decode().startswith("UsageError: all parameters together have 30,008 characters; allowed: at")
    assert calm.send(f"{job}/parameters", ID="y" * 15_000).status == 303


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("2026-11-20T13:00:00.5Z", "2026-11-20T13:00:00.500Z"),
        ("2026-11-22", "2026-11-22T00:00:00.000Z"),
        ("2036-01-01T00:00:00", "2026-11-27T12:00:00.000Z"),
    ],
)
def test_the_destruction_is_as_wanted_or_as_late_as_is_allowed(calm: Uws, wanted: str, got: str) -> None:
    job = calm.make(**WHOLE)
    assert calm.send(f"{job}/destruction", DESTRUCTION=wanted).status == 303
    assert calm.read(f"{job}/destruction") == got


def test_a_job_is_gone_after_its_destruction_and_stops(uws: Uws) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    uws.send(f"{job}/destruction", DESTRUCTION="2026-11-20T12:00:30Z")
    uws.later(31)
    assert uws.api.get(JOBS + job).status == 404
    assert uws.listed() == []
    uws.api.sweep_jobs()
    assert uws.api.running_jobs() == []


@pytest.mark.parametrize(("wanted", "got"), [("100", "100"), ("0", "21600"), ("999999", "21600")])
def test_the_execution_duration_is_as_wanted_or_as_long_as_is_allowed(calm: Uws, wanted: str, got: str) -> None:
    job = calm.make(**WHOLE)
    assert calm.send(f"{job}/executionduration", EXECUTIONDURATION=wanted).status == 303
    assert calm.read(f"{job}/executionduration") == got


@pytest.mark.parametrize("seen", [True, False])
def test_a_job_that_runs_too_long_is_aborted_by_who_looks_or_by_the_sweep(uws: Uws, seen: bool) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    uws.send(f"{job}/executionduration", EXECUTIONDURATION="10")
    uws.later(11)
    if not seen:
        uws.api.sweep_jobs()
        assert uws.api.running_jobs() == []
    assert uws.phase(job) == "ABORTED"
    assert uws.api.running_jobs() == []
    assert uws.read(f"{job}/error") == "Error: it ran for more than 10 seconds, its execution duration\n"


def test_a_pending_job_can_be_aborted_and_not_started_again(uws: Uws) -> None:
    job = uws.make(**WHOLE)
    assert [uws.abort(job).status, uws.abort(job).status] == [303, 303]
    assert uws.phase(job) == "ABORTED"
    assert uws.value(job, "endTime") is not None
    answer = uws.run(job)
    assert answer.status == 409
    assert answer.content.decode().startswith("UsageError: the phase of the job is ABORTED, and it can be started only")


def test_an_abort_stops_the_work(uws: Uws) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    assert uws.abort(job).status == 303
    assert (uws.phase(job), uws.api.running_jobs()) == ("ABORTED", [])


def test_a_job_that_has_ended_is_neither_started_nor_aborted(uws: Uws) -> None:
    job = uws.make(ID=CUBES[0], CIRCLE=BESIDE, PHASE="RUN")
    assert uws.phase(job) == "COMPLETED"
    assert [uws.run(job).status, uws.abort(job).status] == [409, 409]
    assert uws.phase(job) == "COMPLETED"


def test_a_job_that_runs_may_be_started_again_without_effect(uws: Uws) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    assert (uws.run(job).status, len(uws.api.running_jobs())) == (303, 1)


@pytest.mark.parametrize("by_form", [True, False])
def test_a_deleted_job_stops_and_is_forgotten(uws: Uws, by_form: bool) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    answer = uws.send(job, action="DELETE") if by_form else uws.delete(job)
    assert answer.status == 303
    assert answer.location.endswith(JOBS)
    assert uws.api.running_jobs() == []
    assert (uws.api.get(JOBS + job).status, uws.delete(job).status, uws.listed()) == (404, 404, [])


# ---------------------------------------------------------------- the list


def test_the_list_shows_the_jobs_of_the_same_address_only(uws: Uws) -> None:
    other = Uws(uws.api, "198.51.100.7")
    mine, theirs = uws.make(**WHOLE), other.make(**WHOLE)
    assert (uws.listed(), other.listed()) == ([mine], [theirs])
    assert uws.phase(theirs) == "PENDING"  # the id is the secret


def test_the_list_can_be_filtered(uws: Uws) -> None:
    jobs = []
    for _ in range(3):
        jobs.append(uws.make(**WHOLE))
        uws.later(60)
    uws.abort(jobs[0])
    uws.run(jobs[2])
    assert uws.listed() == jobs
    assert uws.listed("?PHASE=ABORTED&phase=EXECUTING") == [jobs[0], jobs[2]]
    assert uws.listed("?PHASE=HELD") == []
    assert uws.listed("?LAST=2") == jobs[1:]
    assert uws.listed("?LAST=0") == []
    assert uws.listed("?AFTER=2026-11-20T12:00:00Z") == jobs[1:]
    assert uws.listed("?AFTER=2026") == jobs
    assert uws.listed("?PHASE=PENDING&PHASE=ABORTED&LAST=1") == [jobs[1]]


@pytest.mark.parametrize(
    "query",
    ["PHASE=pending", "PHASE=DONE", "LAST=-1", "LAST=some", "LAST=1&LAST=2", "AFTER=2026-11-20T09", "AFTER=2026-20-11",
     "AFTER=2026-11-20T09:00%2B01:00", "lst=3"],
)  # fmt: skip
def test_a_filter_that_is_none_is_refused_in_a_sentence(calm: Uws, query: str) -> None:
    answer = calm.api.get(f"{JOBS}?{query}")
    assert answer.status == 400
    name = query.partition("=")[0]
    assert answer.content.decode().startswith(f"UsageError: {name} is ")


# ---------------------------------------------------------------- waiting


def test_a_client_waits_for_the_next_phase(uws: Uws) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    uws.api.run_jobs()
    waited: dict[str, Any] = {}
    for phase in ("EXECUTING", "QUEUED", "COMPLETED"):
        waited[phase] = uws.show(f"{job}?WAIT=-1&PHASE={phase}").findtext(f"{_UWS}phase")
    assert set(waited.values()) == {"COMPLETED"}


def test_a_wait_ends_after_its_time(uws: Uws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.http.vo.uws.job_routes.WAIT_SECONDS", 0.05)
    job = uws.make(**WHOLE)
    n_reads = len(uws.api.handlers.state.requests)
    assert uws.show(f"{job}?WAIT=100").findtext(f"{_UWS}phase") == "PENDING"
    assert len(uws.api.handlers.state.requests) - n_reads > 6  # it looked again and again


def test_nobody_waits_for_a_service_that_is_paused(uws: Uws) -> None:
    job = uws.make(**WHOLE)
    pause(uws.api.handlers.services, reason="the budget is spent", by="budget")
    assert uws.show(f"{job}?WAIT=20").findtext(f"{_UWS}phase") == "PENDING"


def test_clients_of_both_functions_that_wait_share_the_places_of_a_new_account(uws: Uws) -> None:
    job = uws.make(**WHOLE)
    with ExitStack() as places:
        for _ in range(UNRESERVED):
            assert places.enter_context(held(uws.api.handlers.services))
        assert uws.show(f"{job}?WAIT=20").findtext(f"{_UWS}phase") == "PENDING"


@pytest.mark.parametrize("query", ["WAIT=soon", "WAIT=-2", "WAIT=1&PHASE=DONE", "WAIT=1&WAIT=2", "WAIT=1.5"])
def test_a_wait_that_is_none_is_refused_in_a_sentence(calm: Uws, query: str) -> None:
    answer = calm.api.get(f"{JOBS}{calm.make(**WHOLE)}?{query}")
    assert answer.status == 400
    assert answer.content.decode().startswith("UsageError: ")


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("path", "form", "start"),
    [
        ("/phase", {"PHASE": "START"}, "PHASE is 'START'; allowed: RUN, ABORT"),
        ("/phase", {"FAZE": "RUN"}, "PHASE is missing; allowed: RUN, ABORT"),
        ("/destruction", {"DESTRUCTION": "tomorrow"}, "DESTRUCTION is 'tomorrow'; allowed: a time in UTC"),
        ("/executionduration", {"EXECUTIONDURATION": "-5"}, "EXECUTIONDURATION is '-5'; allowed: a whole number"),
        ("", {"ACTION": "REMOVE"}, "ACTION is 'REMOVE'; allowed: DELETE"),
        ("/parameters", {"PHASE": "RUN"}, "PHASE is not a parameter of this operation"),
        ("/parameters", {"CIRCEL": "1 2 3"}, "circel is not a parameter of this operation"),
    ],
)
def test_a_change_that_is_none_is_refused_in_a_sentence(calm: Uws, path: str, form: dict[str, str], start: str) -> None:
    answer = calm.send(calm.make(**WHOLE) + path, **form)
    assert answer.status == 400
    assert answer.content.decode().startswith(f"UsageError: {start}")


@pytest.mark.parametrize("form", [{"ID": "a\x01b"}, {"ID": "x" * 20_001}, {"PHASE": "ABORT"}, {"RUNID": ["a", "b"]}])
def test_a_job_that_cannot_be_kept_is_refused(calm: Uws, form: dict[str, Any]) -> None:
    before = calm.listed()
    assert calm.send("", **form).status == 400
    assert calm.listed() == before


def test_a_form_of_several_parts_makes_a_job_too(uws: Uws) -> None:
    line = 'Content-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    pairs = (("Id", CUBES[0]), ("Circle", CIRCLE), ("phase", "RUN"))
    body = "".join(f"--x\r\n{line.format(*pair)}" for pair in pairs) + "--x--\r\n"
    answer = uws.api.request("POST", JOBS, body=body.encode(), content_type="multipart/form-data; boundary=x")
    assert answer.status == 303
    assert [uws.phase(job) for job in uws.listed()] == ["EXECUTING"]


def test_a_job_makes_no_archive(uws: Uws) -> None:
    job = uws.make(**WHOLE, RESPONSEFORMAT="application/zip", PHASE="RUN")
    assert uws.read(f"{job}/error").startswith(
        "UsageError: RESPONSEFORMAT is 'application/zip'; allowed: application/fits"
    )


def test_files_have_the_media_type_that_was_asked_for(uws: Uws) -> None:
    job = uws.make(ID=CUBES[0], CIRCLE=CIRCLE, RESPONSEFORMAT="image/fits", PHASE="RUN")
    uws.api.run_jobs()
    assert [each.get("mime-type") for each in uws.show(f"{job}/results")] == ["image/fits"]


def test_a_name_of_a_run_can_be_changed_too(uws: Uws) -> None:
    job = uws.make(**WHOLE, RUNID="first")
    uws.send(f"{job}/parameters", RUNID="second")
    assert uws.value(job, "runId") == "second"


def test_an_error_of_a_value_that_is_given_twice_has_its_own_word(uws: Uws) -> None:
    job = uws.make(**WHOLE, RESPONSEFORMAT=["fits", "zip"], PHASE="RUN")
    assert uws.read(f"{job}/error").startswith("MultiValuedParamNotSupported: RESPONSEFORMAT is given 2 times")
