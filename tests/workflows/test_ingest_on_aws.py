"""The ingest function with its real clients: S3 tells SQS, DynamoDB remembers, Step Functions starts."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer

from tessera_cloud import bootstrap
from tests.support.builds import frame_key
from tests.support.frames import tiny_sector
from tests.support.handlers import Context, load
from tests.support.tica import tiny_tica_sector

ROLE = "arn:aws:iam::123456789012:role/states"
WAITS = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
FRAMES, CUBES, TABLE = "frames", "cubes", "state"
PATIENCE = 30


class Cloud:
    """Clients of one moto server, and the function as Lambda would call it."""

    def __init__(self, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.setenv(name, "us-east-1")
        self.s3, self.sqs, self.dynamodb, self.states = (
            boto3.client(service) for service in ("s3", "sqs", "dynamodb", "stepfunctions")
        )
        self.queue = self.sqs.create_queue(QueueName="ingest")["QueueUrl"]
        self.machine = self.states.create_state_machine(name="Build", definition=json.dumps(WAITS), roleArn=ROLE)
        self._make_storage()
        settings = {
            "FFI_BUCKET": FRAMES,
            "CUBE_BUCKET": CUBES,
            "RESULT_BUCKET": "results",
            "STATE_TABLE": TABLE,
            "INGEST_QUEUE_URL": self.queue,
            "CUBE_BUILD_MACHINE": self.machine["stateMachineArn"],
            "STABLE_SECONDS": "1",
        }
        for name, value in settings.items():
            monkeypatch.setenv(f"TESSERA_{name}", value)
        bootstrap.services.cache_clear()
        self.handler: Callable[..., Any] = load("ingest").lambda_handler

    def _make_storage(self) -> None:
        for bucket in (FRAMES, CUBES):
            self.s3.create_bucket(Bucket=bucket)
        keys = {"kind": "HASH", "name": "RANGE"}
        self.dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
        tell = {"QueueConfigurations": [{"QueueArn": arn, "Events": events}]}
        self.s3.put_bucket_notification_configuration(Bucket=FRAMES, NotificationConfiguration=tell)

    def deliver(self) -> int:
        """What an event source mapping does, once; the number of messages."""
        answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        messages = answer.get("Messages", [])
        if messages:
            records = [{"messageId": message["MessageId"], "body": message["Body"]} for message in messages]
            assert self.handler({"Records": records}, Context("ingest")) == {"batchItemFailures": []}
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)

    @property
    def executions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.states.list_executions(stateMachineArn=self.machine["stateMachineArn"])[
            "executions"
        ]
        return found

    def deliver_until(self, n_executions: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while len(self.executions) < n_executions and time.monotonic() < deadline:
            if not self.deliver():
                time.sleep(0.1)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).read()
    monkeypatch.setitem(default_user_config, "stepfunctions", {"execute_state_machine": True})
    yield Cloud(endpoint, monkeypatch)
    bootstrap.services.cache_clear()
    server.stop()


def test_frames_that_are_put_lead_to_one_build_per_ccd(cloud: Cloud) -> None:
    names = [name for name, _ in [*tiny_sector(3), *tiny_tica_sector(2)]]
    for name in names:
        cloud.s3.put_object(Bucket=FRAMES, Key=frame_key(name), Body=name.encode())
    cloud.deliver_until(2)
    found = sorted(execution["name"] for execution in cloud.executions)
    assert [name.rsplit("-", 1)[0] for name in found] == ["s0001-4-2", "tica-s0027-1-4"]
    arn = cloud.executions[0]["executionArn"]
    request = json.loads(cloud.states.describe_execution(executionArn=arn)["input"])
    assert request.keys() == {"sector", "camera", "ccd", "product"}

    assert cloud.handler({"source": "aws.events"}, Context("ingest")) == {"asked": 2}
    for _ in range(5):
        cloud.deliver()
        time.sleep(0.3)
    assert len(cloud.executions) == 2


def test_a_frame_more_leads_to_another_build_and_a_frame_less_is_told(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    names = [name for name, _ in tiny_sector(4)]
    for name in names[:3]:
        cloud.s3.put_object(Bucket=FRAMES, Key=frame_key(name), Body=b"1")
    cloud.deliver_until(1)
    cloud.s3.put_object(Bucket=FRAMES, Key=frame_key(names[3]), Body=b"1")
    cloud.deliver_until(2)
    cloud.s3.delete_object(Bucket=FRAMES, Key=frame_key(names[0]))
    cloud.s3.put_object(Bucket=FRAMES, Key=frame_key(names[1]), Body=b"2")
    cloud.deliver_until(3)
    assert len({execution["name"] for execution in cloud.executions}) == 3
    (told,) = [vars(record) for record in caplog.records if record.message == "frames removed or replaced"]
    assert (told["removed"], told["replaced"]) == ((names[0],), (names[1],))
    assert (told["n_removed"], told["n_replaced"], told["frames"]) == (1, 1, 3)
    assert (told["product"], told["sector"], told["camera"], told["ccd"]) == ("SPOC", 1, 4, 2)
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"CloudWatchMetrics"' in line]
    assert [line["FramesRemoved"] for line in metrics if "FramesRemoved" in line] == [[1.0]]
    assert [line["FramesReplaced"] for line in metrics if "FramesReplaced" in line] == [[1.0]]
    kept = cloud.s3.list_objects_v2(Bucket=CUBES, Prefix="ingest/s0001-4-2/")["Contents"]
    assert len(kept) == 2
