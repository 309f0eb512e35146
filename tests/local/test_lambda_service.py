import asyncio
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tessera_local.lambdas.service import LambdaService, function_name
from tessera_local.stack import Stack
from tessera_local.template.deployed import Template
from tests.support.coroutines import run_coroutine

ACT = "ActFunction"


def call(stack: Stack, function: str = ACT, kind: str = "RequestResponse", **event: Any) -> tuple[str | None, Any]:
    answer = stack.functions.invoke(FunctionName=function, InvocationType=kind, Payload=json.dumps(event).encode())
    return answer.get("FunctionError"), json.loads(answer["Payload"].read() or b"null")


def test_a_function_is_found_by_its_arn(stack: Stack) -> None:
    assert call(stack, stack.template.functions[ACT].arn, hello=1)[1]["event"] == {"hello": 1}


@pytest.mark.parametrize(
    "name", ["F", "F:live", "arn:aws:lambda:us-east-1:0:function:F", "arn:aws:lambda:us-east-1:0:function:F:3"]
)
def test_all_forms_of_a_name_mean_the_function(name: str) -> None:
    assert function_name(name) == "F"


def test_an_unknown_function_is_not_found(stack: Stack) -> None:
    with pytest.raises(stack.functions.exceptions.ResourceNotFoundException, match="Nobody"):
        call(stack, "Nobody")


def test_the_environment_is_that_of_lambda(stack: Stack) -> None:
    _, environment = call(stack, do="environment")
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert environment["AWS_ENDPOINT_URL"] == stack.control_endpoint
    assert environment["AWS_ENDPOINT_URL_S3"] == stack.s3_endpoint
    assert environment["EXTRA"] == "1"
    assert environment["OWN"] == "yes"
    assert "USER" not in environment


def test_the_context_knows_the_deadline(stack: Stack) -> None:
    _, context = call(stack, do="context")
    assert 0 < context["left"] <= 2000
    assert context["arn"].endswith(":function:ActFunction")


def test_an_exception_arrives_with_its_name(stack: Stack) -> None:
    error, payload = call(stack, do="fatal")
    assert error == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("FatalError", "never")
    assert payload["stackTrace"]


def test_a_warm_worker_is_used_again(stack: Stack) -> None:
    assert call(stack)[1]["pid"] == call(stack)[1]["pid"]


def test_a_function_that_is_too_slow_is_killed(stack: Stack) -> None:
    _, before = call(stack)
    started = time.monotonic()
    error, payload = call(stack, do="sleep", seconds=60)
    assert (error, payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert payload["errorMessage"].endswith("Task timed out after 2.00 seconds")
    assert time.monotonic() - started < 30
    assert call(stack)[1]["pid"] != before["pid"]


def test_a_function_that_takes_too_much_memory_is_killed(stack: Stack) -> None:
    error, payload = call(stack, do="allocate", mb=200)
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert payload["errorMessage"].endswith("signal: killed")
    assert stack.reports[-1].max_memory_mb >= 128  # whole MB, rounded down


def test_a_process_that_ends_is_replaced(stack: Stack) -> None:
    error, payload = call(stack, do="exit", status=3)
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert payload["errorMessage"].endswith("exit status 3")
    assert call(stack)[0] is None


def test_a_worker_killed_from_outside_is_replaced(stack: Stack) -> None:
    _, first = call(stack)
    os.kill(first["pid"], 9)
    until = time.monotonic() + 10
    while Path(f"/proc/{first['pid']}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.2)  # the service has heard of it by then
    error, second = call(stack)
    assert error is None
    assert second["pid"] != first["pid"]


def test_a_response_above_the_limit_is_an_error(stack: Stack) -> None:
    assert call(stack, do="answer", bytes=6_291_500)[0] is None
    error, payload = call(stack, do="answer", bytes=7 << 20)
    assert (error, payload["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")
    assert call(stack)[0] is None


def test_a_request_above_the_limit_is_refused(stack: Stack) -> None:
    with pytest.raises(ClientError) as caught:
        call(stack, filling="x" * (7 << 20))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert caught.value.response["Error"]["Code"] == "RequestTooLargeException"


def test_a_request_that_is_not_json_is_refused(stack: Stack) -> None:
    with pytest.raises(stack.functions.exceptions.InvalidRequestContentException):
        stack.functions.invoke(FunctionName=ACT, Payload=b"{")


def test_a_function_that_cannot_be_imported_says_why(stack: Stack) -> None:
    error, payload = call(stack, "BrokenFunction")
    assert (error, payload["errorType"], payload["errorMessage"]) == ("Unhandled", "RuntimeError", "broken at import")
    assert stack.workers("BrokenFunction") == []


def test_requests_at_the_same_time_get_workers_of_their_own_up_to_the_limit(stack: Stack) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: call(stack, do="sleep", seconds=0.5), range(6)))
    assert time.monotonic() - started >= 1.0
    assert len(stack.workers(ACT)) == 4


def test_an_event_is_answered_before_it_is_done(stack: Stack) -> None:
    call(stack)
    answer = stack.functions.invoke(
        FunctionName=ACT, InvocationType="Event", Payload=b'{"do": "sleep", "seconds": 0.3}'
    )
    request_id, known = answer["ResponseMetadata"]["RequestId"], len(stack.reports)
    assert answer["StatusCode"] == 202
    assert request_id not in [report.request_id for report in stack.reports]
    deadline = time.monotonic() + 5
    while len(stack.reports) == known and time.monotonic() < deadline:
        time.sleep(0.05)
    assert request_id in [report.request_id for report in stack.reports]


def test_every_invocation_leaves_a_report(stack: Stack) -> None:
    call(stack, do="sleep", seconds=0.1)
    report = stack.reports[-1]
    assert report.function == ACT
    assert 100 <= report.duration_ms < 1500
    assert 10 < report.max_memory_mb < 128
    assert json.loads((stack.home / "logs/reports.jsonl").read_text(encoding="utf-8").splitlines()[-1])[
        "duration_ms"
    ] == (report.duration_ms)


def test_a_worker_has_one_timer_however_often_it_is_used(toy: Path, tmp_path: Path) -> None:
    service = LambdaService(Template(toy).functions, tmp_path)

    async def use() -> int:
        loop: Any = asyncio.get_running_loop()
        try:
            for _ in range(3):
                assert (await service.invoke(ACT, b"{}")).function_error is None
            return sum(handle._callback == service._end_idle for handle in loop._scheduled)
        finally:
            await service.close()

    assert run_coroutine(use()) == 1


def test_a_worker_without_work_is_ended(toy: Path, tmp_path: Path) -> None:
    service = LambdaService(Template(toy).functions, tmp_path, idle_seconds=0.5)

    async def use() -> tuple[list[int], list[int]]:
        try:
            assert (await service.invoke(ACT, b"{}")).function_error is None
            await asyncio.sleep(0.2)
            assert (await service.invoke(ACT, b"{}")).function_error is None
            used, since = service.pids(ACT), time.monotonic()
            while service.pids(ACT):  # noqa: ASYNC110 - nobody is told of an end
                await asyncio.sleep(0.02)
            assert time.monotonic() - since >= 0.49  # since the last use, not the first
            assert (await service.invoke(ACT, b"{}")).function_error is None
            return used, service.pids(ACT)
        finally:
            await service.close()

    used, fresh = run_coroutine(use())
    assert len(used) == 1
    assert used != fresh
