"""One contract for state, queue and executions: memory and AWS behave alike."""

from __future__ import annotations

import datetime
import json
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer

from tessera.errors import InvalidValueError
from tessera_cloud.adapters.dynamodb import DynamoDbState
from tessera_cloud.adapters.sqs import SqsQueue
from tessera_cloud.adapters.step_functions import StepFunctions
from tessera_cloud.application.caches import CubeCache
from tessera_cloud.bootstrap import Services
from tessera_cloud.errors import CounterFullError, FatalError, ObjectChangedError, ObjectMissingError, TransientError
from tessera_cloud.ports import Executions, Queue, StateStore
from tessera_cloud.settings import Settings
from tessera_cloud.testing.memory_state import MemoryExecutions, MemoryQueue, MemoryState
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import SETTINGS, at

KEYS: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
TABLE = "state"
ROLE = "arn:aws:iam::123456789012:role/states"
WAITS = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 15, "End": True}}}
PASSES = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": {"made": 1}, "End": True}}}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def endpoint(server: str) -> str:
    urllib.request.urlopen(urllib.request.Request(f"{server}/moto-api/reset", method="POST")).read()
    return server


def dynamodb(endpoint: str) -> Any:
    client = boto3.client("dynamodb", endpoint_url=endpoint, **KEYS)
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "name", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("kind", "name")],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


@pytest.fixture(params=["memory", "dynamodb"])
def state(request: pytest.FixtureRequest) -> StateStore:
    if request.param == "memory":
        return MemoryState()
    return DynamoDbState(dynamodb(request.getfixturevalue("endpoint")), TABLE)


def test_a_counter_adds_up_and_stays_below_its_limit(state: StateStore) -> None:
    assert state.add("spend", "day", 0) == 0
    assert state.add("spend", "day", 3, most=5, expires=4e9) == 3
    with pytest.raises(CounterFullError, match=r"counter spend/day|to record spend/day"):
        state.add("spend", "day", 3, most=5)
    with pytest.raises(CounterFullError):
        state.add("spend", "other", 6, most=5)
    assert state.add("spend", "day", 2, most=5) == 5
    assert state.add("spend", "day", -4) == 1
    assert state.add("spend", "day", 0, most=4, expires=4e9) == state.add("spend", "day", 0) == 1
    assert state.add("spend", "day", 0, most=5) == 1
    assert list(state.query("spend")) == []


def test_simultaneous_additions_add_up(state: StateStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        sums = list(pool.map(lambda _: state.add("spend", "many", 1), range(40)))

    assert sorted(sums) == list(range(1, 41))


def test_what_is_put_can_be_got(state: StateStore) -> None:
    value = {"hash": "ab", "n": 3, "ratio": 0.5, "names": ["ü", ""], "none": None, "deep": {"a": [1, {"b": True}]}}
    assert state.get("ccd", "s0001-1-1") is None
    assert state.put("ccd", "s0001-1-1", value, over=0) == 1
    item = state.get("ccd", "s0001-1-1")
    assert item is not None
    assert (item.kind, item.name, item.version, item.value) == ("ccd", "s0001-1-1", 1, value)
    assert state.get("job", "s0001-1-1") is None


def test_a_record_is_replaced_only_over_its_version(state: StateStore) -> None:
    assert state.put("ccd", "a", {"n": 1}, over=0) == 1
    for wrong in (0, 2):
        with pytest.raises(ObjectChangedError, match="ccd/a"):
            state.put("ccd", "a", {"n": 2}, over=wrong)
    assert state.put("ccd", "a", {"n": 3}, over=1) == 2
    item = state.get("ccd", "a")
    assert item is not None
    assert (item.version, item.value) == (2, {"n": 3})


def test_a_version_of_what_is_not_there_is_no_version(state: StateStore) -> None:
    with pytest.raises(ObjectChangedError, match="ccd/missing"):
        state.put("ccd", "missing", {}, over=3)
    assert state.get("ccd", "missing") is None


def test_records_are_listed_by_kind_and_prefix_in_order(state: StateStore) -> None:
    for name in ("s0010-1-1", "s0002-1-2", "s0002-1-10", "s0002-1-1"):
        state.put("ccd", name, {"name": name}, over=0)
    state.put("job", "s0002-1-1", {}, over=0)
    names = [item.name for item in state.query("ccd", "s0002-")]
    assert names == ["s0002-1-1", "s0002-1-10", "s0002-1-2"]
    assert [item.value for item in state.query("ccd")][-1] == {"name": "s0010-1-1"}
    assert list(state.query("ccd", "s9")) == []
    assert list(state.query("sweep")) == []


def test_a_listing_goes_on_beyond_one_page(state: StateStore) -> None:
    text = "x" * 100_000
    for number in range(12):  # 1.2 MB; a page is 1 MB
        state.put("job", f"{number:02d}", {"text": text}, over=0)
    assert [item.name for item in state.query("job")] == [f"{number:02d}" for number in range(12)]


def test_a_record_that_is_too_large_is_refused(state: StateStore) -> None:
    with pytest.raises(FatalError, match="job/large"):
        state.put("job", "large", {"text": "x" * (400 * 1024)}, over=0)
    assert state.get("job", "large") is None


def test_a_record_with_an_expiry_is_there_until_then(state: StateStore) -> None:
    state.put("job", "a", {"n": 1}, over=0, expires=2e9)
    item = state.get("job", "a")
    assert item is not None
    assert item.value == {"n": 1}


def test_the_table_gets_the_expiry_as_a_number_of_seconds(endpoint: str) -> None:
    client = dynamodb(endpoint)
    store = DynamoDbState(client, TABLE)
    store.put("job", "a", {}, over=0, expires=2e9 + 0.7)
    store.put("job", "b", {}, over=0)
    items = [client.get_item(TableName=TABLE, Key={"kind": {"S": "job"}, "name": {"S": name}})["Item"] for name in "ab"]
    assert items[0]["expires"] == {"N": "2000000000"}
    assert "expires" not in items[1]


def test_memory_forgets_what_has_expired() -> None:
    times = [10.0]
    state = MemoryState(lambda: times[0])
    state.put("job", "a", {}, over=0, expires=20.0)
    times[0] = 20.0
    assert state.get("job", "a") is None
    assert state.put("job", "a", {}, over=0) == 1


def test_a_table_that_is_not_there_is_named(endpoint: str) -> None:
    client = boto3.client("dynamodb", endpoint_url=endpoint, **KEYS)
    with pytest.raises(ObjectMissingError, match="nowhere"):
        DynamoDbState(client, "nowhere").get("ccd", "a")


def test_what_does_not_answer_may_be_asked_again() -> None:
    config = Config(retries={"max_attempts": 0}, connect_timeout=1)
    client = boto3.client("dynamodb", endpoint_url="http://127.0.0.1:9", config=config, **KEYS)
    with pytest.raises(TransientError, match="ccd/a"):
        DynamoDbState(client, TABLE).get("ccd", "a")


@dataclass
class Inbox:
    """A queue and what arrives from it."""

    queue: Queue
    clock: list[float] = field(default_factory=lambda: [0.0])
    client: Any = None
    url: str = ""

    def take(self) -> list[str]:
        if isinstance(self.queue, MemoryQueue):
            return self.queue.take()
        answer = self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", [])]

    def wait(self, seconds: float) -> None:
        if isinstance(self.queue, MemoryQueue):
            self.clock[0] += seconds
        else:
            time.sleep(seconds)


@pytest.fixture(params=["memory", "sqs"])
def inbox(request: pytest.FixtureRequest) -> Inbox:
    if request.param == "memory":
        clock = [0.0]
        return Inbox(MemoryQueue(lambda: clock[0]), clock)
    endpoint = request.getfixturevalue("endpoint")
    client = boto3.client("sqs", endpoint_url=endpoint, **KEYS)
    url = client.create_queue(QueueName="ingest")["QueueUrl"]
    return Inbox(SqsQueue(client, url), client=client, url=url)


def test_messages_arrive_as_they_were_sent(inbox: Inbox) -> None:
    texts = ['{"sweep": "SPOC/s0056"}', "ü <&> \n 2"]
    for text in texts:
        inbox.queue.send(text)
    assert sorted(inbox.take() + inbox.take()) == sorted(texts)


def test_a_delayed_message_arrives_later(inbox: Inbox) -> None:
    inbox.queue.send("later", delay_seconds=2)
    inbox.queue.send("now")
    assert inbox.take() == ["now"]
    inbox.wait(2.1)
    assert inbox.take() == ["later"]


@pytest.mark.parametrize("delay", [-1, 901])
def test_a_delay_that_the_queue_does_not_know_is_named(inbox: Inbox, delay: int) -> None:
    with pytest.raises(InvalidValueError, match=rf"delay_seconds.*{delay}.*0\.\.900"):
        inbox.queue.send("never", delay_seconds=delay)
    assert inbox.take() == []


def test_a_queue_that_is_not_there_is_named(endpoint: str) -> None:
    client = boto3.client("sqs", endpoint_url=endpoint, **KEYS)
    with pytest.raises(ObjectMissingError, match="nowhere"):
        SqsQueue(client, f"{endpoint}/123456789012/nowhere").send("lost")


@dataclass
class Machines:
    """Executions of a machine that waits and of one that ends by itself."""

    executions: Executions
    waits: str
    passes: str

    def ended(self, machine: str, name: str) -> str:
        """Status of an execution when it has ended; moto may notice a stop only at the end of the wait."""
        if machine == self.passes and isinstance(self.executions, MemoryExecutions):
            self.executions.end(self.passes, name, result={"made": 1})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            execution = self.executions.describe(machine, name)
            if execution and execution.status != "RUNNING":
                return execution.status
            time.sleep(0.05)
        raise AssertionError("the execution did not end")


@pytest.fixture(params=["memory", "step functions"])
def machines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Machines:
    if request.param == "memory":
        clock = iter(range(1_000_000))
        return Machines(MemoryExecutions(lambda: float(next(clock))), "waits", "passes")
    endpoint = request.getfixturevalue("endpoint")
    monkeypatch.setitem(default_user_config, "stepfunctions", {"execute_state_machine": True})
    client = boto3.client("stepfunctions", endpoint_url=endpoint, **KEYS)
    arns = [
        client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)["stateMachineArn"]
        for name, definition in (("Waits", WAITS), ("Passes", PASSES))
    ]
    return Machines(StepFunctions(client), *arns)


def test_a_name_starts_once(machines: Machines) -> None:
    start = machines.executions.start
    assert start(machines.waits, "a", {"sector": 1})
    assert not start(machines.waits, "a", {"sector": 1})
    assert not start(machines.waits, "a", {"sector": 2})
    assert start(machines.waits, "b", {"sector": 1})
    known = machines.executions.describe(machines.waits, "a")
    assert known is not None
    assert (known.name, known.status, known.request, known.result, known.stopped) == (
        "a",
        "RUNNING",
        {"sector": 1},
        None,
        None,
    )


def test_an_ended_execution_tells_its_result_and_does_not_start_again(machines: Machines) -> None:
    assert machines.executions.start(machines.passes, "a", {"sector": 1})
    assert machines.ended(machines.passes, "a") == "SUCCEEDED"
    assert not machines.executions.start(machines.passes, "a", {"sector": 1})
    known = machines.executions.describe(machines.passes, "a")
    assert known is not None
    assert known.result == {"made": 1}
    assert known.stopped is not None
    assert known.stopped >= known.started
    machines.executions.stop(machines.passes, "a", "too late")
    assert machines.executions.describe(machines.passes, "a") == known


def test_an_execution_that_was_never_started_is_none(machines: Machines) -> None:
    assert machines.executions.describe(machines.waits, "never") is None
    with pytest.raises(ObjectMissingError, match="never"):
        machines.executions.stop(machines.waits, "never", "no reason")


def test_a_stopped_execution_is_aborted(machines: Machines) -> None:
    machines.executions.start(machines.waits, "a", {})
    machines.executions.stop(machines.waits, "a", "not wanted")
    assert machines.ended(machines.waits, "a") == "ABORTED"
    known = machines.executions.describe(machines.waits, "a")
    assert known is not None
    if isinstance(machines.executions, MemoryExecutions):  # moto forgets it
        assert known.cause == "not wanted"


def test_executions_are_listed_newest_first_and_by_status(machines: Machines) -> None:
    for name in ("a", "b", "c"):
        machines.executions.start(machines.waits, name, {})
        time.sleep(0.01)
    machines.executions.stop(machines.waits, "b", "")
    assert machines.ended(machines.waits, "b") == "ABORTED"
    listed = machines.executions.list_executions
    assert [execution.name for execution in listed(machines.waits)] == ["c", "b", "a"]
    assert [execution.name for execution in listed(machines.waits, count=2)] == ["c", "b"]
    assert [execution.name for execution in listed(machines.waits, status="RUNNING")] == ["c", "a"]
    assert [execution.name for execution in listed(machines.waits, status="ABORTED")] == ["b"]
    assert listed(machines.passes) == []


def test_a_machine_that_is_not_there_is_named(endpoint: str) -> None:
    client = boto3.client("stepfunctions", endpoint_url=endpoint, **KEYS)
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:Nowhere"
    with pytest.raises(ObjectMissingError, match="Nowhere"):
        StepFunctions(client).start(machine, "a", {})


def test_the_cause_of_a_stop_is_sent() -> None:
    client = boto3.client("stepfunctions", **KEYS)
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:Waits"
    arn = "arn:aws:states:us-east-1:123456789012:execution:Waits:a"
    begun = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
    execution = {"executionArn": arn, "stateMachineArn": machine, "status": "RUNNING", "name": "a", "startDate": begun}
    with Stubber(client) as stub:
        stub.add_response("describe_execution", execution, {"executionArn": arn})
        wanted = {"executionArn": arn, "error": "Stopped", "cause": "not wanted"}
        stub.add_response("stop_execution", {"stopDate": begun}, wanted)
        StepFunctions(client).stop(machine, "a", "not wanted")
        stub.assert_no_pending_responses()


def test_a_start_that_loses_the_race_is_no_start() -> None:
    client = boto3.client("stepfunctions", **KEYS)
    with Stubber(client) as stub:
        stub.add_client_error("describe_execution", "ExecutionDoesNotExist")
        stub.add_client_error("start_execution", "ExecutionAlreadyExists")
        machine = "arn:aws:states:us-east-1:123456789012:stateMachine:Waits"
        assert not StepFunctions(client).start(machine, "a", {})


@pytest.mark.parametrize("code", ["ThrottlingException", "ProvisionedThroughputExceededException"])
def test_a_refusal_for_being_too_quick_may_be_tried_again(code: str) -> None:
    client = boto3.client("dynamodb", **KEYS)
    with Stubber(client) as stub:
        stub.add_client_error("put_item", code, http_status_code=400)
        with pytest.raises(TransientError, match=code):
            DynamoDbState(client, TABLE).put("ccd", "a", {}, over=0)


def test_what_is_not_allowed_is_not_tried_again() -> None:
    client = boto3.client("sqs", **KEYS)
    with Stubber(client) as stub:
        stub.add_client_error("send_message", "AccessDenied", http_status_code=403)
        with pytest.raises(FatalError, match="AccessDenied"):
            SqsQueue(client, "https://sqs.us-east-1.amazonaws.com/123456789012/ingest").send("no")


def test_nothing_is_opened_before_it_is_used() -> None:
    opened: list[str] = []

    def open_state(settings: Settings) -> StateStore:
        opened.append(settings.cube_bucket)
        return MemoryState()

    services = Services(MemoryStore(), SETTINGS, CubeCache(), at(0), open_state=open_state)
    assert opened == []
    assert services.state is services.state
    assert opened == [SETTINGS.cube_bucket]
