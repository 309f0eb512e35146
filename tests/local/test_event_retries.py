"""An event that fails is tried again, and then kept in a queue of dead letters; a large one is refused."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tessera_local.stack import Stack
from tessera_local.template.deployed import Template, TemplateError

ACT, STRAIN = "ActFunction", "StrainFunction"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_local.lambdas.service.EVENT_PAUSES", (0.05, 0.05))


def send(stack: Stack, function: str, **event: Any) -> str:
    """Send an event, and return the id of the request."""
    answer = stack.functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
    assert answer["StatusCode"] == 202
    return str(answer["ResponseMetadata"]["RequestId"])


def errors(stack: Stack, request_id: str, count: int) -> list[str | None]:
    """Errors of the attempts of an event, when there are so many, and a moment later."""
    deadline = time.monotonic() + 20
    while len(found := [each for each in stack.reports if each.request_id == request_id]) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    time.sleep(0.2)
    return [each.error for each in stack.reports if each.request_id == request_id]


def test_an_event_that_fails_is_tried_twice_more(stack: Stack) -> None:
    assert errors(stack, send(stack, ACT, do="fatal"), 3) == ["FatalError"] * 3


def test_an_event_that_succeeds_is_tried_no_more(stack: Stack) -> None:
    assert errors(stack, send(stack, ACT, do="fail_once", key="events/once"), 2) == ["TransientError", None]


def test_an_event_that_fails_for_the_last_time_is_kept_in_a_queue(stack: Stack) -> None:
    event = {"do": "fail", "reason": "never"}
    request_id = send(stack, STRAIN, **event)
    assert errors(stack, request_id, 2) == ["ValueError"] * 2  # MaximumRetryAttempts is 1
    url = stack.template.queues["FailedQueue"].url
    (message,) = stack.queues.receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"])[
        "Messages"
    ]
    assert json.loads(message["Body"]) == event
    assert {name: value["StringValue"] for name, value in message["MessageAttributes"].items()} == {
        "RequestID": request_id,
        "ErrorCode": "200",
        "ErrorMessage": "never",
    }


def test_an_event_above_its_own_limit_is_refused(stack: Stack) -> None:
    send(stack, ACT, filling="x" * ((1 << 20) - 20))
    with pytest.raises(ClientError) as caught:
        send(stack, ACT, filling="x" * (1 << 20))
    assert caught.value.response["Error"]["Code"] == "RequestTooLargeException"


def test_another_place_for_dead_letters_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(
        "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: app.handler,"
        " DeadLetterQueue: {Type: SNS, TargetArn: 'arn:aws:sns:us-east-1:0:topic'}}}}"
    )
    with pytest.raises(TemplateError, match="F sends failed events elsewhere"):
        _ = Template(path).functions
