"""Concurrency as on AWS: beyond it requests are refused, events wait, and state machines see the name of the error."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tessera_local.lambdas.concurrency import Concurrency, ThrottledError
from tessera_local.processes import CREDENTIALS
from tessera_local.stack import Stack
from tessera_local.template.deployed import ACCOUNT, REGION, Template
from tests.support.coroutines import run_coroutine

ACT = "ActFunction"


@pytest.fixture
def limited(stack: Stack) -> Iterator[Stack]:
    """The stack, whose limits the test may change."""
    yield stack
    stack.limits.account, stack.limits.reserved = None, {}


def slots(limits: Concurrency, *functions: str) -> list[str]:
    """Reason for each function why it does not get a slot beside those before it; empty if it does."""

    async def take() -> list[str]:
        found = []
        async with AsyncExitStack() as held:
            for function in functions:
                try:
                    await held.enter_async_context(limits.slot(function, queued=False))
                    found.append("")
                except ThrottledError as error:
                    found.append(str(error))
        return found

    return run_coroutine(take())


def test_functions_share_what_nobody_has_reserved() -> None:
    limits = Concurrency(5, {"own": 2})
    beyond, reserved = "ConcurrentInvocationLimitExceeded", "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert slots(limits, "a", "b", "a", "c", "own", "own", "own") == ["", "", "", beyond, "", "", reserved]
    assert slots(limits, "a", "b", "c") == ["", "", ""]  # what ended is free again
    assert slots(Concurrency(), *"abcdefgh") == [""] * 8
    assert slots(Concurrency(reserved={"off": 0}), "off", "a") == [reserved, ""]


def test_the_concurrency_of_a_function_is_read_from_the_template(stack: Stack) -> None:
    root = stack.template
    assert {each.reserved for each in root.functions.values()} == {None}
    from tests.template.documents import TEMPLATE  # noqa: PLC0415 - the one real template of this file

    reserving = Template(TEMPLATE, {"WaitConcurrency": "100"})
    assert {name: each.reserved for name, each in reserving.functions.items() if each.reserved is not None} == {
        "WaitForJobFunction": 100,
        "LimitSpendingFunction": 1,
    }


def test_a_request_beyond_the_concurrency_is_refused_as_aws_does(limited: Stack) -> None:
    limited.limits.reserved = {ACT: 0}
    with pytest.raises(limited.functions.exceptions.TooManyRequestsException) as caught:
        limited.functions.invoke(FunctionName=ACT, Payload=b"{}")
    answer: dict[str, Any] = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert answer["retryAfterSeconds"] == "1"
    assert answer["Error"]["Message"] == "Rate Exceeded."


def test_the_sdk_tries_a_refused_request_again(limited: Stack) -> None:
    limited.limits.account = 0
    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    config = Config(retries={"mode": "standard", "total_max_attempts": 2})
    client = session.client("lambda", endpoint_url=limited.lambda_endpoint, config=config)
    with pytest.raises(ClientError, match="reached max retries: 1"):
        client.invoke(FunctionName=ACT, Payload=b"{}")


def test_an_event_waits_until_there_is_room(limited: Stack) -> None:
    limited.limits.account = 0
    answer = limited.functions.invoke(FunctionName=ACT, InvocationType="Event", Payload=b"{}")
    assert answer["StatusCode"] == 202
    request_id, done = answer["ResponseMetadata"]["RequestId"], [report.request_id for report in limited.reports]
    time.sleep(0.2)
    assert request_id not in done
    limited.limits.account = 1
    deadline = time.monotonic() + 5
    while request_id not in [report.request_id for report in limited.reports]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_api_answers_for_a_refused_function(limited: Stack) -> None:
    limited.limits.account = 0
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{limited.url}/things/a")
    assert (caught.value.code, json.loads(caught.value.read())) == (500, {"message": "Internal server error"})


def test_a_state_machine_sees_the_name_by_which_its_retries_decide(limited: Stack) -> None:
    rule = {"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 1, "MaxAttempts": 9}
    act = {"Type": "Task", "Resource": limited.template.functions[ACT].arn, "End": True}
    arns = [
        limited.states.create_state_machine(
            name=name,
            definition=json.dumps({"StartAt": "Act", "States": {"Act": act | more}}),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/toy",
        )["stateMachineArn"]
        for name, more in (("patient", {"Retry": [rule]}), ("hasty", {}))
    ]
    limited.limits.account = 0
    patient, hasty = (limited.states.start_execution(stateMachineArn=arn, input="{}")["executionArn"] for arn in arns)
    ended = limited.wait(hasty, timeout=20)
    assert (ended.status, ended.error) == ("FAILED", "Lambda.TooManyRequestsException")
    assert limited.poll(patient) is None
    limited.limits.account = None
    assert limited.wait(patient, timeout=20).status == "SUCCEEDED"
