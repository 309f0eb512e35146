"""Jobs of UWS do their work within the policies of the two functions that they need."""

from __future__ import annotations

import pytest

from tests.support.api import store_of_cubes
from tests.support.uws import CIRCLE, CUBES, WHOLE, Uws
from tests.template.test_calls import PolicedStore
from tests.template.test_service_calls import PolicedApi


@pytest.fixture
def uws() -> Uws:
    return Uws(PolicedApi(PolicedStore(objects=dict(store_of_cubes().objects))))


def test_a_job_may_be_made_started_followed_and_fetched(uws: Uws) -> None:
    job = uws.make(**WHOLE)
    assert uws.run(job).status == 303
    assert uws.phase(job) == "EXECUTING"
    assert uws.listed() == [job]
    uws.api.run_jobs()
    assert (uws.phase(job), len(uws.files(job))) == ("COMPLETED", 2)
    assert uws.delete(job).status == 303


def test_a_job_may_be_aborted(uws: Uws) -> None:
    job = uws.make(**WHOLE, PHASE="RUN")
    assert uws.abort(job).status == 303
    assert uws.api.running_jobs() == []


def test_the_sweep_may_begin_finish_and_stop_jobs(uws: Uws) -> None:
    done, late = uws.make(**WHOLE, PHASE="RUN"), uws.make(ID=CUBES[0], CIRCLE=CIRCLE)
    uws.api.run_jobs()
    uws.send(f"{late}/executionduration", EXECUTIONDURATION="10")
    uws.run(late)
    uws.later(11)
    uws.api.sweep_jobs()
    assert (uws.phase(done), uws.phase(late)) == ("COMPLETED", "ABORTED")


def test_a_client_may_wait(uws: Uws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.http.vo.uws.job_routes.WAIT_SECONDS", 0.0)
    assert uws.show(f"{uws.make(**WHOLE)}?WAIT=1").findtext("{*}phase") == "PENDING"
