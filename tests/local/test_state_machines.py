import json

from tessera_local.stack import Stack
from tessera_local.template.deployed import ACCOUNT

ROLE = f"arn:aws:iam::{ACCOUNT}:role/toy"
FLOW, MAP = "FlowStateMachine", "MapStateMachine"


def test_an_error_is_retried_by_the_name_of_the_exception(stack: Stack) -> None:
    arn = stack.start_execution(FLOW, {"do": "fail_once", "key": "retried"})
    assert stack.wait(arn).status == "SUCCEEDED"
    assert json.loads(stack.states.describe_execution(executionArn=arn)["output"]) == {"tries": 2}


def test_an_error_is_caught_by_the_name_of_the_exception(stack: Stack) -> None:
    ended = stack.wait(stack.start_execution(FLOW, {"do": "fatal"}))
    assert (ended.status, ended.error) == ("FAILED", "FatalError")
    assert json.loads(ended.cause or "")["errorMessage"] == "never"


def test_a_killed_worker_fails_the_execution_as_on_aws(stack: Stack) -> None:
    ended = stack.wait(stack.start_execution(FLOW, {"do": "exit", "status": 1}))
    assert (ended.status, ended.error) == ("FAILED", "Runtime.ExitError")


def test_a_distributed_map_runs_all_items(stack: Stack) -> None:
    arn = stack.start_execution(MAP, {"items": [{"n": n} for n in range(10)], "concurrency": 3})
    assert stack.wait(arn).status == "SUCCEEDED"
    output = json.loads(stack.states.describe_execution(executionArn=arn)["output"])
    assert [item["event"]["n"] for item in output] == list(range(10))


def test_a_failed_child_of_a_distributed_map_goes_unnoticed(stack: Stack) -> None:
    """moto puts null in its place and succeeds; AWS fails the Map. A last step must check what is there."""
    arn = stack.start_execution(MAP, {"items": [{"n": 0}, {"do": "fatal"}], "concurrency": 2})
    assert stack.wait(arn).status == "SUCCEEDED"
    assert json.loads(stack.states.describe_execution(executionArn=arn)["output"])[1] is None


def test_a_task_that_takes_too_long_is_caught_as_a_timeout(stack: Stack) -> None:
    act = stack.template.functions["ActFunction"].arn
    task = {"Type": "Task", "Resource": act, "TimeoutSeconds": 1, "Next": "End"}
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "Late"}]
    states = {"Act": task | {"Catch": catch}, "End": {"Type": "Succeed"}, "Late": {"Type": "Pass", "End": True}}
    arn = stack.states.create_state_machine(
        name="Slow", definition=json.dumps({"StartAt": "Act", "States": states}), roleArn=ROLE
    )["stateMachineArn"]
    execution = stack.states.start_execution(stateMachineArn=arn, input='{"do": "sleep", "seconds": 1.8}')
    assert stack.wait(execution["executionArn"]).status == "SUCCEEDED"
    output = stack.states.describe_execution(executionArn=execution["executionArn"])["output"]
    assert json.loads(output)["Error"] == "States.Timeout"


def test_executions_without_a_name_get_one_each(stack: Stack) -> None:
    arns = {stack.start_execution(FLOW, {"hello": number}) for number in range(3)}
    assert len(arns) == 3
    assert {stack.wait(arn).status for arn in arns} == {"SUCCEEDED"}
