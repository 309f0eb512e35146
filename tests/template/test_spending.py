"""What the code and AWS send drives the alarms on spending, an alarm pauses the service, and a resume ends that."""

from __future__ import annotations

import datetime

import pytest

from tessera_cloud.application.switch import FRESH_SECONDS, resume
from tests.support.alarms import Sample, Samples, Watch, emitted
from tests.support.api import DEC, RA, Api, store_of_cubes
from tests.support.handlers import sample_event
from tests.template.documents import functions, load

VALUES = {"ServiceName": "tessera", "DailySpendUsd": "20", "BlockMemoryMb": "10240"}
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
START = 1_000 * DAY


def watch() -> Watch:
    return Watch(load("stacks/spending.yaml")["Resources"], VALUES)


def downloads(gigabytes: float, at: float) -> Sample:
    return Sample(
        "AWS/S3", "BytesDownloaded", gigabytes * 1e9, at, {"BucketName": "ResultBucket", "FilterId": "EntireBucket"}
    )


def duration(function: str, seconds: float, at: float) -> Sample:
    return Sample("AWS/Lambda", "Duration", seconds * 1000, at, {"FunctionName": function})


def test_a_burst_of_ten_gigabits_rings_within_minutes_and_a_large_job_does_not() -> None:
    burst = [downloads(75, START + HOUR + minute * MINUTE) for minute in range(10)]
    rung = watch().rung(burst, START, START + 2 * HOUR, MINUTE)
    assert rung["SpendBurstAlarm"][0] - (START + HOUR) <= 2 * MINUTE
    archive = [downloads(25, START + HOUR)]
    assert watch().rung(archive, START, START + 2 * HOUR, MINUTE) == {}


def test_a_slow_loop_rings_when_the_day_has_cost_its_budget() -> None:
    loop = [downloads(1, START + minute * MINUTE) for minute in range(24 * 60)]
    rung = watch().rung(loop, START, START + DAY, MINUTE)
    assert set(rung) == {"SpendAlarm"}
    assert rung["SpendAlarm"][0] == pytest.approx(START + 222 * MINUTE, abs=2 * MINUTE)


def test_answers_of_the_real_handlers_count_each_time_also_the_cached_ones(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api(store_of_cubes())
    capsys.readouterr()
    sent = sum(len(api.get("/v1/cutouts", ra=RA, dec=DEC, size=3).content) for _ in range(2))
    samples = [sample for sample in emitted(capsys.readouterr().out, at=START) if sample.name == "CountedUsd"]
    samples = [Sample(each.namespace, each.name, each.value, each.at, {"service": "tessera"}) for each in samples]
    value = watch().alarms["SpendAlarm"].series(Samples(samples), START)[-1]
    assert value == pytest.approx(sent * 0.09e-9, rel=0.01)


def test_the_time_in_which_a_list_is_priced_counts(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api(store_of_cubes())
    capsys.readouterr()
    answer = api.request("POST", "/v1/bulk/plan", body=f"ra,dec\n{RA},{DEC}\n".encode(), content_type="text/csv")
    samples = [*emitted(capsys.readouterr().out, at=START)]
    (seconds,) = [each.value for each in samples if each.name == "AnswerSeconds"]
    usd = sum(each.value for each in samples if each.name == "CountedUsd")
    gigabytes = functions()["BulkApiFunction"]["MemorySize"] / 1024
    assert usd == pytest.approx(len(answer.content) * 0.09e-9 + seconds * gigabytes * 0.0000133334, rel=0.01)


@pytest.mark.parametrize(("name", "gigabytes"), [("", 2), ("Medium", 4), ("Large", 10)])
def test_a_block_costs_what_it_costs_even_if_all_else_is_missing(name: str, gigabytes: int) -> None:
    blocks = [duration(f"BuildBlock{name}FunctionName", 240, START) for _ in range(100)]
    value = watch().alarms["SpendAlarm"].series(Samples(blocks), START)[-1]
    assert value == pytest.approx(100 * 240 * gigabytes * 0.0000133334, rel=1e-3)


def test_an_alarm_has_as_many_metrics_as_cloudwatch_allows() -> None:
    for alarm in ("SpendAlarm", "SpendBurstAlarm"):
        queries = load("stacks/spending.yaml")["Resources"][alarm]["Properties"]["Metrics"]
        assert sum("MetricStat" in query for query in queries) <= 10
        assert len(queries) <= 20


@pytest.mark.parametrize(
    ("parameter", "function"),
    [
        ("CutItemFunctionName", "CutItemFunction"),
        ("CutBandFunctionName", "CutBandFunction"),
        ("CutoutApiFunctionName", "CutoutApiFunction"),
    ],
)
def test_the_time_of_a_function_is_counted_with_its_memory(parameter: str, function: str) -> None:
    value = watch().alarms["SpendAlarm"].series(Samples([duration(parameter, 1e6, START)]), START)[-1]
    gigabytes = functions()[function]["MemorySize"] / 1024
    assert value == pytest.approx(1e6 * gigabytes * 0.0000133334, rel=1e-3)


@pytest.mark.parametrize("name", ["CutItem", "CutBand", "CutoutApi", "ImageApi", "BulkApi", "VoApi"])
def test_a_burst_of_the_time_of_a_function_is_counted_with_its_memory(name: str) -> None:
    burst = [duration(f"{name}FunctionName", 1e6, START)]
    quarters = watch().alarms["SpendBurstAlarm"].series(Samples(burst), START)[-1]
    gigabytes = functions()[f"{name}Function"]["MemorySize"] / 1024
    assert quarters == pytest.approx(1e6 * gigabytes * 0.0000133334 / 5, rel=1e-3)


def test_the_bucket_sends_the_metrics_that_are_watched() -> None:
    bucket = load()["Resources"]["ResultBucket"]["Properties"]
    assert bucket["MetricsConfigurations"] == [{"Id": "EntireBucket"}]


def test_an_alarm_pauses_the_service_which_goes_on_the_next_day_or_when_an_operator_says_so() -> None:
    api = Api(store_of_cubes())
    wanted = {"ra": RA, "dec": DEC, "size": 3}
    event = sample_event("limit_spending")
    clock = {"tick": {"detail-type": "Scheduled Event", "detail": {}}}

    def later(**time: float) -> None:
        start = api.handlers.now() + datetime.timedelta(**time)
        api.handlers.clock = lambda: start

    assert api.get("/v1/cutouts", **wanted).status == 200
    assert api.handlers.invoke("limit_spending", event) == {"outcome": "paused"}
    later(seconds=FRESH_SECONDS)
    assert api.get("/v1/cutouts", **wanted).json()["error"]["code"] == "paused"
    assert vars(api.handlers.links) == {"closed": True}
    assert api.handlers.invoke("limit_spending", clock["tick"]) == {"outcome": "still paused"}

    later(days=1)
    api.handlers.alarms.ringing[api.handlers.services.settings.spend_alarm] = 0.0
    assert api.handlers.invoke("limit_spending", clock["tick"]) == {"outcome": "still paused"}
    api.handlers.alarms.ringing.clear()
    settled = event | {"detail": {"alarmName": "tessera-SpendAlarm", "state": {"value": "OK"}}}
    assert api.handlers.invoke("limit_spending", settled) == {"outcome": "resumed"}
    assert api.get("/v1/cutouts", **wanted).status == 200

    api.handlers.invoke("limit_spending", event)
    resume(api.handlers.services, by="operator")
    later(seconds=FRESH_SECONDS)
    assert api.get("/v1/cutouts", **wanted).status == 200
    assert api.handlers.invoke("limit_spending", clock["tick"]) == {"outcome": "nothing"}
