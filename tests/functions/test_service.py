"""The service's functions run their sample events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tessera_cloud import keys
from tessera_cloud.application.cutouts.fixed import Position
from tessera_cloud.application.cutouts.options import Size
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.jobs.records import JobRecord, write_job
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, RA, Api, proxy_event, store_of_cubes
from tests.support.builds import SETTINGS
from tests.support.handlers import Context, Handlers, load, sample_event

JOB = sample_event("plan_job")["job"]


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    return store_of_cubes()


@pytest.fixture
def api(store: MemoryStore) -> Api:
    """Cubes, and the order that the samples are about."""
    api = Api(MemoryStore(objects=dict(store.objects)))
    cubes = current_index(api.handlers.services).cubes
    target = Position(ra=RA, dec=DEC, size=Size(rows=5, columns=5))
    order = CutoutOrder(request=CutoutRequest(target=target), cubes=cubes)
    api.store.write(SETTINGS.result_bucket, keys.job_order(JOB), order.model_dump_json().encode())
    write_job(api.handlers.state, JobRecord(id=JOB, created=0.0, n_cubes=2), 0, 0.0)
    return api


def test_service_api_lists_cubes(api: Api) -> None:
    answer = api.handlers.invoke("service_api", sample_event("service_api"))
    assert answer["statusCode"] == 200
    assert [cube["name"] for cube in json.loads(answer["body"])["cubes"]] == ["tess-s0001-4-2"]


def run(api: Api, name: str) -> Any:
    return api.handlers.invoke(name, sample_event(name))


def test_a_job_goes_through_its_functions(api: Api) -> None:
    assert run(api, "plan_job") == {"items": [0, 1], "max_concurrency": 20}
    record = run(api, "cut_item")
    assert (record["obs_id"], record["status"]) == ("tess-s0001-4-2", "succeeded")
    outcome = run(api, "finish_job")
    assert (outcome["status"], outcome["n_succeeded"], outcome["n_failed"]) == ("partial", 1, 1)


def told(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """Facts of the only line that says how a request was answered."""
    (record,) = [record for record in caplog.records if record.message == "answered"]
    return vars(record)


def test_an_answer_is_one_line_of_the_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api.get("/v1/cutouts", ra=RA, dec=DEC, sectors="1")
    line = told(caplog)
    assert (line["route"], line["method"], line["status"]) == ("/v1/cutouts", "GET", 200)
    assert (line["cubes"], line["n_cutouts"], line["cached"]) == (["tess-s0001-4-2"], 1, 0)
    assert abs(line["bytes"] - line["cutout_bytes"]) < 3
    assert line["seconds"] > 0


def test_facts_of_one_request_are_not_told_of_the_next(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api.get("/v1/cutouts", ra=RA, dec=DEC, sectors="1")
    caplog.clear()
    api.get("/v1/cutouts", ra=10, dec=60)
    assert told(caplog)["status"] == 404
    assert "cubes" not in told(caplog)


def test_answers_are_measured(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    api.get("/v1/cutouts", ra=RA, dec=DEC, sectors="1")
    groups = [json.loads(line)["_aws"]["CloudWatchMetrics"] for line in capsys.readouterr().out.splitlines()]
    metrics = {metric["Name"] for (group,) in groups for metric in group["Metrics"]}
    assert metrics == {"AnswerBytes", "AnswerSeconds", "CountedUsd", "Cutouts", "CutoutBytes"}


def test_a_handler_answers_from_the_services_that_its_call_hands_over(api: Api) -> None:
    handler = load("service_api").lambda_handler
    event = proxy_event("GET", "/v1/health", "/v1/health", "")
    worlds = (api.handlers.services, Handlers(MemoryStore()).services, api.handlers.services)
    answers = [handler(event, Context("service_api"), services=lambda world=world: world) for world in worlds]
    assert [json.loads(answer["body"])["cubes"] for answer in answers] == [2, 0, 2]
