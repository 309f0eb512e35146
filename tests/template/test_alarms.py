"""Each alarm is driven: it rings for its reason, and nothing rings in a quiet week or on a new stack.

Samples of our own metrics are what the real functions print. AWS's own have the names that AWS documents.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

import pytest

from tessera_cloud.application.ingest.sweeps import IngestLog
from tessera_cloud.errors import TransientError
from tessera_cloud.http.framework import outcome
from tessera_cloud.ingest_log import write_log
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support import sources
from tests.support.alarms import Sample, Watch, emitted
from tests.support.handlers import Handlers, sample_event
from tests.support.ingest_world import World, some
from tests.support.metrics import every, function, machine, requests, rule
from tests.template.documents import FILE_NAMES, load

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
OTHERS = ("stacks/spending.yaml", "stacks/canary.yaml")
"""Files whose alarms have tests of their own, as the alarms of a gradual deployment have."""
WATCH = Watch(
    {
        name: body
        for file in FILE_NAMES
        if file not in OTHERS
        for name, body in load(file)["Resources"].items()
        if not name.endswith("ReleaseAlarm")
    },
    {"ServiceName": "tessera"},
)
TESSCUT, CUTOUTS, IMAGES = "/tesscut/api/v0.1/astrocut", "/v1/cutouts", "/v1/images/{dataset}/cutout"
Printed = Callable[[float], list[Sample]]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Printed:
    """Samples of what was printed since the last call, at a time."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tessera")
    return lambda at: emitted(capsys.readouterr().out, at)


def rung(samples: Iterable[Sample], *, start: float = 0, end: float = 2 * DAY, step: float = 300) -> list[str]:
    return sorted(WATCH.rung(samples, start, end, step))


# ---------------------------------------------------------------------------------------------------------------------
# Alarms on AWS's own metrics.
# ---------------------------------------------------------------------------------------------------------------------


def rows(*samples: Sample) -> list[Sample]:
    return list(samples)


def in_periods(make: Callable[[float], Iterable[Sample]], count: int = 3) -> list[Sample]:
    """The same in some periods of five minutes, one after the other."""
    return [sample for at in every(5 * MINUTE, DAY, DAY + (count - 1) * 5 * MINUTE) for sample in make(at)]


def page(at: float, percent: float) -> list[Sample]:
    return [
        Sample(
            "AWS/CloudFront", "5xxErrorRate", percent, at, {"DistributionId": "PageDistributionId", "Region": "Global"}
        )
    ]


def queue(name: str, metric: str, value: float) -> list[Sample]:
    return rows(Sample("AWS/SQS", metric, value, DAY, {"QueueName": f"{name}QueueName"}))


REASONS: dict[str, list[Sample]] = {
    "CubeBuildAlarm": rows(machine("CubeBuild", "ExecutionsAborted", DAY)),
    "FootprintIndexAlarm": rows(machine("FootprintIndex", "ExecutionsTimedOut", DAY)),
    "ImageIndexAlarm": rows(machine("ImageIndex", "ExecutionsFailed", DAY)),
    "CutoutJobAlarm": [machine("CutoutJob", "ExecutionsFailed", DAY + n) for n in range(3)],
    "BulkJobAlarm": [machine("BulkJob", "ExecutionsTimedOut", DAY + n * HOUR) for n in range(3)],
    "CoverageAlarm": [function("WriteCoverage", "Errors", DAY)],
    "DeadLetterAlarm": queue("IngestDeadLetter", "ApproximateNumberOfMessagesVisible", 1),
    "IngestLateAlarm": queue("Ingest", "ApproximateAgeOfOldestMessage", 2 * HOUR),
    "FunctionErrorsAlarm": [function(name, "Errors", DAY) for name in ("CleanCubes", "TendBulk", "LimitSpending")],
    "MachinesThrottledAlarm": in_periods(lambda at: [machine("CubeBuild", "ExecutionThrottled", at, 200)]),
    "ApiErrorAlarm": in_periods(lambda at: requests("CutoutApi", at, 100, failed=2)),
    "ImageApiErrorAlarm": in_periods(lambda at: requests("ImageApi", at, 3, failed=1)),
    "FunctionsThrottledAlarm": in_periods(lambda at: [function("CutoutApi", "Throttles", at, 6)]),
    "PageErrorAlarm": in_periods(lambda at: page(at, 20)),
}
OWN = {"BuildsGivenUpAlarm", "FramesChangedAlarm", "UnreadableCubesAlarm", "IngestErrorsAlarm", "ApiSlowAlarm"}


@pytest.mark.parametrize("name", REASONS)
def test_an_alarm_rings_for_its_reason_and_no_other_alarm_does(name: str) -> None:
    assert rung(REASONS[name]) == [name]


def test_every_alarm_that_notifies_is_driven() -> None:
    assert set(REASONS) | OWN | {"SilenceAlarm"} == WATCH.loud


# ---------------------------------------------------------------------------------------------------------------------
# Alarms on our own metrics.
# ---------------------------------------------------------------------------------------------------------------------


def test_builds_that_were_given_up_ring_once_and_not_at_every_listing(printed: Printed) -> None:
    world = World(ends=lambda name: "FAILED")
    world.put(some(3))
    samples = []
    for day in range(1, 9):
        world.log = IngestLog()
        world.advance(DAY, step=900)
        write_log(world.log)
        samples += printed(day * DAY)

    assert {name: len(times) for name, times in WATCH.rung(samples, 0, 8 * DAY).items()} == {"BuildsGivenUpAlarm": 1}


def test_frames_that_vanish_ring(printed: Printed) -> None:
    world = World()
    world.put(some(3))
    world.advance(DAY, step=900)
    world.remove(some(1))
    world.advance(HOUR)
    write_log(world.log)

    assert rung(printed(DAY)) == ["FramesChangedAlarm"]


def test_a_cube_that_cannot_be_read_rings_once_and_not_every_day(printed: Printed) -> None:
    samples = []
    for day in range(1, 8):
        store = MemoryStore()
        sources.put_cube(store, "tess-s0001-1-1", b"broken")
        handlers = Handlers(store)
        handlers.services = dataclasses.replace(handlers.services, settings=sources.SETTINGS)
        ref = handlers.invoke("list_cubes", sample_event("list_cubes"))
        task = sample_event("read_cube")
        task["cube"] |= {"obs_id": "tess-s0001-1-1", "key": task["cube"]["key"].replace("4-2", "1-1")}
        handlers.invoke("read_cube", task)
        handlers.invoke("write_index", ref)
        samples += printed(day * DAY + day * 5 * MINUTE)

    assert {name: len(times) for name, times in WATCH.rung(samples, 0, 8 * DAY).items()} == {"UnreadableCubesAlarm": 1}


def test_errors_of_ingest_ring_if_they_last(printed: Printed) -> None:
    handlers = Handlers(MemoryStore())
    event = sample_event("ingest")
    event["Records"][0]["body"] = '{"sweep": "SPOC/s0001"}'

    def refuse(kind: str, prefix: str = "") -> list[object]:
        raise TransientError("the table is busy")

    handlers.state.query = refuse  # type: ignore[method-assign, assignment]
    samples = []
    for at in every(1800, DAY, DAY + 2 * 1800):
        handlers.invoke("ingest", event)
        samples += printed(at)

    assert rung(samples) == ["IngestErrorsAlarm"]
    assert rung(samples[:1]) == []


@pytest.mark.parametrize("route", [TESSCUT, CUTOUTS, "/v1/preview", IMAGES, "/zcut/api/v0.1/astrocut"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_slow_cutouts_ring_at_every_door_and_by_every_method(printed: Printed, route: str, method: str) -> None:
    samples = []
    for at in every(5 * MINUTE, DAY, DAY + 15 * MINUTE):
        for _ in range(10):
            outcome.tell(route, method, 200, 1000, 20.0)
        samples += printed(at)

    assert rung(samples) == ["ApiSlowAlarm"]


@pytest.mark.parametrize(("route", "count"), [("/v1/jobs/{job}/wait", 100), (TESSCUT, 1)])
def test_waits_for_jobs_and_one_slow_cutout_do_not_ring(printed: Printed, route: str, count: int) -> None:
    samples = []
    for at in every(5 * MINUTE, DAY, DAY + HOUR):
        for _ in range(count):
            outcome.tell(route, "GET", 200, 1000, 20.0)
        samples += printed(at)

    assert rung(samples) == []


# ---------------------------------------------------------------------------------------------------------------------
# Quiet, new and silent stacks.
# ---------------------------------------------------------------------------------------------------------------------


def scheduled(start: float, end: float) -> Iterator[Sample]:
    """What the schedules of a stack leave that serves public cubes and builds nothing."""
    for at in every(DAY, start + DAY, end):
        yield machine("FootprintIndex", "ExecutionsSucceeded", at + 20 * MINUTE)
        yield machine("ImageIndex", "ExecutionsSucceeded", at + 5 * MINUTE)
        yield function("CleanCubes", "Invocations", at)
    for at in every(5 * MINUTE, start, end):
        yield function("TendJobs", "Invocations", at, 5)
        yield function("TendBulk", "Invocations", at, 5)
    for at in every(HOUR, start + HOUR, end):
        yield rule("IngestClock", "Invocations", at)
        yield function("Ingest", "Errors", at, 0)


def everyday(printed: Printed, end: float) -> Iterator[Sample]:
    """Requests of a week: right ones, wrong ones, one 503, one 504, a slow cutout, a failed job, a lost invocation."""
    for n, at in enumerate(every(HOUR, HOUR, end)):
        yield from requests("CutoutApi", at, 20, failed=n in (30, 31), wrong=10)
        yield from requests("ImageApi", at, 1, failed=n == 40, wrong=n % 2)
        yield from page(at, 1 if n == 30 else 0)
        outcome.tell(TESSCUT, "POST", 200, 1000, 20.0 if n == 50 else 0.4)
        outcome.tell(CUTOUTS, "GET", 400, 100, 0.01)
        yield from printed(at)
    write_log(IngestLog(errors=["the table is busy"]))
    yield from printed(3 * DAY)
    yield machine("CutoutJob", "ExecutionsFailed", 3 * DAY)
    yield function("CleanCubes", "Errors", 3 * DAY)
    yield function("CutoutApi", "Throttles", 3 * DAY, 40)


def test_a_quiet_week_wakes_nobody(printed: Printed) -> None:
    samples = [*scheduled(0, 8 * DAY), *everyday(printed, 7 * DAY)]

    assert rung(samples, end=7 * DAY) == []


def test_a_new_stack_wakes_nobody_before_it_has_worked() -> None:
    assert rung([], end=3 * DAY) == []
    assert rung(scheduled(600, 3 * DAY), end=3 * DAY) == []


def test_a_new_stack_that_was_put_to_work_by_hand_wakes_nobody() -> None:
    by_hand = machine("FootprintIndex", "ExecutionsSucceeded", 2 * HOUR)

    assert rung([by_hand, *scheduled(600, 3 * DAY)], end=3 * DAY) == []


def test_a_new_stack_whose_index_never_succeeds_rings_after_two_days() -> None:
    samples = [sample for sample in scheduled(600, 3 * DAY) if "FootprintIndexStateMachineArn" not in str(sample)]
    found = WATCH.rung(samples, 0, 3 * DAY)

    assert list(found) == ["SilenceAlarm"]
    assert 2 * DAY - HOUR <= found["SilenceAlarm"][0] <= 2 * DAY + 2 * HOUR


@pytest.mark.parametrize(
    ("namespace", "dimension", "hours"),
    [
        ("AWS/States", "FootprintIndexStateMachineArn", 49),
        ("AWS/States", "ImageIndexStateMachineArn", 49),
        ("AWS/Events", "IngestClockName", 25),
        ("AWS/Lambda", "CleanCubesFunctionName", 49),
        ("AWS/Lambda", "TendJobsFunctionName", 0.5),
        ("AWS/Lambda", "TendBulkFunctionName", 0.5),
    ],
)
def test_each_schedule_that_stops_rings_soon_and_once(namespace: str, dimension: str, hours: float) -> None:
    def lives(sample: Sample) -> bool:
        stopped = sample.namespace == namespace and dimension in sample.dimensions.values()
        return not stopped or sample.at < 5 * DAY + 12 * HOUR

    samples = list(filter(lives, scheduled(0, 10 * DAY)))
    last = max(sample.at for sample in samples if dimension in sample.dimensions.values() and sample.value)
    found = WATCH.rung(samples, 0, 9 * DAY, 900)

    assert list(found) == ["SilenceAlarm"]
    (at,) = found["SilenceAlarm"]
    assert hours - 2 <= (at - last) / HOUR <= hours + 3


def test_all_schedules_that_stop_together_ring_within_an_hour() -> None:
    found = WATCH.rung(scheduled(0, 5 * DAY), 0, 9 * DAY, 900)

    assert list(found) == ["SilenceAlarm"]
    assert [0 < at - 5 * DAY <= HOUR for at in found["SilenceAlarm"]] == [True]
